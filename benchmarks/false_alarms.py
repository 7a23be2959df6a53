"""`python -m benchmarks.false_alarms`: how often `grader copies` calls independent work alike.

Nobody copied in any of it: digits and faces of trained generators with noise of each student's own, real pictures of
disjoint parts of training sets, predictions of networks and classifiers trained apart, modules of public packages.
With the course's data (`--data`) it takes half an hour on one core, `--quick` a few minutes, without data less.
"""

from __future__ import annotations

import argparse
import sysconfig
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table as Printed
from scipy.stats import beta
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from grader.measuring.compared import ComparedImages
from grader.similarity import Fingerprint, find_pairs
from grader.similarity.descriptors import describe, digests
from grader.similarity.fingerprints import Images, Script, Table
from grader.similarity.sources import winnowed, words
from reference_models import acgan_networks, dann_deliverables, dcgan, gan_variants
from reference_models.core.data import Digits, load_digits
from reference_models.core.gan import draw
from reference_models.core.models import Model, published
from reference_models.dann_networks import predict

DOMAINS = ("usps", "mnistm", "svhn")
_EACH = 1000  # pictures of each student
Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Setting:
    """Classes of students who share nothing; the pairs of all of them are counted together."""

    what: str
    kind: str
    classes: tuple[Mapping[str, Fingerprint], ...]


def alarms(setting: Setting) -> tuple[int, int, list[str]]:
    """Pairs of students, those that are called alike, and what is said of these."""
    pairs, told = 0, []
    for class_ in setting.classes:
        pairs += len(class_) * (len(class_) - 1) // 2
        found = find_pairs(class_)
        assert found.students == len(class_)
        told += sorted(
            {pair.students: " and ".join(pair.students) + ": " + pair.strength for pair in found.pairs}.values()
        )
    return pairs, len(told), told


def of_pictures(pixels: Pictures) -> Fingerprint:
    """What `grader batch` would keep of a folder of these pictures."""
    names = tuple(f"{i:04}.png" for i in range(len(pixels)))
    nothing, details = np.zeros(len(pixels), np.bool_), describe(ComparedImages(pixels).details)
    return Fingerprint((Images("p", "images", "images", names, False, digests(pixels), details, nothing),))


