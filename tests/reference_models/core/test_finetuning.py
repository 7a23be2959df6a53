"""The frame of a judge's training: what it begins with, and how pictures are changed."""

from __future__ import annotations

import torch

from grader.judges.networks import AttributeReader, TagReader
from grader.judges.protocols import PROTOCOLS
from grader.judges.states import load_state
from grader.judges.weights import find_weights
from reference_models.core import finetuning


def test_a_network_begins_with_the_weights_of_imagenet() -> None:
    published = load_state(find_weights("efficientnet_lite0", {}))
    for judge, outputs in ((AttributeReader(), 13), (TagReader(), 23)):
        network = finetuning.pretrained(judge).network
        assert torch.equal(network.state_dict()["_conv_stem.weight"], published["_conv_stem.weight"])
        assert network._fc.weight.shape == (outputs, 1280) and all(p.requires_grad for p in network.parameters())


def test_pictures_move_and_keep_their_range() -> None:
    torch.manual_seed(0)
    white = torch.full((6, 3, 20, 20), 255, dtype=torch.uint8)
    assert torch.allclose(finetuning.move(white, 32), torch.full((6, 3, 32, 32), 255.0), atol=1e-3)
    edge = torch.zeros(6, 3, 20, 20, dtype=torch.uint8)
    edge[..., 10:] = 255
    moved = finetuning.move(edge, 32)
    assert len({round(float(m.mean()), 3) for m in moved}) == 6


def test_other_light_keeps_the_hue() -> None:
    torch.manual_seed(0)
    blue = torch.tensor([20.0, 40.0, 200.0]).view(1, 3, 1, 1).expand(50, 3, 4, 4)
    made = finetuning.recolour(blue, 0.3, 0.3, 0.3)
    assert made.min() >= 0 and made.max() <= 255 and made.std(0).min() > 1
    assert (made.argmax(1) == 2).all()
    assert torch.equal(finetuning.recolour(blue, 0, 0, 0), blue)


def test_half_of_the_pictures_hide_a_square() -> None:
    torch.manual_seed(0)
    recipe = PROTOCOLS["anime-tags"]
    made = finetuning.hide(torch.full((400, 3, 30, 30), 255.0), recipe)
    assert float(made.max()) == (255 - recipe.offset) / recipe.scale
    hidden = (made == 0).all(1).flatten(1)
    assert 0.4 < float(hidden.any(1).float().mean()) < 0.6
    assert int(hidden.sum(1).max()) == 81  # less than a third of the side on either side of its middle
