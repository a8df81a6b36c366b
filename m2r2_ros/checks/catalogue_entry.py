# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a check declares of itself."""

from dataclasses import dataclass

from m2r2_ros.checks.finding import Severity


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What a check is.

    Attributes:
        id: Its id, such as 'time.gap'.
        what: What is wrong where it finds something, one sentence.
        severities: How bad its findings can be, the mildest first.
        unit: Of what it measures, such as 's'; '' for counts and shares.
    """

    id: str
    what: str
    severities: tuple[Severity, ...]
    unit: str = ''
