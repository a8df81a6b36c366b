# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features of cached recordings: M2R2's, or the windows as they are."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import SOUND, VECTOR
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.network.network import Network
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.windows.normalisation import Normalisation

#: Frames that go through the extractor at a time.
CHUNK = 256


def raw_features(inputs: Inputs) -> NDArray[np.float32]:
    """Return frames as they are, the baseline that M2R2 has to beat, float32 (n, D).

    z-scores of every grid point of every sensor, the mean of each mel bin over the trailing sound,
    the image backbone's features, and which modalities are there; zeros where one is masked.
    """
    columns = [inputs.present.astype(np.float32)]
    for name, modality in inputs.modalities.items():
        if name in inputs.data:
            x = inputs.data[name]
            x = x.mean(axis=2) if modality.kind == SOUND else x
            assert modality.kind == VECTOR or x.ndim == 2
            columns.append(x.reshape(len(x), -1))
    return np.concatenate(columns, axis=1)


def features_of(network: Network) -> Callable[[Inputs], NDArray[np.float32]]:
    """Return what maps inputs of n frames to x_i, float32 (n, D_e)."""

    def features(inputs: Inputs) -> NDArray[np.float32]:
        found: NDArray[np.float32] = network.features(InputTensors.of(inputs)).numpy()
        return found

    return features


def extract(
    recording: CachedRecording,
    normalisation: Normalisation,
    features: Callable[[Inputs], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return the features of a whole recording, float32 (T, D), chunk by chunk."""
    n = len(recording)
    return np.concatenate(
        [
            features(recording.inputs(lo, min(lo + CHUNK, n), normalisation))
            for lo in range(0, n, CHUNK)
        ]
    )
