# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From frame windows to the arrays that a model takes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.logmel import MEL_BINS, log_mel, mel_frames
from m2r2_ros.windows.normalisation import Normalisation

IMAGE_SIZE = 224


@dataclass(frozen=True, slots=True)
class Inputs:
    """Normalised inputs of N frames.

    Attributes:
        data: By modality; sensors float32 (N, T, D_s) z-scores, sound float32 (N, 64, frames)
            scaled bin by bin, image uint8 (N, 224, 224, 3), or float32 (N, 1280) where a frozen
            backbone has been over it already.
        present: bool (N, 6) in the order of MODALITIES.
    """

    data: dict[str, NDArray[Any]]
    present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.present)


def make_inputs(
    windows: FrameWindows, normalisation: Normalisation, modalities: Collection[str]
) -> Inputs:
    """Normalise windows for a model that looks at `modalities`; what is masked is zero.

    Other modalities count as masked.
    """
    data: dict[str, NDArray[Any]] = {}
    present = windows.present & np.array([m in modalities for m in MODALITIES])
    for name in SENSOR_DIMS:
        if name in modalities:
            z = normalisation.scale(name, windows.sensors[name])
            z[~present[:, MODALITIES.index(name)]] = 0
            data[name] = z
    if 'sound' in modalities and windows.sound is not None:
        data['sound'] = _mel(windows, normalisation)
    if 'image' in modalities:
        images = windows.images or [None] * len(windows)
        pixels, seen = decode_images(images)
        data['image'] = pixels
        present[:, MODALITIES.index('image')] = seen
    return Inputs(data, present)


def _mel(windows: FrameWindows, normalisation: Normalisation) -> NDArray[np.float32]:
    assert windows.sound is not None
    n, samples = windows.sound.shape
    mel = np.zeros((n, MEL_BINS, mel_frames(samples)), np.float32)
    heard = windows.present[:, MODALITIES.index('sound')]
    if heard.any():
        mel[heard] = normalisation.sound(log_mel(windows.sound[heard]))
    return mel


def decode_images(
    images: Sequence[EncodedImage | None],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Decode and resize images.

    Returns:
        uint8 (N, 224, 224, 3), RGB, and bool (N,), which were there and could be decoded.
    """
    pixels = np.zeros((len(images), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    seen = np.zeros(len(images), np.bool_)
    for i, image in enumerate(images):
        if image is None:
            continue
        try:
            rgb = image.decode()
        except MessageError:
            continue
        pixels[i] = cv2.resize(rgb, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA)
        seen[i] = True
    return pixels, seen
