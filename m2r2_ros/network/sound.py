# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Audio spectrogram transformer (paper section III-C; arXiv 2104.01778)."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from m2r2_ros.model.config import ModelConfig
from m2r2_ros.network.backbone import BackboneEncoder
from m2r2_ros.network.sound_conv import ConvSoundEncoder
from m2r2_ros.windows.logmel import MEL_BINS

PATCH = 16
#: What bins above the highest hold: a quiet bin in a scaled spectrogram.
SILENCE = -1.0
#: Frames whose sound the convolutions hear: an impact that began in the one before, and one more.
HEARD_FRAMES = 3


class SoundEncoder(BackboneEncoder):
    """A_i: the class token of an AST's last hidden layer, projected to D_e.

    A patch is 16 mel bins by 16 columns. The small AST's patches do not overlap: the trailing
    second of sound is 24 of them, which is what a robot's processor can do at every frame. AST-base
    is 768 wide with 12 layers, stride 10 and feed-forward layers of 4 times the width.
    """

    modality: ClassVar[str] = 'sound'
    trunk_name: ClassVar[str] = 'ast'

    def __init__(
        self,
        frames: int,
        hidden: int,
        layers: int,
        width: int,
        *,
        stride: int = PATCH,
        expansion: int = 2,
    ) -> None:
        """Make an encoder for log-mel spectrograms.

        Args:
            frames: Columns of a spectrogram.
            hidden: Width of the AST; one attention head per 64.
            layers: Its layers.
            width: D_e.
            stride: Bins, and columns, from one patch to the next.
            expansion: Width of a feed-forward layer, in widths of the AST.
        """
        from transformers import ASTConfig, ASTModel  # takes seconds, and few need it

        super().__init__()
        #: Silent bins above the highest, so that the last row of patches covers it.
        self.padding = -(MEL_BINS - PATCH) % stride
        self.ast = ASTModel(
            ASTConfig(
                hidden_size=hidden,
                num_hidden_layers=layers,
                num_attention_heads=max(1, hidden // 64),
                intermediate_size=expansion * hidden,
                patch_size=PATCH,
                frequency_stride=stride,
                time_stride=stride,
                max_length=frames,
                num_mel_bins=MEL_BINS + self.padding,
            )
        )
        # transformers leaves these at zero, so that patches have no position and no gradient
        # reaches the class token's queries; AST itself begins with small random ones.
        for name in ('cls_token', 'distillation_token', 'position_embeddings'):
            nn.init.trunc_normal_(getattr(self.ast.embeddings, name), std=0.02)
        self.projection = nn.Linear(hidden, width)

    def forward(self, mel: Tensor) -> Tensor:
        """Map log-mel float32 (N, 64, frames), scaled, to A_i, float32 (N, D_e)."""
        if self.padding:
            low, _ = mel.split([self.padding, MEL_BINS - self.padding], dim=1)
            quiet = torch.full_like(low, SILENCE)
            mel = torch.cat([mel, quiet], dim=1)
        hidden: Tensor = self.ast(mel.transpose(1, 2)).last_hidden_state
        projected: Tensor = self.projection(hidden[:, 0])
        return projected


def make_sound_encoder(config: ModelConfig, frames: int, new_columns: int) -> BackboneEncoder:
    """Return the sound encoder of a model.

    Args:
        config: Its kind and shape.
        frames: Columns of a spectrogram.
        new_columns: Columns that are new with each frame.
    """
    if config.sound_encoder == 'conv':
        return ConvSoundEncoder(min(frames, HEARD_FRAMES * new_columns + 2), config.width)
    return SoundEncoder(
        frames,
        config.sound_width,
        config.sound_layers,
        config.width,
        stride=config.sound_stride,
        expansion=config.sound_expansion,
    )
