# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small convolutional encoder of sound, which learns from few recordings."""

from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from m2r2_ros.network.backbone import BackboneEncoder
from m2r2_ros.windows.logmel import MEL_BINS

#: Feature maps of both layers.
MAPS: Final = 96


class ConvSoundEncoder(BackboneEncoder):
    """A_i: two convolutions over time of the newest columns of the log-mel spectrogram.

    Bins are the input's channels, since the pitch of a motor says how fast it turns and must not
    be lost; columns keep their places, since the moment of an impact matters. What was heard
    before these columns, the head remembers.
    """

    modality: ClassVar[str] = 'sound'
    trunk_name: ClassVar[str] = 'convolutions'

    def __init__(self, columns: int, width: int) -> None:
        """Make an encoder.

        Args:
            columns: Newest columns of a spectrogram that it looks at, of 10 ms each.
            width: D_e.
        """
        super().__init__()
        self.columns = columns
        self.convolutions = nn.Sequential(
            nn.Conv1d(MEL_BINS, MAPS, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv1d(MAPS, MAPS, 3, stride=2, padding=1),
            nn.GELU(),
        )
        left = (columns + 3) // 4
        self.projection = nn.Linear(MAPS * left, width)

    def forward(self, mel: Tensor) -> Tensor:
        """Map log-mel float32 (N, 64, frames), scaled, to A_i, float32 (N, D_e)."""
        heard = self.convolutions(mel[..., -self.columns :])
        projected: Tensor = self.projection(torch.flatten(heard, 1))
        return projected
