# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Boundaries are where a predictor of the signals fails, and not where it is right."""

from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.core.errors import BundleError, ConfigError, DiscoveryError
from m2r2_ros.core.modalities import declared
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.method import Calibration, Detector, Setting
from m2r2_ros.discovery.otas import METHOD, fit
from test.discovery.test_features import in_chunks, made, steps

SETTING = Setting(declared(('wrench', 'twist')), 10.0)
CHANGES = [60, 120, 170]


def recording(n: int = 240, seed: int = 0) -> FrameWindows:
    names = ('wrench', 'twist')
    return made({name: steps(n, 6, CHANGES, 2 * seed + k) for k, name in enumerate(names)})


def calibrated() -> Calibration:
    return METHOD.calibrate([[recording(seed=k)] for k in (1, 2)], SETTING)


def detector(**options: object) -> Detector:
    found = calibrated()
    return METHOD.open(replace(found, options={**found.options, **options}), SETTING)


def test_it_finds_the_changes_and_no_others() -> None:
    scores = in_chunks(detector(), recording(), 1000)
    found = np.flatnonzero(scores)
    assert len(found) == len(CHANGES)
    assert np.abs(found - CHANGES).max() <= 3
    assert scores.max() < 1


def test_what_can_be_foreseen_is_no_surprise() -> None:
    # A slow sine of two channels says what follows; noise does not.
    t = np.arange(600)[:, None] / 20
    values = np.concatenate([np.sin(t), np.cos(t)], axis=1)
    predictor = fit([values], 10, 5)
    run = values @ predictor.basis
    errors = [predictor.error(run[k - 10 : k], run[k : k + 5]) for k in range(10, 500)]
    assert max(errors) * predictor.usual[0] < 0.1
    noise = np.random.default_rng(0).normal(size=(600, 2))
    assert fit([noise], 10, 5).usual[0] > 0.3


@pytest.mark.parametrize('size', [1, 7, 100])
def test_chunks_make_no_difference(size: int) -> None:
    opened = detector()
    whole = in_chunks(opened, recording(), 1000)
    assert np.array_equal(in_chunks(opened, recording(), size), whole)


def test_a_score_comes_as_late_as_it_says() -> None:
    opened, windows = detector(), recording()
    assert opened.lag
    assert not len(opened.extend(windows[: opened.lag]))
    assert len(opened.extend(windows[opened.lag : opened.lag + 1])) == 1
    assert len(opened.finish()) == opened.lag


def test_masked_frames_are_no_surprise() -> None:
    windows = recording()
    windows.present[80:100] = False
    windows.sensors['wrench'][80:100] = 1e6
    found = np.flatnonzero(in_chunks(detector(), windows, 10))
    assert np.abs(found - CHANGES).max() <= 3


@pytest.mark.parametrize('n', [0, 1, 12])
def test_short_recordings(n: int) -> None:
    assert in_chunks(detector(), recording()[:n], 5).tolist() == [0.0] * n


def test_what_is_constant_or_all_masked_has_no_boundary() -> None:
    still = made({name: np.ones((200, 6)) for name in ('wrench', 'twist')})
    opened = METHOD.open(METHOD.calibrate([[still]], SETTING), SETTING)
    assert not in_chunks(opened, still, 64).any()
    gone = recording()
    gone.present[:] = False
    assert not in_chunks(detector(), gone, 64).any()


def test_it_says_what_calibration_lacks() -> None:
    with pytest.raises(DiscoveryError, match=r'at least 75 frames that have 10 .* found 6'):
        METHOD.calibrate([[recording()[:20]]], SETTING)
    with pytest.raises(DiscoveryError, match='otas: expected a vector'):
        METHOD.calibrate([], SETTING)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'window': 3}, 'unknown entries'),
        ({'past': 2.5}, 'otas.past: expected a whole number'),
        ({'threshold': -1}, 'otas.threshold: expected 0 to 1'),
    ],
)
def test_it_refuses_options(options: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        detector(**options)


def test_it_refuses_weights_of_another_shape() -> None:
    found = calibrated()
    tensors = {**found.tensors, 'weights': found.tensors['weights'][:-1]}
    with pytest.raises(BundleError, match="'weights'"):
        METHOD.open(replace(found, tensors=tensors), SETTING)
