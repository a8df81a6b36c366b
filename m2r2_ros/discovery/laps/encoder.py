# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The encoder of a motion tokenizer, which is all of it that segmenting needs.

training.laps.tokenizer trains the whole tokenizer, and gives its weights their names.
"""

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.discovery.laps.fsq import LevelGrid
from m2r2_ros.discovery.laps.shape import TokenizerConfig
from m2r2_ros.discovery.laps.transformer import EncoderLayer, causal, layer_shapes
from m2r2_ros.discovery.method import Tensors


class MotionEncoder:
    """Encodes one window of velocities at a time: an Encode.

    It looks back only, and has no other sense of position: where nothing moves, z_q stays as it is,
    and the latent energy is zero.
    """

    def __init__(self, config: TokenizerConfig, tensors: Tensors) -> None:
        """Take the weights of a trained tokenizer.

        Args:
            config: Its shape.
            tensors: The weights by name; others may lie beside them.

        Raises:
            BundleError: A tensor is missing, of another shape, or not finite.
        """
        found = _checked(config, tensors)
        #: Whatever is divided by infinity is left out.
        self._reach = found['reach'].copy()
        self._reach[self._reach <= 0] = np.inf
        self._project = np.ascontiguousarray(found['project.weight'].T)
        self._project_bias = found['project.bias']
        layer = layer_shapes(config.hidden, 4 * config.hidden)
        self._layers = [
            EncoderLayer(
                {name: found[f'encoder.layers.{k}.{name}'] for name in layer},
                config.heads,
                norm_first=True,
            )
            for k in range(config.enc_layers)
        ]
        self._to_code, self._to_code_bias = found['to_code.weight'].T, found['to_code.bias']
        self._grid = LevelGrid(config.levels)
        self._from_code, self._from_code_bias = found['from_code.weight'].T, found['from_code.bias']

    def __call__(
        self, velocities: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Encode the velocities of a window, float32 (T, P).

        Returns:
            z_q, float32 (T, hidden), and codes c, int32 (T,).
        """
        scaled = np.clip(velocities / self._reach, -1, 1)
        hidden = scaled @ self._project + self._project_bias
        ahead = causal(len(hidden))
        for layer in self._layers:
            hidden = layer(hidden, ahead)
        levels = self._grid.levels(hidden @ self._to_code + self._to_code_bias)
        return self._latents(self._grid.points(levels)), self._grid.codes(levels)

    def _latents(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        # Not a matrix product, which may round equal rows differently: z_q would seem to change.
        z_q = np.tile(self._from_code_bias, (len(points), 1))
        for k, weights in enumerate(self._from_code):
            z_q += points[:, k, None] * weights
        return z_q


def encoder_shapes(config: TokenizerConfig) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights by name."""
    layer = layer_shapes(config.hidden, 4 * config.hidden)
    numbers = len(config.levels)
    return {
        'reach': (config.inputs,),
        'project.weight': (config.hidden, config.inputs),
        'project.bias': (config.hidden,),
        **{
            f'encoder.layers.{k}.{name}': shape
            for k in range(config.enc_layers)
            for name, shape in layer.items()
        },
        'to_code.weight': (numbers, config.hidden),
        'to_code.bias': (numbers,),
        'from_code.weight': (config.hidden, numbers),
        'from_code.bias': (config.hidden,),
    }


def _checked(config: TokenizerConfig, tensors: Tensors) -> Tensors:
    found = {}
    for name, expected in encoder_shapes(config).items():
        if name not in tensors:
            msg = f'tensor {name} of the motion tokenizer is missing'
            raise BundleError(msg)
        shape = tuple(tensors[name].shape)
        if shape != expected:
            msg = f'tensor {name} of the motion tokenizer: expected shape {expected}, found {shape}'
            raise BundleError(msg)
        if not np.isfinite(tensors[name]).all():
            msg = f'tensor {name} of the motion tokenizer holds values that are not finite'
            raise BundleError(msg)
        found[name] = np.asarray(tensors[name], np.float32)
    return found
