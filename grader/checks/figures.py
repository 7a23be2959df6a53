"""A figure: found, of the format that its name says, big enough, not blank; a regular grid is taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from PIL import Image

from grader.assignment import FigureSpec, ImagesSpec
from grader.assignment.names import looks_like_image
from grader.checks import rules
from grader.checks.decoding import MOST_PIXELS, WIDEST, decode, format_of, size_of
from grader.checks.images import CheckedImages
from grader.checks.pictures import Damaged
from grader.checks.plots import take_plot_apart
from grader.checks.rule import MOST_NEAR, too_many
from grader.checks.rules import Rule
from grader.checks.tiles import Grid, blank, repeated, take_apart
from grader.results import Finding
from grader.submission import Submission, Unreadable
from grader.text import are, bare, listing, plural, printable

KEPT_PIXELS = 12_000_000
_LARGEST = 16 * 2**20  # bytes
_SMALLEST = (100, 60)
_MOST_FOLDERS = 60
_NEAR = 16  # levels within which a pixel has the colour of most others
_SHOWN = 0.0002  # of the pixels must have another colour than most: a thin line has more


@dataclass(frozen=True)
class CheckedFigure:
    """A figure's findings. `tiles`: RGB bytes of the images of its grid, row by row, each of the size asked for.

    No tiles, rows and columns where there is no grid to take apart; `decoded`: the figure could be opened. `pixels`:
    RGB bytes of the whole picture of this `size`, row by row, where they are kept: it is measured and has at most
    `KEPT_PIXELS`. `boxes`: left, top, right and bottom of each tile in that picture.
    """

    spec: FigureSpec
    findings: tuple[Finding, ...]
    columns: int = 0
    rows: int = 0
    tiles: tuple[bytes, ...] = ()
    decoded: bool = False
    pixels: bytes = b""
    size: tuple[int, int] = (0, 0)
    boxes: tuple[tuple[int, int, int, int], ...] = ()


Figures = dict[tuple[str, str], CheckedFigure]  # those that were measured, by problem and deliverable


def as_images(figure: CheckedFigure) -> CheckedImages:
    """The images of a figure's grid in the order of reading, named `row 1, column 3`: for measures of images.

    `spec.count` is how many the grid should have; none is there where the figure isn't taken apart.
    """
    spec = figure.spec
    columns, rows = spec.grid or (0, 0)
    images = ImagesSpec(
        spec.id,
        spec.path,
        columns * rows,
        spec.tile,
        "RGB",
        "PNG",
        None,
        "",
        spec.required,
        copies_of=spec.copies_of,
        alike=spec.alike,
    )
    names = tuple(_place(i, figure.columns) for i in range(len(figure.tiles)))
    return CheckedImages(images, names, figure.tiles, figure.findings)


def check_figure(
    submission: Submission,
    spec: FigureSpec,
    problem: str,
    *,
    elsewhere: set[str],
    keep: bool = False,
    measured: bool = False,
) -> CheckedFigure:
    """Checks one figure. `elsewhere`: paths that are other things' places, which are not taken for this figure.

    keep: hold the pixels of the whole picture. measured: a grid that can't be taken apart is worth a warning.
    """
    report = _Report(spec, problem)
    entry = submission.entry(spec.path)
    if entry is None:
        if spec.required:
            _not_there(submission, report, elsewhere)
        return CheckedFigure(spec, tuple(report.findings))
    if entry.kind != "file":
        kind = f"a {entry.kind}"
        report.add(rules.NOT_A_FILE, f"{spec.path} is {kind}, not a file.", "a picture", kind, "Put the file there.")
        return CheckedFigure(spec, tuple(report.findings))
    picture = _opened(submission, report)
    if picture is None:
        return CheckedFigure(spec, tuple(report.findings))
    grid = None
    if _is_blank(picture):
        advice = "Save the figure after drawing and before showing it: plt.savefig(...), then plt.show()."
        report.add(rules.BLANK_FIGURE, f"{spec.path} shows nothing.", "a picture", "one colour all over", advice)
    elif spec.grid is not None:
        grid = take_apart(picture, spec.grid, spec.tile) or take_plot_apart(picture, spec.grid, spec.tile)
        if grid is None and measured:
            _no_grid(report)
    pixels = picture.tobytes() if keep and picture.width * picture.height <= KEPT_PIXELS else b""
    whole = CheckedFigure(spec, tuple(report.findings), decoded=True, pixels=pixels, size=picture.size)
    if grid is None:
        return whole
    _judge(grid, report)
    tiles = tuple(tile.tobytes() for tile in grid.tiles)
    whole = replace(whole, findings=tuple(report.findings), columns=grid.columns, rows=grid.rows)
    return replace(whole, tiles=tiles, boxes=grid.boxes)


@dataclass
class _Report:
    spec: FigureSpec
    problem: str
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        rule: Rule,
        message: str,
        expected: str,
        actual: str,
        help: str,
        *,
        path: str = "",
        examples: Sequence[str] = (),
        grave: bool = False,
    ) -> None:
        finding = rule.finding(
            problem=self.problem,
            deliverable=self.spec.id,
            path=path or self.spec.path,
            message=message,
            expected=expected,
            actual=actual,
            help=help,
            count=len(examples) or 1,
            examples=list(examples),
            grave=grave,
        )
        self.findings.append(finding)


def _not_there(submission: Submission, report: _Report, elsewhere: set[str]) -> None:
    """The file is absent: looks for one of a similar name, first in its folder, then in those around it."""
    spec = report.spec
    folder = spec.path.rpartition("/")[0] or "."
    tops = [f for f in submission.folders(".") if f not in elsewhere][:_MOST_FOLDERS]
    below = [f for top in tops for f in submission.folders(top) if f not in elsewhere][:_MOST_FOLDERS]
    # Folders of images are looked into as well: scripts often write a figure beside the images that it shows.
    images = [f for f in elsewhere if submission.peek(f)]
    for place in dict.fromkeys((folder, ".", *tops, *below, *sorted(images))):
        found = _similar(submission, place, spec, elsewhere)
        if not found:
            continue
        same_place = place == folder
        rule = rules.MISNAMED if same_place else rules.MISPLACED
        report.add(
            rule,
            f"{spec.path} is not there; {printable(found)} is.",
            spec.path,
            found,
            f"If it is this figure, {_remedy(found, spec, same_place)}.",
            path=found,
        )
        return
    pictures = [e.name for e in submission.peek(folder).values() if e.kind == "file" and looks_like_image(e.name)]
    report.add(
        rules.MISSING_DELIVERABLE,
        f"{spec.path} is not there.",
        f"a {spec.format} picture {spec.path}",
        f"pictures there: {listing(pictures, 5)}" if pictures else "no such file",
        "Let your script write it there.",
    )


def _remedy(found: str, spec: FigureSpec, same_place: bool) -> str:
    if _promised(found) != spec.format:
        return f"save it as a {spec.format} at {spec.path}; renaming does not convert"
    return f"rename it to {spec.path}" if same_place else f"move it to {spec.path}"


def _similar(submission: Submission, place: str, spec: FigureSpec, elsewhere: set[str]) -> str:
    """The path of a picture in a folder whose name differs in case, extension or punctuation alone."""
    prefix = "" if place == "." else f"{place}/"
    wanted = _bare(spec.path.rpartition("/")[2])
    files = [e.name for e in submission.peek(place).values() if e.kind == "file" and looks_like_image(e.name)]
    alike = [f for f in files if _bare(f) == wanted and prefix + f not in elsewhere]
    return prefix + min(alike, key=lambda f: (_promised(f) != spec.format, f)) if alike else ""


def _promised(name: str) -> str:
    """What a name's extension promises: `JPEG`, `PNG` or an empty string."""
    return {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG"}.get(name.rpartition(".")[2].lower(), "")


def _bare(name: str) -> str:
    return bare(name.rpartition(".")[0]).replace("figure", "fig")


def _opened(submission: Submission, report: _Report) -> Image.Image | None:
    """The picture, if it can be shown at all; findings about its format and size."""
    spec = report.spec
    try:
        content = submission.read(spec.path, _LARGEST)
        found = format_of(content) if content else ""
        if not found:
            raise Unreadable("an empty file")
        if found != spec.format:
            advice = f"Save it as {spec.format}: image.save('{spec.path}'). Renaming a file does not convert it."
            what = "no picture" if found == "no image" else f"a {found} file"
            message = f"{spec.path} is {what} inside, whatever its name says."
            report.add(rules.WRONG_FORMAT, message, spec.format, found, advice)
        if found not in ("JPEG", "PNG"):
            return None
        size = size_of(content)
        if not _plausible(size, report):
            return None
        return decode(content, submission.decoder)
    except (Unreadable, Damaged) as e:
        advice = (
            f"Let your script write it again, with at most {_LARGEST >> 20} MiB, and look at it before you hand it in."
        )
        report.add(rules.UNREADABLE, f"{spec.path} can't be read.", f"a whole {spec.format} file", str(e), advice)
        return None


def _plausible(size: tuple[int, int], report: _Report) -> bool:
    """True if the picture is to be decoded; a finding about an odd size. Tiny ones are decoded none the less."""
    width, height = size
    large = max(size) > WIDEST or width * height > MOST_PIXELS
    small = width < _SMALLEST[0] or height < _SMALLEST[1]
    if large or small:
        spec = report.spec
        expected = f"at least {_SMALLEST[0]}x{_SMALLEST[1]} pixels, at most {WIDEST} a side and {MOST_PIXELS:,} in all"
        message = f"{spec.path} is too {'large' if large else 'small'} for a figure."
        advice = "Save it with fewer dots per inch." if large else "Save the whole figure, large enough to be read."
        report.add(rules.FIGURE_SIZE, message, expected, f"{width}x{height} pixels", advice)
    return not large


def _is_blank(picture: Image.Image) -> bool:
    """True if nearly every pixel has one colour, in each band within a few levels of the most frequent one."""
    total = picture.width * picture.height
    for band in picture.split():
        histogram = band.histogram()
        mode = max(range(256), key=histogram.__getitem__)
        if total - sum(histogram[max(0, mode - _NEAR) : mode + _NEAR + 1]) > _SHOWN * total:
            return False
    return True


def _no_grid(report: _Report) -> None:
    assert report.spec.grid is not None
    columns, rows = report.spec.grid
    report.add(
        rules.NO_GRID,
        f"The images in {report.spec.path} can't be told apart, so that they are not measured one by one.",
        f"{columns} images in each of {plural(rows, 'row')}, of one size, evenly spaced",
        "no such grid",
        f"Draw nothing else, with plt.subplots({rows}, {columns}) or save_image(images, path, nrow={columns}).",
    )


def _judge(grid: Grid, report: _Report) -> None:
    """Findings about the images of a grid: how many they are, blank ones, repeated ones."""
    spec = report.spec
    assert spec.grid is not None
    wanted, there = spec.count, len(grid.tiles)
    if there != wanted:
        report.add(
            rules.TILE_COUNT,
            f"{spec.path} shows {plural(there, 'image')}; {wanted} are asked for.",
            f"{wanted} images, such as {spec.grid[0]} in each of {plural(spec.grid[1], 'row')}",
            f"{grid.columns} in each of {plural(grid.rows, 'row')}",
            "Draw as many as asked for.",
        )
    if empty := blank(grid.tiles):
        places = _places(empty, grid)
        message = f"{plural(len(empty), 'image')} in {spec.path} {are(len(empty))} of a single colour."
        advice = "Look at the figure: was a smaller batch drawn than the grid has places?"
        report.add(rules.BLANK_TILES, message, "pictures", listing(places), advice, examples=places)
    if not spec.alike and (same := repeated(grid.tiles)):
        pairs = [f"{a} = {b}" for a, b in zip(*(_places(i, grid) for i in zip(*same, strict=True)), strict=True)]
        repeat = "repeats" if len(same) == 1 else "repeat"
        message = f"{plural(len(same), 'image')} in {spec.path} {repeat} another."
        advice = "Use fresh noise for every image; a generator that repeats itself has collapsed."
        grave = too_many(len(same), there, MOST_NEAR)
        report.add(rules.REPEATED_TILES, message, "all different", listing(pairs), advice, examples=pairs, grave=grave)


def _places(indices: Iterable[int], grid: Grid) -> list[str]:
    """Where tiles are, in words: `row 1, column 3`."""
    return [_place(i, grid.columns) for i in indices]


def _place(index: int, columns: int) -> str:
    return f"row {index // columns + 1}, column {index % columns + 1}"
