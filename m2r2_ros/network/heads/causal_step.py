# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The head's arithmetic on one frame, where every microsecond is overhead.

A frame is few numbers: the time of a step is that of the calls around them. What all layers make of
their past, which is known before the frame is, is therefore one product; the rest is a handful of
calls for each layer.
"""

from collections.abc import Sequence
from typing import cast, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from m2r2_ros.network.heads.causal_layers import CausalLayer, Stage

Array = NDArray[np.float32]


class Pasts(Sequence[Tensor]):
    """The past of each layer, kept in one array; tensors are made on request.

    Attributes:
        rows: float32 (sum of 2d, width), layer by layer.
    """

    def __init__(self, rows: Array, edges: Sequence[int]) -> None:
        """Take rows; layer k has those from edges[k] to edges[k + 1] - 1."""
        self.rows = rows
        self._edges = edges

    def __len__(self) -> int:
        return len(self._edges) - 1

    @overload
    def __getitem__(self, k: int) -> Tensor: ...

    @overload
    def __getitem__(self, k: slice) -> list[Tensor]: ...

    def __getitem__(self, k: int | slice) -> Tensor | list[Tensor]:
        if isinstance(k, slice):
            return [self[j] for j in range(*k.indices(len(self)))]
        if not 0 <= k < len(self):
            raise IndexError(k)
        return torch.from_numpy(self.rows[self._edges[k] : self._edges[k + 1]])[None]


class HeadStep:
    """A frozen copy of a CausalTCN's weights that labels one frame at a time."""

    def __init__(self, stages: Sequence[Stage], lags: int) -> None:
        """Copy the weights of a head with so many lags; `fresh` is false once they have changed."""
        self._lags = lags
        self._watched = [parameter for stage in stages for parameter in stage.parameters()]
        self._versions = self._now()
        layers = [cast(CausalLayer, layer) for stage in stages for layer in stage.layers]
        width = layers[0].mix.out_features
        taps = np.stack([_array(layer.taps.weight) for layer in layers])
        self._past = np.ascontiguousarray(taps[:, :, : 2 * width])
        self._bias = np.stack([_array(layer.taps.bias) for layer in layers])[:, :, None]
        self._layers = [
            (np.ascontiguousarray(tap[:, 2 * width :]), _array(x.mix.weight), _array(x.mix.bias))
            for tap, x in zip(taps, layers, strict=True)
        ]
        self._enter = [(_array(s.enter.weight), _array(s.enter.bias)) for s in stages]
        self._leave = [(_array(s.leave.weight), _array(s.leave.bias)) for s in stages]
        spans = np.array([layer.dilation for layer in layers])
        self._edges = np.concatenate([[0], np.cumsum(2 * spans)]).tolist()
        first = np.array(self._edges[:-1])
        self._taps = np.stack([first, first + spans], axis=1).ravel()
        self._newest = np.array(self._edges[1:]) - 1

    @property
    def fresh(self) -> bool:
        """Whether the weights are still those of the head."""
        return self._versions == self._now()

    def __call__(self, features: Tensor, layers: Sequence[Tensor]) -> tuple[list[Tensor], Pasts]:
        """Label one frame.

        Args:
            features: float32 (1, 1, D_e).
            layers: The past of each layer, float32 (1, 2d, width).

        Returns:
            For each stage logits (1, 1, |K| C + 1), and the new past of each layer.
        """
        old = layers.rows if isinstance(layers, Pasts) else _in_one(layers)
        known = old[self._taps].reshape(len(self._newest), -1, 1)
        known = (self._past @ known + self._bias)[:, :, 0]
        depth = len(self._layers) // len(self._enter)
        inputs = np.empty_like(known)
        x = features.numpy()[0, 0]
        logits = []
        for s, (weight, bias) in enumerate(self._enter):
            x = weight @ x + bias
            for k in range(s * depth, (s + 1) * depth):
                inputs[k] = x
                now, mix, shift = self._layers[k]
                hidden = now @ x
                hidden += known[k]
                np.maximum(hidden, 0, out=hidden)
                x = x + (mix @ hidden + shift)
            weight, bias = self._leave[s]
            out = weight @ x + bias
            logits.append(torch.from_numpy(out)[None, None])
            x = _probabilities(out, self._lags)
        # Moved up by one, the last row of a layer is the next one's first; it is replaced below.
        rows = np.empty_like(old)
        rows[:-1] = old[1:]
        rows[self._newest] = inputs
        return logits, Pasts(rows, self._edges)

    def _now(self) -> list[tuple[int, int]]:
        return [state_of(parameter) for parameter in self._watched]


def state_of(parameter: Tensor) -> tuple[int, int]:
    """Return what differs after a change in place, as by an optimiser, or of the numbers' type."""
    return parameter._version, parameter.data_ptr()


def _in_one(layers: Sequence[Tensor]) -> Array:
    rows: Array = np.concatenate([layer.numpy()[0] for layer in layers])
    return rows


def _array(parameter: Tensor) -> Array:
    array: Array = parameter.detach().numpy().copy()
    return array


def _probabilities(logits: Array, lags: int) -> Array:
    """Return what a later stage sees of the one before: class and boundary probabilities."""
    labels = logits[:-1].reshape(lags, -1)
    shares = np.exp(labels - labels.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    boundary = 0.5 + 0.5 * np.tanh(0.5 * logits[-1:])  # the sigmoid, which overflows nowhere
    return np.concatenate([shares.ravel(), boundary])
