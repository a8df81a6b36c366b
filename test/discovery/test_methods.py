# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every method promises, whatever it looks for: on the same arm, and on bad input."""

from functools import cache

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import SENSORS
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.found import plain
from m2r2_ros.discovery.method import Calibration, detect
from m2r2_ros.discovery.methods import METHODS, OF_CAMERAS, expect_methods, find_method
from test.discovery.arm import SETTING, Arm, worker

SENSED = [name for name in METHODS if name not in OF_CAMERAS]
WINDOWS = worker(times=3).windows()


@cache
def calibrated(name: str) -> Calibration:
    return find_method(name).calibrate([[WINDOWS]], SETTING)


@pytest.mark.parametrize('name', SENSED)
def test_every_frame_has_one_score(name: str) -> None:
    detector = find_method(name).open(calibrated(name), SETTING)
    scores = np.concatenate([*detect(detector, [WINDOWS])])
    assert scores.dtype == np.float32
    assert scores.shape == WINDOWS.stamps.shape
    assert ((scores >= 0) & (scores <= 1)).all()
    assert 3 < (scores > 0).sum() < len(WINDOWS) / 3


@pytest.mark.parametrize('name', SENSED)
@pytest.mark.parametrize('size', [1, 11])
def test_pieces_change_nothing_and_the_lag_is_kept(name: str, size: int) -> None:
    method = find_method(name)
    detector = method.open(calibrated(name), SETTING)
    whole = np.concatenate([*detect(detector, [WINDOWS])])
    parts, known = [], 0
    for first in range(0, len(WINDOWS), size):
        part = WINDOWS[first : first + size]
        parts.append(detector.extend(part))
        known += len(parts[-1])
        if method.causal:
            assert detector.lag is not None
            assert known == max(0, first + len(part) - detector.lag)
        else:
            assert detector.lag is None
            assert known == 0
    parts.append(detector.finish())
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


@pytest.mark.parametrize('name', SENSED)
def test_options_are_plain_and_those_to_tune_are_among_them(name: str) -> None:
    options = calibrated(name).options
    assert plain(options) == plain(dict(options))
    for option in find_method(name).grid:
        assert isinstance(options[option], float | int)
        assert options[option] > 0
    with pytest.raises(ConfigError, match='nothing_of_the_kind'):
        bad = Calibration({**options, 'nothing_of_the_kind': 1}, calibrated(name).tensors)
        find_method(name).open(bad, SETTING)


@pytest.mark.parametrize('name', SENSED)
@pytest.mark.parametrize('masked', [[s] for s in SENSORS] + [list(SENSORS)])
def test_masked_sensors_are_survived(name: str, masked: list[str]) -> None:
    detector = find_method(name).open(calibrated(name), SETTING)
    windows = worker(times=3).windows(masked)
    scores = np.concatenate([*detect(detector, [windows])])
    assert np.isfinite(scores).all()
    assert len(scores) == len(windows)
    if masked == list(SENSORS):
        assert (scores > 0).sum() <= 1


@pytest.mark.parametrize('name', SENSED)
def test_too_little_is_refused(name: str) -> None:
    method = find_method(name)
    dark = Arm().stand(20.0).windows(SENSORS)
    bad: list[list[list[FrameWindows]]] = [[], [[]], [[WINDOWS[:0]]], [[WINDOWS[:1]]], [[dark]]]
    for recordings in bad:
        with pytest.raises(DiscoveryError, match=r'expected|nothing|no arm'):
            method.calibrate(recordings, SETTING)


@pytest.mark.parametrize('name', SENSED)
def test_what_never_changes_has_no_boundary_or_is_refused(name: str) -> None:
    windows = Arm().stand(30.0).windows(['wrench'])
    method = find_method(name)
    try:
        detector = method.open(method.calibrate([[windows]], SETTING), SETTING)
    except DiscoveryError as error:
        assert str(error)
        return
    scores = np.concatenate([*detect(detector, [windows])])
    # Methods that are told how long a segment lasts cut all the same.
    assert name == 'abd' or (scores > 0).sum() <= 1


def test_a_jump_of_the_clock_begins_a_segment() -> None:
    from dataclasses import replace

    restarts = WINDOWS.restarts.copy()
    restarts[57] = True
    jumping = replace(WINDOWS, restarts=restarts)
    for name in ('events', 'bocpd', 'awe'):
        detector = find_method(name).open(calibrated(name), SETTING)
        scores = np.concatenate([*detect(detector, [jumping[:30], jumping[30:]])])
        assert len(scores) == len(WINDOWS)
        assert scores[57] == 1.0


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"method 'magic' is unknown; known: events, bocpd"):
        find_method('magic')
    with pytest.raises(ConfigError, match='methods magic, more are unknown'):
        expect_methods(['events', 'magic', 'more'])
    with pytest.raises(ConfigError, match='no method is given'):
        expect_methods([])
    assert expect_methods(['awe', 'events', 'awe']) == ('awe', 'events')
