"""The worker that decodes: what it returns, and that neither time, nor memory, nor its death harm anything else."""

from __future__ import annotations

import io
import os
import resource
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from grader.submission import FIGURE, CannotDecode, Decoder, Undecodable
from grader.submission.decoding_worker import ANSWER

NOISE = Image.effect_noise((40, 30), 60).convert("RGB")


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    found = Decoder()
    yield found
    found.close()


def _saved(image: Image.Image, kind: str = "PNG") -> bytes:
    held = io.BytesIO()
    image.save(held, kind)
    return held.getvalue()


def _pid(decoder: Decoder) -> int:
    return decoder.start().pid


def test_pixels_come_back_as_they_are(decoder: Decoder) -> None:
    assert decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB") == ((40, 30), NOISE.tobytes())
    assert decoder.decode(_saved(NOISE), "PNG", (40, 30), "L") == ((40, 30), NOISE.convert("L").tobytes())
    assert decoder.decode(_saved(NOISE), "PNG", (40, 30), FIGURE) == ((40, 30), NOISE.tobytes())


def test_one_worker_serves_all_pictures(decoder: Decoder) -> None:
    first = _pid(decoder)
    with pytest.raises(Undecodable, match="damaged"):
        decoder.decode(_saved(NOISE)[:-30], "PNG", (40, 30), "RGB")
    with pytest.raises(Undecodable, match="damaged"):  # another size than the header was read to say
        decoder.decode(_saved(NOISE), "PNG", (30, 40), "RGB")
    with pytest.raises(Undecodable, match="damaged"):  # a format that was not asked for
        decoder.decode(_saved(NOISE, "JPEG"), "PNG", (40, 30), "RGB")
    assert _pid(decoder) == first


def test_a_picture_that_takes_too_long_ends_its_worker_and_not_the_next_one() -> None:
    decoder = Decoder(seconds=0.3)
    os.kill(_pid(decoder), signal.SIGSTOP)
    with pytest.raises(Undecodable, match=r"not decoded within 0\.3 seconds"):
        decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")
    decoder.seconds = 60
    assert decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")[1] == NOISE.tobytes()
    decoder.close()


def test_a_worker_that_died_is_told_and_replaced(decoder: Decoder) -> None:
    decoder.ask(_saved(NOISE), "PNG", (40, 30), "RGB")
    decoder.answer()
    process = decoder.start()
    os.kill(process.pid, signal.SIGSTOP)
    decoder.ask(_saved(NOISE), "PNG", (40, 30), "RGB")
    process.kill()
    with pytest.raises(Undecodable, match="ended the decoder"):
        decoder.answer()
    assert decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")[1] == NOISE.tobytes()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process can be set on Linux alone")
def test_memory_is_limited(decoder: Decoder) -> None:
    large = Image.new("RGBA", (3000, 3000), (1, 2, 3, 4))
    process = decoder.start()
    decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")
    soft, _ = resource.prlimit(process.pid, resource.RLIMIT_AS)
    assert 0 < soft <= 2 << 30  # it sets one itself
    now = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(process.pid, resource.RLIMIT_AS, (now + (40 << 20), soft))
    with pytest.raises(Undecodable, match="too large for the memory"):
        decoder.decode(_saved(large), "PNG", (3000, 3000), FIGURE)
    assert decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")[1] == NOISE.tobytes()


def test_it_may_write_no_file_and_start_no_process(decoder: Decoder) -> None:
    process = decoder.start()
    decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        assert resource.prlimit(process.pid, limit) == (0, 0)


def test_pillows_warning_of_a_bomb_is_an_error(decoder: Decoder) -> None:
    header = struct.pack(">IIBBBBB", 9000, 9000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(9001 * 9000))
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    with pytest.raises(Undecodable, match="damaged"):
        decoder.decode(b"\x89PNG\r\n\x1a\n" + b"".join(parts), "PNG", (9000, 9000), "L")


@pytest.mark.parametrize("answer", [ANSWER.pack(4, 4, 1 << 31), ANSWER.pack(4, 4, 48) + bytes(48 + 60)])
def test_an_answer_of_another_length_is_not_believed(
    answer: bytes, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lies = f"import sys; sys.stdin.buffer.read(20); sys.stdout.buffer.write({answer!r})"
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **options: start([sys.executable, "-c", lies], **options))
    with pytest.raises(Undecodable, match="ended the decoder"):
        decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")


def test_a_worker_that_cannot_start_is_our_error(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(CannotDecode, match="can't be started"):
        decoder.decode(_saved(NOISE), "PNG", (40, 30), "RGB")
