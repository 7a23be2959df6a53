from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.errors import UsageError
from grader.judges.cache import FeatureCache, Row, cache_folder


def _vectors(count: int, seed: int = 0, width: int = 100) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {f"{seed} {i}": rng.normal(size=width).astype(np.float32) for i in range(count)}


def _same(found: dict[str, Row], vectors: dict[str, NDArray[np.float32]]) -> bool:
    return found.keys() == vectors.keys() and all(np.array_equal(found[k].vector, vectors[k]) for k in vectors)


def test_what_was_put_is_there(tmp_path: Path) -> None:
    cache, vectors = FeatureCache(tmp_path / "c"), _vectors(1200)
    assert cache.get(vectors) == {} and cache.info().rows == 0
    cache.put(vectors, "cpu x")
    assert _same(FeatureCache(tmp_path / "c").get([*vectors, "other"]), vectors)
    assert {row.origin for row in cache.get(vectors).values()} == {"cpu x"}
    assert cache.info().rows == 1200 and cache.info().size == 1200 * 400
    cache.clear()
    assert cache.info().rows == 0 and not (tmp_path / "c").exists()


def test_a_damaged_row_is_not_given_out(tmp_path: Path) -> None:
    cache, vectors = FeatureCache(tmp_path / "c"), _vectors(5)
    cache.put(vectors, "cpu x")
    with sqlite3.connect(tmp_path / "c") as db:
        db.execute("UPDATE rows SET data = ? WHERE key = '0 0'", (bytes(400),))
        db.execute("UPDATE rows SET data = substr(data, 1, 200) WHERE key = '0 1'")
        db.execute("UPDATE rows SET origin = 'cuda' WHERE key = '0 3'")
        db.execute("UPDATE rows SET data = (SELECT data FROM rows WHERE key = '0 2') WHERE key = '0 4'")
    db.close()
    assert list(cache.get(vectors)) == ["0 2"]
    cache.put(vectors, "cpu x")
    assert _same(cache.get(vectors), vectors)


def test_a_file_that_is_no_database_is_started_anew(tmp_path: Path) -> None:
    cache, vectors = FeatureCache(tmp_path / "c"), _vectors(3)
    (tmp_path / "c").write_bytes(b"not a database at all" * 100)
    assert cache.get(vectors) == {} and cache.info().rows == 0
    cache.put(vectors, "cpu x")
    assert _same(cache.get(vectors), vectors)


def test_rows_longest_unused_are_evicted(tmp_path: Path) -> None:
    most = 150_000  # bytes, of which keys, digests and the index take a third
    cache = FeatureCache(tmp_path / "c", largest=most)
    old, new = _vectors(150, seed=1), _vectors(150, seed=2)
    cache.put(old, "")
    first = list(old)[:5]
    cache.get(first)  # used again just now
    cache.put(new, "")
    assert cache.info().size <= most
    left = cache.get([*old, *new])
    assert set(new) <= set(left) and set(first) <= set(left) and len(left) < 300


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FeatureCache(tmp_path / "file" / "c")
    cache.put(_vectors(2), "")
    assert cache.get(_vectors(2)) == {}


def _write(path: Path, seed: int) -> None:
    cache = FeatureCache(path)
    for start in range(20):
        cache.put({f"{k} {start}": v for k, v in _vectors(20, seed).items()}, "")


def test_many_processes_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(tmp_path / "c", seed)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert FeatureCache(tmp_path / "c").info().rows == 4 * 20 * 20


def _write_for_ever(path: Path, ready: object) -> None:
    cache, n = FeatureCache(path), 0
    while True:
        cache.put(_vectors(50, seed=n), "")
        ready.set()  # type: ignore[attr-defined]  # an event of multiprocessing, which has no public type
        n += 1


def test_killed_while_writing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for round_ in range(3):
        ready = context.Event()
        worker = context.Process(target=_write_for_ever, args=(tmp_path / "c", ready))
        worker.start()
        assert ready.wait(60)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(60)
        cache = FeatureCache(tmp_path / "c")
        rows = cache.info().rows
        assert rows >= 50 and rows % 50 == 0, round_
        assert _same(cache.get(_vectors(50, seed=0)), _vectors(50, seed=0))


