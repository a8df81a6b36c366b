# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the other checks did not see: topics and parts of files that could not be read."""

from collections.abc import Iterable
from typing import Final

from m2r2_ros.bags.recording import Recording
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.observer import Observer
from m2r2_ros.checks.recording.passing import Pass
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND

_CHUNK: Final = 'file.chunk'
#: Parts that are told one by one.
_MOST: Final = 5


class ReachObserver(Observer):
    """Tells, once a recording was read, what of it was not."""

    checks = (_CHUNK,)

    def __init__(self, recording: Recording, outcome: Pass) -> None:
        """Begin; the outcome is known once all was read."""
        self._recording, self._outcome = recording, outcome

    def finish(self) -> Iterable[Result]:
        """Yield what could not be read."""
        recording, outcome = self._recording, self._outcome
        why: dict[str, str] = {}
        for source in recording.sources:
            why |= source.unreadable
        for name in sorted(recording.topics.keys() - set(recording.readable)):
            text = why.get(name, 'its type differs between files')
            yield NotRun(_CHUNK, f'no check looks into this topic: {text}', name)
        if outcome.stopped:
            yield Finding(_CHUNK, Severity.ERROR, f'the rest was not read: {outcome.stopped}')
        for part in outcome.unread[:_MOST]:
            first, last = ((t - recording.start) / SECOND for t in (part.start, part.end))
            when = f'from {first:.3f} to {last:.3f} s'
            yield NotRun(_CHUNK, f'no check saw what was recorded {when}: {part.why}')
        if more := outcome.unread[_MOST:]:
            reasons = sorted({part.why for part in more})
            yield NotRun(_CHUNK, f'no check saw {len(more)} more parts: {listed(reasons, 2)}')
