# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shape of a motion tokenizer and how it is trained, for those who do not run one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Maps the velocities of a window, float32 (T, P), to z_q, float32 (T, d), and codes, int32 (T,).
Encode: TypeAlias = Callable[
    [NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.int32]]
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """The shape of a tokenizer. The paper's has hidden 768 and 8 heads.

    Attributes:
        inputs: P, numbers of a time step: two for each point, or one for each channel.
        axes: Numbers that are classified together: 2 for points in an image, 1 for channels.
        hidden: d_m, width of the transformers and of z_q.
        heads: Attention heads.
        enc_layers: Layers of the encoder.
        dec_layers: Layers of the decoder.
        levels: Of the quantiser.
        bins: g: displacements fall into a grid of g cells along each axis.
    """

    inputs: int
    axes: int
    hidden: int = 128
    heads: int = 4
    enc_layers: int = 2
    dec_layers: int = 1
    levels: tuple[int, ...] = (8, 8, 6, 5)
    bins: int = 15


@dataclass(frozen=True, slots=True)
class TokenizerSchedule:
    """How a tokenizer is trained.

    Attributes:
        steps: Steps of training.
        batch: Windows of a step.
        learning_rate: Of AdamW; it rises at first, and falls to zero.
        seed: Of weights, order and points.
    """

    steps: int = 300
    batch: int = 32
    learning_rate: float = 3e-4
    seed: int = 0
