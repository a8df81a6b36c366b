# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.modalities import BUILTIN, MODALITIES, SENSORS, declared
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.fit import ENOUGH, Expectations, InputFit
from m2r2_ros.windows.normalisation import NormalisationFit
from test.bimanual import BIMANUAL, TACTILE

Values = NDArray[np.float32]
N, POINTS = 40, 30
CENTRES = {
    'wrench': [1, -2, 8, 0.1, 0.2, 0.3], 'pose': [0.45, -0.1, 0.2, 1, 0, 0, 0, 1, 0],
    'twist': [0.0] * 6, 'gripper': [0.04],
}  # fmt: skip
SPREADS = {
    'wrench': [2, 2, 5, 0.3, 0.3, 0.2], 'pose': [0.03, 0.03, 0.04, *[0.02] * 6],
    'twist': [*[0.05] * 3, *[0.2] * 3], 'gripper': [0.02],
}  # fmt: skip


def sensors(seed: int) -> dict[str, Values]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(CENTRES[name], SPREADS[name], (N, POINTS, BUILTIN[name].dims)).astype(
            np.float32
        )
        for name in SENSORS
    }


def windows(values: dict[str, Values], absent: tuple[str, ...] = ()) -> FrameWindows:
    stamps = np.arange(1, N + 1) * 100_000_000
    present = np.tile([m in values and m not in absent for m in MODALITIES], (N, 1))
    return FrameWindows(stamps - 100_000_000, stamps, values, present, stamps < 0)


def expectations() -> Expectations:
    fit = NormalisationFit(declared(MODALITIES))
    fit.add(sensors(0), windows(sensors(0)).present)
    return Expectations(declared(SENSORS), fit.result(), {'wrench': 500.0})


def warnings(
    change: Callable[[dict[str, Values]], None] = lambda v: None, absent: tuple[str, ...] = ()
) -> list[str]:
    values = sensors(1)
    change(values)
    fit = InputFit(expectations())
    w = windows(values, absent)
    for lo in range(0, N, 7):
        fit.add(w[lo : lo + 7])
    return fit.warnings({'wrench': 450.0})


def test_nothing_is_said_of_sensors_that_fit() -> None:
    assert warnings() == []


def test_a_heavier_hand_an_arm_aside_and_a_weaker_press_fit() -> None:
    def change(v: dict[str, Values]) -> None:
        v['wrench'] *= 0.4
        v['twist'] *= 0.001
        v['pose'][..., 1] += 0.05

    assert warnings(change) == []


@pytest.mark.parametrize(
    ('sensor', 'part', 'factor', 'expected'),
    [
        ('pose', slice(0, 3), 1000, 'pose: position is'),
        ('wrench', slice(0, 3), 1000, 'wrench: force is'),
        ('pose', slice(0, 3), 0.001, 'pose: position is'),
        ('twist', slice(3, 6), 57.3, 'twist: angular velocity is'),
        ('twist', slice(0, 3), 57.3, 'twist: linear velocity is'),
        ('gripper', slice(0, 1), 1000, 'gripper: width is'),
    ],
)
def test_other_units_are_named(sensor: str, part: slice, factor: float, expected: str) -> None:
    def change(v: dict[str, Values]) -> None:
        v[sensor][..., part] *= factor

    (warning,) = warnings(change)
    assert warning.startswith(expected)
    guess = {1000: 'thousandths', 0.001: 'a thousand times larger', 57.3: 'degrees for radians'}
    told = 'in another unit?' if 'linear' in expected and factor == 57.3 else guess[factor]
    assert told in warning


def test_swapped_axes_are_named() -> None:
    def change(v: dict[str, Values]) -> None:
        v['pose'][..., :3] = v['pose'][..., [1, 0, 2]]

    assert warnings(change) == ['pose: position fits training with the axes y x z: swapped?']


