# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from test.bags.files import Item, expected, payload, read
from test.bags.sqlite.test_source import database

FIRST: list[Item] = [('/a', 10 * k, k) for k in range(50)]
#: Messages that are in the log alone.
LOGGED: list[Item] = [('/a', 1000 + 10 * k, 100 + k) for k in range(50)]
ALL = expected([FIRST, LOGGED])
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that every user can come to."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


def insert(base: sqlite3.Connection) -> None:
    base.executemany(
        'INSERT INTO messages(topic_id, timestamp, data) VALUES (0, ?, ?)',
        [(time, payload(number)) for _, time, number in LOGGED],
    )
    base.commit()


def killed(folder: Path, work: Path, *kept: str, checkpoint: bool = False) -> Path:
    """Make what a recorder that was killed leaves: a database, and files of these endings."""
    path = database(work / 'x.db3', FIRST)
    with closing(sqlite3.connect(path)) as base:
        base.execute('PRAGMA journal_mode = WAL')
        insert(base)
        if checkpoint:
            base.execute('PRAGMA wal_checkpoint(FULL)')
        for ending in ('', *kept):
            shutil.copy(f'{path}{ending}', folder)
    return folder / 'x.db3'


def state(folder: Path) -> object:
    """Return all that can be seen of a folder; that a file came and went shows in its own time."""
    files = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}
    return files, folder.stat().st_mtime_ns


def as_nobody(use: Callable[[], bool]) -> bool:
    """Return what `use` does for a user without rights, in a process of its own."""
    child = os.fork()
    if not child:
        try:
            if not os.getuid():
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os._exit(0 if use() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize('checkpoint', [False, True])
@pytest.mark.parametrize('kept', [('-wal', '-shm'), ('-wal',)])
def test_a_log_is_read_and_its_folder_stays_as_it_is(
    folder: Path, tmp_path: Path, kept: tuple[str, ...], checkpoint: bool
) -> None:
    path = killed(folder, tmp_path, *kept, checkpoint=checkpoint)
    before = state(folder)
    assert read(open_recording(path)) == ALL
    assert state(folder) == before
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    assert as_nobody(lambda: read(open_recording(path)) == ALL)
    assert as_nobody(lambda: read(open_recording(folder)) == ALL)


@pytest.mark.parametrize('mode', ['WAL', 'DELETE'])
def test_a_database_without_a_log_is_read_and_its_folder_stays_as_it_is(
    folder: Path, mode: str
) -> None:
    path = database(folder / 'x.db3', FIRST)
    with closing(sqlite3.connect(path)) as base:
        base.execute(f'PRAGMA journal_mode = {mode}')
    for name in ('x.db3-wal', 'x.db3-shm', 'x.db3-journal'):
        before = state(folder)
        assert read(open_recording(path)) == FIRST
        assert state(folder) == before
        (folder / name).write_bytes(b'')


def test_a_log_beside_an_empty_database_is_not_removed(folder: Path, tmp_path: Path) -> None:
    path = killed(folder, tmp_path, '-wal', '-shm')
    path.write_bytes(b'')
    before = state(folder)
    with pytest.raises(BagError, match='no table of topics'):
        open_recording(path)
    assert state(folder) == before


@pytest.mark.parametrize('name', ['x.db3-wal', 'x.db3-shm', 'x.db3-journal'])
def test_files_beside_a_database_that_are_none_are_not_opened(
    folder: Path, tmp_path: Path, name: str
) -> None:
    path = killed(folder, tmp_path, '-wal', '-shm')
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert read(open_recording(path)) == (FIRST if name == 'x.db3-wal' else ALL)


def test_a_broken_log_and_a_stale_index_of_it_are_read_as_far_as_they_go(
    folder: Path, tmp_path: Path
) -> None:
    path = killed(folder, tmp_path, '-wal', '-shm')
    (folder / 'x.db3-shm').write_bytes(b'\xff' * 32768)
    assert read(open_recording(path)) == ALL
    (folder / 'x.db3-wal').write_bytes((folder / 'x.db3-wal').read_bytes()[:5000])
    assert read(open_recording(path)) == FIRST


def test_what_a_killed_recorder_had_not_committed_is_rolled_back(
    folder: Path, tmp_path: Path
) -> None:
    path = database(tmp_path / 'x.db3', FIRST)
    with closing(sqlite3.connect(path)) as base:
        base.execute('PRAGMA cache_size = 1')  # pages reach the file before the transaction ends
        base.execute('UPDATE messages SET data = zeroblob(5000)')
        shutil.copy(path, folder)
        shutil.copy(f'{path}-journal', folder)
    before = state(folder)
    assert read(open_recording(folder / 'x.db3')) == FIRST
    assert state(folder) == before


def test_a_recorder_that_is_still_writing_is_not_disturbed(folder: Path) -> None:
    path = database(folder / 'x.db3', FIRST)
    with closing(sqlite3.connect(path, timeout=0)) as base:
        base.execute('PRAGMA journal_mode = WAL')
        insert(base)
        before = state(folder)
        recording = open_recording(path)
        blocks = recording.blocks()
        next(blocks)
        base.execute("INSERT INTO messages VALUES (999, 0, 9999, x'00010000')")
        base.commit()
        base.execute('DELETE FROM messages WHERE id = 999')
        base.commit()
        base.execute('PRAGMA wal_checkpoint(PASSIVE)')
        del blocks
        assert sorted(p.name for p in folder.iterdir()) == sorted(before[0])  # type: ignore[index]
        assert read(open_recording(path)) == ALL


def test_a_copy_that_does_not_fit_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = killed(folder, tmp_path, '-wal')
    full = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: full)
    with pytest.raises(BagError, match='set TMPDIR'):
        open_recording(path)


def test_copies_are_removed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = killed(folder, tmp_path, '-wal')
    copies = tmp_path / 'copies'
    copies.mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(copies))
    recording = open_recording(path)
    assert read(recording) == ALL
    assert len(list(copies.iterdir())) == 1
    del recording
    assert not list(copies.iterdir())


def test_names_that_are_no_utf8_or_no_uri_are_read(folder: Path) -> None:
    for name in ('a?b#c%20.db3', os.fsdecode(b'\xff.db3'), 'ü ö.db3'):
        path = database(folder / 'x.db3', FIRST).rename(folder / name)
        assert read(open_recording(path)) == FIRST
        path.unlink()