def of_table(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> Fingerprint:
    """What `grader batch` would keep of these predictions."""
    return Fingerprint(tables=(Table("p", "t", "t.csv", "0", labels.astype(np.uint16), truth.astype(np.uint16)),))


@torch.no_grad()
def drawn(generator: nn.Module, z: int, seed: int, *labels: torch.Tensor) -> Pictures:
    """A thousand pictures of noise that no other seed gives."""
    noise = torch.from_numpy(np.random.default_rng([20260901, seed]).standard_normal((_EACH, z), np.float32))
    return np.concatenate([draw(generator, part, *(x[i : i + len(part)] for x in labels)) for i, part in _parts(noise)])


def _parts(noise: torch.Tensor, size: int = 250) -> Iterator[tuple[int, torch.Tensor]]:
    for start in range(0, len(noise), size):
        yield start, noise[start : start + size]


def digits(quick: bool) -> Setting:
    """The hard case: all have one published generator, and all digits have labels."""
    (model,) = published("acgan")
    generator = model.fill(acgan_networks.Generator(model.settings(acgan_networks.Settings))).float()
    labels = torch.arange(10).repeat_interleave(_EACH // 10)
    students = 10 if quick else 100
    class_ = {f"s{i:03}": of_pictures(drawn(generator, generator.z, i, labels)) for i in range(students)}
    return Setting(f"1000 digits each of one generator (ACGAN), {students} students", "images", (class_,))


def faces(quick: bool) -> Setting:
    """A DCGAN and five losses on one pair of networks, two draws of noise each."""
    models = [(dcgan, model) for model in published("dcgan")] + [(gan_variants, m) for m in published("gan_variants")]
    models = models[:3] if quick else models
    class_ = {}
    for n, (family, model) in enumerate(models):
        settings = model.settings(family.Settings)
        generator = model.fill(family.Generator(settings)).float()
        for i in range(2):
            class_[f"g{n}-{i}"] = of_pictures(drawn(generator, settings.z, 1000 + 2 * n + i))
    return Setting(f"1000 faces each of {len(models)} generators, two draws each", "images", (class_,))


def real(data: Path, quick: bool) -> Setting:
    """Disjoint parts of the training sets, at most twelve of each."""
    most = 3 if quick else 12
    classes = []
    for domain in ("mnistm", "svhn"):
        pixels = pixels_of(load_digits(data, domain, "train"))
        order = np.random.default_rng(1).permutation(len(pixels))[: most * _EACH]
        parts = [order[i : i + _EACH] for i in range(0, len(order) - _EACH + 1, _EACH)]
        classes.append({f"{domain}{n}": of_pictures(pixels[np.sort(part)]) for n, part in enumerate(parts)})
    return Setting("1000 real digits each, disjoint parts of two training sets", "images", tuple(classes))


def pixels_of(found: Digits) -> Pictures:
    """Pictures uint8 ``(n, 28, 28, 3)``."""
    return np.asarray(found.images.permute(0, 2, 3, 1).contiguous().numpy())


def networks(data: Path, quick: bool) -> Setting:
    """The published networks of both adaptation families, all of them on each domain's test pictures."""
    models: list[Model] = [*published("dann"), *published("uda")]
    classes = []
    for domain in DOMAINS[: 1 if quick else None]:
        test = load_digits(data, domain, "test")
        images, truth = test.images[:3000], test.labels[:3000].numpy()
        found = {}
        for n, model in enumerate(models):
            net = dann_deliverables.network(model).float()
            found[f"{model.folder.parent.name}-{model.folder.name}-{n}"] = of_table(predict(net, images).numpy(), truth)
        classes.append(found)
    return Setting(
        "predictions of 6 adapted networks (DANN, mean teacher) on each domain", "predictions", tuple(classes)
    )


def classifiers(data: Path, quick: bool) -> list[Setting]:
    """Perceptrons of two designs and random forests, some of the same pictures; classes of 30, 3, 5 and 10."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neural_network import MLPClassifier

    random = np.random.default_rng(2)
    large = []
    for domain in DOMAINS[: 1 if quick else None]:
        train, test = load_digits(data, domain, "train"), load_digits(data, domain, "test")
        x, y = _columns(train.images[:4000]), train.labels[:4000].numpy()
        asked, truth = _columns(test.images[:2000]), test.labels[:2000].numpy()
        found = {}
        for n in range(9 if quick else 30):
            # A third of the class trains on the very same pictures.
            part = np.arange(1500) if n % 3 == 0 else random.permutation(len(x))[:1500]
            hidden = ((64,), (100, 50))[n // 3 % 2]
            model = (
                RandomForestClassifier(40, random_state=n)
                if n % 5 == 4
                else MLPClassifier(hidden, max_iter=15, random_state=n)
            )
            found[f"{domain}{n:02}"] = of_table(model.fit(x[part], y[part]).predict(asked), truth)
        large.append(found)
    names = [sorted(class_) for class_ in large]
    settings = [Setting(f"predictions, classes of {len(large[0])} classifiers", "predictions", tuple(large))]
    for size in (3, 5, 10)[: 1 if quick else None]:
        some = []
        for i in range(20 if quick else 300):
            of = i % len(large)
            some.append({s: large[of][s] for s in sorted(random.choice(names[of], size, replace=False).tolist())})
        settings.append(Setting(f"the same classifiers, classes of {size}", "predictions", tuple(some)))
    return settings


def _columns(images: torch.Tensor) -> NDArray[np.float64]:
    return np.asarray(images.flatten(1).numpy() / 255)


def scripts(quick: bool) -> Setting:
    """Modules of three public packages with at least 200 words, as many as a class has students."""
    top = Path(sysconfig.get_paths()["purelib"])
    found: dict[str, Fingerprint] = {}
    modules = sorted(p for package in ("sklearn", "skimage", "scipy") for p in (top / package).glob("*/*.py"))
    order = np.random.default_rng(3).permutation(len(modules))
    for path in (modules[i] for i in order):
        told = words(path.read_text(encoding="utf-8"))
        if len(told) >= 200 and path.name != "__init__.py":
            name = ".".join(path.relative_to(top).with_suffix("").parts)
            found[name] = Fingerprint(scripts=(Script(path.name, len(told), name, winnowed(told)),))
        if len(found) == (40 if quick else 250):
            break
    return Setting(f"scripts, {len(found)} modules of public packages", "scripts", (found,))


def settings(data: Path | None, quick: bool) -> Iterator[Callable[[], list[Setting]]]:
    """What is measured, each made only when its turn comes."""
    yield lambda: [digits(quick)]
    yield lambda: [faces(quick)]
    yield lambda: [scripts(quick)]
    if data is not None:
        home = data
        yield lambda: [real(home, quick)]
        yield lambda: [networks(home, quick)]
        yield lambda: classifiers(home, quick)


def main() -> None:
    """Measures and prints a row for each setting, and what was said of each pair that was called alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="The course's data folder, with digits/.")
    parser.add_argument("--quick", action="store_true", help="A tenth of everything.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=ConvergenceWarning)  # few steps on purpose: models that err
    console = Console()
    table = Printed(box=None)
    for title in ("independent work", "pairs", "called alike", "95 % interval"):
        table.add_column(title, justify="left" if title[0] == "i" else "right", overflow="fold")
    for make in settings(given.data, given.quick):
        for setting in make():
            pairs, wrong, told = alarms(setting)
            low, high = interval(wrong, pairs)
            table.add_row(setting.what, str(pairs), str(wrong), f"{100 * low:.2g} to {100 * high:.2g} %")
            console.print(f"{setting.what}: {wrong} of {pairs}", highlight=False)
            for line in told:
                console.print(f"  {line}", highlight=False, soft_wrap=True)
    console.print(table)


def interval(wrong: int, pairs: int) -> tuple[float, float]:
    """Clopper and Pearson's.

    >>> [round(end, 4) for end in interval(0, 100)]
    [0.0, 0.0362]
    """
    low = float(beta.ppf(0.025, wrong, pairs - wrong + 1)) if wrong else 0.0
    return low, float(beta.ppf(0.975, wrong + 1, pairs - wrong)) if wrong < pairs else 1.0


if __name__ == "__main__":
    main()
