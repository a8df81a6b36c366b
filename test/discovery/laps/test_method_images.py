# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import BUILTIN, SENSORS, declared
from m2r2_ros.discovery.laps.latents import LatentDetector
from m2r2_ros.discovery.laps.method_images import METHOD, LapsImageOptions, LapsImages
from m2r2_ros.discovery.method import Calibration, Setting
from test.discovery.laps.scenes import IMAGES, camera, on_and_off, videos

LENGTHS = [40, 32, 40]
SMALL = LapsImages(
    LapsImageOptions(
        size=64, window=8, stride=4, hidden=32, heads=2, enc_layers=1, steps=60, batch=8, bins=9
    )
)


@pytest.fixture(scope='module')
def calibration() -> Calibration:
    return SMALL.calibrate([[camera(videos(on_and_off(LENGTHS)))]], IMAGES)


@pytest.fixture
def detector(calibration: Calibration) -> LatentDetector[np.ndarray]:
    return METHOD.open(calibration, IMAGES)  # type: ignore[return-value]


def test_primitives_are_where_something_moves(
    calibration: Calibration, detector: LatentDetector[np.ndarray]
) -> None:
    windows = camera(videos(on_and_off(LENGTHS), 1))
    energies = detector._source.extend(windows)
    middles = 3 + 4 * np.arange(len(energies))
    values = np.array(energies, float)
    resting = (middles < 34) | (middles > 78)
    moving = (middles > 44) & (middles < 68)
    assert values[moving].min() > calibration.options['theta_on'] > values[resting].max()
    scores = np.concatenate([detector.extend(windows), detector.finish()])
    assert len(scores) == len(windows)
    found = np.flatnonzero(scores)
    assert len(found) == 2 and np.abs(found - [40, 72]).max() <= 6


def test_streaming_gives_the_scores_of_the_whole(detector: LatentDetector[np.ndarray]) -> None:
    frames = videos(on_and_off(LENGTHS), 1)
    windows = camera([None if k in (50, 51) else f for k, f in enumerate(frames)])
    whole = np.concatenate([detector.extend(windows), detector.finish()])
    parts = [detector.extend(windows[k : k + 5]) for k in range(0, len(windows), 5)]
    assert np.array_equal(np.concatenate([*parts, detector.finish()]), whole)


def test_a_camera_that_is_lost_ends_nothing(detector: LatentDetector[np.ndarray]) -> None:
    frames = videos(on_and_off([40, 60]), 1)
    windows = camera([None if 60 <= k < 80 else f for k, f in enumerate(frames)])
    scores = np.concatenate([detector.extend(windows), detector.finish()])
    assert len(np.flatnonzero(scores)) == 1
    detector.latents.keeps = True
    detector.extend(windows)
    latents = detector.latents.drain()
    assert not len(detector.latents.drain().codes)
    assert not np.isin(latents.frames, np.arange(64, 78)).any()
    assert np.isin([20, 55, 95], latents.frames).all()


def test_what_a_camera_cannot_give_is_refused(calibration: Calibration) -> None:
    with pytest.raises(DiscoveryError, match='camera image, found none'):
        SMALL.calibrate([], Setting(declared(SENSORS), 10.0))
    with pytest.raises(DiscoveryError, match='0 windows of 8 frames with images of image in 1'):
        SMALL.calibrate([[camera([None] * 100)]], IMAGES)
    with pytest.raises(DiscoveryError, match='nothing moves'):
        SMALL.calibrate([[camera(videos(on_and_off([60])))]], IMAGES)
    for bad in ({'tracker': 'none'}, {'size': 0}, {'theta_on': -1.0}, {'camera': ''}):
        with pytest.raises(ConfigError, match=f'{next(iter(bad))}'):
            METHOD.open(Calibration({**calibration.options, **bad}, calibration.tensors), IMAGES)


def test_the_camera_can_be_named() -> None:
    wrist = replace(BUILTIN['image'], name='wrist')
    setting = Setting({'image': BUILTIN['image'], 'wrist': wrist}, 10.0)
    method = LapsImages(replace(SMALL.options, camera='wrist'))
    with pytest.raises(DiscoveryError, match='images of wrist'):
        method.calibrate([[camera(videos(on_and_off([30, 30])))]], setting)
