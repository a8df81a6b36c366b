# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resampling of sound by a windowed sinc."""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Zero crossings of the sinc on each side, and where it cuts off, as a share of the highest
#: frequency that both rates can hold: the defaults of torchaudio's Resample.
_CROSSINGS: Final = 6
_ROLLOFF: Final = 0.99
#: Output samples that are made by one product of matrices, about: more of them share fewer taps,
#: fewer of them make more products.
_LEAST, _MOST = 16, 64
_PRODUCTS: Final = 8


class Resampler:
    """Changes the rate of sound; what comes before and after is silence.

    Output sample j is a weighted sum of the input samples around j * rate / target. The weights
    repeat with every common period of both rates. So some periods make a row, the outputs of a row
    are cut into groups, and a group of all rows is one product: the inputs that it needs, by the
    matrix of its weights.
    """

    def __init__(self, rate: int, target: int) -> None:
        """Make the weights.

        Args:
            rate: Samples per second that come.
            target: Samples per second that are wanted.
        """
        common = math.gcd(rate, target)
        self._inputs, self._outputs = rate // common, target // common
        cutoff = min(self._inputs, self._outputs) * _ROLLOFF
        #: Inputs on each side of an output that it depends on.
        self._reach = math.ceil(_CROSSINGS * self._inputs / cutoff)
        size = min(max(_LEAST, -(-self._outputs // _PRODUCTS)), _MOST)
        # Only where a row is longer than what a group needs can a product do without a copy.
        needed = size * self._inputs // self._outputs + 2 * self._reach + 1
        whole = size // math.gcd(size, self._outputs)
        periods = -(-max(-(-needed // self._inputs), 1) // whole) * whole
        self._row_inputs, self._row_outputs = periods * self._inputs, periods * self._outputs
        edges = range(0, self._row_outputs, size)
        self._groups = [self._group(np.arange(lo, lo + size), cutoff) for lo in edges]

    def _group(self, outputs: NDArray[np.int64], cutoff: float) -> tuple[int, NDArray[np.float32]]:
        """Return the first input that outputs of a row need, and the weight of each for each."""
        centres = outputs * self._inputs / self._outputs
        first, last = math.floor(centres[0]) - self._reach, math.floor(centres[-1]) + self._reach
        inputs = np.arange(first, last + 1)[:, None]
        crossings = (inputs - centres) * cutoff / self._inputs
        crossings = np.clip(crossings, -_CROSSINGS, _CROSSINGS)
        hann = np.cos(np.pi / 2 * crossings / _CROSSINGS) ** 2
        weights = np.sinc(crossings) * hann * cutoff / self._inputs
        return first, weights.astype(np.float32)

    def __call__(self, sound: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
        """Return the last samples of sounds at the other rate.

        Args:
            sound: float32 (N, n).
            samples: How many are wanted; those before the sound began are silent.

        Returns:
            float32 (N, samples).
        """
        n, length = sound.shape
        end = -(-length * self._outputs // self._inputs)
        first, stop = (end - samples) // self._row_outputs, -(-end // self._row_outputs)
        rows = stop - first
        # Inputs of these rows, from `begin` on.
        begin = first * self._row_inputs - self._reach
        inputs = np.zeros((n, rows * self._row_inputs + 2 * self._reach), np.float32)
        known = sound[:, max(begin, 0) : begin + inputs.shape[1]]
        inputs[:, max(-begin, 0) :][:, : known.shape[1]] = known
        out = np.empty((n, rows, self._row_outputs), np.float32)
        done, item = 0, inputs.itemsize
        for start, weights in self._groups:
            needed, size = weights.shape
            view: NDArray[np.float32] = np.ndarray(
                (n, rows, needed),
                np.float32,
                inputs,
                (start + self._reach) * item,
                (inputs.strides[0], self._row_inputs * item, item),
            )
            np.matmul(view, weights, out=out[:, :, done : done + size])
            done += size
        last = end - first * self._row_outputs
        return out.reshape(n, -1)[:, last - samples : last]


@lru_cache(maxsize=16)
def resampler(rate: int, target: int) -> Resampler:
    """Return the resampler between two rates; it is made once."""
    return Resampler(rate, target)
