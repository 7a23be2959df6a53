"""Text to image: the report's shapes, texts that don't fit, a loss that sees them, what is handed in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from grader.judges.anime_tags import EYES, HAIR
from grader.references.data import BadReference, Data
from grader.references.tags import asked_tags
from reference_models import text2image
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.settings import as_json
from reference_models.core.summary import layers
from reference_models.text2image import PRESETS, Discriminator, Generator, Trainer, encode, other_text, wanted_tags

TINY = replace(PRESETS["cpu"], width=4, d_width=4, z=6, batch=4, images=8)


def test_the_shapes_of_the_report() -> None:
    found = {title: layers(network, *inputs) for title, network, *inputs in text2image.networks(PRESETS["report1"])}
    generator = [layer for layer in found["generator"] if layer.kind == "ConvTranspose2d"]
    assert generator[0].parameters == 123 * 512 * 16
    assert [layer.shape for layer in generator] == [(512, 4, 4), (256, 8, 8), (128, 16, 16), (64, 32, 32), (3, 64, 64)]
    joint = next(layer for layer in found["discriminator"] if layer.name == "joint.0")
    assert joint.parameters == 535 * 512 * 16 + 512 and joint.shape == (512, 1, 1)
    assert found["discriminator"][-1].parameters == 513


def test_a_text_is_two_colours() -> None:
    text = encode(torch.tensor([HAIR.index("blonde")]), torch.tensor([EYES.index("gray")]))
    assert text.shape == (1, 23) and text.nonzero()[:, 1].tolist() == [11, 12]


@pytest.mark.parametrize("one", [True, False])
def test_a_text_that_does_not_fit_differs(one: bool) -> None:
    torch.manual_seed(0)
    hair, eyes = torch.full((2000,), 3), torch.full((2000,), 7)
    new_hair, new_eyes = other_text(hair, eyes, one)
    changed = (new_hair != hair).long() + (new_eyes != eyes).long()
    assert set(changed.tolist()) == ({1} if one else {1, 2})
    assert set(new_hair.tolist()) == set(range(12)) and set(new_eyes.tolist()) == set(range(11))


def test_a_norm_over_the_batch_hides_what_a_batch_has_in_common() -> None:
    # Why `joint_norm` is off by default: at one place a picture, the mean logit of any batch is the bias.
    torch.manual_seed(0)
    text, pictures = torch.zeros(64, 23), torch.randn(64, 3, 64, 64)
    for norm in (True, False):
        network = Discriminator(replace(TINY, joint_norm=norm, reads=0)).train()
        torch.nn.init.normal_(network.fits.weight)
        with torch.no_grad():
            hidden = network.joint[1](
                network.joint[0](torch.cat([network.body(pictures), text[..., None, None].expand(-1, -1, 4, 4)], 1))
            )
        means = hidden.mean((0, 2, 3)).abs()
        assert (float(means.max()) < 1e-5) == norm


@pytest.mark.parametrize("preset", PRESETS)
def test_a_step_moves_every_weight(preset: str) -> None:
    torch.manual_seed(0)
    settings = replace(PRESETS[preset], width=4, d_width=4, batch=4)
    trainer = Trainer(settings, None, 0, Machine(torch.device("cpu"), bfloat16=False))
    networks = trainer.generator, trainer.discriminator
    before = [p.detach().clone() for network in networks for p in network.parameters()]
    values = trainer.update(0)
    assert all(np.isfinite(value) for value in values.values())
    assert ("hair_fake" in values) == (settings.reads > 0)
    after = [p for network in networks for p in network.parameters()]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True) if a.dim() > 1)
    assert set(trainer.validate()) == {"fd_validation"}


def test_tags_come_from_the_data_or_are_the_published_ones(tmp_path: Path) -> None:
    published = wanted_tags(None)
    assert len(published) == 25 and published[0] == ("blue", "blue") and published[24] == ("green", "red")
    assert wanted_tags(tmp_path) == published
    (tmp_path / "testing_tags.txt").write_text(
        "".join(f"{i},{HAIR[i % 12]} hair {EYES[i % 11]} eyes\n" for i in range(1, 26))
    )
    assert wanted_tags(tmp_path)[12] == (HAIR[1], EYES[2])
    (tmp_path / "testing_tags.txt").write_text("1,blue hair blue eyes\n")
    with pytest.raises(BadReference, match="it holds tags of 1 image, and 25 are asked for"):
        wanted_tags(tmp_path)
    (tmp_path / "testing_tags.txt").write_text("1,mauve hair blue eyes\n")
    with pytest.raises(BadReference, match="unknown colour of hair: 'mauve'"):
        wanted_tags(tmp_path)


def test_solution_and_grader_agree_on_the_order_of_tags(tmp_path: Path) -> None:
    """They did not: one sorted by id, the other took the lines as they came. Now both refuse what can be read twice."""
    lines = [f"{i},{HAIR[i % 12]} hair {EYES[i % 11]} eyes\n" for i in range(1, 26)]
    (tmp_path / "testing_tags.txt").write_text("".join(lines))
    asked = asked_tags(Data(tmp_path, "mlds_data"), "testing_tags.txt", (), 25)
    assert wanted_tags(tmp_path) == list(asked.pairs)
    (tmp_path / "testing_tags.txt").write_text("".join(reversed(lines)))
    with pytest.raises(BadReference, match="line by line: in place 1 stands 25"):
        wanted_tags(tmp_path)


def test_what_is_handed_in(tmp_path: Path) -> None:
    torch.manual_seed(0)
    (tmp_path / "log.jsonl").write_text('{"step": 1, "loss_d": 1.0}\n{"step": 2, "loss_d": 0.5}\n')
    generator = Generator(TINY)
    for weight in generator.parameters():
        torch.nn.init.normal_(weight, 0, 0.5)
    model = Model(tmp_path, {"settings": json.loads(json.dumps(as_json(TINY)))}, generator.state_dict())
    text2image.generate([model], tmp_path, None)
    with Image.open(tmp_path / "samples" / "cgan.png") as sheet:
        assert sheet.size == (640, 480)
    names = [p.name for p in text2image.figures([model], tmp_path, None)]
    assert names == ["text2image_curves.png", "text2image_faces.png"]
    blue, red = (text2image.pictures_of(model, [(colour, "blue")] * 2) for colour in ("blue", "red"))
    assert not np.array_equal(blue, red) and not np.array_equal(blue[0], blue[1])
