"""How pictures become a network's input, and what is taken from it: a resize, a scale, outputs by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Resize = Literal["half-pixel-bilinear", "tf1-bilinear", "pil-bicubic"]


@dataclass(frozen=True)
class Protocol:
    """Pixels x in 0..255 are resized by `resize` to `side`, then become (x - offset) / scale.

    `outputs`: names and widths of what the judge's network gives for an image.
    """

    judge: str
    resize: Resize
    side: int
    offset: float
    scale: float
    outputs: Mapping[str, int]


_FID = {"features": 2048, "logits": 1008}
PROTOCOLS = {
    # pytorch-fid: ToTensor, interpolate, 2x - 1: in 0..255 that is (x - 127.5) / 127.5.
    "pytorch-fid": Protocol("inception", "half-pixel-bilinear", 299, 127.5, 127.5, _FID),
    "torch-fidelity": Protocol("inception", "tf1-bilinear", 299, 128.0, 128.0, _FID),
    "clean-fid": Protocol("inception", "pil-bicubic", 299, 128.0, 128.0, _FID),
    "torchvision-is": Protocol("torchvision_inception", "half-pixel-bilinear", 299, 127.5, 127.5, {"logits": 1000}),
    "efficientnet-lite0": Protocol("efficientnet_lite0", "pil-bicubic", 128, 127.0, 128.0, {"features": 1280}),
    "face-attributes": Protocol("attributes", "pil-bicubic", 128, 127.0, 128.0, {"logits": 13}),
    "anime-tags": Protocol("anime_tags", "pil-bicubic", 128, 127.0, 128.0, {"hair": 12, "eyes": 11}),
    # Judges of digits: each is an entry here, among the judges and among the networks, and measures name its protocol.
    "course-classifier": Protocol("digit_classifier", "half-pixel-bilinear", 28, 127.5, 127.5, {"logits": 10}),
    "svhn-classifier": Protocol("svhn_digits", "half-pixel-bilinear", 28, 127.5, 127.5, {"logits": 10}),
}

# Whole pictures, searched for faces: what is done with them is in cascades.py.
CASCADES = {"opencv-cascade": "anime_cascade", "opencv-face": "face_cascade"}
