# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small convolutional encoder of sound, which learns from few recordings."""

from typing import ClassVar, Final

from torch import Tensor, nn

from m2r2_ros.model.backbone import BackboneEncoder
from m2r2_ros.windows.logmel import MEL_BINS

#: Newest columns of the spectrogram that are looked at, of 10 ms each.
COLUMNS: Final = 32
#: Maps of each layer; each halves both axes.
MAPS: Final = (16, 32, 64, 96)


class ConvSoundEncoder(BackboneEncoder):
    """A_i: convolutions over the newest third of a second of the log-mel spectrogram.

    An audio transformer from random weights would first have to learn that neighbouring bins and
    columns belong together. The head remembers what was heard earlier, so that the encoder need
    not hear it again with every frame: three frames' worth is enough for an impact that began in
    the frame before. Columns and bins keep their places, since the pitch of a motor and the moment
    of an impact both matter.
    """

    modality: ClassVar[str] = 'sound'
    trunk_name: ClassVar[str] = 'convolutions'

    def __init__(self, frames: int, width: int) -> None:
        """Make an encoder.

        Args:
            frames: Columns of a spectrogram.
            width: D_e.
        """
        super().__init__()
        layers: list[nn.Module] = []
        bins, self.columns, maps = MEL_BINS, min(frames, COLUMNS), 1
        columns = self.columns
        for wider in MAPS:
            layers += [nn.Conv2d(maps, wider, 3, stride=2, padding=1), nn.GELU()]
            bins, columns, maps = (bins + 1) // 2, (columns + 1) // 2, wider
        self.convolutions = nn.Sequential(*layers)
        self.projection = nn.Linear(maps * bins * columns, width)

    def forward(self, mel: Tensor) -> Tensor:
        """Map log-mel float32 (N, 64, frames), z-scores, to A_i, float32 (N, D_e)."""
        newest = mel[..., -self.columns :].unsqueeze(1)
        projected: Tensor = self.projection(self.convolutions(newest).flatten(1))
        return projected
