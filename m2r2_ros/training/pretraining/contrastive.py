# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""L_action: windows and sentences of the same meaning become similar (paper section III-D).

The paper takes the loss of Bridge-Prompt (CVPR 2022), which is ActionCLIP's: a symmetric
Kullback-Leibler divergence between the similarities of a batch and the matrix of what belongs
together.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, normalize

from m2r2_ros.training.pretraining.prompts import Sentence

#: CLIP's first scale of similarities, and the largest one.
FIRST_SCALE = 1 / 0.07
MAX_SCALE = 100.0


class Contrastive(nn.Module):
    """L_action of a batch, with a learnt scale of similarities."""

    def __init__(self) -> None:
        """Begin with CLIP's scale."""
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))

    def forward(self, windows: Tensor, sentences: Tensor, target: Tensor) -> Tensor:
        """Return the mean over rows of the divergence, half of each direction.

        Args:
            windows: E_w, (n, D_e).
            sentences: E_s, (n, D_e).
            target: float32 (n, n), symmetric, from `shared_meaning`.
        """
        alike = self.log_scale.exp() * similarity(windows, sentences)
        return 0.5 * (_divergence(alike, target) + _divergence(alike.T, target))

    def keep_in_bounds(self) -> None:
        """Bring the scale back to its bound, after every step.

        A clamp in the forward pass would block the gradient, and the scale would never recover.
        """
        with torch.no_grad():
            self.log_scale.clamp_(max=math.log(MAX_SCALE))


def similarity(windows: Tensor, sentences: Tensor) -> Tensor:
    """Return cosines, float32 (n, m), of (n, D_e) with (m, D_e)."""
    return normalize(windows.float(), dim=-1) @ normalize(sentences.float(), dim=-1).T


def shared_meaning(sentences: Sequence[Sentence]) -> Tensor:
    """Return which of a batch belong together: float32 (n, n), every row sums to 1.

    Sentences of the same ordered labels share the mass of a row: they are not negatives.
    """
    meanings = [s.labels for s in sentences]
    same = torch.tensor([[float(a == b) for b in meanings] for a in meanings])
    return same / same.sum(dim=1, keepdim=True)


def _divergence(logits: Tensor, target: Tensor) -> Tensor:
    return kl_div(logits.log_softmax(dim=1), target, reduction='batchmean')
