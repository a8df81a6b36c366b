# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Questions to masks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def every(mask: NDArray[np.bool_] | NDArray[Any]) -> bool:
    """Return whether all are true: on the few of a live window, several times as fast as `all`."""
    return int(np.count_nonzero(mask)) == mask.size
