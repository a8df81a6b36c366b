# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of windows: frames, places, boundaries and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.data import TrainingData
from m2r2_ros.training.loop import augment
from m2r2_ros.training.pretraining.config import PretrainConfig
from m2r2_ros.training.pretraining.prompts import Prompts, Sentence
from m2r2_ros.training.pretraining.sections import ACTIONS, Points, draw, spans


@dataclass(frozen=True, slots=True)
class Batch:
    """B windows.

    Attributes:
        inputs: B * N_w frames, window after window.
        places: int64 (B, N_w), which action of its window a point lies in, -1 outside.
        boundaries: float32 (B, N_w), B smoothed.
        sentences: B, each of a window's ordered actions.
        actions: For each place B sentences of one action; None where a window has fewer actions.
    """

    inputs: InputTensors
    places: Tensor
    boundaries: Tensor
    sentences: Sequence[Sentence]
    actions: Sequence[Sequence[Sentence | None]]

    def to(self, device: torch.device) -> 'Batch':
        """Return it on a device."""
        return replace(
            self,
            inputs=self.inputs.to(device),
            places=self.places.to(device),
            boundaries=self.boundaries.to(device),
        )


class WindowSet:
    """Every window of three consecutive actions in some recordings."""

    def __init__(self, prepared: TrainingData, config: PretrainConfig) -> None:
        """Find the windows; every recording has at least one."""
        self._normalisation = prepared.normalisation
        self._prompts = Prompts(prepared.labels.names)
        self._config = config
        self._windows = [
            (recording, span)
            for recording in prepared.recordings
            for span in spans(recording.targets, config.padding)
        ]

    def __len__(self) -> int:
        return len(self._windows)

    def batch(self, chosen: Sequence[int], rng: np.random.Generator, *, augmented: bool) -> Batch:
        """Draw points and words of some windows.

        Args:
            chosen: Numbers of the windows.
            rng: Source of points and words.
            augmented: Add noise to windows and mask modalities, from torch's own random numbers.
        """
        windows = [self._windows[k] for k in chosen]
        points = [draw(s, self._config.points, self._config.sigma, rng) for _, s in windows]
        inputs = [self._inputs(r, p) for (r, _), p in zip(windows, points, strict=True)]
        if augmented:
            inputs = [augment(x, self._config.augmentation) for x in inputs]
        labels = [span.labels for _, span in windows]
        return Batch(
            inputs=join(inputs),
            places=torch.from_numpy(np.stack([p.places for p in points])),
            boundaries=torch.stack([p.boundaries for p in points]),
            sentences=[self._prompts.window(own, rng) for own in labels],
            actions=[
                [
                    self._prompts.action(place, own[place], rng) if place < len(own) else None
                    for own in labels
                ]
                for place in range(ACTIONS)
            ],
        )

    def _inputs(self, recording: CachedRecording, points: Points) -> InputTensors:
        chosen = frames_of(recording, points.frames)
        return InputTensors.of(chosen.inputs(0, len(points.frames), self._normalisation))


def frames_of(recording: CachedRecording, frames: NDArray[np.int64]) -> CachedRecording:
    """Return some frames of a recording, read from disk."""
    return replace(
        recording,
        stamps=recording.stamps[frames],
        targets=recording.targets[frames],
        restarts=recording.restarts[frames],
        arrays={name: array[frames] for name, array in recording.arrays.items()},
        present=recording.present[frames],
        modalities=recording.modalities,
        origins={name: origin[frames] for name, origin in recording.origins.items()},
    )


def join(parts: Sequence[InputTensors]) -> InputTensors:
    """Put runs of frames together; a modality that one of them has not is masked there already."""
    like = {name: x for part in parts for name, x in part.data.items()}

    def completed(part: InputTensors) -> InputTensors:
        missing = {
            n: x.new_zeros(len(part), *x.shape[1:]) for n, x in like.items() if n not in part.data
        }
        return InputTensors({**part.data, **missing}, part.present, part.modalities)

    return InputTensors.join([completed(part) for part in parts])
