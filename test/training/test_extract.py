# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features of recordings: the same in chunks as in one piece, and raw windows."""

import numpy as np
import pytest
import torch

from m2r2_ros.model.inputs import Inputs
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.training import extract as module
from m2r2_ros.training.extract import extract, features_of, raw_features
from test.network.networks import SMALL, make_inputs_of
from test.training.trials import fitted, network, trial


def test_chunks_are_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = trial(23)
    scales, net = fitted(recording), network().eval()
    with torch.no_grad():
        whole = net.extractor(InputTensors.of(recording.inputs(0, 23, scales)))
    monkeypatch.setattr(module, 'CHUNK', 5)
    np.testing.assert_allclose(extract(recording, scales, features_of(net)), whole, atol=1e-5)


def numpy_inputs(n: int) -> Inputs:
    tensors = make_inputs_of(SMALL, n)
    return Inputs({m: x.numpy() for m, x in tensors.data.items()}, tensors.present.numpy())


def test_raw_features_are_presence_bins_and_points_in_order() -> None:
    inputs = numpy_inputs(3)
    raw = raw_features(inputs)
    np.testing.assert_array_equal(raw[:, :6], inputs.present)
    np.testing.assert_allclose(raw[:, 6:70], inputs.data['sound'].mean(axis=2), atol=1e-6)
    wrench = inputs.data['wrench']
    np.testing.assert_array_equal(raw[:, 70 : 70 + wrench[0].size], wrench.reshape(3, -1))
    assert raw.shape[1] == 6 + 64 + sum(
        inputs.data[m][0].size for m in ('wrench', 'pose', 'twist', 'gripper')
    )


def test_a_backbones_features_are_raw_features_too() -> None:
    images = np.random.default_rng(0).random((2, 1280), np.float32)
    raw = raw_features(Inputs({'image': images}, np.ones((2, 6), np.bool_)))
    np.testing.assert_array_equal(raw[:, 6:], images)
