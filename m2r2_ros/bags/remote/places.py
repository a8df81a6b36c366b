# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Paths and URLs, as users write them."""

import os
import re
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from m2r2_ros.core.errors import ConfigError

#: How a URL begins; a folder whose name looks like it can be given as ./NAME.
_URL: Final = re.compile(r'(?P<protocol>[a-z][a-z0-9+.:-]*)://(?P<rest>.*)', re.I | re.S)
#: What some protocols need besides the extra `fleet`: a module, and how to get it.
_NEEDED: Final = {
    's3': ('s3fs', "pip install 'm2r2_ros[s3]'"),
    's3a': ('s3fs', "pip install 'm2r2_ros[s3]'"),
    'gs': ('gcsfs', 'pip install gcsfs'),
    'gcs': ('gcsfs', 'pip install gcsfs'),
    'az': ('adlfs', 'pip install adlfs'),
    'abfs': ('adlfs', 'pip install adlfs'),
    'abfss': ('adlfs', 'pip install adlfs'),
    'http': ('aiohttp', 'pip install aiohttp'),
    'https': ('aiohttp', 'pip install aiohttp'),
}
#: Requests that fail for a passing reason are made again by botocore, a few seconds in all, and
#: no connection is waited for much longer than that. Listings are always made anew: others write.
_S3: Final[dict[str, Any]] = {
    'use_listings_cache': False,
    'config_kwargs': {
        'retries': {'mode': 'standard', 'total_max_attempts': 3},
        'connect_timeout': 4,
        'read_timeout': 15,
        'max_pool_connections': 32,
    },
}
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    's3': _S3,
    's3a': _S3,
    'gs': {'use_listings_cache': False},
    'gcs': {'use_listings_cache': False},
}


def is_remote(path: object) -> bool:
    """Return whether a path is a URL: a UPath, which keeps to the interface of Path."""
    return not isinstance(path, PurePath)


def as_place(text: str) -> Path:
    """Return a path as the user wrote it; for a URL, such as s3://bucket/recordings, a UPath.

    Nothing is looked at yet.

    Raises:
        ConfigError: Of a URL: its protocol is unknown, what it needs is not installed, it names no
            bucket or host, or it has credentials in it.
    """
    match = _URL.fullmatch(text)
    if match is None:
        return Path(text)
    protocol, rest = match['protocol'].lower(), match['rest']
    if protocol in ('file', 'local'):
        return Path(unquote(urlsplit(text).path) if protocol == 'file' else rest)
    _expect_plain(protocol, rest)
    _expect_installed(protocol)
    from upath import UPath  # optional

    url = f'{protocol}://{rest.rstrip("/")}'
    return cast(Path, UPath(url, **_OPTIONS.get(protocol, {})))


def on_disk(text: str) -> Path:
    """Return a path as the user wrote it, for what is done on the disk alone.

    Raises:
        ConfigError: It is a URL.
    """
    match = _URL.fullmatch(text)
    if match is not None and match['protocol'].lower() not in ('file', 'local'):
        msg = (
            f'{match["protocol"]}://...: this is done on the disk alone: copy it first, for '
            'instance with `aws s3 cp --recursive URL FOLDER`'
        )
        raise ConfigError(msg)
    return as_place(text)


def real_name(path: Path) -> str:
    """Return one text for all names of a file or folder: links are followed, URLs stay."""
    return str(path) if is_remote(path) else os.path.realpath(path)


def in_order(paths: list[Path]) -> list[Path]:
    """Return paths sorted, the URLs after the others."""
    local = sorted(path for path in paths if not is_remote(path))
    return local + sorted((path for path in paths if is_remote(path)), key=str)


def _expect_plain(protocol: str, rest: str) -> None:
    """Refuse what would show credentials in logs and messages, and what is no address."""
    host = rest.split('/', 1)[0]
    if '@' in host or (protocol.startswith('http') and '?' in rest):
        msg = (
            f'{protocol}://...: credentials are not taken from URLs, which shells and logs keep; '
            'for s3 set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE'
        )
        raise ConfigError(msg)
    if '::' in protocol or not host.strip():
        msg = f'{protocol}://{rest}: expected a path, or a URL such as s3://bucket/recordings'
        raise ConfigError(msg)


def _expect_installed(protocol: str) -> None:
    """Refuse a protocol that is not known or not installed."""
    if missing := [name for name in ('fsspec', 'upath') if find_spec(name) is None]:
        extra = 's3' if protocol in ('s3', 's3a') else 'fleet'
        named = {'upath': 'universal-pathlib'}
        names = ' and '.join(named.get(name, name) for name in missing)
        msg = f"{protocol}:// needs {names}: pip install 'm2r2_ros[fleet,{extra}]'"
        raise ConfigError(msg.replace('[fleet,fleet]', '[fleet]'))
    module, way = _NEEDED.get(protocol, ('fsspec', ''))
    if find_spec(module) is None:
        msg = f'{protocol}:// needs {module}: {way}'
        raise ConfigError(msg)
    from fsspec.registry import known_implementations, registry

    if protocol not in known_implementations and protocol not in registry:
        msg = f'{protocol}:// is no protocol that fsspec knows; expected one such as s3://'
        raise ConfigError(msg)
