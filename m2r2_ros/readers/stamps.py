# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a sample."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.cdr import ENCAPSULATION, ORDERS, gather
from m2r2_ros.readers.topics import TopicSpec

#: Bytes of a builtin_interfaces/Time.
_STAMP: Final = 8


def header_stamps(block: MessageBlock) -> NDArray[np.int64]:
    """Return the stamps of messages that begin with a header, int64 (n,), nanoseconds.

    Those that are too short or no plain CDR have stamp 0, as those that were not stamped.
    """
    stamps = np.zeros(len(block), np.int64)
    which = np.flatnonzero(block.lengths >= ENCAPSULATION + _STAMP)
    if not len(which):
        return stamps
    at = block.offsets[which]
    marks = gather(block.data, at, 2)
    words = gather(block.data, at + ENCAPSULATION, _STAMP)
    for mark, order in ORDERS.items():
        own = marks == np.void(mark)
        pairs = words[own].view(f'{order}u4').reshape(-1, 2)
        seconds = pairs[:, 0].astype(np.int32).astype(np.int64)
        stamps[which[own]] = seconds * SECOND + pairs[:, 1].astype(np.int64)
    return stamps


def resolve_stamps(
    stamps: NDArray[np.int64], log_times: NDArray[np.int64], spec: TopicSpec
) -> NDArray[np.int64]:
    """Use log times where stamps were not set, and add the time offset of the device."""
    return np.where(stamps == 0, log_times, stamps) + spec.time_offset_ns
