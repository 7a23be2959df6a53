"""What tests share: the miniature course, the good submission, goldens."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from fixtures import hw3
from fixtures.anime import make_anime
from fixtures.hw4 import make_submission
from fixtures.make import make_course, make_faces
from grader.judges import torchvision_shim  # noqa: F401  (tests import torchvision and torch_fidelity after this)

ROOT = Path(__file__).parent.parent
# Machines differ in speed, nothing is kept, and CI tries the same examples every time.
settings.register_profile("grader", deadline=None, database=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("grader")

GOOD = ROOT / "fixtures" / "submission"
# Coverage costs a program that a test starts half a second, and there are a thousand of them: it counts what runs here,
# and in the programs of those tests that are about commands. The process that starts the workers passes it on to them.
_COVERAGE = "COVERAGE_PROCESS_CONFIG"
_MEASURED = os.environ.pop(_COVERAGE, "") if "PYTEST_XDIST_WORKER" in os.environ else ""
_ABOUT_COMMANDS = ("cli", "running")
# A shell starts what runs in its background with Ctrl-C ignored, and so would all be that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write what is printed into tests/goldens/")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if _MEASURED and request.path.parent.name in _ABOUT_COMMANDS:
        monkeypatch.setenv(_COVERAGE, _MEASURED)
    for name in ("GRADER_DATA", "GRADER_WEIGHTS", "GRADER_DEBUG", "COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TORCH_HOME", os.devnull)  # no weights that happen to be on this machine


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests, and the processes that they start, share a cache of their own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GRADER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature course's data folder."""
    out = tmp_path_factory.mktemp("course") / "hw2_data"
    make_course(out)
    return out


@pytest.fixture(scope="session")
def course_hw4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature course's faces in the layout of dlcv-spring2018-hw4."""
    out = tmp_path_factory.mktemp("course") / "hw4_data"
    make_faces(out)
    return out


@pytest.fixture(scope="session")
def good_hw4(tmp_path_factory: pytest.TempPathFactory, course_hw4: Path) -> Path:
    """A submission for dlcv-spring2018-hw4 without a fault."""
    out = tmp_path_factory.mktemp("good") / "submission"
    make_submission(out, course_hw4)
    return out


@pytest.fixture(scope="session")
def course_hw3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature course of mlds-spring2018-hw3."""
    out = tmp_path_factory.mktemp("course") / "mlds_data"
    make_anime(out)
    return out


@pytest.fixture(scope="session")
def good_hw3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission for mlds-spring2018-hw3 without a fault."""
    out = tmp_path_factory.mktemp("good") / "submission"
    hw3.make_submission(out)
    return out


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with tests/goldens/NAME; `pytest --update-goldens` writes it instead."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests" / "goldens" / name
        if request.config.getoption("--update-goldens"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert text == path.read_text(), f"{name} has changed; if that is meant: pytest --update-goldens"

    return compare
