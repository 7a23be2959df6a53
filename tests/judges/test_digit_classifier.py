from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file

from fixtures.digits import mnistm
from grader.judges import JUDGES
from grader.judges.digit_classifier import DigitClassifier, to_network
from grader.judges.features import Extractor, Features
from tests.conftest import GOOD


def _by_hand(image: NDArray[np.uint8], state: dict[str, torch.Tensor]) -> int:
    """The published network once more, with numpy alone."""
    w = {name: t.numpy().astype(np.float64) for name, t in state.items()}
    x = (image.transpose(2, 0, 1) / 255 - 0.5) / 0.5
    for layer in ("conv1", "conv2"):
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(1, 2))
        x = np.einsum("chwij,ocij->ohw", windows, w[f"{layer}.weight"]) + w[f"{layer}.bias"][:, None, None]
        x = np.maximum(x, 0)
        c, h, side = x.shape
        x = x.reshape(c, h // 2, 2, side // 2, 2).max((2, 4))
    x = x.reshape(-1)
    for layer in ("fc1", "fc2"):
        x = np.maximum(w[f"{layer}.weight"] @ x + w[f"{layer}.bias"], 0)
    return int((w["fc3.weight"] @ x + w["fc3.bias"]).argmax())


def _read(images: NDArray[np.uint8]) -> Features:
    return Extractor({}, "cpu", None).run("course-classifier", images, lambda *_: None)


def test_reading_agrees_with_the_network_written_in_numpy() -> None:
    images = np.stack([np.asarray(Image.open(p)) for p in sorted((GOOD / "acgan").iterdir())[::25]])
    shipped = JUDGES["digit_classifier"].shipped
    found = _read(images)
    assert shipped is not None and found.weights.known
    state = load_file(shipped)
    assert found.outputs["logits"].argmax(1).tolist() == [_by_hand(image, state) for image in images]


def test_input_range() -> None:
    images = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1).expand(2, 28, 28, 3)
    x = to_network(images)
    assert x.shape == (2, 3, 28, 28) and x[0].unique().tolist() == [-1] and x[1].unique().tolist() == [1]


def test_channels_are_red_green_blue() -> None:
    image = torch.zeros(1, 28, 28, 3, dtype=torch.uint8)
    image[..., 0] = 255
    assert to_network(image)[0, :, 0, 0].tolist() == [1, -1, -1]


def test_drawn_digits_are_read() -> None:
    images = np.stack([np.asarray(mnistm(i % 10, f"judge {i}")) for i in range(100)])
    assert (_read(images).outputs["logits"].argmax(1) == np.arange(100) % 10).mean() >= 0.9


def test_results_do_not_depend_on_the_batch() -> None:
    images = np.stack([np.asarray(mnistm(i % 10, f"judge {i}")) for i in range(30)])
    together = _read(images).outputs["logits"]
    alone = [_read(image[None]).outputs["logits"][0] for image in images]
    assert together == pytest.approx(np.stack(alone), rel=1e-4, abs=1e-5)


def test_layer_names_are_those_of_the_course() -> None:
    names = [f"{layer}.{kind}" for layer in ("conv1", "conv2", "fc1", "fc2", "fc3") for kind in ("weight", "bias")]
    assert list(DigitClassifier().state_dict()) == names
