# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle made ready to label live: on its device, decoding as asked, warm."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.model.devices import CPU, Placement
from m2r2_ros.nodes.common.checks import file_path
from m2r2_ros.segmenters import Model, open_model
from m2r2_ros.windows.assembler import WindowAssembler


def load_model(
    path: str,
    *,
    device: str = CPU,
    threads: int = 1,
    lag: int = -1,
) -> Model:
    """Load a bundle and let it label nothing for a moment, so that its first label is not late.

    Args:
        path: Folder of the bundle.
        device: One of model.devices.
        threads: Cores for the network, where it runs on the processor.
        lag: Frames to look ahead; negative is the bundle's own.

    Raises:
        BundleError: The bundle cannot be read, or gives no probabilities.
        ConfigError: No model was named, the device is not there, or an option is out of range.
    """
    if not path:
        msg = 'model is not set: give the folder of a bundle, as m2r2 train writes it'
        raise ConfigError(msg)
    decoding = {'lag': lag} if lag >= 0 else {}
    placement = Placement(device, threads, one_frame=True)
    model = open_model(file_path(path, 'model'), decoding, placement=placement, live=True)
    _warm_up(model, path)
    return model


def _warm_up(model: Model, path: str) -> None:
    empty = WindowAssembler(model.windows, model.modalities).flush()
    stamps = np.arange(1, 4)
    count = len(stamps)

    def zeros(like: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        return {name: np.zeros((count, *x.shape[1:]), np.float32) for name, x in like.items()}

    windows = replace(
        empty,
        starts=stamps - 1,
        stamps=stamps,
        sensors=zeros(empty.sensors),
        present=np.ones((count, empty.present.shape[1]), np.bool_),
        restarts=stamps == 1,
        sounds=zeros(empty.sounds),
        images={name: [EncodedImage(b'', _black)] * count for name in empty.images},
    )
    for k in range(count):
        label = model.segmenter.step(windows[k : k + 1])
        if label is not None and not label.is_finite:
            msg = f'{path}: gives NaN instead of probabilities; train it again'
            raise BundleError(msg)
    model.segmenter.reset()


def _black(payload: bytes) -> NDArray[np.uint8]:
    return np.zeros((224, 224, 3), np.uint8)
