# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a sample."""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.readers.topics import TopicSpec


def resolve_stamps(
    stamps: NDArray[np.int64], log_times: NDArray[np.int64], spec: TopicSpec
) -> NDArray[np.int64]:
    """Use log times where stamps were not set, and add the time offset of the device."""
    return np.where(stamps == 0, log_times, stamps) + spec.time_offset_ns
