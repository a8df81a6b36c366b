# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temperature scaling (Guo et al., ICML 2017): probabilities that say how often they are right."""

import numpy as np
from numpy.typing import NDArray

#: Keeps logarithms finite.
_LEAST = 1e-30


def calibrated(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return p ** (1 / temperature), scaled to a sum of 1: softmax(logits / temperature).

    Args:
        probabilities: float32 (..., C).
        temperature: Above 1 where they are too sure of themselves; 1 leaves them as they are.
    """
    if temperature == 1.0:
        return probabilities
    logits = np.log(np.maximum(probabilities, _LEAST)) / np.float32(temperature)
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scaled: NDArray[np.float32] = shares / shares.sum(axis=-1, keepdims=True)
    return scaled
