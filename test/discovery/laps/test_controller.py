# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from dataclasses import replace

import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.discovery.laps.controller import (
    Change,
    Controller,
    ControllerOptions,
    read_controlled,
    with_threshold,
)

PLAIN = ControllerOptions(
    theta_on=1.0, hysteresis=0.5, alpha=1.0, up=2, down=2, cool_down=0, min_length=1
)


def changes(options: ControllerOptions, energies: Sequence[float | None]) -> list[tuple[int, str]]:
    controller = Controller(options, 0.4)
    events = [controller.step(e) for e in energies]
    for step, event in enumerate(events):  # causal, and no later than it promises
        assert event is None or step - controller.delay <= event.step <= step
    return [(e.step, e.change.value) for e in events if e is not None]


def test_primitives_begin_and_end_where_the_debounce_began() -> None:
    energies = [0, 0, 2, 2, 2, 0, 0, 0.0]
    assert changes(PLAIN, energies) == [(2, 'begin'), (5, 'end')]


def test_single_steps_change_nothing() -> None:
    assert changes(PLAIN, [0, 2, 0, 2, 0]) == []
    assert changes(PLAIN, [2, 2, 0, 2, 0, 2, 2]) == [(0, 'begin')]


def test_between_the_thresholds_all_stays() -> None:
    assert changes(PLAIN, [0.8] * 5) == []
    assert changes(PLAIN, [2, 2, *[0.8] * 5, 0, 0]) == [(0, 'begin'), (7, 'end')]


def test_after_an_end_it_cools_down() -> None:
    energies = [2, 2, 0, 0, 2, 2, 2]
    assert changes(PLAIN, energies)[-1] == (4, 'begin')
    assert changes(replace(PLAIN, cool_down=1), energies)[-1] == (5, 'begin')


def test_a_primitive_has_a_least_length() -> None:
    energies = [2, 2, 0, 0, 0, 0, 0, 0.0]
    assert changes(PLAIN, energies)[-1] == (2, 'end')
    assert changes(replace(PLAIN, min_length=4), energies)[-1] == (4, 'end')


def test_a_long_primitive_is_cut_only_on_request() -> None:
    energies = [2.0] * 13
    assert changes(PLAIN, energies) == [(0, 'begin')]
    cut = replace(PLAIN, max_duration=2.0)  # five steps of 0.4 s
    assert changes(cut, energies) == [(0, 'begin'), (5, 'cut'), (10, 'cut')]


def test_unknown_energies_leave_all_as_it_is() -> None:
    assert changes(PLAIN, [2, None, None, 2, 0, None, 0]) == [(2, 'begin'), (5, 'end')]


def test_smoothing_delays_noise() -> None:
    smooth = replace(PLAIN, alpha=0.3, up=1)
    assert changes(smooth, [0, 2, 0, 0, 0]) == []
    assert changes(smooth, [0, 2, 2, 2]) == [(2, 'begin')]


def test_strength_says_how_far_beyond_the_threshold() -> None:
    strengths = []
    for high in (1.1, 50.0):
        controller = Controller(PLAIN, 0.4)
        events = [e for e in map(controller.step, [high, high, 0.0, 0.0]) if e is not None]
        assert [e.change for e in events] == [Change.BEGIN, Change.END]
        strengths.append(events[0].strength)
        assert events[1].strength == 1
    assert 0.5 < strengths[0] < 0.6 < 0.9 < strengths[1] <= 1


def test_options_are_read_back_and_checked() -> None:
    found = with_threshold(PLAIN, 0.25)
    assert read_controlled(ControllerOptions, {**found, 'x': 1}, 'laps', ['x']).theta_on == 0.25
    for bad, says in (
        ({'theta_on': 0.0}, r'laps.theta_on: expected more than 0'),
        ({**found, 'up': 0}, r'laps.up'),
        ({**found, 'alpha': 'much'}, r'laps.alpha'),
        ({**found, 'beta': 1}, r'unknown entries beta'),
    ):
        with pytest.raises(ConfigError, match=says):
            read_controlled(ControllerOptions, bad, 'laps')
