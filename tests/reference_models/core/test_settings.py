"""Settings from the command line."""

from __future__ import annotations

import pytest

from reference_models.core.settings import SettingsError, as_json, changed
from reference_models.dcgan import Settings


def test_each_kind_of_value() -> None:
    given = ["z=1024", "rate=1", "flips=false", "norm=batch", "betas=[0.5, 0.999]", 'loss="bce"']
    settings = changed(Settings(), given)
    expected = Settings(z=1024, rate=1.0, flips=False, norm="batch", betas=(0.5, 0.999), loss="bce")
    assert settings == expected and type(settings.rate) is float


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("zz=1", r"NAME=VALUE with a name of z, width"),
        ("z", "found 'z'"),
        ("z=ten", "z: expected int, found 'ten'"),
        ("z=1.5", "z: expected int"),
        ("z=true", "z: expected int"),
        ("flips=1", "flips: expected bool"),
        ("norm=layer", "norm: expected batch or batch-from-second or spectral or none, found 'layer'"),
        ("betas=[0.5]", "betas: expected"),
        ("rate=fast", "rate: expected float"),
        ("rate=nan", "rate: expected 0 or more"),
        ("rate=-1", "rate: expected 0 or more"),
        ("betas=[0.5, 1]", "betas: expected numbers below 1"),
        ('betas=["a", "b"]', "betas: expected"),
        ("batch=1", "batch: expected 2 or more"),
        ("validations=0", "validations: expected 1 or more"),
    ],
)
def test_what_doesnt_fit(change: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        changed(Settings(), [change])


def test_as_json_has_no_tuples() -> None:
    assert as_json(Settings())["betas"] == [0.5, 0.999]
