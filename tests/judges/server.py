"""A server on this machine that behaves as badly as servers do, for tests of downloads."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from grader.judges import JUDGES, Judge

CONTENT = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"\xef\xbb\xbf <!DOCTYPE html><title>Log in</title>"
NAME = "w-1.pth"
LONG = 10.0  # seconds; only a test that fails waits for them
_ENOUGH = 1 << 26  # "without end", for a client that does not stop


class Server(ThreadingHTTPServer):
    """Answers each request as the script says; the last answer is repeated. `ranges`: what was asked for."""

    daemon_threads = False  # closing waits for the answers

    def __init__(self, *script: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.ranges: list[str | None] = []
        self.asked = threading.Event()
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        number = len(self.server.ranges)
        self.server.ranges.append(self.headers["Range"])
        self.server.asked.set()
        with suppress(ConnectionError):  # the client has gone
            self.server.script[min(number, len(self.server.script) - 1)](self)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    @property
    def start(self) -> int:
        return int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))

    def answer(self, status: int, body: bytes = b"", **headers: str | int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)


Answer = Callable[[Handler], None]


def ranged(content: bytes = CONTENT, most: int | None = None) -> Answer:
    """A server as it should be; with `most` the connection is cut off after so many bytes."""

    def answer(to: Handler) -> None:
        body = content[to.start :]
        if to.start >= len(content):
            to.answer(416, Content_Range=f"bytes */{len(content)}")
        elif to.start:
            told = f"bytes {to.start}-{len(content) - 1}/{len(content)}"
            to.answer(206, body[:most], Content_Length=len(body), Content_Range=told)
        else:
            to.answer(200, body[:most], Content_Length=len(body))

    return answer


def fixed(status: int = 200, body: bytes = CONTENT, **headers: str | int) -> Answer:
    """Always the same, whatever range is asked for."""
    return lambda to: to.answer(status, body, **headers)


def stalled(to: Handler) -> None:
    to.answer(200, CONTENT[:1000], Content_Length=len(CONTENT))
    to.server.release.wait(LONG)


def endless(start: bytes) -> Answer:
    def answer(to: Handler) -> None:
        to.answer(200, start)
        for _ in range(_ENOUGH // len(OTHER)):
            to.wfile.write(OTHER)

    return answer


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Answer:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end

    def answer(to: Handler) -> None:
        to.protocol_version = "HTTP/1.1"
        to.answer(200, body, Transfer_Encoding="chunked", Connection="close")

    return answer


@contextmanager
def serving(*script: Answer) -> Iterator[Server]:
    with Server(*script) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.release.set()
            server.shutdown()
            thread.join()


def made_judge(url: str, size: int = len(CONTENT)) -> Judge:
    known = {SHA256: "made for a test"}
    return replace(JUDGES["inception"], known=known, files=("other.pth", NAME), url=url, size=size)
