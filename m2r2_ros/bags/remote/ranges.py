# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes of a file in an object store, as it was when it was opened."""

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.remote.access import is_s3, key_of, remote_errors, retried, status_of, system_of
from m2r2_ros.core.errors import BagError

#: Seconds between two looks at whether a file has changed, where requests can have no condition.
_LOOK_AGAIN: Final = 5.0
#: What file systems call that which is another for another content.
_TAGS: Final = ('ETag', 'etag', 'generation', 'md5Hash', 'content_md5', 'mtime', 'LastModified',
                'last_modified', 'created')  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """What a listing says of a file.

    Attributes:
        path: The file, a UPath.
        size: Bytes.
        tag: Differs if its content does; '' where the store has no such thing.
    """

    path: Path
    size: int
    tag: str = ''


def stored(path: Path) -> Stored | None:
    """Ask for a file; None where there is none, which may be a prefix.

    Raises:
        BagError: It cannot be asked for.
    """
    system, key = system_of(path), key_of(path)
    with remote_errors(path, 'cannot be read', BagError):
        try:
            if is_s3(system):
                bucket, name, _ = system.split_path(key)
                if not name:
                    return None
                found = retried(
                    lambda: system.call_s3('head_object', Bucket=bucket, Key=name, **system.req_kw)
                )
                return Stored(path, int(found['ContentLength']), str(found.get('ETag', '')))
            found = retried(lambda: system.info(key))
        except FileNotFoundError:
            return None
        return None if found['type'] == 'directory' else Stored(path, *size_and_tag(found))


def size_and_tag(info: dict[str, Any]) -> tuple[int, str]:
    """Return what a file system of fsspec says of a file; see Stored."""
    tag = next((str(info[name]) for name in _TAGS if info.get(name)), '')
    return int(info.get('size') or 0), tag


class Ranges:
    """One file; its ranges can be asked for from several threads.

    Attributes:
        path: The file.
        size: Bytes.
    """

    def __init__(self, file: Stored) -> None:
        self.path = file.path
        self.size = file.size
        self._file = file
        self._key = key_of(file.path)
        self._looked = time.monotonic()

    def fetch(self, start: int, stop: int) -> bytes:
        """Return the bytes in [start, stop), as far as the file has them.

        Raises:
            BagError: They cannot be read, or the file is another one by now.
        """
        stop = min(stop, self.size)
        if start >= stop:
            return b''
        with remote_errors(self.path, 'cannot be read', BagError):
            return retried(lambda: self._whole(start, stop))

    def begin(self, start: int, stop: int) -> 'Future[bytes]':
        """Return at once what becomes the bytes in [start, stop), or what went wrong."""
        future: Future[bytes] = Future()

        def run() -> None:
            try:
                future.set_result(self.fetch(start, stop))
            except BaseException as error:
                future.set_exception(error)

        # No pool: these threads may be left alone when a reader stops early, or at Ctrl-C.
        threading.Thread(target=run, name='m2r2-fetch', daemon=True).start()
        return future

    def _whole(self, start: int, stop: int) -> bytes:
        """Make one request.

        Raises:
            ConnectionError: Fewer bytes came than there are.
        """
        system = system_of(self.path)  # another one after a fork
        take = self._from_s3 if is_s3(system) else self._from_any
        data = take(system, start, stop)
        if len(data) > stop - start:
            msg = 'the server does not keep to ranges of bytes'
            raise ValueError(msg)
        if len(data) < stop - start:
            msg = f'{len(data)} of {stop - start} bytes came'
            raise ConnectionError(msg)
        return data

    def _from_s3(self, system: Any, start: int, stop: int) -> bytes:  # noqa: ANN401
        from fsspec.asyn import sync  # optional

        bucket, key, _ = system.split_path(self._key)
        more = dict(system.req_kw)  # such as who pays
        if self._file.tag:
            more['IfMatch'] = self._file.tag

        async def get() -> bytes:
            answer = await system._call_s3(
                'get_object', Bucket=bucket, Key=key, Range=f'bytes={start}-{stop - 1}', **more
            )
            async with answer['Body'] as body:
                data: bytes = await body.read()
                return data

        try:
            return sync(system.loop, get)  # type: ignore[no-any-return]
        except OSError as error:
            if status_of(error) in (412, 416):
                raise self._changed() from error
            raise

    def _from_any(self, system: Any, start: int, stop: int) -> bytes:  # noqa: ANN401
        if self._file.tag and time.monotonic() - self._looked > _LOOK_AGAIN:
            self._looked = time.monotonic()
            now = size_and_tag(system.info(self._key))
            if now != (self._file.size, self._file.tag):
                raise self._changed()
        data: bytes = system.cat_file(self._key, start=start, end=stop)
        return data

    def _changed(self) -> BagError:
        return BagError(
            f'{self.path} has been changed since it was opened: read it again when no one writes it'
        )
