from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import _run
from tests.conftest import GOOD

PROTOCOL = ["--protocol", "efficientnet-lite0"]


@pytest.fixture(scope="module")
def built(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference") / "r.npz"
    done = _run("reference", "build", "face/test", course / "face/test", "-o", path, *PROTOCOL)
    assert done.returncode == 0 and "100 pictures" in done.stdout, done.stderr
    return path


def _distance(*arguments: str | Path) -> dict[str, object]:
    done = _run("score", GOOD, "--problem", "gan", "--format", "json", *arguments)
    measures = json.loads(done.stdout)["problems"][0]["measures"]
    found: dict[str, object] = next(m for m in measures if m["id"] == "fd_efficientnet_lite0")
    return found


def test_a_file_of_statistics_gives_the_same_distance_as_the_pictures(built: Path, course: Path) -> None:
    from_pictures, from_file = _distance("--data", course), _distance("--reference", built)
    assert from_file["value"] == pytest.approx(from_pictures["value"], rel=1e-6)
    provenance = from_file["provenance"]
    assert (
        isinstance(provenance, dict) and provenance["reference_n"] == 100 and len(provenance["reference_pixels"]) == 64
    )


def test_show(built: Path) -> None:
    about = json.loads(_run("reference", "show", built).stdout)
    assert about["name"] == "face/test" and about["n"] == 100 and about["dimensions"] == 1280
    assert about["with_features"] is False and about["judge"] == "efficientnet_lite0"


def test_a_file_of_another_judge_is_refused_by_name(built: Path, tmp_path: Path) -> None:
    from grader.references.statistics import read_reference

    file = read_reference(built)
    object.__setattr__(file, "judge_sha256", "0" * 64)
    (tmp_path / "other.npz").write_bytes(file.to_bytes())
    done = _run("score", GOOD, "--problem", "gan", "--reference", tmp_path / "other.npz")
    assert done.returncode == 2 and "made with other weights of efficientnet_lite0" in done.stderr
    object.__setattr__(file, "protocol", "pytorch-fid")
    (tmp_path / "other.npz").write_bytes(file.to_bytes())
    object.__setattr__(file, "name", "face/other")
    (tmp_path / "other.npz").write_bytes(file.to_bytes())
    done = _run("score", GOOD, "--problem", "gan", "--reference", tmp_path / "other.npz")
    assert done.returncode == 2 and "is for face/other by the protocol pytorch-fid" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none", "-o", "r.npz"], "does not exist"),
        ([".", "-o", "r.npz", "--protocol", "efficientnet"], "Did you mean 'efficientnet-lite0'"),
        ([".", "-o", "none/r.npz"], "there is no folder none"),
        ([".", "-o", "r.npz", *PROTOCOL], "expected the reference pictures, found 0"),
        ([".", "-o", "r.npz"], "no weights here for the judge inception"),
    ],
)
def test_what_cannot_be_built(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = _run("reference", "build", "face/test", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_cache(course: Path, tmp_path: Path) -> None:
    place: dict[str, Any] = {"GRADER_CACHE": str(tmp_path)}
    assert "0 rows" in _run("cache", "info", **place).stdout
    _run("reference", "build", "face/test", course / "face/test", "-o", tmp_path / "r.npz", *PROTOCOL, **place)
    assert "100 rows" in _run("cache", "info", **place).stdout
    assert _run("cache", "clear", **place).returncode == 0
    assert "0 rows" in _run("cache", "info", **place).stdout
