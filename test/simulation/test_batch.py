# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.simulation.batch import (
    MANIFEST,
    expect_same_options,
    missing_episodes,
    write_episodes,
)
from m2r2_ros.simulation.clock import Clock
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.faults import parse_fault

CONFIG = EpisodeConfig(seconds=1.0, cameras=False)


def test_a_folder_keeps_to_its_options(tmp_path: Path) -> None:
    folder = tmp_path / 'new'
    expect_same_options(folder, CONFIG)
    expect_same_options(folder, CONFIG)
    broken = replace(CONFIG, faults=(parse_fault('pose-nan@1s'),))
    with pytest.raises(ConfigError, match=r"simulation.yaml.*faults \[\], not \['pose-nan"):
        expect_same_options(folder, broken)
    for other in (b'- nothing of ours', b'{', b'\xff\xfe'):
        (folder / MANIFEST).write_bytes(other)
        with pytest.raises(ConfigError, match=r'simulation\.yaml.*choose another folder'):
            expect_same_options(folder, CONFIG)


def test_episodes_are_written_at_a_time_and_the_rest_later(tmp_path: Path) -> None:
    told: dict[int, float] = {}
    done = write_episodes(tmp_path, [3, 4], CONFIG, jobs=2, on_progress=told.__setitem__)
    assert done.keys() == told.keys() == {3, 4}
    assert all(
        length > 1 and actions > 1 and failed >= 0 for length, actions, failed in done.values()
    )
    assert missing_episodes(tmp_path, range(2, 6)) == [2, 5]
    (tmp_path / 'cell_0002.partial').mkdir()
    assert missing_episodes(tmp_path, range(2, 6)) == [2, 5]


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('seconds', 0.0),
        ('seconds', float('nan')),
        ('image_rate', 0.5),
        ('image_size', 2000),
        ('audio_rate', 44_100),
        ('motion_rate', 5000.0),
        ('gripper_rate', -1.0),
        ('drift', float('inf')),
    ],
)
def test_options_that_cannot_be_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        replace(CONFIG, **{name: value})


def test_a_clock_ticks_in_order_however_it_is_asked() -> None:
    def clock() -> Clock:
        return Clock(580.0, np.random.default_rng(1), jitter=0.3)

    whole, numbers = clock().until(10.0)
    assert (np.diff(whole) > 0).all()
    assert len(whole) == pytest.approx(5800, abs=2)
    cut = clock()
    pieces = [cut.until(end) for end in (0.0, 0.3, 0.3, 4.0, 10.0)]
    assert np.array_equal(np.concatenate([times for times, _ in pieces]), whole)
    assert np.array_equal(np.concatenate([index for _, index in pieces]), numbers)
