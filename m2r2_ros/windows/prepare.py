# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Samples before any clock looks at them: finite values, continuous poses."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import Modality
from m2r2_ros.core.samples import Samples, SoundSamples, VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.windows.kinematics import continuous_pose
from m2r2_ros.windows.masks import every
from m2r2_ros.windows.stream import object_array

#: No force, length or speed that a robot has is larger, in SI units; the network's sums of squares
#: would become infinite long before the numbers do.
LARGEST: Final = 1e9


@dataclass(frozen=True, slots=True)
class PreparedSamples:
    """Samples of any modality in one form.

    Attributes:
        stamps: int64 (n,), nanoseconds.
        ends: int64 (n,), nanoseconds; the stamps but for sound.
        arrival: int64 (n,).
        payload: (n, D) values, or (n,) chunks or images.
        dropped: By reason.
    """

    stamps: NDArray[np.int64]
    ends: NDArray[np.int64]
    arrival: NDArray[np.int64]
    payload: NDArray[Any]
    dropped: Counter[str]

    def pick(self, rows: NDArray[np.bool_]) -> 'PreparedSamples':
        """Return the chosen rows."""
        if every(rows):
            return self
        return PreparedSamples(
            self.stamps[rows], self.ends[rows], self.arrival[rows], self.payload[rows], Counter()
        )


def prepare(modality: Modality, samples: Samples) -> PreparedSamples:
    """Bring samples into one form; drop and count what is not finite, or larger than LARGEST.

    Raises:
        MessageError: They have another number of values than the modality.
    """
    ends = samples.stamps
    payload: NDArray[Any]
    valid: NDArray[np.bool_] | None = None  # None where all are
    if isinstance(samples, VectorSamples):
        values = samples.values
        if modality.is_pose:
            number = _is_number(values)
            values = continuous_pose(values if every(number) else np.where(number, values, np.nan))
        if values.shape[1] != modality.dims:
            msg = f'{modality.name}: expected {modality.dims} values, not {values.shape[1]}'
            raise MessageError(msg)
        number = _is_number(values)
        if not every(number):
            valid = np.asarray(number.all(axis=1))
        payload = values
    elif isinstance(samples, SoundSamples):
        valid = np.array([bool(_is_number(c).all()) for c in samples.chunks], np.bool_)
        lengths = np.array([len(c) for c in samples.chunks], np.int64)
        ends = samples.stamps + lengths * SECOND // max(samples.rate, 1)
        payload = object_array(samples.chunks)
    else:
        payload = object_array(samples.frames)
    dropped = +samples.dropped if samples.dropped else Counter()
    if valid is None:
        return PreparedSamples(samples.stamps, ends, samples.arrival, payload, dropped)
    if not every(valid):
        dropped['non_finite'] += int((~valid).sum())
    whole = PreparedSamples(samples.stamps, ends, samples.arrival, payload, dropped).pick(valid)
    return replace(whole, dropped=dropped)


def _is_number(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(values) <= LARGEST)  # NaN is not
