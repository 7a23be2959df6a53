"""What the official count finds in the figures of a hundred seeds: 25 faces of one seed can't tell 24 from 22.

    python -m reference_models.over_seeds anime_gan text2image --judge anime_cascade=lbpcascade_animeface.xml --out FILE

Each figure is drawn as it is handed in and counted as a whole; for `text2image` the judge of tags reads the images
that are cut out of it. Models that are compared with each other get the interval of their difference; several runs
of one preset with other seeds, given by `--run`, show what the training's seed is worth.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from grader.checks.plots import take_plot_apart
from grader.errors import UsageError
from grader.judges import check_judges, torchvision_shim  # noqa: F401  # before torchvision, which judges import
from grader.judges.anime_tags import EYES, HAIR
from grader.judges.cascades import Cascade, read_cascade
from grader.judges.features import Extractor
from grader.judges.weights import find_weights
from grader.metrics.accuracy import difference_interval, wilson_interval
from reference_models import anime_gan, gan_variants, text2image, tips
from reference_models.core import plots
from reference_models.core.commands import run_command
from reference_models.core.judging import Pictures
from reference_models.core.models import Model, load, published

FAMILIES: dict[str, Any] = {
    "anime_gan": anime_gan,
    "text2image": text2image,
    "gan_variants": gan_variants,
    "tips": tips,
}
COMPARED: dict[str, Mapping[str, tuple[str, str]]] = {
    "tips": tips.PAIRS,
    "gan_variants": {option: (preset, "ns") for option, preset in gan_variants.COMPARED.items()}
    | {"hinge": ("hinge", "ns")},
}
TILES = 25
Draw = Callable[[int], Pictures]


def drawing(family: str, model: Model) -> Draw:
    """The faces of a model by seed, uint8 ``(25, 64, 64, 3)``."""
    if family == "text2image":
        tags = text2image.wanted_tags(None)
        return lambda seed: text2image.pictures_of(model, tags, seed)
    made: Any = FAMILIES[family]
    return lambda seed: made.pictures_of(model, TILES, seed)


def figures_of(draw: Draw, seeds: Sequence[int]) -> Iterator[Image.Image]:
    """The figures that would be handed in, RGB, one for each seed."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            path = Path(folder) / f"{seed}.png"
            plots.subplots(draw(seed), 5, path)
            with Image.open(path) as figure:
                yield figure.convert("RGB")


def describe(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation over seeds, least and greatest.

    >>> describe([24, 25, 23])
    {'mean': 24.0, 'sd': 1.0, 'least': 23.0, 'greatest': 25.0}
    """
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    found = {"mean": float(np.mean(values)), "sd": spread, "least": float(min(values)), "greatest": float(max(values))}
    return {name: round(value, 4) for name, value in found.items()}


def count(figures: Sequence[Image.Image], cascade: Cascade) -> dict[str, Any]:
    """Faces found in each figure; the share of images with one, a figure's faces beyond its images left out."""
    found = [len(cascade.faces(np.asarray(figure))) for figure in figures]
    hits, n = sum(min(faces, TILES) for faces in found), TILES * len(found)
    return {"faces": describe(found), "hits": hits, "n": n, "interval": _rounded(wilson_interval(hits, n))}


def read_colours(figures: Sequence[Image.Image], extractor: Extractor) -> dict[str, Any]:
    """The shares of images whose hair, and whose eyes, the judge reads as the tags ask, over all seeds and tag by tag.

    Raises UsageError for a figure that can't be taken apart.
    """
    tags = text2image.wanted_tags(None)
    right: dict[str, list[list[bool]]] = {"hair": [], "eyes": []}
    for figure in figures:
        grid = take_plot_apart(figure, (5, 5), (64, 64))
        if grid is None:
            raise UsageError("a figure could not be taken apart")
        told = extractor.run("anime-tags", np.stack([np.asarray(tile) for tile in grid.tiles]), lambda *_: None).outputs
        for part, colours in (("hair", HAIR), ("eyes", EYES)):
            read = [colours[i] for i in told[part].argmax(1)]
            right[part].append([tag[part == "eyes"] == colour for tag, colour in zip(tags, read, strict=True)])
    found: dict[str, Any] = {}
    for part, rows in right.items():
        table = np.array(rows)
        hits, n = int(table.sum()), table.size
        by_tag = {f"{h} hair {e} eyes": float(table[:, 5 * i : 5 * i + 5].mean()) for i, (h, e) in enumerate(tags[::5])}
        found[part] = {"share": round(hits / n, 4), "interval": _rounded(wilson_interval(hits, n)), "n": n}
        found[part] |= {"sd": describe(table.mean(1).tolist())["sd"], "by_tag": by_tag}
    return found


def compare(family: str, counts: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """For each comparison the difference of the shares of images with a face, with its interval, training by training.

    The interval is over the noise. What trainings of other seeds differ by shows between the rows alone, so that only
    those of equal seeds are compared, and `mean` and `sd` are over them. No p: with thousands of images of one
    generator it says that two generators differ, and not that two settings do.
    """
    found = {}
    for name, (first, second) in COMPARED.get(family, {}).items():
        sides = [{c["training_seed"]: c for c in counts.get(preset, ())} for preset in (first, second)]
        rows = []
        for seed in sorted(sides[0].keys() & sides[1].keys()):
            a, b = ((side[seed]["hits"], side[seed]["n"]) for side in sides)
            difference = round(a[0] / a[1] - b[0] / b[1], 4)
            rows.append(
                {"training_seed": seed, "difference": difference, "interval": _rounded(difference_interval(a, b))}
            )
        if rows:
            over = describe([row["difference"] for row in rows])
            found[name] = {"with": first, "without": second, "mean": over["mean"], "sd": over["sd"], "trainings": rows}
    return found


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(end, 4) for end in interval]


def main() -> None:
    """The command line: see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="+", choices=FAMILIES)
    parser.add_argument("--run", type=Path, action="append", help="runs' folders, instead of the published models")
    parser.add_argument("--seeds", type=int, default=100, help="how many; the first is that of what is handed in")
    parser.add_argument("--judge", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--out", type=Path, help="where the table goes, as JSON")
    given = parser.parse_args()
    if given.seeds < 1 or any("=" not in text for text in given.judge):
        raise UsageError("expected --seeds of 1 or more, and each --judge as NAME=PATH")
    judges = check_judges(dict(text.split("=", 1) for text in given.judge))
    cascade, extractor = read_cascade(find_weights("anime_cascade", judges)), Extractor(judges, "cpu", None)
    table: dict[str, Any] = {}
    for family in given.families:
        models = [load(run) for run in given.run] if given.run else published(family)
        counts: dict[str, list[dict[str, Any]]] = {}
        for model in models:
            figures = list(figures_of(drawing(family, model), range(1, given.seeds + 1)))
            preset = str(model.config["preset"])
            found = {"training_seed": model.config["seed"]} | count(figures, cascade)
            if family == "text2image":
                found |= read_colours(figures, extractor)
            counts.setdefault(preset, []).append(found)
        table[family] = {"seeds": given.seeds, "models": counts, "differences": compare(family, counts)}
    text = json.dumps(table, indent=2, sort_keys=True)
    if given.out:
        given.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    run_command(main)
