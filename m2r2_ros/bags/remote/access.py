# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The file systems behind URLs: one for each process and protocol, and errors for people."""

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.reading import why

#: Seconds before a request is made again: doubled each time, and spread so that workers that were
#: refused together do not come back together.
_FIRST_WAIT: Final = 0.2
#: How often a request is made again; the store says that it has too many of them for a longer time.
_TRIES: Final = 4
_TRIES_BUSY: Final = 7
#: What does not go away by itself, or botocore has tried often enough, by the names of classes: no
#: library is imported for it.
_LASTING: Final = frozenset(
    {
        'FileNotFoundError', 'FileExistsError', 'PermissionError', 'IsADirectoryError',
        'NotADirectoryError', 'NoCredentialsError', 'PartialCredentialsError', 'ProfileNotFound',
        'TokenRetrievalError', 'InvalidConfigError', 'ConfigParseError', 'ParamValidationError',
        'EndpointConnectionError', 'ConnectTimeoutError', 'HTTPClientError', 'M2R2Error',
        'ValueError', 'TypeError', 'NotImplementedError', 'ModuleNotFoundError', 'ImportError',
    }
)  # fmt: skip
_BUSY: Final = ('slowdown', 'slow down', 'reduce your request rate', 'too many requests')
_BUSY_STATUS: Final = (429, 503)
#: How far back the causes of an error are looked at.
_DEEPEST: Final = 10
#: Credentials within an address, and the values of a query.
_SECRET: Final = re.compile(r'(?<=//)[^/@\s]+(?=@)|(?<=\?)\S+')

Answer = TypeVar('Answer')
_LOCK: Final = threading.Lock()
_SYSTEMS: Final[dict[tuple[int, str, str], Any]] = {}


def system_of(path: Path) -> Any:  # noqa: ANN401 - fsspec's, which has no types
    """Return the file system of a UPath, the same one in all threads: connections are kept."""
    url: Any = path
    options = dict(url.storage_options)
    key = (os.getpid(), url.protocol, repr(sorted(options.items(), key=str)))
    with _LOCK:
        if key not in _SYSTEMS:
            import fsspec  # optional

            system = fsspec.filesystem(url.protocol, **options)
            if is_s3(system):
                system.retries = 1  # botocore does that: both would multiply
            _SYSTEMS[key] = system
        return _SYSTEMS[key]


def key_of(path: Path) -> str:
    """Return what the file system of a UPath calls it: bucket and key."""
    url: Any = path
    key: str = url.path
    return key


def is_s3(system: Any) -> bool:  # noqa: ANN401
    """Return whether a file system is that of s3fs, whose requests can have conditions."""
    return hasattr(system, 'call_s3')


@contextmanager
def remote_errors(what: object, doing: str, error: type[M2R2Error]) -> Iterator[None]:
    """Turn whatever libraries raise in the block into an error that names what it is about.

    Args:
        what: The URL.
        doing: What failed, such as 'cannot be read'.
        error: Raised instead.

    Raises:
        error: Something was raised that is not for users already.
    """
    try:
        yield
    except M2R2Error:
        raise
    except Exception as problem:
        msg = f'{what} {doing}: {reason(problem)}'
        raise error(msg) from problem


def reason(problem: BaseException) -> str:
    """Return why a request failed and what to do about it, without secrets."""
    names = _kinds(problem)
    text = _SECRET.sub('...', ' '.join(str(problem).split()))
    if isinstance(problem, FileNotFoundError):
        return 'there is no such bucket' if is_no_bucket(problem) else 'there is no such file'
    if names & {'NoCredentialsError', 'PartialCredentialsError'}:
        return (
            'no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or '
            'AWS_PROFILE (FSSPEC_S3_ANON=true for public buckets)'
        )
    if isinstance(problem, PermissionError):
        return f'access is denied ({text}); check the credentials and what they allow'
    if names & {'EndpointConnectionError', 'HTTPClientError', 'ClientConnectorError'}:
        return f'the store cannot be reached ({text}); check the network and AWS_ENDPOINT_URL'
    if is_busy(problem):
        return f'the store is too busy ({text}); try again later, or with fewer workers'
    return _SECRET.sub('...', why(problem)) if isinstance(problem, Exception) else text


def is_no_bucket(problem: BaseException) -> bool:
    """Return whether a store says that the bucket is missing, and not what would be in it."""
    return 'bucket does not exist' in str(problem).lower()


def is_busy(problem: BaseException) -> bool:
    """Return whether the store says that it has too many requests."""
    text = str(problem).lower()
    return status_of(problem) in _BUSY_STATUS or any(word in text for word in _BUSY)


def status_of(problem: BaseException | None) -> int:
    """Return the HTTP status of an answer that botocore made an error of; 0 for other errors."""
    for one in (problem, getattr(problem, '__cause__', None)):
        match getattr(one, 'response', None):
            case {'ResponseMetadata': {'HTTPStatusCode': int(status)}}:
                return status
    return 0


def retried(call: Callable[[], Answer]) -> Answer:
    """Return what a request returns, which is made again after errors that pass.

    Raises:
        Exception: What the last request raised.
    """
    tries = 0
    while True:
        try:
            return call()
        except Exception as problem:
            tries += 1
            most = _TRIES_BUSY if is_busy(problem) else _TRIES
            if _lasts(problem) or tries >= most:
                raise
        time.sleep(_FIRST_WAIT * 2 ** (tries - 1) * random.uniform(0.5, 1.0))


def _lasts(problem: BaseException) -> bool:
    """Return whether an error would come again, or has come often enough."""
    kinds = _kinds(problem)
    if 'ResponseStreamingError' in kinds or isinstance(problem, TimeoutError):
        return False
    refused = 400 <= status_of(problem) < 500 and not is_busy(problem)
    return refused or not _LASTING.isdisjoint(kinds)


def _kinds(problem: BaseException) -> set[str]:
    """Return the names of the classes of an error and of what it was made of."""
    names: set[str] = set()
    one: BaseException | None = problem
    for _ in range(_DEEPEST):
        if one is None:
            break
        names |= {kind.__name__ for kind in type(one).__mro__}
        one = one.__cause__
    return names
