# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sentences to E_s (paper section III-D) in three ways, two of which need no weights."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.training.pretraining.prompts import Prompts, Sentence, tokens
from m2r2_ros.training.pretraining.sections import ACTIONS

PAD, END, FIRST_WORD = 0, 1, 3


class TextEncoder(Protocol):
    """A text transformer with weights of its own, such as CLIP's."""

    def __call__(self, sentences: list[str]) -> Tensor:
        """Map n sentences to float32 (n, D)."""


class LabelOrderEmbedding(nn.Module):
    """E_s from the ordered labels alone, as if every wording of them were one sentence.

    A vector is learnt for each label at each place, and one for each place without a label; those
    of the three places are concatenated and go through an MLP.
    """

    first: Tensor

    def __init__(self, classes: int, width: int) -> None:
        """Make one for labels 0 .. classes - 1 and D_e = width."""
        super().__init__()
        # UNKNOWN is -1: the label + 1 is the row of a place's table.
        self.register_buffer('first', (classes + 1) * torch.arange(ACTIONS), persistent=False)
        self.vectors = nn.Embedding(ACTIONS * (classes + 1), width)
        self.mlp = nn.Sequential(
            nn.Linear(ACTIONS * width, width), nn.GELU(), nn.Linear(width, width)
        )

    def forward(self, sentences: Sequence[Sentence]) -> Tensor:
        """Map n sentences to (n, D_e)."""
        labels = torch.tensor([s.labels for s in sentences], device=self.first.device)
        embedded: Tensor = self.mlp(self.vectors(self.first + labels + 1).flatten(1))
        return embedded


class ScratchText(nn.Module):
    """E_s from a small text transformer in CLIP's shape, with random weights and few words."""

    def __init__(self, prompts: Prompts, width: int, *, hidden: int = 128, layers: int = 2) -> None:
        """Make one for the words of `prompts` and D_e = width."""
        super().__init__()
        words = prompts.vocabulary()
        self._ids = {word: k for k, word in enumerate(words, FIRST_WORD)}
        config = CLIPTextConfig(
            vocab_size=FIRST_WORD + len(words),
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=max(1, hidden // 32),
            max_position_embeddings=prompts.longest() + 1,
            pad_token_id=PAD,
            bos_token_id=FIRST_WORD - 1,
            eos_token_id=END,
        )
        self.clip = CLIPTextModelWithProjection(config)

    def forward(self, sentences: Sequence[Sentence]) -> Tensor:
        """Map n sentences to (n, D_e)."""
        rows = [[self._ids[t] for t in tokens(s.text)] + [END] for s in sentences]
        length = max(map(len, rows))
        padded = torch.tensor([row + [PAD] * (length - len(row)) for row in rows])
        # Attention is causal and E_s is taken at the end mark: padding has no effect.
        embedded: Tensor = self.clip(padded.to(self.clip.device)).text_embeds
        return embedded


class WrittenText(nn.Module):
    """E_s from a pretrained text transformer, projected if its width differs."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        """Take an encoder, which has to be a `TextEncoder`."""
        super().__init__()
        self.encoder = encoder
        with torch.no_grad():
            own = encoder(['First, the robot is doing nothing.']).shape[1]
        self.projection = nn.Identity() if own == width else nn.Linear(own, width)

    def forward(self, sentences: Sequence[Sentence]) -> Tensor:
        """Map n sentences to (n, D_e)."""
        embedded: Tensor = self.projection(self.encoder([s.text for s in sentences]))
        return embedded


def make_text(
    text: str, labels: LabelSet, width: int, encoder: nn.Module | None = None
) -> nn.Module:
    """Return the module that computes E_s.

    Args:
        text: One of TEXTS.
        labels: What the sentences describe.
        width: D_e.
        encoder: A `TextEncoder` with weights, for 'clip'.

    Raises:
        ConfigError: The weights for 'clip' are missing.
    """
    if text == 'labels':
        return LabelOrderEmbedding(len(labels.names), width)
    if text == 'scratch':
        return ScratchText(Prompts(labels.names), width)
    if encoder is None:
        msg = 'text: clip needs weights: give --text-weights, or choose labels or scratch'
        raise ConfigError(msg)
    return WrittenText(encoder, width)
