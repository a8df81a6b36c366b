# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A message as the middleware hands it over."""

from typing import NamedTuple


class Received(NamedTuple):
    """A message as it came; a tuple, since thousands are made every second.

    Attributes:
        raw: CDR bytes with encapsulation header.
        time: When it was received, nanoseconds since the epoch.
    """

    raw: bytes
    time: int
