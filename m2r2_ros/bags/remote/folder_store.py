# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results in a folder, which several workers and machines may share."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from m2r2_ros.bags.remote.names import HIDDEN, MAX_NOTE, check_key, check_name
from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.files import PARTIAL, disk_errors, sync

_MODE = 0o755


class FolderStore:
    """A folder of results; see stores.ResultStore.

    A result is a folder of its own, written under another name and renamed: a folder cannot be
    renamed to one that has files in it, so that the first wins on any file system.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._hidden = place / HIDDEN

    def put_once(self, name: str, files: Mapping[str, Path]) -> bool:
        """Put a result; see ResultStore."""
        check_name(name)
        for key in files:
            check_key(key)
        if not files:
            msg = f'{self.place / name}: a result has at least one file'
            raise OutputError(msg)
        target = self.place / name
        if self._is_result(target):
            return False
        with self._draft() as draft, disk_errors(target):
            whole = draft / name
            whole.mkdir(mode=_MODE)
            for key, file in files.items():
                copy = whole / key
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
                sync(copy)
            try:
                whole.rename(target)
            except OSError:
                if target.is_symlink() or not self._is_result(target):
                    raise
                return False
            sync(self.place)
        return True

    def done(self) -> frozenset[str]:
        """Return the names of all results; see ResultStore."""
        try:
            with os.scandir(self.place) as entries:
                return frozenset(
                    entry.name
                    for entry in entries
                    if not entry.name.startswith('.') and entry.is_dir(follow_symlinks=False)
                )
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            msg = f'{self.place} cannot be listed: {error.strerror}'
            raise OutputError(msg) from error

    def files(self, name: str) -> dict[str, Path]:
        """Return the files of a result; see ResultStore."""
        check_name(name)
        top = self.place / name
        found = (path for path in sorted(top.rglob('*')) if path.is_file())
        return {path.relative_to(top).as_posix(): path for path in found}

    def withdraw(self, name: str) -> bool:
        """Remove a result; see ResultStore."""
        check_name(name)
        if not self._is_result(self.place / name):
            return False
        with self._draft() as draft, disk_errors(self.place / name):
            try:
                (self.place / name).rename(draft / name)
            except FileNotFoundError:
                return False  # someone else was faster
        return True

    def note(self, key: str, data: bytes) -> None:
        """Write a note; see ResultStore."""
        with self._noted(key, data) as (draft, target):
            draft.replace(target)

    def note_once(self, key: str, data: bytes) -> bool:
        """Write a note unless there is one; see ResultStore."""
        with self._noted(key, data) as (draft, target):
            try:
                os.link(draft, target)
            except FileExistsError:
                return self.read_note(key) == data
        return True

    def notes(self, folder: str) -> frozenset[str]:
        """Return the names of the notes in a folder of notes; see ResultStore."""
        check_key(folder)
        top = self._hidden / folder
        with disk_errors(top):
            found = (path for path in top.rglob('*') if path.is_file() and not path.is_symlink())
            return frozenset(path.relative_to(top).as_posix() for path in found)

    def read_note(self, key: str) -> bytes | None:
        """Return a note; see ResultStore."""
        check_key(key)
        path = self._hidden / key
        try:
            with path.open('rb') as file:
                data = file.read(MAX_NOTE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f'{path} cannot be read: {error.strerror}'
            raise OutputError(msg) from error
        if len(data) > MAX_NOTE:
            msg = f'{path}: is larger than the {MAX_NOTE} bytes of a note: remove it'
            raise OutputError(msg)
        return data

    def forget(self, key: str) -> None:
        """Remove a note; see ResultStore."""
        check_key(key)
        with disk_errors(self._hidden / key):
            (self._hidden / key).unlink(missing_ok=True)

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """Yield a new folder beside the results, which is removed afterwards."""
        with disk_errors(self.place):
            self._hidden.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(suffix=PARTIAL, dir=self._hidden))
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    @contextmanager
    def _noted(self, key: str, data: bytes) -> Iterator[tuple[Path, Path]]:
        """Yield a file with a note, and where the note belongs."""
        check_key(key)
        if len(data) > MAX_NOTE:
            msg = f'{self._hidden / key}: {len(data)} bytes, a note has at most {MAX_NOTE}'
            raise OutputError(msg)
        target = self._hidden / key
        with self._draft() as folder, disk_errors(target):
            draft = folder / 'note'
            draft.write_bytes(data)
            sync(draft)
            target.parent.mkdir(parents=True, exist_ok=True)
            yield draft, target

    def _is_result(self, target: Path) -> bool:
        """Return whether a result is there: a folder that is not empty."""
        try:
            with os.scandir(target) as entries:
                return any(True for _ in entries)
        except (FileNotFoundError, NotADirectoryError):
            return False
