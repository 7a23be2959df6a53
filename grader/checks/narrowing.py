"""What an image folder must hold, once it is known what is in it: open ranges end where the student's do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from grader.assignment import ImagesSpec, NameFormat
from grader.assignment.names import looks_like_image


def narrowed(files: Iterable[str], spec: ImagesSpec, of: Collection[str] | None = None) -> ImagesSpec:
    """The spec with a definite number of images, for a folder with these files.

    Ranges that may end anywhere end at the highest number that is there, where it isn't below the least. Where one
    image is asked for each picture of a folder, `of` are the names of those pictures; without it the names that are
    there are taken for all. Where any names will do, there are as many images as are there, within what is asked for.
    """
    names = spec.names
    images = [name for name in files if looks_like_image(name)]
    if names is None:
        if of:
            return replace(spec, count=len(of))
        return replace(spec, count=max(spec.at_least, min(len(images), spec.count))) if spec.at_least else spec
    if spec.one_for_each:
        wanted = {name for name in (images if of is None else of) if names.parse(name)}
        return _to_names(spec, names, wanted) if wanted else spec
    if all(f.least is None for f in names.fields):
        return spec
    meant = list(_meant(images, names))
    ends = []
    for i, field in enumerate(names.fields):
        values = [v[i] for v in meant]
        # Numbered from one below the first number: the end is one higher than what is there.
        shift = int(field.low - 1 in values)
        inside = [v + shift for v in values if v + shift <= field.high]
        ends.append(field.high if field.least is None else max(field.least, *inside, field.low))
    fields = tuple(replace(f, high=end) for f, end in zip(names.fields, ends, strict=True))
    smaller = NameFormat(names.template, fields)
    return replace(spec, names=smaller, count=len(smaller))


def _meant(images: Iterable[str], names: NameFormat) -> Iterator[tuple[int, ...]]:
    """The numbers of each name, well spelled or not, that lie in their ranges or just below the first one."""
    for name in images:
        values = names.parse(name) or names.guess(name)
        if values is None:
            continue
        orders = (values, values[::-1])
        just_below = [v for v in orders if all(f.low - 1 <= n <= f.high for f, n in zip(names.fields, v, strict=True))]
        yield from ([v for v in orders if names.holds(v)] or just_below)[:1]


def _to_names(spec: ImagesSpec, names: NameFormat, wanted: Collection[str]) -> ImagesSpec:
    numbers = sorted(values[0] for name in wanted if (values := names.parse(name)))
    field = replace(names.fields[0], low=numbers[0], high=numbers[-1])
    return replace(spec, names=NameFormat(names.template, (field,)), count=len(numbers))
