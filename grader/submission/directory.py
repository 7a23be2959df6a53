"""The directory at a zip's end, walked before `zipfile` reads it: that keeps all of it, however much there is.

What is found here must be what `zipfile` finds: a directory that only one of the two sees would get past the limits.
"""

from __future__ import annotations

import os
import struct
import zipfile
from typing import BinaryIO

_END = struct.Struct(
    "<4s4H2LH"
)  # the last record: signature, disks and counts, the directory's size and start, comment
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LONGEST_COMMENT = 1 << 16
_LOCATOR = 20  # bytes of what zip64 puts before the last record
_LONGEST_RECORD = 1024  # bytes of the directory for one entry, on average: a header, a name, some extra
_MOST_EXTRA = 64  # bytes of extra fields for one entry, on average: `zipfile` copies them again for each field in them
_LARGEST_EXTRA = 2048  # of one entry


class TooManyEntries(Exception):
    """The directory holds more entries than are allowed."""


def examine_directory(file: BinaryIO, most: int) -> None:
    """Refuses a directory of more than `most` entries, in a time and memory that follow from that number.

    Raises TooManyEntries, or BadZipFile for one that is damaged or of a kind that no small zip needs.
    """
    size = os.fstat(file.fileno()).st_size
    at = _last_record(file, size)
    length = int(_END.unpack(_piece(file, at, _END.size))[5])
    if at >= _LOCATOR and _piece(file, at - _LOCATOR, 4) == b"PK\6\7":
        raise zipfile.BadZipFile("it is a zip64, which is for more than 4 GiB or 65,535 files")
    if length > at:
        raise zipfile.BadZipFile("its directory is larger than the file")
    if length > most * _LONGEST_RECORD:
        raise TooManyEntries
    _walk(_piece(file, at - length, length), most)


def _last_record(file: BinaryIO, size: int) -> int:
    """Where the last record begins: at the very end without a comment, else where its signature is found last."""
    at = max(0, size - _END.size)
    found = _piece(file, at, _END.size)
    if len(found) == _END.size and found.startswith(b"PK\5\6") and found.endswith(b"\0\0"):
        return at
    start = max(0, size - _LONGEST_COMMENT - _END.size)
    tail = _piece(file, start, size - start)
    last = tail.rfind(b"PK\5\6")
    if not 0 <= last <= len(tail) - _END.size:
        raise zipfile.BadZipFile("File is not a zip file")
    return start + last


def _walk(directory: bytes, most: int) -> None:
    at = count = extras = 0
    while at + _ENTRY.size <= len(directory):
        values = _ENTRY.unpack_from(directory, at)
        if values[0] != b"PK\1\2":
            raise zipfile.BadZipFile("Bad magic number for central directory")
        name, extra, comment = values[10:13]
        count, extras, at = count + 1, extras + extra, at + _ENTRY.size + name + extra + comment
        if count > most:
            raise TooManyEntries
        if extra > _LARGEST_EXTRA or extras > max(_LARGEST_EXTRA, most * _MOST_EXTRA):
            raise zipfile.BadZipFile("its entries have more extra fields than any ordinary tool writes")


def _piece(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)
