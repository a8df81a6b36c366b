# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ABD finds where features turn, and as many segments as it is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import declared
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.abd import METHOD, abd
from m2r2_ros.discovery.method import Detector, Setting
from test.discovery.test_features import in_chunks, made, steps

SETTING = Setting(declared(('wrench', 'twist')), 10.0)
CHANGES = [50, 90, 150]


def recording(n: int = 200) -> FrameWindows:
    return made({name: steps(n, 6, CHANGES, k) - 1.5 for k, name in enumerate(('wrench', 'twist'))})


def detector(**options: object) -> Detector:
    found = METHOD.calibrate([[recording()]], SETTING)
    return METHOD.open(replace(found, options={**found.options, **options}), SETTING)


def test_boundaries_are_where_features_turn() -> None:
    found = abd(recording().sensors['wrench'][:, 0].astype(np.float64), 4)
    assert len(found) == 3
    assert np.abs(found - CHANGES).max() <= 5  # the moving average is 25 frames wide


@pytest.mark.parametrize('segments', [1, 2, 5, 12])
def test_there_are_no_more_segments_than_asked_for(segments: int) -> None:
    features = np.random.default_rng(0).normal(size=(300, 4))
    found = abd(features, segments)
    assert len(found) <= segments - 1
    assert np.all(np.diff([0, *found, 300]) > 0)
    if segments > 1:
        assert len(found)


def test_the_most_alike_neighbours_are_merged() -> None:
    # Two turns of 180 degrees and one of 30 between them: the small one goes.
    angles = np.repeat([0.0, np.pi, np.pi + 0.5, 0.5], 25)
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert abd(features, 3, 0.2).tolist() == [25, 75]


@pytest.mark.parametrize('value', [0.0, 3.0])
def test_what_is_constant_is_one_segment(value: float) -> None:
    assert not len(abd(np.full((100, 3), value), 5))


@pytest.mark.parametrize('n', [1, 2, 3])
def test_there_may_be_fewer_frames_than_segments(n: int) -> None:
    assert len(abd(np.random.default_rng(0).normal(size=(n, 2)), 9)) < n


def test_scores_mark_the_boundaries() -> None:
    scores = in_chunks(detector(segment_s=5.0), recording(), 1000)
    found = np.flatnonzero(scores)
    assert len(found) == 3
    assert np.abs(found - CHANGES).max() <= 5


@pytest.mark.parametrize('size', [1, 9])
def test_chunks_make_no_difference(size: int) -> None:
    opened = detector()
    assert opened.lag is None
    whole = in_chunks(opened, recording(), 1000)
    assert whole.any()
    assert np.array_equal(in_chunks(opened, recording(), size), whole)


def test_masked_frames_hold_what_was() -> None:
    windows = recording()
    windows.present[60:70] = False
    windows.sensors['wrench'][60:70] = 1e6
    found = np.flatnonzero(in_chunks(detector(segment_s=5.0), windows, 10))
    assert np.abs(found - CHANGES).max() <= 5
    windows.present[:] = False
    assert not in_chunks(detector(), windows, 10).any()


@pytest.mark.parametrize('n', [0, 1])
def test_short_recordings(n: int) -> None:
    assert in_chunks(detector(), recording()[:n], 1).tolist() == [0.0] * n


def test_it_says_what_calibration_lacks() -> None:
    with pytest.raises(DiscoveryError, match='at least 50 frames with wrench, twist, found 9'):
        METHOD.calibrate([[recording()[:9]]], SETTING)
    with pytest.raises(DiscoveryError, match='abd: expected a vector'):
        METHOD.calibrate([[]], SETTING)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'segments': 3}, 'unknown entries'),
        ({'segment_s': 0}, 'abd.segment_s: expected more than 0'),
        ({'vectors': 'wrench'}, 'abd.vectors: expected a list'),
    ],
)
def test_it_refuses_options(options: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        detector(**options)
