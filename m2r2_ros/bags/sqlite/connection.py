# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Databases opened for reading, so that no byte of their folder changes."""

import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from m2r2_ros.core.errors import BagError

#: A message with more bytes is left out.
MAX_MESSAGE: Final = 1 << 28
#: A query may take so many steps of sqlite's virtual machine, and more in a large file: reading a
#: row takes about a hundred, and a row at least 32 bytes with its entry in the index.
_STEPS: Final = 20_000_000
_STEPS_PER_BYTE: Final = 20
#: The work of a query is looked at every so many steps.
_STRIDE: Final = 100_000
#: How a write-ahead log and a rollback journal begin that hold pages.
_WAL: Final = (b'\x37\x7f\x06\x82', b'\x37\x7f\x06\x83')
_JOURNAL: Final = (b'\xd9\xd5\x05\xf9',)


class Database:
    """An sqlite3 file of someone else's, which may be damaged or made to do harm.

    sqlite makes files beside a database that it reads, and removes others, unless it is told that
    nothing can change there. It then passes over a log of messages that are not in the file yet,
    as a killed recorder leaves it; such a log is read by its index if that is still there, and
    otherwise with the database in a copy of both.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._copy: Path | None = None

    @property
    def size(self) -> int:
        """Bytes of the database and of the log beside it."""
        files = [self.path, *self._logs()]
        return sum(file.stat().st_size for file in files)

    @contextmanager
    def session(self) -> Iterator[sqlite3.Connection]:
        """Open the database for a while.

        Raises:
            BagError: It cannot be read, or sqlite fails within the block.
        """
        with self.told(), closing(self.connect()) as connection:
            yield connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn whatever sqlite raises within the block into a BagError."""
        try:
            yield
        except (
            sqlite3.Error,
            sqlite3.Warning,
            ValueError,  # UnicodeError, too
            TypeError,
            OverflowError,
            MemoryError,
            OSError,
        ) as error:
            why = str(error) or type(error).__name__
            if why == 'interrupted':
                why = 'it takes more work than a file of its size can need'
            msg = (
                f'{self.path} cannot be read as a rosbag2 sqlite3 file: {why}; if it was cut or '
                f'damaged, {recover(self.path)}'
            )
            raise BagError(msg) from error

    def connect(self) -> sqlite3.Connection:
        """Open the database for reading; its queries end with an error after too much work."""
        logs = self._logs()
        shm, journal = self._beside('-shm'), self._beside('-journal')
        path, options = self.path, 'mode=ro&immutable=1'
        if logs and shm.is_file() and not os.path.lexists(journal) and self.path.stat().st_size:
            # The index of the log is used as it is, or made anew in memory.
            options = 'mode=ro&readonly_shm=1'
        elif logs:
            path, options = self._copied(logs), 'mode=rw'
        name = quote(os.fsencode(path.absolute()))
        connection = sqlite3.connect(f'file:{name}?{options}', uri=True, isolation_level=None)
        _limit(connection, _STEPS + _STEPS_PER_BYTE * self.size)
        return connection

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _logs(self) -> list[Path]:
        """Return the files beside the database that hold pages of it."""
        wal, journal = self._beside('-wal'), self._beside('-journal')
        return [
            *([wal] if _begins(wal, _WAL) else []),
            *([journal] if _begins(journal, _JOURNAL) else []),
        ]

    def _copied(self, logs: list[Path]) -> Path:
        """Return a copy of the database with its logs, which lives as long as this object."""
        if self._copy is None:
            folder = Path(tempfile.mkdtemp(prefix='m2r2-'))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            size, free = self.size, shutil.disk_usage(folder).free
            if size > free:
                msg = (
                    f'{self.path} has to be copied to be read with {logs[0].name}, but {folder} '
                    f'has {free} bytes free of the {size} needed; set TMPDIR to a larger folder'
                )
                raise BagError(msg)
            copy = folder / 'copy.db3'
            for file in (self.path, *logs):
                suffix = file.name.removeprefix(self.path.name)
                shutil.copyfile(file, copy.with_name(copy.name + suffix))
            self._copy = copy
        return self._copy


def recover(path: Path) -> str:
    """Return what to do about a damaged database."""
    return f'`sqlite3 {path} .recover | sqlite3 whole.db3` saves what can be read'


def bound_length(connection: sqlite3.Connection, most: int) -> None:
    """Let sqlite refuse longer values; where Python cannot say so, they end at a gigabyte."""
    if hasattr(connection, 'setlimit'):  # Python 3.11
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, most)


def _begins(path: Path, magics: tuple[bytes, ...]) -> bool:
    """Return whether a regular file begins with one of these."""
    if not path.is_file():  # a pipe would wait for a writer
        return False
    with path.open('rb') as file:
        return file.read(4) in magics


def _limit(connection: sqlite3.Connection, steps: int) -> None:
    """Bound what a database can make sqlite do."""
    left = steps // _STRIDE

    def tick() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(tick, _STRIDE)
    # Text that is no UTF-8 costs its characters, not the recording.
    connection.text_factory = lambda raw: raw.decode('utf-8', 'replace')
    if hasattr(connection, 'setlimit'):  # Python 3.11
        connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, 100)
    bound_length(connection, MAX_MESSAGE)
    connection.execute('PRAGMA trusted_schema = OFF')