def test_numbers_are_computed_once(tmp_path: Path) -> None:
    cache, calls = FeatureCache(tmp_path / "c"), []

    def compute() -> NDArray[np.float64]:
        calls.append(1)
        return np.array([1 / 3, -1e-300])

    for _ in range(2):
        assert cache.recall("interval x", compute).tolist() == [1 / 3, -1e-300]
    assert len(calls) == 1
    assert cache.recall("none", lambda: np.zeros(0)).shape == (0,)
    assert cache.recall("none", compute).shape == (0,) and len(calls) == 1


def test_clearing_takes_other_layouts_too(tmp_path: Path) -> None:
    (tmp_path / "features-1.sqlite").write_text("")
    (tmp_path / "weights").mkdir()
    FeatureCache(tmp_path / "features-9.sqlite").clear()
    assert [p.name for p in tmp_path.iterdir()] == ["weights"]


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("GRADER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / "x" / "grader"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder().parts[-3:] == ("Library", "Caches", "grader")


@pytest.mark.parametrize("damage", ["data = NULL", "origin = X'ff'", "digest = 7"])
def test_values_of_other_kinds_are_not_given_out(tmp_path: Path, damage: str) -> None:
    cache, vectors = FeatureCache(tmp_path / "c"), _vectors(3)
    cache.put(vectors, "cpu x")
    with sqlite3.connect(tmp_path / "c") as db:
        db.execute(f"UPDATE rows SET {damage} WHERE key = '0 1'")
    db.close()
    assert sorted(cache.get(vectors)) == ["0 0", "0 2"]


def test_another_layout_of_the_same_name_is_started_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "c") as db:
        db.execute("CREATE TABLE rows (key TEXT, value TEXT)")
    db.close()
    cache, vectors = FeatureCache(tmp_path / "c"), _vectors(3)
    assert cache.get(vectors) == {}
    cache.put(vectors, "")
    assert _same(cache.get(vectors), vectors)


def test_damage_in_the_middle_heals(tmp_path: Path) -> None:
    vectors = _vectors(200)
    FeatureCache(tmp_path / "c").put(vectors, "")
    content = bytearray((tmp_path / "c").read_bytes())
    content[4096:20000] = bytes(20000 - 4096)
    (tmp_path / "c").write_bytes(content)
    for _ in range(3):
        cache = FeatureCache(tmp_path / "c")
        found = cache.get(vectors)
        assert all(np.array_equal(row.vector, vectors[key]) for key, row in found.items())
        cache.put({k: v for k, v in vectors.items() if k not in found}, "")
    assert _same(FeatureCache(tmp_path / "c").get(vectors), vectors)


def test_a_lock_that_somebody_holds_keeps_no_reader_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.judges.cache._SECONDS", 0.1)
    monkeypatch.setattr("grader.judges.cache._MOMENT", 1)
    cache, vectors = FeatureCache(tmp_path / "c"), _vectors(3)
    cache.put(vectors, "")
    holder = sqlite3.connect(tmp_path / "c", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert _same(cache.get(vectors), vectors)
    cache.put(_vectors(2, seed=9), "")  # can't be stored, which is no error
    holder.close()
    assert _same(cache.get(vectors), vectors)


class _Refusing(sqlite3.Connection):
    """What a process meets while another one is changing the same new file to WAL: refused at once, without a wait."""

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if "journal_mode" in sql:
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql, *arguments)


def test_beside_a_process_that_changes_to_wal_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *where, **options: connect(*where, factory=_Refusing, **options))
    FeatureCache(tmp_path / "c").put(_vectors(3), "")
    monkeypatch.undo()
    assert _same(FeatureCache(tmp_path / "c").get(_vectors(3)), _vectors(3))


def test_a_file_that_may_only_be_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = _vectors(3)
    FeatureCache(tmp_path / "c").put(vectors, "")

    def refused(_: FeatureCache) -> sqlite3.Connection:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(FeatureCache, "_open", refused)
    assert _same(FeatureCache(tmp_path / "c").get(vectors), vectors)


def test_impossible_places_hold_nothing(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / ("x" * 400) / "c")
    assert cache.get(["a"]) == {} and cache.info().rows == 0
    cache.put(_vectors(1), "")
    (tmp_path / "d").mkdir()
    with pytest.raises(UsageError, match="can't be deleted"):
        FeatureCache(tmp_path / "d").clear()
