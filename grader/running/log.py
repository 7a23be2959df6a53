"""What a script prints: its beginning and its end are kept, the rest is counted."""

from __future__ import annotations


class Log:
    """One stream. Holds at most twice `kept` bytes, however much is printed."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def add(self, part: bytes) -> None:
        """The next bytes of the stream."""
        self.total += len(part)
        room = max(self._kept - len(self._head), 0)
        self._head += part[:room]
        self._tail += part[room:]
        if len(self._tail) > 2 * self._kept:  # now and then, so that many small parts cost little
            del self._tail[: -self._kept]

    @property
    def cut(self) -> int:
        """How many bytes in the middle were not kept."""
        return max(self.total - 2 * self._kept, 0)

    def text(self) -> str:
        """The log as it is written: undecodable and control characters escaped, and what was cut is said."""
        tail = bytes(self._tail[-self._kept :]) if self._kept else b""
        if not self.cut:
            return _readable(bytes(self._head) + tail)
        return f"{_readable(bytes(self._head))}\n[… {self.cut} bytes left out …]\n{_readable(tail)}"

    def last_line(self) -> str:
        """The last line with something in it, for a message."""
        lines = (bytes(self._head[-4000:]) + bytes(self._tail[-4000:])).decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _readable(content: bytes) -> str:
    # A terminal that shows the log must not be steered by it. What a progress bar rewrites becomes lines.
    text = content.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)
