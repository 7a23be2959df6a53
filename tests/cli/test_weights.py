"""`grader weights`, in this process, so that the judges can be made-up ones that a server on this machine has."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from grader.cli import main
from grader.judges import JUDGES
from tests.judges.server import CONTENT, NAME, OTHER, PAGE, SHA256, fixed, made_judge, ranged, serving

SHIPPED = JUDGES["digit_classifier"].shipped
NOWHERE = "http://weights.invalid/w.pth"


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where fetched weights go. One judge is a made-up one, the other has no file of its own here."""
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setitem(JUDGES, "inception", made_judge(NOWHERE))
    for judge in ("torchvision_inception", "anime_cascade"):
        monkeypatch.setitem(JUDGES, judge, replace(JUDGES[judge], url=NOWHERE))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def grader_weights(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["grader", "weights", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err and isinstance(stopped.value.code, int)
        return Done(stopped.value.code, out, err)

    return grader_weights


def _listed(run: Run) -> dict[str, dict[str, Any]]:
    done = run("list", "--format", "json")
    assert done.code == 0 and done.err == ""
    return {about.pop("judge"): about for about in json.loads(done.out)["judges"]}


def test_list(run: Run, folder: Path) -> None:
    found = _listed(run)
    assert list(found) == list(JUDGES)
    assert found["inception"]["state"] == "missing" and found["inception"]["path"] is None
    assert found["inception"]["remedy"] == "grader weights fetch inception"
    digits = found["digit_classifier"]
    assert (digits["state"], digits["path"], digits["remedy"]) == ("here", str(SHIPPED), None)
    assert digits["sha256"] in JUDGES["digit_classifier"].known
    assert found["efficientnet_lite0"]["state"] == "here"
    (folder / NAME).write_bytes(OTHER)
    wrong = _listed(run)["inception"]
    assert (wrong["state"], wrong["path"], wrong["why"]) == ("wrong", str(folder / NAME), "another sha256")
    assert wrong["sha256"] == hashlib.sha256(OTHER).hexdigest() and wrong["remedy"] == "grader weights fetch inception"
    (folder / NAME).write_bytes(CONTENT)
    assert _listed(run)["inception"]["state"] == "here"


def test_list_as_text(run: Run, folder: Path) -> None:
    (folder / NAME).write_bytes(CONTENT)
    done = run("list")
    assert done.code == 0 and done.err == ""
    lines = done.out.splitlines()
    assert lines[0].split() == ["here", "inception", *JUDGES["inception"].title.split()]
    assert lines[1].split() == [SHA256[:8], str(folder / NAME)]
    assert lines[2].startswith("missing  torchvision_inception ")
    assert lines[3].strip() == "→ `grader weights fetch torchvision_inception`"


def test_what_cannot_be_read_or_was_changed_is_wrong(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.judges.weights.LARGEST", 250_000)
    monkeypatch.setitem(JUDGES, "digit_classifier", replace(JUDGES["digit_classifier"], known={}))
    (folder / NAME).write_bytes(CONTENT)
    found = _listed(run)
    assert found["inception"]["state"] == "wrong" and "larger than" in found["inception"]["why"]
    assert found["digit_classifier"]["state"] == "wrong" and "install" in found["digit_classifier"]["remedy"]
    done = run("verify", "inception", "digit_classifier")
    assert done.code == 1 and done.out.count("wrong ") == 2 and "larger than" in done.out


def test_path(run: Run, folder: Path) -> None:
    assert run("path", "digit_classifier") == (0, f"{SHIPPED}\n", "")
    done = run("path", "inception")
    assert done.code == 3 and done.out == "" and "`grader weights fetch inception`" in done.err
    (folder / NAME).write_bytes(CONTENT)
    assert run("path", "inception") == (0, f"{folder / NAME}\n", "")


@pytest.mark.parametrize("command", ["path", "fetch", "verify"])
def test_an_unknown_judge(run: Run, command: str) -> None:
    done = run(command, "incepton")
    assert done.code == 2 and done.out == "" and "no such judge" in done.err and "Did you mean 'inception'?" in done.err


def test_fetch_from_a_mirror(run: Run, folder: Path) -> None:
    with serving(ranged()) as server:
        done = run("fetch", "inception", "--from", server.url)
        assert done == (0, f"inception: fetched, {folder / NAME}\n", "")
        assert (folder / NAME).read_bytes() == CONTENT
        done = run("fetch", "inception", "--from", server.url)
        assert done == (0, f"inception: is here, {SHA256[:8]} {folder / NAME}\n", "") and len(server.ranges) == 1
        done = run("fetch", "inception", "--from", server.url, "--force")
        assert done.code == 0 and "fetched" in done.out and len(server.ranges) == 2


def test_fetch_takes_what_is_missing_and_goes_on_after_a_failure(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(fixed(404, b"")) as broken, serving(ranged()) as good:
        monkeypatch.setitem(JUDGES, "inception", made_judge(broken.url))
        other = replace(JUDGES["torchvision_inception"], known={SHA256: ""}, prefix="", url=good.url)
        monkeypatch.setitem(JUDGES, "torchvision_inception", other)
        monkeypatch.delitem(JUDGES, "anime_cascade")  # a server that isn't there would be waited for
        done = run("fetch")
    assert done.code == 3 and done.out == f"torchvision_inception: fetched, {folder / other.files[-1]}\n"
    assert "the server answered 404" in done.err and "torchvision" not in done.err


def test_a_mirror_with_something_else(run: Run, folder: Path) -> None:
    with serving(fixed(body=PAGE)) as server:
        done = run("fetch", "inception", "--from", server.url)
    assert done.code == 3 and done.out == "" and "look like a web page" in done.err
    assert not (folder / NAME).exists()


def test_what_needs_no_download(run: Run) -> None:
    done = run("fetch", "digit_classifier", "efficientnet_lite0")
    assert done.code == 0 and done.err == ""
    assert "it comes with the grader" in done.out and "pip install" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "http://a.invalid/"], "name of one judge"),
        (["inception", "torchvision_inception", "--from", "http://a.invalid/"], "name of one judge"),
        (["digit_classifier", "--from", "http://a.invalid/"], "name of one judge"),
        (["inception", "--from", "ftp://a.invalid/"], "starts with https://"),
        (["inception", "--from", "w.pth"], "starts with https://"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_mirror(run: Run, arguments: list[str], said: str) -> None:
    done = run("fetch", *arguments)
    assert done.code == 2 and done.out == "" and said in done.err


@pytest.mark.usefixtures("folder")
def test_verify_what_is_here(run: Run) -> None:
    done = run("verify")
    assert done.code == 0 and done.err == ""
    states = {line.split()[1]: line.split()[0] for line in done.out.splitlines()}
    assert states.pop("inception") == states.pop("torchvision_inception") == "missing"
    assert states.pop("anime_cascade") == "missing" and states.pop("face_cascade") == "ok"
    shipped = JUDGES["anime_tags"].shipped
    assert states.pop("anime_tags") == ("ok" if shipped and shipped.is_file() else "missing")
    assert states == {"digit_classifier": "ok", "svhn_digits": "ok", "attributes": "ok", "efficientnet_lite0": "ok"}
    assert str(SHIPPED) in done.out and "not loaded" not in done.out


def test_verify_what_is_missing_or_wrong(run: Run, folder: Path) -> None:
    done = run("verify", "digit_classifier", "inception")
    assert done.code == 3 and "missing inception" in done.out and "→ `grader weights fetch inception`" in done.out
    (folder / NAME).write_bytes(OTHER)
    done = run("verify", "inception", "torchvision_inception")
    assert done.code == 1 and done.out.startswith("wrong   inception") and "(another sha256)" in done.out
    (folder / NAME).write_bytes(CONTENT)  # the right file by its sha256, but nothing that loads
    done = run("verify", "inception")
    assert done.code == 1 and done.out.startswith("wrong   inception") and "expected a .safetensors file" in done.out


def test_verify_without_torch(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "grader.judges.networks", raising=False)
    done = run("verify", "digit_classifier")
    assert done.code == 0 and done.out.startswith("ok") and "not loaded: that takes `pip install" in done.out


@pytest.mark.parametrize("arguments", [["list"], ["path", "digit_classifier"], ["fetch", "digit_classifier"]])
def test_no_torch_is_imported(arguments: list[str]) -> None:
    code = (
        "import atexit, sys; from grader.cli import main; atexit.register(lambda: print('torch' in sys.modules)); "
        f"sys.argv = ['grader', 'weights', *{arguments}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.endswith("\nFalse\n") and "digit_classifier" in done.stdout
