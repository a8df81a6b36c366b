# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.discovery.laps.grid import GRID, grid_points
from m2r2_ros.discovery.laps.tracker import make_tracker
from m2r2_ros.training.laps.cotracker import CHECKPOINT


class Predictor:
    """As CoTrackerPredictor: each point goes one pixel to the right in a frame."""

    def __init__(self, checkpoint: str) -> None:
        assert Path(checkpoint).name == 'weights.pth'

    def to(self, device: str) -> 'Predictor':
        return self

    def __call__(self, video: torch.Tensor, queries: torch.Tensor) -> tuple[torch.Tensor, None]:
        assert video.shape == (1, 3, 3, 64, 64) and video.dtype == torch.float32
        assert (queries[..., 0] == 0).all()
        return queries[:, None, :, 1:] + torch.arange(3).view(1, 3, 1, 1) * torch.eye(2)[0], None


def test_what_is_missing_is_named_with_its_licence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(CHECKPOINT, raising=False)
    with pytest.raises(ConfigError, match=f'{CHECKPOINT} is not set.*CC BY-NC 4.0'):
        make_tracker('cotracker')
    monkeypatch.setenv(CHECKPOINT, str(tmp_path / 'weights.pth'))
    monkeypatch.setitem(sys.modules, 'cotracker', None)
    with pytest.raises(ConfigError, match=r'package cotracker is missing.*CC BY-NC 4.0'):
        make_tracker('cotracker')


def test_the_model_gets_a_grid_over_the_first_frame(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module: Any = ModuleType('cotracker.predictor')
    module.CoTrackerPredictor = Predictor
    monkeypatch.setitem(sys.modules, 'cotracker', ModuleType('cotracker'))
    monkeypatch.setitem(sys.modules, 'cotracker.predictor', module)
    monkeypatch.setenv(CHECKPOINT, str(tmp_path / 'weights.pth'))
    with pytest.raises(ConfigError, match='is no file'):
        make_tracker('cotracker')
    (tmp_path / 'weights.pth').touch()
    tracks = make_tracker('cotracker').track(np.zeros((3, 64, 64), np.uint8))
    assert tracks.shape == (3, GRID**2, 2)
    assert np.allclose(tracks[2], grid_points(64, 64) + np.array([2, 0]))
