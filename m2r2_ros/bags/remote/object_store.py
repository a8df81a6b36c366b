# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results in an object store, of which nothing can be renamed or locked."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.remote.access import (
    is_no_bucket,
    is_s3,
    key_of,
    remote_errors,
    retried,
    status_of,
    system_of,
)
from m2r2_ros.bags.remote.layout import DONE, MARKER, marker_of, read_marker
from m2r2_ros.bags.remote.listing import keys_under
from m2r2_ros.bags.remote.names import HIDDEN, MAX_NOTE, check_key, check_name
from m2r2_ros.core.errors import OutputError

#: Protocols besides S3 whose file systems in fsspec create a file only if there is none.
_ATOMIC: Final = frozenset({'gs', 'gcs', 'az', 'abfs', 'abfss', 'memory'})
#: What is written once to see whether a store keeps to conditions.
_PROBE: Final = 'conditions'


class ObjectStore:
    """A prefix of results; see stores.ResultStore, and layout for what lies where.

    The marker that makes files a result is put with `If-None-Match: *`, which S3 and the stores
    that speak its protocol keep since 2024; whether this one does is tried before the first.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._probed = False

    def put_once(self, name: str, files: Mapping[str, Path]) -> bool:
        """Put a result; see ResultStore."""
        check_name(name)
        for key in files:
            check_key(key)
        if not files:
            msg = f'{self.place / name}: a result has at least one file'
            raise OutputError(msg)
        self._probe()
        if self._get(self._marker(name)) is not None:
            return False
        attempt = secrets.token_hex(8)
        try:
            sizes = {key: file.stat().st_size for key, file in files.items()}
            for key, file in files.items():
                self._upload(file, self._file(name, attempt, key))
        except BaseException as error:
            self._discard(name, attempt, files)
            if not isinstance(error, OSError):
                raise
            msg = f'{self.place / name} cannot be written: {error.strerror}'
            raise OutputError(msg) from error
        # If this fails, the marker may be there all the same: the files stay.
        won = self._create(self._marker(name), marker_of(attempt, sizes))
        if not won:
            self._discard(name, attempt, files)
        return won

    def done(self) -> frozenset[str]:
        """Return the names of all results; see ResultStore."""
        return frozenset(
            key.removesuffix(MARKER) for key in self.notes(DONE) if key.endswith(MARKER)
        )

    def files(self, name: str) -> dict[str, Path]:
        """Return the files of a result; see ResultStore."""
        check_name(name)
        marker = self._marker(name)
        data = self._get(marker)
        if data is None:
            return {}
        attempt, sizes = read_marker(data, marker)
        return {key: self._file(name, attempt, key) for key in sizes}

    def withdraw(self, name: str) -> bool:
        """Remove a result; see ResultStore."""
        files = self.files(name)
        if files:
            self._remove(self._marker(name))  # first: what is left is no result
        for path in files.values():  # others may be those of a worker that is at it
            self._remove(path)
        return bool(files)

    def note(self, key: str, data: bytes) -> None:
        """Write a note; see ResultStore."""
        path = self._note(key, data)
        with remote_errors(path, 'cannot be written', OutputError):
            retried(lambda: system_of(path).pipe_file(key_of(path), data))

    def note_once(self, key: str, data: bytes) -> bool:
        """Write a note unless there is one; see ResultStore."""
        path = self._note(key, data)
        self._probe()
        return self._create(path, data)

    def notes(self, folder: str) -> frozenset[str]:
        """Return the names of the notes in a folder of notes; see ResultStore."""
        check_key(folder)
        top = self.place.joinpath(HIDDEN, *folder.split('/'))
        return frozenset('/'.join(key.parts) for key in keys_under(top, error=OutputError))

    def read_note(self, key: str) -> bytes | None:
        """Return a note; see ResultStore."""
        return self._get(self._note(key, b''))

    def forget(self, key: str) -> None:
        """Remove a note; see ResultStore."""
        self._remove(self._note(key, b''))

    def _note(self, key: str, data: bytes) -> Path:
        check_key(key)
        path = self.place.joinpath(HIDDEN, *key.split('/'))
        if len(data) > MAX_NOTE:
            msg = f'{path}: {len(data)} bytes, a note has at most {MAX_NOTE}'
            raise OutputError(msg)
        return path

    def _file(self, name: str, attempt: str, key: str) -> Path:
        return self.place.joinpath(name, attempt, *key.split('/'))

    def _marker(self, name: str) -> Path:
        return self.place / HIDDEN / DONE / f'{name}{MARKER}'

    def _get(self, path: Path) -> bytes | None:
        """Return a small file; None where there is none."""
        system, key = system_of(path), key_of(path)
        with remote_errors(path, 'cannot be read', OutputError):
            try:
                # Without a size, which would take a request of its own.
                data: bytes = retried(lambda: system.cat_file(key, start=0, end=MAX_NOTE + 1))
            except FileNotFoundError as error:
                if is_no_bucket(error):
                    raise
                return None
            except OSError as error:
                if status_of(error) != 416:  # the first byte of an empty file
                    raise
                return b''
        if len(data) > MAX_NOTE:
            msg = f'{path}: is larger than the {MAX_NOTE} bytes that are read: remove it'
            raise OutputError(msg)
        return data

    def _upload(self, file: Path, path: Path) -> None:
        with remote_errors(path, 'cannot be written', OutputError):
            retried(lambda: system_of(path).put_file(str(file), key_of(path)))

    def _remove(self, path: Path) -> None:
        with remote_errors(path, 'cannot be removed', OutputError):
            try:
                retried(lambda: system_of(path).rm_file(key_of(path)))
            except FileNotFoundError:
                return

    def _discard(self, name: str, attempt: str, files: Mapping[str, Path]) -> None:
        """Remove the files of an attempt that is no result; those that cannot be are left."""
        for key in files:
            path = self._file(name, attempt, key)
            try:
                system_of(path).rm_file(key_of(path))
            except Exception:
                continue

    def _create(self, path: Path, data: bytes) -> bool:
        """Write a small file unless there is one; whether it is there with these bytes now."""
        system, key = system_of(path), key_of(path)
        with remote_errors(path, 'cannot be written', OutputError):
            try:
                retried(lambda: self._create_once(system, key, data))
            except FileExistsError:
                # It may be ours: the answer to a request that was made again may have been lost.
                return self._get(path) == data
        return True

    def _create_once(self, system: Any, key: str, data: bytes) -> None:  # noqa: ANN401
        if not is_s3(system):
            system.pipe_file(key, data, mode='create')
            return
        bucket, name, _ = system.split_path(key)
        try:
            system.call_s3('put_object', Bucket=bucket, Key=name, Body=data, IfNoneMatch='*')
        except OSError as error:
            if status_of(error) == 412:
                raise FileExistsError(key) from error
            if status_of(error) == 409:
                # Someone else is putting it at this moment; whether it stays is known later.
                raise ConnectionError(str(error)) from None
            raise

    def _probe(self) -> None:
        """Refuse a store that would let the last of several workers win.

        Raises:
            OutputError: It does, or it cannot be written.
        """
        if self._probed:
            return
        protocol = str(self.place).split('://', 1)[0]
        if not is_s3(system_of(self.place)) and protocol not in _ATOMIC:
            msg = (
                f'{self.place}: {protocol}:// cannot write a file only if there is none, so that '
                'results could be mixed; write to a folder or to s3://, gs:// or az://'
            )
            raise OutputError(msg)
        path = self.place / HIDDEN / _PROBE
        for _ in range(2):
            # Different each time: the second has to be refused, also by the first of others.
            if not self._create(path, secrets.token_hex(8).encode()):
                self._probed = True
                return
        msg = (
            f'{self.place}: the store does not keep If-None-Match, so that results could be mixed; '
            'update it, or write to a folder'
        )
        raise OutputError(msg)
