# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time is int64 nanoseconds since the Unix epoch (design contract 1)."""

from typing import Final

#: Nanoseconds.
SECOND: Final = 1_000_000_000


def to_ns(seconds: float) -> int:
    """Return whole nanoseconds."""
    return round(seconds * SECOND)
