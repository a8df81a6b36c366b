# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import SENSORS, declared
from m2r2_ros.discovery.method import Calibration, Detector, Setting
from m2r2_ros.discovery.optical_flow import METHOD, FlowOptions, FlowSource, OpticalFlow
from test.discovery.laps.scenes import IMAGES, camera, on_and_off, videos

LENGTHS = [30, 30, 30, 20, 20]


@pytest.fixture(scope='module')
def calibration() -> Calibration:
    return METHOD.calibrate([[camera(videos(on_and_off(LENGTHS)))]], IMAGES)


@pytest.fixture
def detector(calibration: Calibration) -> Detector:
    return METHOD.open(calibration, IMAGES)


def test_flow_is_there_while_something_moves() -> None:
    energies = FlowSource('image', 96).extend(camera(videos(on_and_off([10, 10]))))
    values = np.array(energies, float)
    assert len(values) == 19
    assert values[:9].max() < 1e-3 < values[10:].min()


def test_segments_begin_where_motion_begins_and_ends(detector: Detector) -> None:
    windows = camera(videos(on_and_off(LENGTHS), 1))
    scores = np.concatenate([detector.extend(windows), detector.finish()])
    assert len(scores) == len(windows) and scores.dtype == np.float32
    found = np.flatnonzero(scores)
    assert len(found) == 4 and np.abs(found - np.cumsum(LENGTHS)[:-1]).max() <= 2


def test_streaming_gives_the_scores_of_the_whole(detector: Detector) -> None:
    frames = videos(on_and_off(LENGTHS), 1)
    windows = camera([None if 40 <= k < 45 else f for k, f in enumerate(frames)])
    windows.restarts[100] = True
    whole = np.concatenate([detector.extend(windows), detector.finish()])
    for size in (1, 9):
        parts = [detector.extend(windows[k : k + size]) for k in range(0, len(windows), size)]
        assert np.array_equal(np.concatenate([*parts, detector.finish()]), whole)


def test_the_threshold_lies_between_rest_and_motion(calibration: Calibration) -> None:
    energies = np.array(FlowSource('image', 96).extend(camera(videos(on_and_off([10, 10])))), float)
    assert energies[:9].max() < calibration.options['theta_on'] < np.median(energies[10:])
    assert calibration.options['camera'] == 'image' and not calibration.tensors


def test_what_cannot_be_calibrated_or_opened_is_refused(calibration: Calibration) -> None:
    with pytest.raises(DiscoveryError, match='camera image, found none'):
        METHOD.calibrate([], Setting(declared(SENSORS), 10.0))
    with pytest.raises(DiscoveryError, match='8 images of image or more, found 0'):
        METHOD.calibrate([[camera([None] * 30)]], IMAGES)
    with pytest.raises(DiscoveryError, match='nothing moves'):
        METHOD.calibrate([[camera(videos(on_and_off([12])))]], IMAGES)
    with pytest.raises(ConfigError, match=r'optical_flow.up'):
        OpticalFlow(replace(FlowOptions(), up=0)).calibrate([], IMAGES)
    for bad in ({'camera': ''}, {'hysteresis': 2.0}, {'theta_on': 0.0}, {'speed': 1}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            METHOD.open(Calibration({**calibration.options, **bad}), IMAGES)
