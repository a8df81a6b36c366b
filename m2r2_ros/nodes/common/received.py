# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A message as the middleware hands it over."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came.

    Attributes:
        raw: CDR bytes with encapsulation header.
        time: When it was received, nanoseconds since the epoch.
    """

    raw: bytes
    time: int
