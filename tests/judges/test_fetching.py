"""Fetching from a real server on this machine that behaves as badly as servers do."""

from __future__ import annotations

import hashlib
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPMessage
from pathlib import Path
from ssl import SSLCertVerificationError
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from grader.errors import UsageError
from grader.judges import JUDGES, Judge, fetching, http
from grader.judges.fetching import CannotFetch, fetch
from grader.judges.weights import Weights
from tests.judges.server import (
    CONTENT,
    LONG,
    NAME,
    OTHER,
    PAGE,
    SHA256,
    Answer,
    Handler,
    Server,
    chunked,
    endless,
    fixed,
    made_judge,
    ranged,
    serving,
    stalled,
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


class Pauses(list[float]):
    """A `wait` that takes no time."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def _fetch(server: Server, folder: Path, *, size: int = len(CONTENT), tries: int = 5, timeout: float = LONG) -> Pauses:
    """Fetches, looks at what is there afterwards, and gives the pauses that were made."""
    pauses = Pauses()
    path = fetch(made_judge(server.url, size), folder=folder, tries=tries, timeout=timeout, wait=pauses)
    assert path == folder / NAME and path.read_bytes() == CONTENT
    assert {p.name for p in folder.iterdir()} == {NAME, f"{NAME}.lock"}
    return pauses


def _refused(server: Server, folder: Path, *, size: int = len(CONTENT), url: str = "") -> tuple[str, Pauses]:
    pauses = Pauses()
    with pytest.raises(CannotFetch) as caught:
        fetch(made_judge(server.url, size), url=url, folder=folder, timeout=LONG, wait=pauses)
    assert not (folder / NAME).exists()
    told = str(caught.value)
    assert SHA256 in told and "--judge inception=FILE" in told and "$GRADER_WEIGHTS" in told and server.url in told
    return told, pauses


@pytest.mark.parametrize("size", [len(CONTENT), 0])
def test_a_good_server(tmp_path: Path, size: int) -> None:
    seen: list[tuple[int, int]] = []
    with serving(ranged()) as server:
        judge = made_judge(server.url, size)
        path = fetch(judge, folder=tmp_path / "a" / "b", done=lambda got, whole: seen.append((got, whole)))
        assert path.read_bytes() == CONTENT and server.ranges == [None]
        path.with_name(f"{NAME}.lock").unlink()
        assert fetch(judge, folder=tmp_path / "a" / "b") == path and len(server.ranges) == 1  # it is there
        assert list(path.parent.iterdir()) == [path]  # a folder that can only be read is good enough
        assert fetch(judge, folder=tmp_path / "a" / "b", force=True) == path and len(server.ranges) == 2
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT)) and seen == sorted(seen)


def test_where_it_goes_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path))
    with serving(ranged()) as server:
        assert fetch(made_judge(server.url)) == tmp_path / "weights" / NAME


def test_a_wrong_file_in_its_place_is_replaced(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(OTHER)
    with serving(ranged()) as server:
        assert _fetch(server, tmp_path) == []


def test_a_mirror_is_asked_in_place_of_the_address(tmp_path: Path) -> None:
    with serving(ranged()) as mirror, serving(fixed(404, b"")) as official:
        fetch(made_judge(official.url), url=mirror.url, folder=tmp_path)
        assert official.ranges == [] and mirror.ranges == [None]


@pytest.mark.parametrize("size", [len(CONTENT), 0])
def test_a_connection_that_is_cut_off_is_resumed(tmp_path: Path, size: int) -> None:
    with serving(ranged(most=100_000), ranged(most=50_000), ranged(most=0), ranged()) as server:
        assert _fetch(server, tmp_path, size=size) == [1, 2, 4]
        assert server.ranges == [None, "bytes=100000-", "bytes=150000-", "bytes=150000-"]


def test_cut_off_too_often(tmp_path: Path) -> None:
    with serving(ranged(most=1000)) as server:
        told, pauses = _refused(server, tmp_path)
        assert "the connection ended" in told and "5 times in all. 5000 bytes arrived" in told
        assert pauses == [1, 2, 4, 8]
        with pytest.raises(CannotFetch, match="6000 bytes arrived"):
            fetch(made_judge(server.url), folder=tmp_path, tries=1)
        assert server.ranges[-1] == "bytes=5000-"  # another run goes on


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_what_has_arrived(tmp_path: Path, stop: type[BaseException]) -> None:
    def interrupt(got: int, _: int) -> None:
        if got >= 100_000:
            raise stop

    with serving(ranged()) as server:
        with pytest.raises(stop):
            fetch(made_judge(server.url), folder=tmp_path, done=interrupt)
        left = (tmp_path / f"{NAME}.part").read_bytes()
        assert len(left) >= 100_000 and CONTENT.startswith(left)
        _fetch(server, tmp_path)
        assert server.ranges == [None, f"bytes={len(left)}-"]


def test_a_whole_part_needs_no_server(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    with serving(ranged()) as server:
        _fetch(server, tmp_path)
        assert server.ranges == []


def test_a_server_that_ignores_the_range_is_read_from_the_start(tmp_path: Path) -> None:
    with serving(ranged(most=100_000), fixed(Content_Length=len(CONTENT))) as server:
        assert _fetch(server, tmp_path) == [1]
        assert server.ranges == [None, "bytes=100000-"]


@pytest.mark.parametrize(
    "told",
    [
        f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}",
        f"bytes 100001-{len(CONTENT) - 1}/{len(CONTENT)}",
        f"bytes 100000-{len(CONTENT)}/{len(CONTENT) + 1}",  # the whole has another size
        "bytes 100000-",
        "",
    ],
)
def test_a_wrong_content_range_starts_over(tmp_path: Path, told: str) -> None:
    with serving(ranged(most=100_000), fixed(206, OTHER, Content_Range=told), ranged()) as server:
        assert _fetch(server, tmp_path) == [1, 2]
        assert server.ranges == [None, "bytes=100000-", None]


def test_a_range_that_the_server_has_not_starts_over(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT + b"more")
    with serving(ranged()) as server:
        assert _fetch(server, tmp_path, size=0) == [1]
        assert server.ranges == [f"bytes={len(CONTENT) + 4}-", None]


@pytest.mark.parametrize("length", [1000, len(CONTENT), len(CONTENT) + 1000])
def test_a_part_of_another_file_starts_over(tmp_path: Path, length: int) -> None:
    (tmp_path / f"{NAME}.part").write_bytes((OTHER + OTHER)[:length])
    with serving(ranged()) as server:
        assert _fetch(server, tmp_path) == []
        assert server.ranges == (["bytes=1000-", None] if length == 1000 else [None])


def test_a_part_that_played_no_role_is_no_reason_to_ask_twice(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    with serving(fixed(body=OTHER)) as server:
        assert "found 300000 bytes" in _refused(server, tmp_path)[0]
        assert server.ranges == ["bytes=1000-"]


@pytest.mark.parametrize("size", [len(CONTENT), 0])
def test_a_content_length_that_is_too_large(tmp_path: Path, size: int) -> None:
    with serving(fixed(Content_Length=len(CONTENT) + 1000)) as server:
        _fetch(server, tmp_path, size=size)
        assert server.ranges == [None]


def test_a_content_length_that_is_too_small(tmp_path: Path) -> None:
    with serving(fixed(Content_Length=1000)) as server:
        told, pauses = _refused(server, tmp_path)
    assert f"found 1000 bytes with the sha256 {hashlib.sha256(CONTENT[:1000]).hexdigest()}" in told and pauses == []
    assert not (tmp_path / f"{NAME}.part").exists()


def test_a_larger_file_is_read_no_further_than_it_should_be(tmp_path: Path) -> None:
    with serving(ranged(OTHER + OTHER)) as server:
        assert "found 300000 bytes" in _refused(server, tmp_path)[0]


@pytest.mark.parametrize("answer", [ranged(OTHER), fixed(body=OTHER)])
@pytest.mark.parametrize("size", [len(CONTENT), 0])
def test_another_file_of_the_right_length(tmp_path: Path, answer: Answer, size: int) -> None:
    with serving(answer) as server:
        told, pauses = _refused(server, tmp_path, size=size)
        assert server.ranges == [None]
    assert f"found 300000 bytes with the sha256 {hashlib.sha256(OTHER).hexdigest()}." in told and pauses == []
    assert [p.name for p in tmp_path.iterdir()] == [f"{NAME}.lock"]


@pytest.mark.parametrize("answer", [fixed(body=PAGE), fixed(body=PAGE, Content_Length=len(PAGE)), chunked(PAGE)])
@pytest.mark.parametrize("size", [len(CONTENT), 0])
def test_a_web_page_is_called_one(tmp_path: Path, answer: Answer, size: int) -> None:
    with serving(answer) as server:
        told, pauses = _refused(server, tmp_path, size=size)
        assert server.ranges == [None]
    assert f"found {len(PAGE)} bytes" in told and "look like a web page" in told and pauses == []
    assert [p.name for p in tmp_path.iterdir()] == [f"{NAME}.lock"]


def test_the_page_of_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy")
    with serving(fixed(body=PAGE), fixed(403, b"")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        for said in ("look like a web page", "the server answered 403 Forbidden"):
            with pytest.raises(CannotFetch, match=said):
                fetch(made_judge("http://weights.invalid/w.pth"), folder=tmp_path)


@pytest.mark.parametrize("start", [b"", CONTENT])
def test_a_server_that_never_stops_is_stopped(tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(endless(start)) as server:
        if start:
            _fetch(server, tmp_path)  # what comes after the right file is not read
        else:
            assert "found 300000 bytes" in _refused(server, tmp_path)[0]
    monkeypatch.setattr(fetching, "LARGEST", 500_000)
    with serving(endless(start)) as server:
        assert "found 500000 bytes" in _refused(server, tmp_path / "unknown-size", size=0)[0]


def test_a_server_that_falls_silent_is_asked_again(tmp_path: Path) -> None:
    with serving(stalled, ranged()) as server:
        assert _fetch(server, tmp_path, timeout=0.2) == [1]
        assert server.ranges == [None, "bytes=1000-"]


def test_a_server_that_never_answers(tmp_path: Path) -> None:
    def silent(to: Handler) -> None:
        to.server.release.wait(LONG)

    with serving(silent) as server, pytest.raises(CannotFetch, match="the server fell silent, 2 times in all"):
        fetch(made_judge(server.url), folder=tmp_path, tries=2, timeout=0.2, wait=Pauses())


def test_chunks(tmp_path: Path) -> None:
    broken = chunked(CONTENT[:1000], end=b"ffff\r\nshort")
    with serving(chunked(CONTENT[:100_000], CONTENT[100_000:])) as server:
        assert _fetch(server, tmp_path / "a", size=0) == []
    with serving(chunked(CONTENT[:1000]), ranged()) as server:  # an end in good form: a shorter file
        assert "found 1000 bytes" in _refused(server, tmp_path / "b")[0]
    with serving(broken, fixed(Content_Length=len(CONTENT))) as server:
        assert _fetch(server, tmp_path / "c", size=0) == [1]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 416])
def test_what_the_server_refuses_is_not_asked_again(tmp_path: Path, status: int) -> None:
    with serving(fixed(status, b"no")) as server:
        told, pauses = _refused(server, tmp_path)
        assert f"the server answered {status}" in told and pauses == [] and server.ranges == [None]


def test_what_the_server_fails_at_is_asked_again(tmp_path: Path) -> None:
    with serving(fixed(500, b""), fixed(503, b""), ranged()) as server:
        assert _fetch(server, tmp_path) == [1, 2]
    with serving(fixed(500, b"")) as server:
        told, pauses = _refused(server, tmp_path / "other")
        assert "the server answered 500 Internal Server Error, 5 times in all.\n" in told and pauses == [1, 2, 4, 8]


def test_no_http_at_all(tmp_path: Path) -> None:
    def garbage(to: Handler) -> None:
        to.wfile.write(b"SSH-2.0-\x1b[31mred\r\n")

    with serving(garbage) as server:
        told, pauses = _refused(server, tmp_path)
    assert "\x1b" not in told and "SSH-2.0-" in told and len(pauses) == 4


def test_a_redirection_is_followed_with_the_range(tmp_path: Path) -> None:
    with serving(ranged(most=100_000), ranged()) as goal, serving(fixed(302, b"", Location=goal.url)) as server:
        assert _fetch(server, tmp_path) == [1]
        assert goal.ranges == [None, "bytes=100000-"]


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/w.pth", "data:,x", "http://[", "http://a:b/"])
def test_a_redirection_elsewhere_is_refused(tmp_path: Path, to: str) -> None:
    with serving(fixed(302, b"", Location=to)) as server:
        told, pauses = _refused(server, tmp_path)
        assert ("not allowed" in told or "that is no address" in told) and pauses == [] and len(server.ranges) == 1


def test_a_redirection_in_a_circle(tmp_path: Path) -> None:
    with serving(lambda to: to.answer(302, Location=to.server.url)) as server:
        told, pauses = _refused(server, tmp_path)
    assert "the server answered 302" in told and pauses == []


def test_a_redirection_does_not_leave_https() -> None:
    redirects, asked = http._Redirects(), Request("https://a.invalid/w")
    with pytest.raises(HTTPError, match="not allowed") as caught, open("/dev/null", "rb") as body:
        redirects.redirect_request(asked, body, 302, "Found", HTTPMessage(), "http://a.invalid/w")
    caught.value.close()
    with open("/dev/null", "rb") as body:
        followed = redirects.redirect_request(asked, body, 302, "Found", HTTPMessage(), "https://b.invalid/w")
    assert followed is not None and followed.full_url == "https://b.invalid/w"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/w.pth",
        "file:///etc/passwd",
        "w.pth",
        "https://",
        "http://[",
        "http://h:x/",
        "http://h:70000/",
        "\x1b[31m",
    ],
)
def test_no_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="expected an address that starts with https") as caught:
        fetch(made_judge("https://a.invalid/w"), url=url, folder=tmp_path)
    assert "\x1b" not in str(caught.value) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/a b", "http://127.0.0.1/ä"])
def test_an_address_that_cannot_be_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(CannotFetch, match="that is no address"):
        fetch(made_judge("https://a.invalid/w"), url=url, folder=tmp_path)


def test_a_judge_without_an_address(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="digit_classifier has no weights to fetch"):
        fetch(JUDGES["digit_classifier"], url="https://a.invalid/w", folder=tmp_path)


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        pauses = Pauses()
        with pytest.raises(CannotFetch, match="refused, 5 times in all"):
            fetch(made_judge(f"http://127.0.0.1:{taken.getsockname()[1]}/"), folder=tmp_path, wait=pauses)
    assert pauses == [1, 2, 4, 8]


def test_an_unknown_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(CannotFetch, match="Name or service not known, 5 times in all"):
        fetch(made_judge("https://weights.invalid/"), folder=tmp_path, wait=Pauses())


def test_a_certificate_that_is_not_trusted_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def distrust(*_: object, **__: object) -> None:
        raise SSLCertVerificationError("certificate verify failed")

    monkeypatch.setattr(socket, "getaddrinfo", distrust)  # the first thing that a connection does
    pauses = Pauses()
    with pytest.raises(CannotFetch, match="certificate verify failed"):
        fetch(made_judge("https://weights.invalid/"), folder=tmp_path, wait=pauses)
    assert pauses == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with serving(ranged()) as server:
        assert "can't be used: Not a directory" in _refused(server, tmp_path / "file" / "folder")[0]
        (tmp_path / NAME).mkdir()
        with pytest.raises(CannotFetch, match="is a folder; move it away"):
            fetch(made_judge(server.url), folder=tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").symlink_to("/dev/full")
    with serving(ranged()) as server:
        told, pauses = _refused(server, tmp_path)
        assert "No space left on device" in told and pauses == [] and len(server.ranges) == 1


def test_of_two_at_once_one_fetches_and_one_waits(tmp_path: Path) -> None:
    waits, notes = threading.Event(), list[str]()

    def slow(to: Handler) -> None:
        to.answer(200, CONTENT[:1000], Content_Length=len(CONTENT))
        assert waits.wait(LONG)
        to.wfile.write(CONTENT[1000:])

    with serving(slow) as server, ThreadPoolExecutor(2) as pool:
        judge = made_judge(server.url)
        first = pool.submit(fetch, judge, folder=tmp_path, timeout=LONG)
        assert server.asked.wait(LONG)

        def wait(_: float) -> None:
            waits.set()
            first.result(LONG)

        second = pool.submit(fetch, judge, folder=tmp_path, wait=wait, tell=notes.append)
        assert first.result(LONG) == second.result(LONG) == tmp_path / NAME
        assert server.ranges == [None]
    assert (tmp_path / NAME).read_bytes() == CONTENT and len(notes) == 1 and "Waiting" in notes[0]


def _shipped() -> tuple[bytes, Judge]:
    """A small network's weights, and a judge of which only the start of their sha256 is known."""
    shipped = JUDGES["digit_classifier"].shipped
    assert shipped is not None
    content = shipped.read_bytes()
    prefix = hashlib.sha256(content).hexdigest()[:8]
    return content, replace(JUDGES["digit_classifier"], known={}, prefix=prefix, shipped=None, files=(NAME,))


def test_where_only_a_prefix_is_known_the_layers_are_tried(tmp_path: Path) -> None:
    content, judge = _shipped()
    with serving(ranged(content)) as server:
        notes: list[str] = []
        path = fetch(replace(judge, url=server.url), folder=tmp_path / "a", tell=notes.append)
        assert path.read_bytes() == content and notes == []
        inception = replace(judge, name="torchvision_inception", url=server.url)
        with pytest.raises(CannotFetch, match=r"its sha256 begins right, but .* holds another network: .* missing"):
            fetch(inception, folder=tmp_path / "b")
        assert [p.name for p in (tmp_path / "b").iterdir()] == [f"{NAME}.lock"]
        with pytest.raises(CannotFetch, match="Expected: a file with the sha256 00000000…"):
            fetch(replace(judge, url=f"{server.url}/no", prefix="0" * 8), folder=tmp_path / "c")


def test_layers_that_cannot_be_tried_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, judge = _shipped()
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "grader.judges.networks", raising=False)
    notes: list[str] = []
    with serving(ranged(content)) as server:
        path = fetch(replace(judge, url=server.url), folder=tmp_path, tell=notes.append)
    assert len(notes) == 1 and "could not be verified" in notes[0]
    assert not fetching.check_layout(Weights(judge.name, path, hashlib.sha256(content).hexdigest(), True))
