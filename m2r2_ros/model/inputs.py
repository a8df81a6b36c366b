# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From frame windows to the arrays that a model takes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import (
    IMAGE,
    MODALITIES,
    SOUND,
    VECTOR,
    Modalities,
    column,
    declared,
)
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.logmel import MEL_BINS, log_mel, mel_frames
from m2r2_ros.windows.normalisation import Normalisation, SoundScale

IMAGE_SIZE = 224


@dataclass(frozen=True, slots=True)
class Inputs:
    """Normalised inputs of N frames.

    Attributes:
        data: By modality; vectors float32 (N, T, D_s) z-scores, sound float32 (N, 64, frames)
            scaled bin by bin, images uint8 (N, 224, 224, 3), or float32 (N, 1280) where a frozen
            backbone has been over them already.
        present: bool (N, M).
        modalities: What the columns of `present` stand for.
    """

    data: dict[str, NDArray[Any]]
    present: NDArray[np.bool_]
    modalities: Modalities = field(default_factory=lambda: declared(MODALITIES))

    def __len__(self) -> int:
        return len(self.present)

    def has(self, name: str) -> NDArray[np.bool_]:
        """Return which frames have a modality, bool (N,), a view; none where it is no column."""
        if name not in self.modalities:
            return np.zeros(len(self), np.bool_)
        there: NDArray[np.bool_] = self.present[:, column(self.modalities, name)]
        return there


def make_inputs(
    windows: FrameWindows, normalisation: Normalisation, modalities: Modalities | Collection[str]
) -> Inputs:
    """Normalise windows for a model that looks at `modalities`; what is masked is zero."""
    wanted = declared(modalities)
    data: dict[str, NDArray[Any]] = {}
    present = np.stack([windows.has(name) for name in wanted], axis=1)
    for k, (name, modality) in enumerate(wanted.items()):
        if modality.kind == VECTOR and name in windows.sensors:
            data[name] = normalisation.scale(name, windows.sensors[name])
            data[name][~present[:, k]] = 0
        elif modality.kind == SOUND and name in windows.sounds:
            data[name] = _mel(windows.sounds[name], present[:, k], normalisation.sounds[name])
        elif modality.kind == IMAGE:
            images = windows.images.get(name, [None] * len(windows))
            data[name], present[:, k] = decode_images(images)
    return Inputs(data, present, wanted)


def with_images(inputs: Inputs, images: Mapping[str, NDArray[np.float32]]) -> Inputs:
    """Return inputs with what a backbone made of images, by camera, in place of their pixels."""
    return Inputs({**inputs.data, **images}, inputs.present, inputs.modalities)


def _mel(
    sound: NDArray[np.float32], heard: NDArray[np.bool_], scale: SoundScale
) -> NDArray[np.float32]:
    n, samples = sound.shape
    mel = np.zeros((n, MEL_BINS, mel_frames(samples)), np.float32)
    if heard.any():
        mel[heard] = scale(log_mel(sound[heard]))
    return mel


def decode_images(
    images: Sequence[EncodedImage | None],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Decode and resize images.

    Returns:
        uint8 (N, 224, 224, 3), RGB, and bool (N,), which were there and could be decoded.
    """
    import cv2  # for models with cameras only

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
