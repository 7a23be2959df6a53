"""Where a picture shows something but its ground: the stretches of rows and columns that hold images."""

from __future__ import annotations

from collections import Counter

from PIL import Image, ImageChops

SMALLEST = 12  # pixels of an image's side
_GROUND = 24  # levels within which a pixel has the ground's colour: JPEG smears
_TEXT = 0.4  # what is less than this share of the longest stretch is a title or a label
_FRAME = 0.1  # share of the outermost pixels that the ground must have
_TICKS = 3  # pixels outside of a frame, at least

Span = tuple[int, int]  # first pixel, and the one behind the last
Colour = tuple[int, int, int]


def grounds(picture: Image.Image) -> list[Colour]:
    """Colours that the ground may have: the most frequent ones of the outermost pixels, two at most."""
    width, height = picture.size
    frame = [picture.crop(box) for box in ((0, 0, width, 1), (0, height - 1, width, height))]
    frame += [picture.crop(box) for box in ((0, 0, 1, height), (width - 1, 0, width, height))]
    counts: Counter[Colour] = Counter()
    for strip in frame:
        for n, colour in strip.getcolors(strip.width * strip.height) or []:
            assert isinstance(colour, tuple)
            counts[colour[0], colour[1], colour[2]] += n
    return [colour for colour, n in counts.most_common(2) if n >= _FRAME * sum(counts.values())]


def mask_of(picture: Image.Image, ground: Colour) -> Image.Image:
    """255 where a pixel has another colour than the ground."""
    red, green, blue = ImageChops.difference(picture, Image.new("RGB", picture.size, ground)).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue).point(lambda level: 255 if level > _GROUND else 0)


def content_of(mask: Image.Image) -> tuple[list[Span], list[Span]] | None:
    """The stretches of columns and of rows that hold images, without those of titles and labels."""
    down = _stretches(mask)
    if not down:
        return None
    across = _stretches(_rows_of(mask, down).transpose(Image.Transpose.TRANSPOSE))
    if not across:
        return None
    sideways = mask.transpose(Image.Transpose.TRANSPOSE)
    down = _stretches(_rows_of(sideways, across).transpose(Image.Transpose.TRANSPOSE))
    return (across, down) if down else None


def _rows_of(mask: Image.Image, spans: list[Span]) -> Image.Image:
    """The mask with nothing in all other rows."""
    kept = Image.new("L", mask.size)
    for start, end in spans:
        kept.paste(mask.crop((0, start, mask.width, end)), (0, start))
    return kept


def _stretches(mask: Image.Image) -> list[Span]:
    """The stretches of rows with anything in them, without those that are short beside the longest."""
    content, width = mask.tobytes(), mask.width
    filled = [content.count(255, y * width, (y + 1) * width) for y in range(mask.height)]
    found: list[Span] = []
    start = -1
    for y, n in enumerate((*filled, 0)):
        if n and start < 0:
            start = y
        elif not n and start >= 0:
            found.append(_within_frame(filled, (start, y)))
            start = -1
    longest = max((end - first for first, end in found), default=0)
    return [(first, end) for first, end in found if end - first >= max(SMALLEST, _TEXT * longest)]


def _within_frame(filled: list[int], span: Span) -> Span:
    """The inside of the lines that frame images with axes, whose ticks and labels stand outside; else the span."""
    start, end = span
    most = max(filled[start:end])
    full = [y for y in range(start, end) if filled[y] >= 0.9 * most]
    first, last = full[0], full[-1]
    if first - start >= _TICKS and all(n < most / 2 for n in filled[start:first]):
        start = first + 1
    if end - 1 - last >= _TICKS and all(n < most / 2 for n in filled[last + 1 : end]):
        end = last
    return (start, end) if start < end else span
