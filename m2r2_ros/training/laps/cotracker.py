# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CoTracker3 as point tracker, for those who install it themselves.

facebookresearch/co-tracker and its weights have the licence CC BY-NC 4.0: no commercial use. They
are no part of this package and are never downloaded by it.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.discovery.laps.grid import grid_points

#: The environment variable that names the file with the weights.
CHECKPOINT = 'M2R2_COTRACKER_CHECKPOINT'
_HOW = (
    'facebookresearch/co-tracker (licence CC BY-NC 4.0, no commercial use) has to be installed by '
    f'you, and {CHECKPOINT} has to name the file of its weights, such as scaled_offline.pth'
)


class CoTracker3:
    """The offline model, on a GPU where there is one; on a processor it takes seconds a window."""

    def __init__(self, checkpoint: Path) -> None:
        """Load the model.

        Args:
            checkpoint: File with the weights.

        Raises:
            ConfigError: The package or the file is missing.
        """
        try:
            from cotracker.predictor import CoTrackerPredictor  # type: ignore[import-not-found]
        except ImportError as error:
            msg = f'tracker cotracker: the package cotracker is missing: {_HOW}'
            raise ConfigError(msg) from error
        if not checkpoint.is_file():
            msg = f'tracker cotracker: {checkpoint} is no file: {_HOW}'
            raise ConfigError(msg)
        self._device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self._model: Any = CoTrackerPredictor(checkpoint=str(checkpoint)).to(self._device)

    @classmethod
    def from_environment(cls) -> 'CoTracker3':
        """Load the weights that the environment variable names.

        Raises:
            ConfigError: It is not set, or the package or the file is missing.
        """
        if not os.environ.get(CHECKPOINT):
            msg = f'tracker cotracker: {CHECKPOINT} is not set: {_HOW}'
            raise ConfigError(msg)
        return cls(Path(os.environ[CHECKPOINT]))

    def track(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Follow a grid of points; see PointTracker."""
        places = torch.from_numpy(grid_points(*frames.shape[1:]))
        # A query is the frame in which a point is given, and its place.
        queries = torch.cat([torch.zeros(len(places), 1), places], dim=1)[None].to(self._device)
        video = torch.from_numpy(frames)[None, :, None].float().expand(-1, -1, 3, -1, -1)
        with torch.inference_mode():
            tracks, _ = self._model(video.to(self._device), queries=queries)
        found: NDArray[np.float32] = tracks[0].float().cpu().numpy()
        return found