def test_a_dead_sensor_is_named() -> None:
    def change(v: dict[str, Values]) -> None:
        v['wrench'][:] = v['wrench'][0, 0]

    assert warnings(change) == ['wrench: channels all never change, in training they did']


def test_missing_modalities_are_named_where_most_are() -> None:
    assert warnings(absent=('wrench',)) == []
    (warning,) = warnings(absent=('wrench', 'twist', 'gripper'))
    assert warning.startswith('3 of the 4 modalities that the model was trained on are missing')


def test_slow_topics_are_named() -> None:
    fit = InputFit(expectations())
    fit.add(windows(sensors(1)))
    assert fit.warnings({'wrench': 50.0}) == ['wrench: 50 messages/s, 500 in training']


def test_nothing_is_said_too_early() -> None:
    fit = InputFit(expectations())
    fit.add(windows({'pose': sensors(1)['pose'] * 1000})[: ENOUGH - 1])
    assert fit.warnings() == []


def of_tactile(values: Values, *, min_rate: float = 20.0) -> InputFit:
    """Measure a sensor of 16 numbers that was trained on newtons."""
    tactile = {'tactile': replace(BIMANUAL['tactile'], min_rate=min_rate)}
    usual = np.random.default_rng(0).normal(1, 2, (N, POINTS, TACTILE)).astype(np.float32)
    trained = NormalisationFit(tactile)
    trained.add({'tactile': usual}, np.ones((N, 1), np.bool_))
    fit = InputFit(Expectations(tactile, trained.result()))
    stamps = np.arange(1, N + 1) * 100_000_000
    there = np.ones((N, 1), np.bool_)
    fit.add(
        FrameWindows(
            stamps - 100_000_000, stamps, {'tactile': values}, there, stamps < 0, modalities=tactile
        )
    )
    return fit


def touch(scale: float = 1.0) -> Values:
    noise = np.random.default_rng(1).normal(1, 2, (N, POINTS, TACTILE))
    return (scale * noise).astype(np.float32)


def test_a_vector_of_its_own_has_one_unit_for_all_its_numbers() -> None:
    assert of_tactile(touch()).warnings() == []
    (warning,) = of_tactile(touch(1000)).warnings()
    assert warning.startswith('tactile: signal is 984 times as large as in training')
    assert 'thousandths of the unit' in warning


def test_dead_cells_of_a_vector_of_its_own_are_named() -> None:
    values = touch()
    values[..., [3, 15]] = 0.5
    assert of_tactile(values).warnings() == [
        'tactile: channels [3, 15] never change, in training they did'
    ]


def test_a_source_slower_than_was_declared_is_named() -> None:
    fit = of_tactile(touch())
    assert fit.warnings({'tactile': 20.0}) == []
    assert fit.warnings({'tactile': 19.0}) == ['tactile: 19 messages/s, expected at least 20']
    assert of_tactile(touch(), min_rate=0).warnings({'tactile': 0.1}) == []


def test_two_of_a_kind_are_compared_each_with_its_own_past() -> None:
    arms = {n: BIMANUAL[n] for n in ('left_wrench', 'right_wrench')}
    left, right = (sensors(seed)['wrench'] for seed in (0, 1))
    stamps = np.arange(1, N + 1) * 100_000_000
    there = np.ones((N, 2), np.bool_)

    def windows_of(left: Values, right: Values) -> FrameWindows:
        values = {'left_wrench': left, 'right_wrench': right}
        starts = stamps - 100_000_000
        return FrameWindows(starts, stamps, values, there, stamps < 0, modalities=arms)

    trained = NormalisationFit(arms)
    trained.add(windows_of(left, 3 * right).sensors, there)
    fit = InputFit(Expectations(arms, trained.result()))
    fit.add(windows_of(left * 1000, 3 * right))
    forces, torques = fit.warnings()
    assert forces.startswith('left_wrench: force is')
    assert torques.startswith('left_wrench: torque is')
