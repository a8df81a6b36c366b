# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are complete or not there at all, and that one run writes at a time."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import OutputError

#: What the name of a file or folder ends in until it is complete.
PARTIAL: Final = '.partial'
#: What URLs begin with, of which a path keeps one slash alone.
_URLS: Final = frozenset({'s3:', 's3a:', 'gs:', 'gcs:', 'az:', 'abfs:', 'abfss:', 'https:'})
#: What is locked in a folder that a run adds to.
LOCK: Final = '.lock'


def partial_path(path: Path) -> Path:
    """Return where `path` is written before it is complete."""
    return path.with_name(path.name + PARTIAL)


def lock_path(path: Path) -> Path:
    """Return the file that whoever writes `path` holds a lock on."""
    return path.with_name(f'.{path.name}.lock')


def names_of(path: Path) -> tuple[str, str, str]:
    """Return the names that an output has in the course of time, and that of its lock."""
    return path.name, partial_path(path).name, lock_path(path).name


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the system says while `path` is written into an error that names it.

    Raises:
        OutputError: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: object) -> OutputError:
    """Return the error that says why `path` cannot be written: an OSError, or its text."""
    reason = (isinstance(error, OSError) and error.strerror) or error
    return OutputError(f'{path} cannot be written: {reason}; check the disk, or write elsewhere')


class Claim:
    """The right to write an output, which one writer has at a time.

    It is a lock on a file beside the output, which the system takes back when the process ends,
    however it ends: the file that a killed process leaves is in no one's way.
    """

    def __init__(self, path: Path, *, lock: Path | None = None) -> None:
        """Claim an output, or raise at once.

        Args:
            path: The output; the folder that it lies in is made where it is missing.
            lock: The file to lock instead of the one beside the output.

        Raises:
            OutputError: Another writer has it, no file can be locked there, or it is a URL.
        """
        if not _URLS.isdisjoint(path.parts):
            msg = f'{path}: this command writes to the disk alone, not to URLs: give a folder'
            raise OutputError(msg)
        with disk_errors(path):
            lock = lock_path(path.absolute()) if lock is None else lock
            lock.parent.mkdir(parents=True, exist_ok=True)
            # A name that can be written in several ways must be locked in one.
            self._lock = lock.parent.resolve() / lock.name
            self._file = self._take(path)

    def _take(self, path: Path) -> int:
        while True:
            file = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The last writer may have removed the file after it was opened here.
                if self._is_there(file):
                    with suppress(OSError):  # of use to people alone, even on a full disk
                        os.ftruncate(file, 0)
                        os.write(file, str(os.getpid()).encode())
                    return file
                os.close(file)
            except BlockingIOError:
                owner = os.pread(file, 20, 0).decode(errors='replace')
                os.close(file)
                msg = (
                    f'{path} is being written by another run'
                    f'{f" (process {owner})" if owner.isdecimal() else ""}: wait until it is done, '
                    'or write elsewhere'
                )
                raise OutputError(msg) from None
            except BaseException:
                os.close(file)
                raise

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._lock.lstat())
        except FileNotFoundError:
            return False

    def __enter__(self) -> 'Claim':
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the output back; a second call does nothing."""
        if self._file < 0:
            return
        file, self._file = self._file, -1
        # Removed while it is locked: no one else can have it then.
        with suppress(OSError):
            self._lock.unlink()
        os.close(file)


def claim_folder(folder: Path) -> Claim:
    """Claim a folder that a run adds to; what lies beside it is left alone.

    Raises:
        OutputError: Another run is writing it, or it cannot be written.
    """
    return Claim(folder, lock=folder / LOCK)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a path to write a file to; it becomes `path`, in one step, when the block ends.

    After an exception `path` is what it was before, and the unfinished file is removed.

    Raises:
        OutputError: The file cannot be written, another run is writing it, or what is there is no
            file.
    """
    # Neither /dev/null nor /dev/stdout, which may lead to a file, must become one.
    device = path.absolute().parent == Path('/dev')
    if path.exists() and (device or not path.is_file()):
        msg = f'{path}: is there and no file; choose another output'
        raise OutputError(msg)
    draft = partial_path(path)
    with disk_errors(path), Claim(path):
        # What a killed run left; a link there would lead elsewhere.
        draft.unlink(missing_ok=True)
        try:
            yield draft
            sync(draft)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill; it becomes `folder`, in one step, when the block ends.

    After an exception it is removed, as what a killed run left is when the next one begins.

    Raises:
        OutputError: There is something of that name already, it cannot be written, or another run
            is writing it.
    """
    draft = partial_path(folder)
    with Claim(folder):
        if folder.exists():
            msg = f'{folder}: exists already; choose another folder or remove it'
            raise OutputError(msg)
        shutil.rmtree(draft, ignore_errors=True)
        with disk_errors(folder):
            draft.mkdir(parents=True)
        try:
            yield draft
            with disk_errors(folder):
                draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Write a file in one step; see atomic_write."""
    with atomic_write(path) as draft:
        draft.write_text(text, encoding='utf-8')


def share(path: Path) -> None:
    """Let whoever can read a folder read a file in it that a library made for its owner alone."""
    path.chmod(path.parent.stat().st_mode & 0o644 | 0o600)


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
