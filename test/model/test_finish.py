# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From logits to what a model says, by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.model.finish import change_scores, draws_of, finish, noise_for, softmax
from m2r2_ros.model.head_config import (
    ASFormerConfig,
    ASRFConfig,
    CausalTCNConfig,
    DiffActConfig,
    HeadConfig,
    MSTCNConfig,
    OnlineTASConfig,
    ProTASConfig,
)
from m2r2_ros.model.median import median_filtered
from m2r2_ros.model.refinement import pieces_between, vote

N, C = 12, 3


def random(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 2, shape).astype(np.float32)


@pytest.mark.filterwarnings('error')
def test_softmax_overflows_nowhere() -> None:
    found = softmax(np.array([[0, np.log(3)], [1e4, -1e4], [-1e30, -1e30]], np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]]), rtol=1e-6)


def test_changes_are_what_two_frames_do_not_share() -> None:
    p = np.array([[1, 0], [1, 0], [0, 1], [0.5, 0.5]], np.float32)
    assert change_scores(p).tolist() == [0, 0, 1, 0.5]
    assert change_scores(p[:1]).tolist() == [0]


@pytest.mark.parametrize('config', [CausalTCNConfig(), ProTASConfig(), OnlineTASConfig()])
def test_online_heads_have_boundaries_of_their_own(config: HeadConfig) -> None:
    logits, boundaries = random(N, 1, C), np.linspace(0, 1, N, dtype=np.float32)
    found = finish(config, logits, boundaries)
    assert np.array_equal(found.probabilities, softmax(logits[:, 0]))
    assert found.boundaries is boundaries
    assert not found.revised


def test_what_is_said_later_goes_under_its_lag() -> None:
    logits = random(N, 3, C)
    found = finish(CausalTCNConfig(lags=(0, 2, 5)), logits, np.zeros(N, np.float32))
    assert np.array_equal(found.probabilities, softmax(logits[:, 0]))
    assert list(found.revised) == [2, 5]
    assert np.array_equal(found.revised[5], softmax(logits[:, 2]))


@pytest.mark.parametrize('config', [MSTCNConfig(), ASFormerConfig(), DiffActConfig()])
def test_other_boundaries_are_changes(config: HeadConfig) -> None:
    logits = random(N, C)
    found = finish(config, logits, np.zeros(N, np.float32))
    assert np.array_equal(found.probabilities, softmax(logits))
    assert np.array_equal(found.boundaries, change_scores(found.probabilities))


def test_changes_are_those_of_what_is_filtered() -> None:
    logits = random(N, C)
    found = finish(DiffActConfig(median=5), logits, np.zeros(N, np.float32))
    assert np.array_equal(found.probabilities, median_filtered(softmax(logits), 5))
    assert np.array_equal(found.boundaries, change_scores(found.probabilities))


def test_asrf_votes_between_boundaries() -> None:
    logits, boundaries = random(N, C), np.zeros(N, np.float32)
    boundaries[[3, 8]] = 0.4
    for threshold, count in ((0.3, 3), (0.5, 1)):
        pieces = pieces_between(boundaries, threshold)
        assert pieces[-1] + 1 == count
        found = finish(ASRFConfig(threshold=threshold), logits, boundaries)
        assert np.array_equal(found.probabilities, vote(softmax(logits), pieces))
        assert found.boundaries is boundaries


def test_noise_is_the_same_in_every_run() -> None:
    config = DiffActConfig(steps=1000, sampling_steps=25)
    noise = noise_for(config, C, 4000)
    again = noise_for(config, C, 4000)
    assert noise is not None
    assert again is not None
    assert noise.shape == (25, C, 4000)
    assert noise.dtype == np.float32
    assert np.array_equal(noise, again)
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.01
    assert draws_of(DiffActConfig(steps=3)) == 3
    assert noise_for(MSTCNConfig(), C, 10) is None
