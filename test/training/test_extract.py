# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features of recordings: chunk by chunk as at once, and windows as they are."""

import numpy as np
import pytest
import torch

from m2r2_ros.model.inputs import Inputs
from m2r2_ros.training import extract as module
from m2r2_ros.training.extract import extract, m2r2_features, raw_features
from test.model.networks import SMALL, make_inputs_of
from test.training.trials import fitted, network, trial


def test_chunks_are_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = trial(23)
    scales, net = fitted(recording), network().eval()
    with torch.no_grad():
        whole = net.extractor(recording.inputs(0, 23, scales))
    monkeypatch.setattr(module, 'CHUNK', 5)
    np.testing.assert_allclose(extract(recording, scales, m2r2_features(net)), whole, atol=1e-5)


def test_raw_features_are_presence_bins_and_points_in_order() -> None:
    inputs = make_inputs_of(SMALL, 3)
    raw = raw_features(inputs)
    np.testing.assert_array_equal(raw[:, :6], inputs.present.numpy())
    np.testing.assert_allclose(raw[:, 6:70], inputs.data['sound'].numpy().mean(axis=2), atol=1e-6)
    wrench = inputs.data['wrench'].numpy()
    np.testing.assert_array_equal(raw[:, 70 : 70 + wrench[0].size], wrench.reshape(3, -1))
    assert raw.shape[1] == 6 + 64 + sum(
        inputs.data[m][0].numel() for m in ('wrench', 'pose', 'twist', 'gripper')
    )


def test_a_backbones_features_are_raw_features_too() -> None:
    images = torch.rand(2, 1280)
    raw = raw_features(Inputs({'image': images}, torch.ones(2, 6, dtype=torch.bool)))
    np.testing.assert_array_equal(raw[:, 6:], images.numpy())
