# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A few numbers for each frame's window of each modality, by which windows are compared."""

from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import IMAGE, SOUND, VECTOR, Modalities
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.windows.logmel import MEL_BINS

#: Added to spreads, in z-scores, before their logarithm: what is quieter counts as silent.
FLOOR: Final = 0.01
#: Neighbouring mel bins that are taken together.
_BAND: Final = 4


def describe(inputs: Inputs) -> dict[str, NDArray[np.float32]]:
    """Return float32 (N, K) for each modality that has data; masked frames mean nothing.

    - A sensor's mean, the logarithm of its spread, and of its mean step from one grid point to the
      next, for each channel: K = 3 D_s.
    - Mean and spread over the trailing sound of 16 bands: K = 32.
    - What the image encoder's backbone makes of the image; pixels are left out.

    Args:
        inputs: Normalised inputs.
    """
    found: dict[str, NDArray[np.float32]] = {}
    vectors: dict[str, NDArray[Any]] = {}
    for name, modality in inputs.modalities.items():
        if name not in inputs.data:
            continue
        if modality.kind == VECTOR:
            vectors[name] = inputs.data[name]
        elif modality.kind == SOUND:
            found[name] = _describe_sound(inputs.data[name])
        elif inputs.data[name].ndim == 2:
            found[name] = inputs.data[name].astype(np.float32)
    return found | _describe_sensors(vectors)


def described_widths(modalities: Modalities, images: Mapping[str, int]) -> dict[str, int]:
    """Return K of each modality; `images` says what the backbones give, by camera."""
    return {
        name: images.get(name, 0) if m.kind == IMAGE else _width(m.kind, m.dims)
        for name, m in modalities.items()
    }


def _width(kind: str, dims: int) -> int:
    return 2 * MEL_BINS // _BAND if kind == SOUND else 3 * dims


def _describe_sensors(vectors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """Describe sensors, all channels at once: for a single frame, calls are what takes time."""
    if not vectors:
        return {}
    z = np.concatenate(list(vectors.values()), axis=2)
    mean = z.mean(axis=1)
    variance = np.square(z - mean[:, None]).mean(axis=1)
    steps = np.diff(z, axis=1) if z.shape[1] > 1 else np.zeros_like(z)
    sizes = np.square(steps).mean(axis=1)
    spreads = np.log(np.sqrt(np.stack([variance, sizes])) + FLOOR)
    edges = list(accumulate(x.shape[2] for x in vectors.values()))[:-1]
    parts = zip(*(np.split(x, edges, axis=1) for x in (mean, *spreads)), strict=True)
    return {
        name: np.concatenate(part, axis=1).astype(np.float32)
        for name, part in zip(vectors, parts, strict=True)
    }


def _describe_sound(mel: NDArray[Any]) -> NDArray[np.float32]:
    bands = mel.reshape(len(mel), MEL_BINS // _BAND, _BAND, -1).mean(axis=2)
    return np.concatenate([bands.mean(axis=2), bands.std(axis=2)], axis=1).astype(np.float32)
