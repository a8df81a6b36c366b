# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What confidence is worth, as recordings show it that the network was not trained on."""

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
#: Pull towards a temperature of 1: PULL (ln T)^2 / R, for R recordings, beside the mean negative
#: log-likelihood of a frame. One recording without a mistake is no reason to be surer.
PULL = 0.1
#: Recordings without which none is called doubtful, how much more in doubt than any of them one
#: has to be for that, and the doubt, 1 - mean confidence, that is always usual.
FEWEST, MORE, USUAL = 3, 1.5, 0.02


def fit_temperature(
    probabilities: Sequence[NDArray[np.float32]], targets: Sequence[NDArray[np.int64]]
) -> float:
    """Return the temperature at which the true labels are likeliest (Guo et al., ICML 2017).

    It is 1 where there are none, and held near 1 where there are few recordings.

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
        unlikely = -float(np.log(scaled[np.arange(len(y)), y] + _LEAST).mean())
        return unlikely + PULL * log_temperature**2 / len(targets)

    ratio = (math.sqrt(5) - 1) / 2
    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(_STEPS):  # the loss has one minimum
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if loss(a) < loss(b):
            high = b
        else:
            low = a
    return round(math.exp((low + high) / 2), 4)


def doubtful_below(confidences: Sequence[float]) -> float:
    """Return the mean confidence below which a recording is doubtful; 0 where that is not known.

    Args:
        confidences: Mean confidence of each recording that was held out, 0..1.
    """
    if len(confidences) < FEWEST:
        return 0.0
    doubt = max(1 - min(confidences), USUAL)
    return round(max(1 - MORE * doubt, 0.0), 4)
