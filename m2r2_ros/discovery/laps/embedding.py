# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Embedding of primitives by a frozen transformer with random weights (section 3.2.1)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.discovery.laps.transformer import EncoderLayer, layer_shapes

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
        rng = np.random.default_rng(seed)
        self._project = np.ascontiguousarray(_weights('project.weight', (WIDTH, inputs), rng).T)
        self._places = sinusoids(0, WIDTH)  # as many as were needed so far
        shapes = layer_shapes(WIDTH, FORWARD)
        self._layers = [
            EncoderLayer(
                {name: _weights(name, shape, rng) for name, shape in shapes.items()},
                HEADS,
                norm_first=False,
            )
            for _ in range(LAYERS)
        ]

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
        found = [self._one(sequence) for sequence in sequences]
        return np.stack(found) if found else np.zeros((0, WIDTH), np.float32)

    def _one(self, sequence: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(sequence) > len(self._places):
            self._places = sinusoids(2 * len(sequence), WIDTH)
        tokens = sequence @ self._project + self._places[: len(sequence)]
        for layer in self._layers:
            tokens = layer(tokens)
        return np.asarray(tokens.mean(axis=0))


def sinusoids(steps: int, width: int) -> NDArray[np.float32]:
    """Return sinusoidal positional encodings PE_t, float32 (steps, width)."""
    rates = np.exp(-np.log(1e4) * np.arange(0, width, 2) / width)
    angles = np.arange(steps)[:, None] * rates[None, :]
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return pairs.reshape(steps, width).astype(np.float32)


def _weights(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return Glorot weights for matrices; norms begin at one, biases at zero."""
    if len(shape) == 1:
        return np.full(shape, 'norm' in name and name.endswith('weight'), np.float32)
    reach = np.sqrt(6 / (shape[0] + shape[1]))
    return rng.uniform(-reach, reach, shape).astype(np.float32)
