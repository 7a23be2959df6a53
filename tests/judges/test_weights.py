from __future__ import annotations

import dataclasses
import hashlib
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from grader.errors import CannotMeasure, UsageError
from grader.judges import JUDGES, check_judges
from grader.judges.digit_classifier import DigitClassifier
from grader.judges.states import fill, load_state
from grader.judges.weights import find_weights


def test_shipped_weights_are_the_known_ones() -> None:
    found = find_weights("digit_classifier", {})
    assert found.known and found.sha256 in JUDGES["digit_classifier"].known
    assert sum(t.numel() for t in load_state(found).values()) == 44_674


def test_the_card_names_the_shipped_file() -> None:
    shipped = JUDGES["digit_classifier"].shipped
    assert shipped is not None
    card = shipped.with_suffix(".md").read_text()
    assert hashlib.sha256(shipped.read_bytes()).hexdigest() in card


@pytest.mark.parametrize("form", ["safetensors", "bare", "wrapped"])
def test_a_given_file_is_used_whatever_its_sha256(tmp_path: Path, form: str) -> None:
    torch.manual_seed(1)
    state = DigitClassifier().state_dict()
    path = tmp_path / "w"
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "optimizer": {}} if form == "wrapped" else state, path)
    found = find_weights("digit_classifier", {"digit_classifier": path})
    assert not found.known
    network = DigitClassifier()
    fill(network, found)
    assert all(torch.equal(t, state[name]) for name, t in network.state_dict().items())
    assert not network.training


class _Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(Path(os.environ["EVIL"])),)


def test_a_pickle_that_runs_code_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIL", str(tmp_path / "ran"))
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": _Malicious()}, path)
    with pytest.raises(UsageError, match="can't be read"):
        load_state(find_weights("digit_classifier", {"digit_classifier": path}))
    path.write_bytes(pickle.dumps(_Malicious()))
    with pytest.raises(UsageError, match="can't be read"):
        load_state(find_weights("digit_classifier", {"digit_classifier": path}))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x00" * 64, b"PK\x03\x04broken"])
def test_files_that_are_no_weights(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"expected a \.safetensors file"):
        load_state(find_weights("digit_classifier", {"digit_classifier": path}))


def test_a_tensor_alone_is_no_state_dict(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "w.pth")
    with pytest.raises(UsageError, match="can't be read"):
        load_state(find_weights("digit_classifier", {"digit_classifier": tmp_path / "w.pth"}))


def test_another_network_is_named(tmp_path: Path) -> None:
    state = DigitClassifier().state_dict()
    del state["fc3.bias"]
    state["extra"] = torch.zeros(2)
    state["conv1.weight"] = torch.zeros(6, 1, 5, 5)
    save_file(state, tmp_path / "w")
    found = find_weights("digit_classifier", {"digit_classifier": tmp_path / "w"})
    with pytest.raises(UsageError, match=r"layers missing \(fc3.bias.*too many \(extra.*another shape \(conv1.weight"):
        fill(DigitClassifier(), found)


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    state = DigitClassifier().state_dict()
    state["fc3.bias"] = torch.full((10,), torch.nan)
    save_file(state, tmp_path / "w")
    found = find_weights("digit_classifier", {"digit_classifier": tmp_path / "w"})
    with pytest.raises(UsageError, match="not finite"):
        fill(DigitClassifier(), found)


def test_found_files_must_match_their_sha256(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("GRADER_WEIGHTS", str(tmp_path))
    with pytest.raises(CannotMeasure, match="--judge inception=FILE"):
        find_weights("inception", {})
    path = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(CannotMeasure, match="has another sha256"):
        find_weights("inception", {})
    judge = JUDGES["inception"]
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    known = dataclasses.replace(judge, known={sha256: "x"})
    monkeypatch.setitem(JUDGES, "inception", known)
    found = find_weights("inception", {})
    assert found.known and found.path == path


def test_arguments(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'digit_classifier'"):
        check_judges({"digit_clasifier": "x"})
    with pytest.raises(UsageError, match="no such file"):
        check_judges({"digit_classifier": tmp_path / "none"})


def test_torchvision_weights_are_known_by_their_prefix() -> None:
    assert JUDGES["torchvision_inception"].knows("0cc3c7bd" + "0" * 56)
    assert not JUDGES["torchvision_inception"].knows("1cc3c7bd" + "0" * 56)
    assert not JUDGES["inception"].knows("6726825d" + "0" * 56)


def test_shipped_weights_are_plain_tensors() -> None:
    shipped = JUDGES["digit_classifier"].shipped
    assert shipped is not None
    assert {t.dtype for t in load_file(shipped).values()} == {torch.float32}


def test_a_found_file_that_cannot_be_read_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_WEIGHTS", str(tmp_path))
    (tmp_path / JUDGES["inception"].files[0]).write_bytes(b"x")

    def refused(_: object, path: Path) -> None:
        raise UsageError(f"The weights of inception, {path}, can't be read: Permission denied.")

    monkeypatch.setattr("grader.judges.weights.identify", refused)
    with pytest.raises(CannotMeasure, match=r"Permission denied.*grader weights fetch inception"):
        find_weights("inception", {})


def test_an_impossible_folder_of_weights_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_WEIGHTS", "x" * 5000)
    with pytest.raises(CannotMeasure, match="no weights here"):
        find_weights("inception", {})
