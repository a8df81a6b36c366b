# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What windows may look like, and what is said where they may not."""

from fractions import Fraction
from typing import Any

import pytest
import yaml

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.time import SECOND, to_ns
from m2r2_ros.windows.config import WindowConfig


@pytest.mark.parametrize(
    ('rate', 'points', 'period'),
    [
        (10.0, 30, Fraction(SECOND, 10)),
        (15.0, 20, Fraction(SECOND, 15)),
        (29.97, 10, Fraction(SECOND * 100, 2997)),
        (30, 10, Fraction(SECOND, 30)),
        (300.0, 1, Fraction(SECOND, 300)),
    ],
)
def test_points_and_period_follow_from_the_rates(
    rate: float, points: int, period: Fraction
) -> None:
    config = WindowConfig(frame_rate=rate)
    assert config.points == points
    assert config.period == period


def test_the_defaults_are_the_papers() -> None:
    config = WindowConfig()
    assert (config.frame_rate, config.sensor_rate, config.audio_rate) == (10, 300, 16_000)
    assert config.audio_context == 1


def test_a_config_survives_yaml() -> None:
    config = WindowConfig(frame_rate=29.97, audio_context=2, deadline=0.5)
    assert WindowConfig.from_dict(yaml.safe_load(yaml.safe_dump(config.to_dict()))) == config
    assert WindowConfig.from_dict({}) == WindowConfig()


@pytest.mark.parametrize(
    ('entries', 'named'),
    [
        ({'frame_rate': 0}, 'frame_rate'),
        ({'frame_rate': -10}, 'frame_rate'),
        ({'frame_rate': float('nan')}, 'frame_rate'),
        ({'frame_rate': float('inf')}, 'frame_rate'),
        ({'frame_rate': '10'}, 'frame_rate'),
        ({'frame_rate': None}, 'frame_rate'),
        ({'frame_rate': 400}, 'sensor_rate'),
        ({'audio_rate': 16_000.5}, 'audio_rate'),
        ({'deadline': [0.2]}, 'deadline'),
        ({'max_age': {'wrench': 0.2}}, 'max_age'),
        ({'rate': 10}, 'rate'),
        ({3: 10}, '3'),
    ],
)
def test_wrong_entries_are_named(entries: dict[Any, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=rf'windows.*{named}'):
        WindowConfig.from_dict(entries)


def test_seconds_become_whole_nanoseconds() -> None:
    assert to_ns(0.2) == 200_000_000
    assert to_ns(1e-9) == 1
