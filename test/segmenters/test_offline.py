# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An offline head behind the Segmenter protocol: every frame once, all at the end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.core.windows import FrameWindows, masks_of
from m2r2_ros.model.head_config import HeadConfig, MSTCNConfig, NoHeadConfig
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.network.attach import attach_head
from m2r2_ros.network.bundle import Bundle, save_bundle
from m2r2_ros.network.tensors import InputTensors
from m2r2_ros.segmenters import open_model
from m2r2_ros.segmenters.base import WHOLE_RECORDING, Segmenter
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.network import NetworkSegmenter
from m2r2_ros.segmenters.offline import OfflineSegmenter
from m2r2_ros.segmenters.online import OnlineSegmenter
from m2r2_ros.training.segmenter import segmenter_of
from test.network.networks import SENSING, make_bundle, make_windows
from test.segmenters.test_learned import restarting, same, stepped

WINDOWS = make_windows(40)


def bundle_of(head: HeadConfig) -> Bundle:
    return make_bundle(replace(SENSING, head=head))


BUNDLE = bundle_of(MSTCNConfig(stages=2, layers=4, width=16))


def segmenter() -> NetworkSegmenter:
    return segmenter_of(BUNDLE, Decoding())


def test_it_keeps_the_protocol_and_says_that_it_is_offline() -> None:
    made: Segmenter = segmenter()
    assert made.revision_lag == WHOLE_RECORDING
    assert made.labels == BUNDLE.labels


def test_labels_are_those_of_the_head_on_the_whole() -> None:
    labels = segmenter().segment(WINDOWS)
    inputs = InputTensors.of(make_inputs(WINDOWS, BUNDLE.normalisation, BUNDLE.model.modalities))
    with torch.no_grad():
        found = BUNDLE.network.head.predict(BUNDLE.network.features(inputs))
    np.testing.assert_allclose([x.probabilities for x in labels], found.probabilities, atol=1e-5)
    np.testing.assert_allclose([x.boundary_score for x in labels], found.boundaries, atol=1e-5)
    assert [x.label_id for x in labels] == found.probabilities.argmax(dim=1).tolist()
    assert [x.stamp for x in labels] == WINDOWS.stamps.tolist()
    looked_at = masks_of(np.stack([WINDOWS.has(m) for m in SENSORS], axis=1))
    assert [x.modality_mask for x in labels] == looked_at.tolist()


def test_each_label_tells_how_many_frames_were_seen_after_it() -> None:
    assert [x.revision_lag for x in segmenter().segment(WINDOWS)] == list(range(39, -1, -1))


def test_nothing_is_said_before_the_end() -> None:
    s = segmenter()
    assert all(s.step(WINDOWS[i : i + 1]) is None for i in range(len(WINDOWS)))
    assert same(s.finish(), segmenter().segment(WINDOWS))
    assert s.finish() == []


def test_a_clock_that_jumps_ends_what_was_before() -> None:
    windows = restarting(WINDOWS, 25)
    labels = segmenter().segment(windows)
    first, second = segmenter().segment(windows[:25]), segmenter().segment(windows[25:])
    assert [x.label_id for x in labels] == [x.label_id for x in first + second]
    assert [x.revision_lag for x in labels] == [*range(24, -1, -1), *range(14, -1, -1)]
    assert labels[25].segment_index == labels[24].segment_index + 1


def test_nothing_in_nothing_out() -> None:
    empty: FrameWindows = WINDOWS[:0]
    assert segmenter().segment(empty) == []


def test_a_bundle_is_the_segmenter_that_its_head_is() -> None:
    assert isinstance(segmenter_of(BUNDLE), OfflineSegmenter)
    assert isinstance(segmenter_of(make_bundle()), OnlineSegmenter)
    with pytest.raises(BundleError, match='without a head'):
        segmenter_of(bundle_of(NoHeadConfig()))


def test_a_bundle_with_two_heads_labels_recordings_with_one_and_live_with_the_other(
    tmp_path: Path,
) -> None:
    online = make_bundle()
    both = attach_head(online, BUNDLE.model.head, BUNDLE.network.head)
    saved = save_bundle(both, tmp_path / 'model')
    whole, live = open_model(tmp_path / 'model'), open_model(tmp_path / 'model', live=True)
    assert (whole.id, live.id) == (f'{saved.id}-offline', saved.id)
    assert whole.segmenter.revision_lag == WHOLE_RECORDING
    assert live.segmenter.revision_lag == online.decoding['lag']
    expected = segmenter_of(save_bundle(online, tmp_path / 'online'))
    assert same(live.segmenter.segment(WINDOWS), expected.segment(WINDOWS))
    again = attach_head(saved, online.model.head, online.network.head)
    assert again.model == both.model


def test_frames_as_they_come_are_refused_by_name(tmp_path: Path) -> None:
    saved = save_bundle(BUNDLE, tmp_path / 'model')
    with pytest.raises(BundleError, match='ms_tcn is offline'):
        open_model(tmp_path / 'model', live=True)
    assert open_model(tmp_path / 'model').id == f'{saved.id}-offline'


def test_no_label_is_lost_step_by_step_when_the_clock_jumps() -> None:
    windows = restarting(WINDOWS, 25)
    assert same(stepped(segmenter(), windows), segmenter().segment(windows))


def test_what_steps_left_waiting_comes_once_with_what_follows() -> None:
    windows, s = restarting(WINDOWS, 25), segmenter()
    first = [s.step(windows[i : i + 1]) for i in range(28)]
    labels = [x for x in first if x is not None] + s.extend(windows[28:]) + s.finish()
    assert same(labels, segmenter().segment(windows))
