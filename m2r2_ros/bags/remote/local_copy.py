# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that cannot be read by ranges, copied to the disk for as long as they are needed."""

import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.remote.ranges import Ranges, Stored, stored
from m2r2_ros.bags.source import ALWAYS, FilePart, Loaded, Source, Span
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.files import disk_errors

#: Largest file that is copied, bytes.
MOST: Final = 1 << 36
#: Bytes of one request, and how many are in flight.
_PIECE: Final = 1 << 23
_FLYING: Final = 4
#: What a killed recorder leaves beside a database, with messages that are not in it yet.
_LOGS: Final = ('-wal', '-journal')


class CopiedSource:
    """A file of an object store, such as a .db3, read from a copy; see bags.source.Source.

    The copy lies in a folder of its own under TMPDIR, and is removed when this object goes or
    when Python ends, after Ctrl-C too.

    Raises:
        BagError: It cannot be copied or read.
    """

    def __init__(self, file: Stored, open_file: Callable[[Path], Source]) -> None:
        """Copy a file and open the copy.

        Args:
            file: The file.
            open_file: Opens a file on the disk.
        """
        self.path = file.path
        self._folder = Path(tempfile.mkdtemp(prefix='m2r2-'))
        self._gone = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._copy = self._folder / _plain(file.path.name)
        try:
            self._fetch(file, self._copy)
            source: Source = self._told(partial(open_file, self._copy))
        except BaseException:
            self._gone()
            raise
        self._source = source
        self.topics, self.unreadable = source.topics, source.unreadable
        self.start, self.end = source.start, source.end
        self.message_count, self.truncated = source.message_count, source.truncated
        self.notes = (*source.notes, f'copied to read it, {file.size / 1e6:.1f} MB')

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of the copy; see Source."""
        for part in self._source.parts(topics, span):
            yield replace(part, load=partial(self._load, part))

    def _load(self, part: FilePart) -> Loaded:
        loaded: Loaded = self._told(part.load)
        return loaded

    def _fetch(self, file: Stored, copy: Path) -> None:
        """Copy the file, and of a database the log beside it."""
        wanted = [(file, copy)]
        if file.path.suffix == '.db3':
            for ending in _LOGS:
                log = stored(file.path.with_name(file.path.name + ending))
                if log is not None:
                    wanted.append((log, copy.with_name(copy.name + ending)))
        size = sum(one.size for one, _ in wanted)
        free = shutil.disk_usage(self._folder).free
        if size > min(free, MOST):
            msg = (
                f'{file.path} has to be copied to be read, but has {size} bytes: at most {MOST} '
                f'are copied, and {self._folder.parent} has {free} bytes free; set TMPDIR to a '
                'larger folder, or store MCAP files (`ros2 bag convert`), which are read in place'
            )
            raise BagError(msg)
        for one, to in wanted:
            _download(one, to)

    def _told(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Return what a call returns; errors name the file instead of its copy."""
        try:
            return call()
        except M2R2Error as error:
            lines = [str(line).replace(str(self._copy), str(self.path)) for line in error.args]
            raise type(error)(*lines) from error


def _download(file: Stored, to: Path) -> None:
    """Copy a file piece by piece, a few of them at a time."""
    ranges = Ranges(file)
    starts = range(0, file.size, _PIECE)
    flying: deque[Future[bytes]] = deque()
    with disk_errors(to), to.open('wb') as out:
        for k in range(len(starts) + _FLYING):
            if k < len(starts):
                flying.append(ranges.begin(starts[k], starts[k] + _PIECE))
            if flying and k >= _FLYING - 1:
                out.write(flying.popleft().result())


def _plain(name: str) -> str:
    """Return a name that any disk takes, with the suffix of another."""
    stem, dot, suffix = name.rpartition('.')
    return f'{"".join(c if c.isalnum() or c in "-_" else "_" for c in stem)[:100]}{dot}{suffix}'
