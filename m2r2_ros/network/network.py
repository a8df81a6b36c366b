# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Extractor and head in one module."""

from typing import Final

import torch
from torch import Tensor, nn

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.modalities import VECTOR, of_kind
from m2r2_ros.model.config import ModelConfig
from m2r2_ros.network.extractor import Extractor
from m2r2_ros.network.heads.base import Head, HeadOutput, OnlineHead, State
from m2r2_ros.network.heads.registry import make_head
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import columns_per_frame, mel_frames

#: Readings of a vector in a window: its encoder is a matrix of so many columns.
MAX_READINGS: Final = 1 << 18


class Network(nn.Module):
    """C = F_seg(F_m(V, A, P)), frame by frame (paper section III-A).

    Attributes:
        extractor: F_m.
        head: F_seg, of a live robot where it is online.
        offline_head: Another F_seg on the same features, for recordings that are over; or None.
        points: T_s, grid points of each sensor in a window.
        mel_frames: Columns of a log-mel spectrogram.
        classes: C, labels.
        width: D_e.
    """

    def __init__(
        self, model: ModelConfig, windows: WindowConfig, classes: int, *, pretrained: bool = False
    ) -> None:
        """Make a network for windows of the given shape.

        Raises:
            ConfigError: A vector has more than MAX_READINGS in a window.
        """
        super().__init__()
        _expect_size(model, windows)
        self.points, self.classes = windows.points, classes
        self.mel_frames = mel_frames(round(windows.audio_context * windows.audio_rate))
        self.extractor = Extractor(
            model,
            points=self.points,
            mel_frames=self.mel_frames,
            new_columns=columns_per_frame(windows.frame_rate),
            pretrained=pretrained,
        )
        self.head = make_head(model.head, model.width, classes)
        self._head_config = model.head
        self.width = model.width
        self.offline_head = None
        if model.offline_head is not None:
            self.offline_head = make_head(model.offline_head, model.width, classes)

    @property
    def recording_head(self) -> Head:
        """The head that labels recordings best: the offline one where there is one."""
        return self.head if self.offline_head is None else self.offline_head

    @torch.no_grad()
    def features(self, inputs: InputTensors) -> Tensor:
        """Map N frames to x_i on the CPU, float32 (N, D_e)."""
        device = next(self.extractor.parameters()).device
        features: Tensor = self.extractor(inputs.to(device)).cpu()
        return features

    def initial_state(self) -> State:
        """Return the state of the head before the first frame.

        Raises:
            BundleError: The head is not online.
        """
        return self.online_head.initial_state()

    @torch.no_grad()
    def advance(self, inputs: InputTensors, state: State) -> tuple[HeadOutput, State]:
        """Label N frames that follow on the state of an online head; return the new state too."""
        return self.online_head.advance(self.features(inputs), state)

    @property
    def online_head(self) -> OnlineHead:
        """The head, which labels frames as they come.

        Raises:
            BundleError: It is offline.
        """
        if isinstance(self.head, OnlineHead):
            return self.head
        raise BundleError(self._head_config.refusal)


def _expect_size(model: ModelConfig, windows: WindowConfig) -> None:
    """Refuse windows whose encoder would be larger than any robot needs."""
    for name in of_kind(model.modalities, VECTOR):
        readings = windows.points * model.modalities[name].dims
        if readings > MAX_READINGS:
            msg = (
                f'model.modalities.{name}: {readings} numbers in a window, expected at most '
                f'{MAX_READINGS}: declare fewer fields, or a higher frame rate'
            )
            raise ConfigError(msg)
