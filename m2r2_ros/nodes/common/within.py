# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Work that may hang, such as reading from a file system: waited for, but not for ever."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout  # Python 3.10 has two
from typing import Final, TypeVar

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.common.stop import Stop

#: Seconds between two looks at whether the node is to end.
_GRAIN: Final = 0.05

T = TypeVar('T')


def within(seconds: float, stop: Stop, what: str, act: Callable[[], T]) -> T:
    """Return what `act` returns, in a thread that is left behind where it takes too long.

    Args:
        seconds: How long to wait.
        stop: Ends the wait too.
        what: What is waited for, for messages.
        act: Its result has no use once it was waited for in vain.

    Raises:
        M2R2Error: It was waited for in vain.
        Exception: Whatever `act` raises.
    """
    future: Future[T] = Future()
    thread = threading.Thread(target=_run, args=(act, future), name=what, daemon=True)
    thread.start()
    deadline = time.monotonic() + seconds
    while True:
        try:
            return future.result(_GRAIN)
        except FutureTimeout:
            if future.done():  # then it is its own
                raise
        if stop.is_set():
            msg = f'{what} was given up: the node is ending'
            raise M2R2Error(msg)
        if time.monotonic() > deadline:
            msg = (
                f'{what} has not come to an end within {seconds:g} s and was given up: is it on a '
                'disk that does not answer?'
            )
            raise M2R2Error(msg)


def _run(act: Callable[[], T], future: 'Future[T]') -> None:
    try:
        future.set_result(act())
    except BaseException as error:
        future.set_exception(error)
