# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What went wrong in the callbacks and threads of a node: counted, logged, and in diagnostics."""

import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.text import printable
from m2r2_ros.nodes.common.status import ERROR, OK, Status

#: Seconds between two log entries about one place.
_PERIOD: Final = 10.0
#: Diagnoses in which a failure is an error.
_REMEMBERED: Final = 5
#: Characters of a reason that diagnostics show.
_LONGEST: Final = 300


class Faults:
    """Exceptions that were caught, by where; may be used in any thread."""

    def __init__(self, logger: Any) -> None:  # noqa: ANN401 - an rclpy logger, which has no type
        """Begin without any; `logger` is the node's."""
        self.logger = logger
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}
        self._told: dict[str, float] = {}
        self._last = ''
        self._past: deque[int] = deque([0], maxlen=_REMEMBERED)

    def note(self, where: str, error: Exception) -> None:
        """Count an exception, and log it with its traceback unless that was just done.

        Args:
            where: What failed, such as 'service /recorder/start'; one of few.
            error: What was raised.
        """
        now = time.monotonic()
        with self._lock:
            self._counts[where] += 1
            self._last = where
            self._reasons[where] = reason = sendable(describe(error))
            told = now - self._told.get(where, -_PERIOD) < _PERIOD
            if not told:
                self._told[where] = now
        if not told:
            more = '' if isinstance(error, M2R2Error) else f'\n{_trace(error)}'
            self.logger.error(f'{where} failed: {reason}{more}')

    @contextmanager
    def caught(self, where: str) -> Iterator[None]:
        """Note what the block raises, and go on behind it."""
        try:
            yield
        except Exception as error:
            self.note(where, error)

    def count(self, where: str) -> int:
        """Return how often a place has failed."""
        return self._counts[where]

    def status(self) -> Status:
        """Return the state of the callbacks; to be called once a second."""
        with self._lock:
            counts, reasons, last = Counter(self._counts), dict(self._reasons), self._last
        total = counts.total()
        new, level = total - self._past[0], OK
        self._past.append(total)
        message = f'{total} have failed since the start' if total else 'none has failed'
        if new:
            level = ERROR
            message = f'{new} have failed; {last}: {_cut(reasons[last])}'
        values = {w: f'{n} failed, at last with {_cut(reasons[w])}' for w, n in counts.items()}
        return Status('callbacks', level, message, values)


def describe(error: Exception) -> str:
    """Return what an exception says; those that are not for people with their kind."""
    if isinstance(error, M2R2Error):
        return str(error)
    return f'{type(error).__name__}: {error}'


def sendable(text: str) -> str:
    """Return a text as a ROS string can hold it, and a terminal show it.

    Names of files may have bytes that are no UTF-8, or that a terminal obeys, and a string ends at
    the first zero.
    """
    return '\n'.join(map(printable, text.split('\n')))


def _trace(error: Exception) -> str:
    return sendable(''.join(traceback.format_exception(error)))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f'{text[:_LONGEST]} ...'
