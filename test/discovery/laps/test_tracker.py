# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.discovery.laps.grid import GRID, grid_points
from m2r2_ros.discovery.laps.tracker import TRACKERS, LucasKanade, make_tracker


def shifted(steps: int, dx: int, dy: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 255, (160, 160)).astype(np.uint8)
    import cv2

    ground = np.asarray(cv2.GaussianBlur(ground, (0, 0), 2), np.uint8)
    return np.stack(
        [ground[40 - k * dy : 120 - k * dy, 40 - k * dx : 120 - k * dx] for k in range(steps)]
    )


def test_points_follow_what_moves() -> None:
    tracks, seen = LucasKanade().follow(shifted(6, 2, -1))
    assert tracks.shape == (6, GRID**2, 2) and tracks.dtype == np.float32
    assert np.array_equal(tracks[0], grid_points(80, 80))
    kept = seen[-1]
    assert kept.mean() > 0.7  # others leave the image
    moved = tracks[-1] - tracks[0]
    assert np.median(np.abs(moved[kept] - [10, -5])) < 0.2


def test_a_lost_point_keeps_its_place() -> None:
    tracks, seen = LucasKanade().follow(shifted(8, 5, 0))
    lost = ~seen[-1]
    assert lost.any()
    for n in np.flatnonzero(lost):
        since = int(np.argmin(seen[:, n]))
        assert not seen[since:, n].any()
        assert (tracks[since:, n] == tracks[since - 1, n]).all()


def test_flat_images_move_nothing() -> None:
    tracks, seen = LucasKanade().follow(np.full((3, 64, 64), 80, np.uint8))
    assert (tracks == tracks[0]).all()
    assert not seen[1:].any()


class Still:
    def track(self, frames: np.ndarray) -> np.ndarray:
        return np.zeros((len(frames), GRID**2, 2), np.float32)


def test_a_tracker_that_is_installed_is_found_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / 'mine-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n')
    points = ('still = my_trackers:make', 'wrong = my_trackers:wrong', 'gone = no_module:make')
    lines = '\n'.join([f'[{TRACKERS}]', *points, ''])
    (info / 'entry_points.txt').write_text(lines)
    module: Any = ModuleType('my_trackers')
    module.make, module.wrong = Still, dict
    monkeypatch.setitem(sys.modules, 'my_trackers', module)
    monkeypatch.syspath_prepend(tmp_path)
    assert isinstance(make_tracker('still'), Still)
    assert isinstance(make_tracker('lucas_kanade'), LucasKanade)
    for name, says in (
        (
            'fast',
            r'expected lucas_kanade, cotracker or one that is installed \(gone, still, wrong\)',
        ),
        ('my_trackers:make', 'is unknown'),
        ('gone', 'gone: cannot be made: ModuleNotFoundError'),
        ('wrong', 'method track'),
    ):
        with pytest.raises(ConfigError, match=says):
            make_tracker(name)
