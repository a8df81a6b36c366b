# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as familiarity sees them: a few numbers for each frame."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import VECTOR, Modalities, column
from m2r2_ros.model.describe import describe
from m2r2_ros.model.familiarity import FEATURES
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.extract import CHUNK
from m2r2_ros.windows.normalisation import Normalisation


@dataclass(frozen=True, slots=True)
class Described:
    """A recording as familiarity sees it.

    Attributes:
        name: Of the recording.
        vectors: By part, float32 (T, K).
        present: bool (T, M).
        modalities: What its columns stand for.
        shifted: The vectors of the recording with its channels shifted and scaled as in training;
            what the network is taught to bear is familiar.
    """

    name: str
    vectors: Mapping[str, NDArray[np.float32]]
    present: NDArray[np.bool_]
    modalities: Modalities
    shifted: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.present)

    def rows(self, part: str) -> NDArray[np.bool_]:
        """Return which frames have a part, bool (T,)."""
        if part == FEATURES:
            return np.asarray(self.present.any(axis=1))
        return np.asarray(self.present[:, column(self.modalities, part)])

    def pick(self, rows: slice) -> 'Described':
        """Return some of the frames."""
        vectors = {part: v[rows] for part, v in self.vectors.items()}
        shifted = {part: v[rows] for part, v in self.shifted.items()}
        return Described(self.name, vectors, self.present[rows], self.modalities, shifted)


def describe_recording(
    recording: CachedRecording,
    normalisation: Normalisation,
    features: Callable[[Inputs], NDArray[np.float32]] | None = None,
    *,
    offset: float = 0.0,
    gain: float = 0.0,
    seed: int = 0,
) -> Described:
    """Describe a recording, a few frames at a time.

    Args:
        recording: Its windows.
        normalisation: Scales of the training set.
        features: From inputs to x_i, float32 (N, D_e); None leaves them out.
        offset: Standard deviation of the shift of each channel in training, in z-scores.
        gain: Standard deviation of the factor of each channel in training.
        seed: Of shift and factor, which are the same for all frames of the recording.
    """
    rng = np.random.default_rng(seed)
    dims = {n: m.dims for n, m in recording.modalities.items() if m.kind == VECTOR}
    factors = {n: 1 + gain * rng.standard_normal(d) for n, d in dims.items()}
    offsets = {n: offset * rng.standard_normal(d) for n, d in dims.items()}
    moving = {n for n in dims if not recording.modalities[n].is_steady}
    plain, moved = [], []
    for lo in range(0, len(recording), CHUNK):
        inputs = recording.inputs(lo, min(lo + CHUNK, len(recording)), normalisation)
        plain.append(_vectors(inputs, features))
        if offset or gain:
            data = {
                n: (factors[n] * x + offsets[n]).astype(np.float32) if n in moving else x
                for n, x in inputs.data.items()
            }
            moved.append(_vectors(Inputs(data, inputs.present, inputs.modalities), features))
    return Described(
        recording.name,
        _joined(plain),
        np.array(recording.present),
        recording.modalities,
        _joined(moved),
    )


def _vectors(
    inputs: Inputs, features: Callable[[Inputs], NDArray[np.float32]] | None
) -> dict[str, NDArray[np.float32]]:
    found = describe(inputs)
    return found if features is None else {**found, FEATURES: features(inputs)}


def _joined(parts: Sequence[Mapping[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]} if parts else {}
