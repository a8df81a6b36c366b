# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from m2r2_ros.discovery.laps.energy import (
    MovingAverage,
    best_threshold,
    latent_energy,
    otsu,
    velocity_energy,
)


def test_latent_energy_is_the_mean_step() -> None:
    z_q = np.array([[0, 0], [3, 4], [3, 4], [3, 5]], np.float32)
    assert latent_energy(z_q) == pytest.approx((5 + 0 + 1) / 3)


def test_velocity_energy_is_the_mean_change_of_all_points() -> None:
    steady = np.ones((4, 6), np.float32)
    assert velocity_energy(steady, 2) == 0
    jolt = np.zeros((3, 4), np.float32)
    jolt[1, :2] = 3, 4  # one of two points goes there and rests
    assert velocity_energy(jolt, 2) == pytest.approx(2.5)
    assert velocity_energy(jolt, 1) == pytest.approx(7 / 4)


def test_the_moving_average_begins_with_the_first_value() -> None:
    average = MovingAverage(0.7)
    assert [average.step(e) for e in (1.0, 0.0, 0.0)] == pytest.approx([1, 0.3, 0.09])
    average.reset()
    assert average.step(5.0) == 5


def test_otsu_parts_two_groups() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(1, 0.1, 300), rng.normal(5, 0.3, 60)])
    assert 1.4 < otsu(values) < 4.2
    assert otsu(np.full(4, 2.0)) == 2


def test_the_best_threshold_agrees_with_the_pseudo_labels() -> None:
    rng = np.random.default_rng(0)
    moving = rng.random(400) < 0.3
    energies = np.where(moving, 3.0, 1.0) + rng.uniform(-0.5, 0.5, 400)
    energies[:4] = 0.1, 0.1, 9, 9  # a few that disagree
    theta = best_threshold(energies, moving)
    assert 1.5 <= theta <= 2.5
