# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The encoder layer of a transformer in numpy, as torch's nn.TransformerEncoderLayer has it.

That is with its defaults: ReLU, and biases everywhere; dropout does nothing outside training.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Added to the variance that a norm divides by.
_EPSILON: Final = 1e-5


def layer_shapes(width: int, forward: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a layer's weights, by torch's names and in its order.

    Args:
        width: d, of what goes in and comes out.
        forward: Of the feed-forward part.
    """
    return {
        'self_attn.in_proj_weight': (3 * width, width),
        'self_attn.in_proj_bias': (3 * width,),
        'self_attn.out_proj.weight': (width, width),
        'self_attn.out_proj.bias': (width,),
        'linear1.weight': (forward, width),
        'linear1.bias': (forward,),
        'linear2.weight': (width, forward),
        'linear2.bias': (width,),
        **{
            f'{norm}.{kind}': (width,) for norm in ('norm1', 'norm2') for kind in ('weight', 'bias')
        },
    }


class EncoderLayer:
    """Self-attention, then a feed-forward network, each added to what goes in."""

    def __init__(
        self, weights: Mapping[str, NDArray[np.float32]], heads: int, *, norm_first: bool
    ) -> None:
        """Make a layer.

        Args:
            weights: float32, as layer_shapes says.
            heads: Of the attention.
            norm_first: Norms are of what goes into a part (pre-norm), not of the sum (post-norm).
        """
        #: Matrices are laid out as they are multiplied: a short sequence takes half the time.
        self._w = {name: np.ascontiguousarray(w.T) for name, w in weights.items()}
        self._heads, self._norm_first = heads, norm_first

    def __call__(
        self, x: NDArray[np.float32], mask: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return what becomes of a sequence, float32 (T, d).

        Args:
            x: float32 (T, d).
            mask: float32 (T, T), added to how much each step (row) looks at each other; see causal.
        """
        if self._norm_first:
            x = x + self._attend(self._norm('norm1', x), mask)
            return x + self._feed(self._norm('norm2', x))
        x = self._norm('norm1', x + self._attend(x, mask))
        return self._norm('norm2', x + self._feed(x))

    def _attend(
        self, x: NDArray[np.float32], mask: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        steps, width = x.shape
        size = width // self._heads
        stacked = x @ self._w['self_attn.in_proj_weight']
        stacked += self._w['self_attn.in_proj_bias']
        # (3, heads, T, size)
        q, k, v = stacked.reshape(steps, 3, self._heads, size).transpose(1, 2, 0, 3)
        looks = (q * np.float32(size**-0.5)) @ k.transpose(0, 2, 1)
        if mask is not None:
            looks += mask
        looks -= looks.max(axis=-1, keepdims=True)
        np.exp(looks, out=looks)
        seen = looks @ v
        seen /= looks.sum(axis=-1, keepdims=True)
        joined = seen.transpose(1, 0, 2).reshape(steps, width)
        return self._linear('self_attn.out_proj', joined)

    def _feed(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        inner = self._linear('linear1', x)
        return self._linear('linear2', np.maximum(inner, 0, out=inner))

    def _linear(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = x @ self._w[f'{name}.weight']
        found += self._w[f'{name}.bias']
        return found

    def _norm(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        centred: NDArray[np.float32] = x - x.mean(axis=-1, keepdims=True)
        variance = np.einsum('td,td->t', centred, centred) / np.float32(x.shape[1])
        centred /= np.sqrt(variance + np.float32(_EPSILON))[:, None]
        centred *= self._w[f'{name}.weight']
        centred += self._w[f'{name}.bias']
        return centred


def causal(steps: int) -> NDArray[np.float32]:
    """Return the mask with which each step looks at itself and back only, float32 (T, T)."""
    return np.triu(np.full((steps, steps), -np.inf, np.float32), 1)
