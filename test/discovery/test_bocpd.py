# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Changepoints of forces: exact where no run is dropped, stable, and the same live."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError, ConfigError, DiscoveryError
from m2r2_ros.core.modalities import declared
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.bocpd import METHOD, Bocpd
from m2r2_ros.discovery.method import Detector, Setting
from m2r2_ros.discovery.student_t import Prior, StudentRuns
from test.discovery.test_features import in_chunks, made, steps

WRENCH = declared(('wrench',))
SETTING = Setting(WRENCH, 10.0)
CHANGES = [60, 130, 170]


def wrench(n: int = 240, seed: int = 0) -> FrameWindows:
    return made({'wrench': steps(n, 6, CHANGES, seed)})


def detector(**options: object) -> Detector:
    found = METHOD.calibrate([[wrench()]], SETTING)
    return METHOD.open(replace(found, options={**found.options, **options}), SETTING)


def log_density(apart: NDArray[np.float64], shape: NDArray[np.float64], freedom: float) -> float:
    """Return the log density of a multivariate t."""
    d = len(apart)
    near = 1 + apart @ np.linalg.solve(shape, apart) / freedom
    gammas = math.lgamma((freedom + d) / 2) - math.lgamma(freedom / 2)
    _, log_det = np.linalg.slogdet(np.pi * freedom * shape)
    return float(gammas - log_det / 2 - (freedom + d) / 2 * np.log(near))


def run_density(run: NDArray[np.float64], sample: NDArray[np.float64], prior: Prior) -> float:
    """Return the log density of a sample after those of a run, (n, D)."""
    d, n = prior.dims, len(run)
    kappa, nu = prior.strength + n, prior.nu + n
    mean = run.mean(axis=0) if n else np.zeros(d)
    psi = prior.psi * np.eye(d) + (run - mean).T @ (run - mean)
    psi += prior.strength * n / kappa * np.outer(mean, mean)
    freedom = nu - d + 1
    shape = psi * (kappa + 1) / (kappa * freedom)
    return log_density(sample - n * mean / kappa, shape, freedom)


def textbook(samples: NDArray[np.float64], prior: Prior, hazard: float) -> NDArray[np.float64]:
    """Return P(the run that the next frame belongs to began at frame b | data), (T + 1,)."""
    began = np.array([1.0])
    for t, sample in enumerate(samples):
        densities = np.array([run_density(samples[b:t], sample, prior) for b in range(t + 1)])
        joint = began * np.exp(densities - densities.max())
        began = np.append(joint * (1 - hazard), joint.sum() * hazard) / joint.sum()
    return began


@pytest.mark.parametrize('dims', [1, 3])
def test_it_is_exact_where_no_run_is_dropped(dims: int) -> None:
    samples = np.random.default_rng(dims).normal(size=(40, dims))
    samples[20:] += 4.0
    prior, hazard = Prior(dims, 0.7, 0.3, 1.5), 0.05
    core = Bocpd(prior, hazard, 41)
    for t, sample in enumerate(samples):
        posterior = core.step(sample)
        expected = textbook(samples[: t + 1], prior, hazard)
        assert np.array_equal(posterior.begun, np.arange(t + 2))
        np.testing.assert_allclose(posterior.probability, expected, atol=1e-8)
    assert posterior.begun[np.argmax(posterior.probability)] == 20


def test_long_runs_are_as_exact_as_short_ones() -> None:
    prior, rng = Prior(3, 0.7, 0.3, 1.5), np.random.default_rng(0)
    runs, samples = StudentRuns(prior, 1), rng.normal(size=(1200, 3))
    runs.begin(0)
    found = [float(runs.observe(sample)[0]) for sample in samples]
    for t in (1000, 1023, 1024, 1199):  # a table ends at 1024
        assert found[t] == pytest.approx(run_density(samples[:t], samples[t], prior), abs=1e-9)


def test_few_runs_are_as_good_as_all() -> None:
    samples = steps(240, 6, CHANGES)
    few, every = Bocpd(Prior(6), 0.02, 40, 10), Bocpd(Prior(6), 0.02, 241)
    for sample in samples:
        some, all_ = few.step(sample), every.step(sample)
        assert len(some.begun) <= 40
        assert some.probability.sum() == pytest.approx(1.0)
        newest = np.argsort(some.begun)[-10:]
        assert np.array_equal(some.begun[newest], all_.begun[-len(newest) :])
        kept = all_.probability[some.begun]
        np.testing.assert_allclose(some.probability, kept, atol=1e-3)


