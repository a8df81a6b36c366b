# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a network says of recordings that it was not trained on: what decoding is learnt from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.network.heads.base import Head, HeadOutput
from m2r2_ros.segmenters.lags import Revised, all_late
from m2r2_ros.training.feature_set import FeatureTrack


@dataclass(frozen=True, slots=True)
class Posterior:
    """A recording that neither head nor extractor was trained on.

    Attributes:
        name: Name of the recording.
        targets: int64 (T,), label ids, UNKNOWN where a frame has none.
        probabilities: float32 (T, C) of the online head at lag 0, not calibrated.
        later: By lag k > 0, float32 (T, C): row t is what is said of frame t when frame t + k is
            known. Empty where the head has no such outputs.
        boundaries: float32 (T,), how likely a new segment begins.
        whole: float32 (T, C) of the offline head; None without one.
        features: x_1 .. x_T, float32 (T, D_e), of the extractor of its fold: features of two folds
            do not lie in one space.
    """

    name: str
    targets: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    later: Mapping[int, NDArray[np.float32]]
    boundaries: NDArray[np.float32]
    whole: NDArray[np.float32] | None
    features: NDArray[np.float32]


@torch.no_grad()
def posteriors_of(
    tracks: Sequence[FeatureTrack], online: Head, offline: Head | None = None
) -> list[Posterior]:
    """Return what heads say of recordings.

    Args:
        tracks: Features of recordings that the heads were not trained on.
        online: An online head, in evaluation mode.
        offline: An offline head, in evaluation mode.
    """
    found = []
    for track in tracks:
        features = track.features
        said = online.predict(features)
        found.append(
            Posterior(
                track.name,
                track.targets,
                said.probabilities.numpy(),
                _later(said),
                said.boundaries.numpy(),
                None if offline is None else offline.predict(features).probabilities.numpy(),
                track.values,
            )
        )
    return found


def _later(said: HeadOutput) -> dict[int, NDArray[np.float32]]:
    """Return what is said of each frame some frames later, and of the last ones at the end."""
    rows = {0: said.probabilities.numpy(), **{k: p.numpy() for k, p in said.revised.items()}}
    return {lag: all_late(rows, Revised(lag)) for lag in said.revised}
