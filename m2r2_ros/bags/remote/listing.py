# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The files under a prefix of an object store, in one listing however many folders there are."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from m2r2_ros.bags.remote.access import is_s3, key_of, remote_errors, retried, system_of
from m2r2_ros.bags.remote.ranges import Stored, size_and_tag
from m2r2_ros.core.errors import BagError, M2R2Error

#: Files of a listing: a page holds a thousand and takes about a tenth of a second.
MAX_FILES: Final = 1 << 20


class Key(NamedTuple):
    """A file under a prefix.

    Attributes:
        parts: Names of the folders under the prefix that it lies in, and its own.
        size: Bytes.
        tag: As that of Stored.
    """

    parts: tuple[str, ...]
    size: int
    tag: str

    def under(self, prefix: Path) -> Stored:
        """Return the file."""
        return Stored(prefix / '/'.join(self.parts), self.size, self.tag)


def files_under(
    prefix: Path, *, deep: bool = True, error: type[M2R2Error] = BagError
) -> list[Stored]:
    """Return the files under a prefix; see keys_under."""
    return [key.under(prefix) for key in keys_under(prefix, deep=deep, error=error)]


def keys_under(prefix: Path, *, deep: bool = True, error: type[M2R2Error] = BagError) -> list[Key]:
    """Return what is listed under a prefix, sorted; [] where there is nothing.

    Keys with empty parts, '.' or '..', which no path can name, are left out.

    Args:
        prefix: What the files lie under, as in a folder.
        deep: Those in folders of it too.
        error: Raised instead of what libraries raise.

    Raises:
        error: The store cannot be listed, or there are more than MAX_FILES files.
    """
    system, top = system_of(prefix), key_of(prefix).rstrip('/') + '/'
    found = []
    with remote_errors(prefix, 'cannot be listed', error):
        entries = _s3(system, top, deep=deep) if is_s3(system) else _any(system, top, deep=deep)
        for key, info in entries:
            parts = tuple(key.removeprefix(top).split('/'))
            if key.startswith(top) and not {'', '.', '..'} & set(parts):
                found.append(Key(parts, *size_and_tag(info)))
            if len(found) > MAX_FILES:
                msg = f'{prefix} holds more than the {MAX_FILES} files that are listed: name a part'
                raise error(msg)
    return sorted(found)


def _s3(system: Any, top: str, *, deep: bool) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Yield keys, with the bucket, page by page."""
    bucket, _, prefix = top.partition('/')
    asked = {'Bucket': bucket, 'Prefix': prefix, 'MaxKeys': 1000, **system.req_kw}
    if not deep:
        asked['Delimiter'] = '/'
    while True:
        page = retried(lambda: system.call_s3('list_objects_v2', **asked))
        for one in page.get('Contents', ()):
            yield f'{bucket}/{one["Key"]}', {'size': one['Size'], 'ETag': one.get('ETag', '')}
        if not page.get('IsTruncated') or not page.get('NextContinuationToken'):
            return
        asked['ContinuationToken'] = page['NextContinuationToken']


def _any(system: Any, top: str, *, deep: bool) -> Iterable[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Return keys and what is known of each, as far as fsspec has a listing for all kinds."""
    key = top.rstrip('/')
    call: Callable[[], Any] = (
        (lambda: list(system.find(key, detail=True).values()))
        if deep
        else (lambda: system.ls(key, detail=True))
    )
    try:
        infos = retried(call)
    except FileNotFoundError:
        return []
    return [(info['name'], info) for info in infos if info['type'] == 'file']
