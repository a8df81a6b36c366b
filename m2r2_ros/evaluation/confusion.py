# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames were given which label."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

#: Frames by true and predicted label; '' for a frame without a predicted one.
Confusion = Mapping[tuple[str, str], int]


def confusion(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], names: Sequence[str]
) -> Confusion:
    """Count the frames of one recording by true and predicted label.

    Only pairs that occur are kept, since most do not.

    Args:
        truth: int64 (n,), indices into the names.
        predicted: int64 (n,), indices into the names.
        names: Labels.
    """
    pairs, frames = np.unique(truth * len(names) + predicted, return_counts=True)
    return {
        (names[pair // len(names)], names[pair % len(names)]): count
        for pair, count in zip(pairs.tolist(), frames.tolist(), strict=True)
    }
