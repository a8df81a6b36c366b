# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Noise on labels and off again: the schedule, DDIM's times and its step."""

from itertools import pairwise
from math import cos, pi

import pytest
import torch
from torch import Tensor

from m2r2_ros.network.heads.diffusion import (
    cosine_schedule,
    noisy,
    sample,
    sampling_times,
    scaled,
    step,
    unscaled,
)

SCHEDULE = cosine_schedule(1000)


def test_the_schedule_falls_from_one_to_zero() -> None:
    assert SCHEDULE.shape == (1000,)
    assert bool((SCHEDULE[1:] < SCHEDULE[:-1]).all())
    half = cos((0.5 + 0.008) / 1.008 * pi / 2) ** 2 / cos(0.008 / 1.008 * pi / 2) ** 2
    assert float(SCHEDULE[499]) == pytest.approx(half, rel=1e-5)
    assert float(SCHEDULE[0]) > 0.9999
    assert 0 < float(SCHEDULE[-1]) < 1e-6


def test_times_go_from_the_last_step_to_the_labels() -> None:
    assert sampling_times(4, 4) == sampling_times(4, 9) == [3, 2, 1, 0, -1]
    assert sampling_times(1, 25) == [0, -1]
    times = sampling_times(1000, 25)
    assert (times[0], times[-1], len(times)) == (999, -1, 26)
    assert {a - b for a, b in pairwise(times)} <= {39, 40, 41}


def test_labels_are_scaled_there_and_back() -> None:
    labels = torch.tensor([0.0, 0.25, 1.0])
    assert scaled(labels, 0.5).tolist() == [-0.5, -0.25, 0.5]
    assert torch.equal(unscaled(scaled(labels, 0.5), 0.5), labels)
    assert unscaled(torch.tensor([-3.0, 3.0]), 0.5).tolist() == [0.0, 1.0]


def test_noise_hides_more_the_later_the_step() -> None:
    torch.manual_seed(0)
    labels = torch.eye(4).repeat(200, 1)
    assert torch.equal(noisy(labels, torch.tensor(1.0), 0.5), labels)
    errors = [float((noisy(labels, SCHEDULE[t], 0.5) - labels).abs().mean()) for t in (0, 300, 999)]
    assert errors == sorted(errors)
    noise = noisy(labels, SCHEDULE[999], 0.5)
    assert float(noise[labels == 1].mean()) == pytest.approx(0.5, abs=0.05)


def test_a_step_leaves_labels_and_noise_as_the_schedule_says() -> None:
    """x_t with the true labels becomes sqrt(a) x_0 with noise of variance 1 - a."""
    torch.manual_seed(0)
    labels = torch.full((200_000,), 0.5)
    now, then = SCHEDULE[700], SCHEDULE[300]
    x = now.sqrt() * labels + (1 - now).sqrt() * torch.randn(200_000)
    earlier = step(x, labels, now, then, torch.randn(200_000))
    assert float(earlier.mean()) == pytest.approx(float(then.sqrt()) * 0.5, abs=0.01)
    assert float(earlier.var()) == pytest.approx(float(1 - then), abs=0.01)


def test_whoever_knows_the_labels_ends_with_them() -> None:
    labels = torch.eye(3)
    visited: list[int] = []
    errors: list[float] = []

    def denoise(x: Tensor, now: int) -> Tensor:
        visited.append(now)
        errors.append(float((x - labels).abs().mean()))
        return labels

    torch.manual_seed(0)
    found = sample(denoise, lambda: torch.randn(3, 3), SCHEDULE, 10, 0.5)
    assert torch.equal(found, labels)
    assert visited == sampling_times(1000, 10)[:-1]
    assert errors[-1] < 0.1 < errors[0]
