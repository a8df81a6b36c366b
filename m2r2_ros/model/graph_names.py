# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the graphs of a bundle are called, and what goes into them and comes out."""

from typing import Final

from m2r2_ros.core.modalities import Modalities
from m2r2_ros.model.relative_pose import relative_name

#: From windows to x_i, and to labels where the head is online.
NETWORK: Final = 'network.onnx'
#: The offline head, from the features of a recording to labels.
RECORDING: Final = 'recording.onnx'

#: Which modalities each frame has, bool (N, M).
PRESENT: Final = 'present'
#: x_i, float32 (N, D_e): comes out of the one graph and goes into the other.
FEATURES: Final = 'features'
#: Class logits, float32 (N, K, C) of an online head with K lags, (N, C) of an offline one.
LOGITS: Final = 'logits'
#: How likely a segment begins at each frame, float32 (N,).
BOUNDARIES: Final = 'boundaries'
#: Standard normal noise that a denoising head begins with, float32 (draws, C, N).
NOISE: Final = 'noise'


def array_names(modalities: Modalities, *, relative: bool) -> tuple[str, ...]:
    """Return the names of the arrays of windows, in order: modalities, each pose's relative too."""
    names = []
    for name, modality in modalities.items():
        names += [name, relative_name(name)] if relative and modality.is_pose else [name]
    return tuple(names)


def image_features_name(camera: str) -> str:
    """Return what the backbone's features of a camera are called, float32 (N, K)."""
    return f'{camera}.{FEATURES}'


def state_name(name: str) -> str:
    """Return what a tensor of the head's state is called where it goes in."""
    return f'state.{name}'


def new_state_name(name: str) -> str:
    """Return what a tensor of the head's state is called where it comes out."""
    return f'new_state.{name}'
