# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measured values and thresholds as people read them."""

from m2r2_ros.checks.finding import Finding

#: Units that stand right behind their number.
_CLOSE = ('%', '')


def quantity(value: float | None, unit: str) -> str:
    """Return a value with its unit, to three digits or whole from 1000 on; '' for None."""
    if value is None:
        return ''
    digits = '.0f' if 1e3 <= abs(value) < 1e6 else '.3g'
    return f'{value:{digits}}' + ('' if unit in _CLOSE else ' ') + unit


def compared(finding: Finding) -> str:
    """Return what was measured, and against which threshold."""
    measured = quantity(finding.measured, finding.unit)
    threshold = quantity(finding.threshold, finding.unit)
    return f'{measured} ({threshold})' if threshold else measured