@pytest.mark.parametrize('kind', ['constant', 'huge', 'tiny', 'shifted', 'noise'])
def test_it_stays_finite_for_20000_frames(kind: str) -> None:
    samples = np.random.default_rng(0).normal(size=(20_000, 6))
    samples = {
        'constant': samples * [1, 1, 1, 0, 0, 0],
        'huge': samples * 1e6,
        'tiny': samples * 1e-9,
        'shifted': samples * 1e-3 + 1e6,
        'noise': samples,
    }[kind]
    core = Bocpd(Prior(6), 0.02, 30, 8)
    for sample in samples:
        posterior = core.step(sample)
    assert np.isfinite(posterior.probability).all()
    assert posterior.probability.sum() == pytest.approx(1.0)
    # Nothing changed: the run is as old as the recording, or nearly so.
    assert posterior.begun[np.argmax(posterior.probability)] < 100


def test_the_newest_run_has_the_hazard_and_is_not_asked() -> None:
    core = Bocpd(Prior(2), 0.1, 50)
    for sample in steps(30, 2, [15]):
        posterior = core.step(sample)
        assert posterior.probability[-1] == pytest.approx(0.1)


def test_a_frame_without_a_sample_changes_no_probability() -> None:
    core = Bocpd(Prior(2), 0.1, 50)
    assert core.step(np.full(2, np.nan)).begun.tolist() == [0]
    before = core.step(np.array([0.1, 0.2]))
    after = core.step(np.array([np.nan, 0.0]))
    assert np.array_equal(before.probability, after.probability)
    assert before.begun.tolist() == [0, 2]
    assert after.begun.tolist() == [0, 3]
    assert core.step(np.array([0.1, 0.2])).begun.tolist() == [0, 3, 4]


def test_it_finds_the_changes_and_no_others() -> None:
    scores = in_chunks(detector(), wrench(seed=1), 1000)
    found = np.flatnonzero(scores)
    assert len(found) == len(CHANGES)
    assert np.abs(found - CHANGES).max() <= 1
    assert scores.max() <= 1.0


@pytest.mark.parametrize('size', [1, 7, 100])
def test_chunks_make_no_difference(size: int) -> None:
    opened = detector()
    whole = in_chunks(opened, wrench(), 1000)
    assert np.array_equal(in_chunks(opened, wrench(), size), whole)


def test_a_score_comes_as_late_as_it_says() -> None:
    opened, windows = detector(), wrench()
    assert opened.lag
    assert not len(opened.extend(windows[: opened.lag]))
    assert len(opened.extend(windows[opened.lag : opened.lag + 1])) == 1
    assert len(opened.finish()) == opened.lag


def test_a_change_while_masked_is_found_when_data_come_back() -> None:
    windows = made({'wrench': steps(240, 6, [130])})
    windows.present[120:140] = False
    found = np.flatnonzero(in_chunks(detector(), windows, 50))
    assert found.tolist() == [140]
    windows.present[:30] = False
    assert np.flatnonzero(in_chunks(detector(), windows, 50)).tolist() == [140]


@pytest.mark.parametrize('n', [0, 1, 3])
def test_short_recordings(n: int) -> None:
    assert in_chunks(detector(), wrench()[:n], 2).tolist() == [0.0] * n


def test_what_is_constant_or_all_masked_has_no_change() -> None:
    still = made({'wrench': np.ones((200, 6))})
    calibration = METHOD.calibrate([[still]], SETTING)
    assert not in_chunks(METHOD.open(calibration, SETTING), still, 64).any()
    gone = wrench()
    gone.present[:] = False
    assert not in_chunks(detector(), gone, 64).any()


def test_without_a_wrench_it_looks_at_what_there_is() -> None:
    values = {name: steps(200, 6, [100]) for name in ('twist', 'wrench', 'imu')}
    setting = Setting(declared(tuple(values)), 10.0)
    windows = made(values)
    assert METHOD.calibrate([[windows]], setting).options['vectors'] == ['wrench']
    windows.present[:, list(windows.modalities).index('wrench')] = False
    assert METHOD.calibrate([[windows]], setting).options['vectors'] == ['twist']
    windows.present[:, list(windows.modalities).index('twist')] = False
    assert METHOD.calibrate([[windows]], setting).options['vectors'] == ['imu']


def test_it_says_what_calibration_lacks() -> None:
    with pytest.raises(DiscoveryError, match='at least 50 frames with wrench, found 20'):
        METHOD.calibrate([[wrench()[:20]]], SETTING)
    with pytest.raises(DiscoveryError, match=r'a vector in at least half.*declared: wrench'):
        METHOD.calibrate([], SETTING)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'hazzard_s': 1.0}, 'unknown entries'),
        ({'threshold': 2.0}, 'bocpd.threshold: expected 0 to 1'),
        ({'vectors': ['pose']}, 'bocpd.vectors: expected a list of some of wrench'),
        ({'vectors': []}, 'bocpd.vectors'),
        ({'runs': 1.5}, 'bocpd.runs: expected a whole number'),
    ],
)
def test_it_refuses_options(options: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        detector(**options)


def test_it_refuses_a_calibration_without_scales() -> None:
    calibration = METHOD.calibrate([[wrench()]], SETTING)
    with pytest.raises(BundleError, match=r"tensor 'mean'.*missing"):
        METHOD.open(replace(calibration, tensors={}), SETTING)
