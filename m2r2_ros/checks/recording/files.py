# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of files: whether they are whole, and whether their bytes are what was written."""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from m2r2_ros.bags.folder import read_folder
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.remote.places import is_remote
from m2r2_ros.bags.sqlite.connection import Database
from m2r2_ros.bags.steps.datasets import is_episode
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.recording.mcap_file import McapCheck
from m2r2_ros.checks.recording.options import FileOptions
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.reading import check_file

CUT: Final = 'file.cut'
CHUNK: Final = 'file.chunk'
CHECKS: Final = (CUT, CHUNK)
#: Problems that sqlite is asked for.
_MOST_PROBLEMS: Final = 100


def file_results(
    recording_path: Path,
    options: FileOptions,
    wanted: Collection[str] = CHECKS,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Result]:
    """Check the files of a recording, which may be too damaged to be opened.

    Args:
        recording_path: A rosbag2 folder, an .mcap, a .db3 or an .h5.
        options: Thresholds.
        wanted: Ids of checks that are wanted.
        progress: Called with the share of the bytes that was read.
    """
    wanted = set(wanted) & set(CHECKS)
    if not wanted:
        return []
    if is_remote(recording_path):
        return list(_remote(recording_path, wanted))
    files = _files(recording_path)
    results: list[Result] = []
    total, done = sum(_size(file) for file in files) or 1, 0

    def tell(count: int) -> None:
        progress(min((done + count) / total, 1.0))

    for file in files:
        name = file.name if len(files) > 1 else ''
        results += [r for r in _check(file, name, options, tell) if r.check in wanted]
        done += _size(file)
    told = any(isinstance(r, Finding) for r in results)
    results += _opened(recording_path, wanted, told=told, files=bool(files))
    return results


def _remote(path: Path, wanted: Collection[str]) -> Iterator[Result]:
    """Yield what opening a recording in an object store tells, which fetches its index alone."""
    yield from _opened(path, wanted, told=False, files=True)
    if CHUNK in wanted:
        yield NotRun(CHUNK, 'it lies in an object store, from which not every byte is fetched')
    if CUT in wanted:
        with suppress(M2R2Error):  # which is told already
            if open_recording(path).truncated:
                yield Finding(CUT, Severity.ERROR, 'a file is truncated; what was written is there')


def _files(path: Path) -> list[Path]:
    """Return the files of a recording; none where only opening it tells what is wrong."""
    try:
        return read_folder(path).files if path.is_dir() else [path]
    except (M2R2Error, OSError):
        return []


def _check(
    file: Path, name: str, options: FileOptions, tell: Callable[[int], None]
) -> Iterator[Result]:
    """Check one file, unless it is none, such as a pipe, which would be waited for."""
    try:
        if not is_episode(file):
            check_file(file, 'a recording', BagError)
    except BagError as error:
        yield Finding(CUT, Severity.ERROR, str(error))
        return
    if file.suffix == '.mcap':
        yield from McapCheck(file, name, options, tell).run()
    elif file.suffix == '.db3':
        yield from _sqlite(file, name, options)
    else:
        yield NotRun(CHUNK, f'{file.name}: it has no checksums of what is in it')


def _sqlite(file: Path, name: str, options: FileOptions) -> Iterator[Result]:
    """Let sqlite look for what contradicts itself."""
    place = f'{name}: ' if name else ''
    try:
        with Database(file).session() as connection:
            rows = connection.execute(f'PRAGMA integrity_check({_MOST_PROBLEMS})').fetchall()
    except (BagError, sqlite3.Error) as error:
        yield Finding(CUT, Severity.ERROR, f'{place}{error}')
        return
    problems = [' '.join(str(row[0]).split()) for row in rows]
    found = [problem for problem in problems if problem != 'ok']
    for problem in found[: options.most]:
        yield Finding(CHUNK, Severity.ERROR, f'{place}sqlite finds: {problem}')
    if not found:
        yield NotRun(
            CHUNK,
            f'{file.name}: sqlite3 files have no checksums; their structure was checked and is '
            'whole, but a byte that changed within a message would not be seen',
        )


def _opened(path: Path, wanted: Collection[str], *, told: bool, files: bool) -> Iterator[Result]:
    """Yield what is wrong where a recording cannot be opened, or lacks what is listed.

    Args:
        path: The recording.
        wanted: Ids of checks that are wanted.
        told: Something is known to be wrong with it.
        files: Its files are known, and were looked at.
    """
    try:
        recording = open_recording(path)
    except M2R2Error as error:
        if not told:
            check = CUT if CUT in wanted else CHUNK
            yield Finding(check, Severity.ERROR, str(error))
        return
    lost = [note for note in recording.notes if note.startswith('fewer messages')]
    if CUT in wanted:
        yield from (Finding(CUT, Severity.ERROR, note) for note in lost if not told)
    if CHUNK in wanted and not files:
        yield NotRun(CHUNK, 'its files have no checksums of what is in them')


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
