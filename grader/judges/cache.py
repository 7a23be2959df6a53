"""Features once computed are kept: one SQLite file, one row for each image, judge and protocol.

SQLite gives what a cache of many processes needs: a row is there whole or not at all, also after kill -9, and writers
wait for each other. It can be thrown away at any time.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from grader.errors import UsageError

VARIABLE = "GRADER_CACHE"
LARGEST = 2 * 2**30  # bytes of the file in use; beyond it the rows that were longest unused go
_LAYOUT = 2
_SECONDS = 30
_MOMENT = 200  # milliseconds
_CHUNK = 500  # rows in one statement


def cache_folder() -> Path:
    """`$GRADER_CACHE`, else `grader` in the user's cache folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "grader"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "grader"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "grader"


class Row(NamedTuple):
    """One vector, float32 ``(width,)``, and what computed it, such as `cpu torch 2.13.0`."""

    vector: NDArray[np.float32]
    origin: str


@dataclass(frozen=True)
class CacheInfo:
    """What `grader cache info` prints. `size` is that of the rows, in bytes."""

    path: Path
    rows: int
    size: int


class FeatureCache:
    """float32 vectors by key. A row that is damaged is dropped and computed again; a damaged file is started anew."""

    def __init__(self, path: Path | None = None, largest: int = LARGEST) -> None:
        self.path = path or cache_folder() / f"features-{_LAYOUT}.sqlite"
        self._largest = largest
        self._given_up = False

    def get(self, keys: Iterable[str]) -> dict[str, Row]:
        """The vectors that are there; the rest has to be computed."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Row] = {}
        if not is_there(self.path):
            return found
        try:
            with closing(self._open_to_read()) as db:
                for start in range(0, len(wanted), _CHUNK):
                    part = wanted[start : start + _CHUNK]
                    marks = ",".join("?" * len(part))
                    query = f"SELECT key, digest, origin, data FROM rows WHERE key IN ({marks})"
                    for key, digest, origin, data in db.execute(query, part):
                        whole = isinstance(data, bytes) and isinstance(origin, str) and len(data) % 4 == 0
                        if whole and _digest(key, origin, data) == digest:
                            found[key] = Row(np.frombuffer(data, np.float32), origin)
                self._note_use(db, list(found))
        except (sqlite3.Error, UnicodeDecodeError) as e:
            if _is_damage(e):
                self._discard()
        return found

    def _note_use(self, db: sqlite3.Connection, keys: list[str]) -> None:
        """What was read is evicted last. Not worth waiting for another process, nor an error."""
        with suppress(sqlite3.Error):
            db.execute(f"PRAGMA busy_timeout = {_MOMENT}")
            with db:
                db.executemany("UPDATE rows SET used = ? WHERE key = ?", [(time.time(), key) for key in keys])

    def put(self, vectors: Mapping[str, NDArray[np.float32]], origin: str) -> None:
        """Stores vectors. A cache that can't be written (full disk, read-only) is no reason to stop grading."""
        now = time.time()
        stored = [(key, v.tobytes()) for key, v in vectors.items()]
        rows = [(key, _digest(key, origin, data), origin, now, len(data), data) for key, data in stored]
        if self._given_up:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._store(rows)
            except (sqlite3.Error, UnicodeDecodeError) as e:
                if not _is_damage(e):
                    raise
                self._discard()
                self._store(rows)
        except (sqlite3.Error, OSError, UnicodeDecodeError):
            self._given_up = True  # each further try might wait as long again

    def _discard(self) -> None:
        """Takes a damaged file away, so that the next store begins anew."""
        with suppress(OSError):
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _store(self, rows: list[tuple[str, bytes, str, float, int, bytes]]) -> None:
        with closing(self._open()) as db, db:
            db.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?)", rows)
            # The file's size instead of the rows' sum: it is known without a look at all of them.
            counts = [
                db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
            ]
            size = counts[0] * (counts[1] - counts[2])
            if size > self._largest:
                # Down to nine tenths, so that the next store does not evict again.
                goal, freed = size - 0.9 * self._largest, 0
                old = []
                for key, length in db.execute("SELECT key, size FROM rows ORDER BY used"):
                    old.append((key,))
                    freed += length
                    if freed >= goal:
                        break
                db.executemany("DELETE FROM rows WHERE key = ?", old)

    def info(self) -> CacheInfo:
        """Rows and size; zero where there is no cache, or none that can be read."""
        rows = size = 0
        if is_there(self.path):
            with suppress(sqlite3.Error), closing(self._open()) as db:
                rows, size = db.execute("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM rows").fetchone()
        return CacheInfo(self.path, rows, size)

    def clear(self) -> None:
        """Deletes the cache's files. Raises UsageError if that can't be done."""
        try:
            self._unlink_all()
        except OSError as e:
            raise UsageError(f"The cache {self.path} can't be deleted: {e.strerror}.") from None

    def _unlink_all(self) -> None:
        own = [self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal", "-shm")]
        for path in (*own, *self.path.parent.glob("features-*.sqlite*")):  # also those of other layouts
            path.unlink(missing_ok=True)

    def recall(self, key: str, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Numbers that follow from features and take a while: computed once, float64 ``(n,)``."""
        row = self.get([key]).get(key)
        if row is not None and row.vector.nbytes % 8 == 0:
            return row.vector.view(np.float64)
        values = compute()
        self.put({key: values.view(np.float32)}, "")
        return values

    def _open_to_read(self) -> sqlite3.Connection:
        """As below; where nothing can be written, the file as it is."""
        try:
            return self._open()
        except sqlite3.OperationalError:
            return sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=_SECONDS)
        with suppress(sqlite3.OperationalError):  # another process is changing it: no timeout waits for that
            db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, digest BLOB, origin TEXT,"
            " used REAL, size INTEGER, data BLOB)"
        )
        db.execute("CREATE INDEX IF NOT EXISTS by_use ON rows (used, key, size)")
        return db


def _digest(key: str, origin: str, data: bytes) -> bytes:
    return hashlib.blake2b(f"{key}\n{origin}\n".encode() + data, digest_size=16).digest()


def is_there(path: Path) -> bool:
    """True for a file that can be reached; False for one behind a locked folder, or with an impossible name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_damage(error: Exception) -> bool:
    """The file is no database any more, or one of another layout; a lock or a full disk is no damage."""
    if isinstance(error, sqlite3.OperationalError):
        return "column" in str(error) or "malformed" in str(error)
    return isinstance(error, sqlite3.DatabaseError | UnicodeDecodeError)
