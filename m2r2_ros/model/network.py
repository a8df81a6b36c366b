# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Extractor and online head in one module."""

import torch
from torch import Tensor, nn

from m2r2_ros.model.config import ModelConfig
from m2r2_ros.model.extractor import Extractor
from m2r2_ros.model.head import CausalTCN, HeadState
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import mel_frames


class Network(nn.Module):
    """C = F_seg(F_m(V, A, P)), frame by frame (paper section III-A)."""

    def __init__(
        self, model: ModelConfig, windows: WindowConfig, classes: int, *, pretrained: bool = False
    ) -> None:
        """Make a network for windows of the given shape."""
        super().__init__()
        self.extractor = Extractor(
            model,
            points=windows.points,
            mel_frames=mel_frames(round(windows.audio_context * windows.audio_rate)),
            pretrained=pretrained,
        )
        self.head = CausalTCN(model, classes)

    def use(self, device: torch.device) -> None:
        """Encode on a device; the head, whose steps are small and many, stays on the CPU."""
        self.extractor.to(device)

    @torch.no_grad()
    def predict(self, inputs: Inputs, state: HeadState) -> tuple[Tensor, Tensor, HeadState]:
        """Label N frames that follow on the state.

        Returns:
            Probabilities float32 (N, C), boundary scores float32 (N,), the new state.
        """
        device = next(self.extractor.parameters()).device
        features = self.extractor(inputs.to(device)).cpu()
        logits, state = self.head(features.unsqueeze(0), state)
        last = logits[-1][0]
        return last[:, :-1].softmax(-1), last[:, -1].sigmoid(), state
