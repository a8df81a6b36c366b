# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.core.errors import BundleError, ConfigError, DiscoveryError
from m2r2_ros.discovery.laps.latents import LatentDetector
from m2r2_ros.discovery.laps.method_motion import METHOD, LapsMotion, LapsMotionOptions
from m2r2_ros.discovery.method import Calibration
from test.discovery.laps.scenes import ARM, arm, on_and_off

LENGTHS = [40, 40, 40, 40, 40]
SMALL = LapsMotion(
    LapsMotionOptions(hidden=32, heads=2, enc_layers=1, steps=120, max_windows=200, bins=9)
)


@pytest.fixture(scope='module')
def calibration() -> Calibration:
    return SMALL.calibrate([[arm(on_and_off(LENGTHS), s)] for s in (1, 2)], ARM)


@pytest.fixture
def detector(calibration: Calibration) -> LatentDetector[np.ndarray]:
    return METHOD.open(calibration, ARM)  # type: ignore[return-value]


def test_primitives_are_where_the_arm_moves(detector: LatentDetector[np.ndarray]) -> None:
    windows = arm(on_and_off(LENGTHS), 3)
    scores = np.concatenate([detector.extend(windows), detector.finish()])
    found = np.flatnonzero(scores)
    for edge in np.cumsum(LENGTHS)[:-1]:
        assert np.abs(found - edge).min() <= 6
    assert len(found) <= 8
    assert scores.min() == 0 and scores.max() <= 1


def test_streaming_gives_the_scores_of_the_whole(detector: LatentDetector[np.ndarray]) -> None:
    windows = arm(on_and_off(LENGTHS), 3)
    whole = np.concatenate([detector.extend(windows), detector.finish()])
    for size in (1, 7, 64):
        parts = [detector.extend(windows[k : k + size]) for k in range(0, len(windows), size)]
        assert np.array_equal(np.concatenate([*parts, detector.finish()]), whole)


def test_latents_follow_the_frames(detector: LatentDetector[np.ndarray]) -> None:
    windows = arm(on_and_off([30, 31]), 3)
    detector.latents.keeps = True
    detector.extend(windows)
    latents = detector.latents.drain()
    assert not len(detector.latents.drain().codes)
    assert latents.frames.tolist() == list(range(1, 60))  # the last window ends at frame 59
    assert latents.z_q.shape == (59, 32) and latents.codes.shape == (59,)
    assert latents.codes.dtype == np.int32
    moving, resting = latents.between(34, 60), latents.between(1, 28)
    assert moving.frames[0] == 34
    assert len(np.unique(moving.codes)) > len(np.unique(resting.codes))
    same = latents.codes[:, None] == latents.codes
    apart = np.linalg.norm(latents.z_q[:, None] - latents.z_q, axis=2)
    assert (apart[same] == 0).all() and (apart[~same] > 0).all()


def test_a_calibration_survives_a_file(calibration: Calibration) -> None:
    assert json.loads(json.dumps(calibration.options)) == calibration.options
    assert calibration.options['vectors'] == ['wrench', 'pose', 'twist']
    assert {t.dtype for t in calibration.tensors.values()} == {np.dtype(np.float32)}


def test_calibrating_again_gives_the_same() -> None:
    method = LapsMotion(replace(SMALL.options, steps=5, max_windows=20))
    first, again = (method.calibrate([[arm(on_and_off(LENGTHS))]], ARM) for _ in range(2))
    assert first.options == again.options
    assert all(np.array_equal(first.tensors[k], again.tensors[k]) for k in first.tensors)


def test_what_does_not_fit_is_refused(calibration: Calibration) -> None:
    options, tensors = dict(calibration.options), calibration.tensors
    for bad, says in (
        ({'vectors': 'pose'}, r'laps_motion.vectors'),
        ({'dims': [6, 9]}, r'laps_motion.dims'),
        ({'levels': [8, 1]}, r'laps_motion.levels'),
        ({'hidden': 33}, r'laps_motion.hidden: expected a multiple of heads'),
        ({'window': 'long'}, r'laps_motion.window'),
        ({'colour': 1}, 'unknown entries colour'),
    ):
        with pytest.raises(ConfigError, match=says):
            METHOD.open(Calibration({**options, **bad}, tensors), ARM)
    with pytest.raises(BundleError, match=r'to_code.bias .* missing'):
        left = {k: v for k, v in tensors.items() if k != 'to_code.bias'}
        METHOD.open(Calibration(options, left), ARM)
    with pytest.raises(ConfigError, match=r'laps_motion.steps'):
        LapsMotion(replace(SMALL.options, steps=0)).calibrate([], ARM)


def test_recordings_without_motion_are_refused() -> None:
    masked = arm(on_and_off(LENGTHS))
    masked.present[:] = False
    with pytest.raises(DiscoveryError, match='proprioception, found none'):
        SMALL.calibrate([[masked]], ARM)
    with pytest.raises(DiscoveryError, match='0 windows of 8 frames with wrench, pose, twist in 1'):
        SMALL.calibrate([[arm(on_and_off([5]))]], ARM)
    still = arm(on_and_off([60]))
    for values in still.sensors.values():
        values[:] = 1
    still.sensors['twist'][:] = 0
    with pytest.raises(DiscoveryError, match='nothing moves'):
        SMALL.calibrate([[still]], ARM)
