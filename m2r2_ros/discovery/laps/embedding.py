# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Embedding of primitives by a frozen transformer with random weights (section 3.2.1)."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

#: d, L, H of the paper; with this width of the feed-forward layers it has about the 2.3 million
#: parameters that the paper states.
WIDTH, LAYERS, HEADS, FORWARD = 256, 4, 4, 512


class FrozenEmbedding:
    """Maps sequences of latent vectors S_q,i to embeddings e_i.

    The weights come from numpy's random numbers, which are the same in every process and on every
    machine.
    """

    def __init__(self, inputs: int, seed: int = 0) -> None:
        """Make an encoder.

        Args:
            inputs: d_m, width of the latent vectors.
            seed: Of the weights.
        """
        self._project = nn.Linear(inputs, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, FORWARD, dropout=0.0, batch_first=True)
        self._encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        rng = np.random.default_rng(seed)
        for module in (self._project, self._encoder):
            module.requires_grad_(False)
            module.eval()
            for name, parameter in module.named_parameters():
                parameter.copy_(_weights(name, tuple(parameter.shape), rng))

    @property
    def width(self) -> int:
        """Numbers of an embedding."""
        return WIDTH

    def embed(self, sequences: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the embedding of each sequence.

        Args:
            sequences: Each float32 (T_i, d_m), T_i of 1 or more.

        Returns:
            float32 (n, 256).
        """
        found = [self._one(torch.from_numpy(np.ascontiguousarray(s))) for s in sequences]
        return np.stack(found) if found else np.zeros((0, WIDTH), np.float32)

    def _one(self, sequence: Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            tokens = self._project(sequence) + sinusoids(len(sequence), WIDTH)
            pooled: Tensor = self._encoder(tokens[None])[0].mean(dim=0)
        return pooled.numpy()


def sinusoids(steps: int, width: int) -> Tensor:
    """Return sinusoidal positional encodings PE_t, float32 (steps, width)."""
    rates = np.exp(-np.log(1e4) * np.arange(0, width, 2) / width)
    angles = np.arange(steps)[:, None] * rates[None, :]
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return torch.from_numpy(pairs.reshape(steps, width).astype(np.float32))


def _weights(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Return Glorot weights for matrices; norms begin at one, biases at zero."""
    if len(shape) == 1:
        return torch.full(shape, float('norm' in name and name.endswith('weight')))
    reach = np.sqrt(6 / (shape[0] + shape[1]))
    return torch.from_numpy(rng.uniform(-reach, reach, shape).astype(np.float32))
