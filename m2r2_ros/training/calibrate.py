# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fit the temperature of probabilities (Guo et al., ICML 2017)."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.segmenters.calibration import calibrated

#: Temperatures that are believed: few frames without a mistake would ask for the smallest there is.
LOWEST, HIGHEST = 0.5, 10.0
#: Halvings of the interval by the golden ratio.
_STEPS = 30
_LEAST = 1e-12


def fit_temperature(
    probabilities: Sequence[NDArray[np.float32]], targets: Sequence[NDArray[np.int64]]
) -> float:
    """Return the temperature at which the true labels are likeliest; 1 without any.

    Args:
        probabilities: Of each recording, float32 (T, C).
        targets: Of each recording, int64 (T,), UNKNOWN where a frame has no label.
    """
    p = np.concatenate(list(probabilities))
    y = np.concatenate(list(targets))
    p, y = p[y != UNKNOWN], y[y != UNKNOWN]
    if not len(y):
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = calibrated(p, math.exp(log_temperature))
        return -float(np.log(scaled[np.arange(len(y)), y] + _LEAST).mean())

    ratio = (math.sqrt(5) - 1) / 2
    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(_STEPS):  # the loss has one minimum: it is convex in 1 / temperature
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if loss(a) < loss(b):
            high = b
        else:
            low = a
    return round(math.exp((low + high) / 2), 4)
