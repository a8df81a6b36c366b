# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Audio spectrogram transformer, small (paper section III-C; arXiv 2104.01778)."""

from torch import Tensor, nn
from transformers import ASTConfig, ASTModel

from m2r2_ros.windows.logmel import MEL_BINS

PATCH = 16


class SoundEncoder(nn.Module):
    """A_i: the class token of an AST's last hidden layer, projected to D_e.

    A patch is 16 mel bins by 16 columns, and patches do not overlap: the trailing second of sound
    is 24 patches, which is what a robot's processor can do at every frame.
    """

    def __init__(self, frames: int, hidden: int, layers: int, width: int) -> None:
        """Make an encoder for log-mel spectrograms of `frames` columns, with D_e = width."""
        super().__init__()
        self.ast = ASTModel(
            ASTConfig(
                hidden_size=hidden,
                num_hidden_layers=layers,
                num_attention_heads=max(1, hidden // 64),
                intermediate_size=2 * hidden,
                patch_size=PATCH,
                frequency_stride=PATCH,
                time_stride=PATCH,
                max_length=frames,
                num_mel_bins=MEL_BINS,
            )
        )
        # transformers leaves these at zero, where no patch knows its place and no gradient reaches
        # the class token's queries; AST itself begins with small random ones.
        for name in ('cls_token', 'distillation_token', 'position_embeddings'):
            nn.init.trunc_normal_(getattr(self.ast.embeddings, name), std=0.02)
        self.projection = nn.Linear(hidden, width)

    def forward(self, mel: Tensor) -> Tensor:
        """Map log-mel float32 (N, 64, frames) in [-1, 1] to A_i, float32 (N, D_e)."""
        hidden: Tensor = self.ast(mel.transpose(1, 2)).last_hidden_state
        projected: Tensor = self.projection(hidden[:, 0])
        return projected
