# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a check finds, or why it was not run."""

from dataclasses import dataclass
from enum import Enum


class Severity(str, Enum):
    """How bad it is."""

    ERROR = 'error'
    WARNING = 'warning'


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        check: Id of the check, such as 'time.gap'.
        severity: How bad it is.
        message: What is wrong, one sentence without the recording's name.
        topic: The topic, or the label that it is about; '' for the recording as a whole.
        start: Where it begins, nanoseconds of the recording's clock; None where it has no place.
        end: Where it ends, nanoseconds; None where it has no place.
        measured: What was measured; None where nothing was.
        threshold: What it was compared with; None where there is none.
        unit: Of both, such as 's', 'Hz' or '%'; '' for counts and shares.
    """

    check: str
    severity: Severity
    message: str
    topic: str = ''
    start: int | None = None
    end: int | None = None
    measured: float | None = None
    threshold: float | None = None
    unit: str = ''


@dataclass(frozen=True, slots=True)
class NotRun:
    """A check that was not run, as a whole or for a topic.

    Attributes:
        check: Id of the check.
        why: Why not, and what it would take.
        topic: Of which topic; '' where it was not run at all.
    """

    check: str
    why: str
    topic: str = ''


Result = Finding | NotRun
