# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Point trackers: where the points of a grid go in the frames of a window."""

from importlib.metadata import entry_points
from itertools import pairwise
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.text import excerpt
from m2r2_ros.discovery.laps.grid import grid_points
from m2r2_ros.discovery.with_torch import with_torch

#: Group of entry points of those who make trackers: called without arguments, each gives one.
TRACKERS: Final = 'm2r2_ros.point_trackers'
_WINDOW = (9, 9)
_LEVELS = 2
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)


class PointTracker(Protocol):
    """Follows the points of a grid."""

    def track(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Follow a grid that is laid anew over the first frame; see `grid_points`.

        Args:
            frames: uint8 (T, h, w), grey.

        Returns:
            float32 (T, N, 2), x and y of each point, pixels; a point that was lost keeps its place.
        """


class LucasKanade:
    """The pyramidal Lucas-Kanade tracker of OpenCV: fast enough for live use on a processor."""

    def track(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Follow a grid of points; see PointTracker."""
        return self.follow(frames)[0]

    def follow(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Follow a grid of points, and say which are lost.

        Returns:
            float32 (T, N, 2), as `track` gives, and bool (T, N), False from where on a point is
            lost: where it lies there is nothing to see, or it has left the image.
        """
        size = np.array(frames.shape[:0:-1], np.float32)
        places = [grid_points(*frames.shape[1:])]
        seen = [np.ones(len(places[0]), np.bool_)]
        for before, after in pairwise(frames):
            start: Any = None  # what OpenCV's annotations leave out: where it starts by itself
            moved, status, _ = cv2.calcOpticalFlowPyrLK(
                before, after, places[-1], start, winSize=_WINDOW, maxLevel=_LEVELS,
                criteria=_STOP, minEigThreshold=1e-3,
            )  # fmt: skip
            inside = ((moved >= 0) & (moved <= size - 1)).all(axis=1)
            seen.append(seen[-1] & (status[:, 0] == 1) & inside)
            places.append(np.where(seen[-1][:, None], moved, places[-1]).astype(np.float32))
        return np.stack(places), np.stack(seen)


def make_tracker(name: str) -> PointTracker:
    """Return the tracker of that name.

    Args:
        name: 'lucas_kanade', 'cotracker', or what an installed package registers as an entry point
            of the group TRACKERS. Only what was installed can be named, so that a bundle from
            elsewhere cannot run code of its own choice.

    Raises:
        ConfigError: There is none, or it cannot be imported or made.
    """
    if name == 'lucas_kanade':
        return LucasKanade()
    if name == 'cotracker':
        module = with_torch('laps.cotracker', 'laps: tracker cotracker')
        cotracker: PointTracker = module.CoTracker3.from_environment()
        return cotracker
    found = {point.name: point for point in entry_points(group=TRACKERS)}
    if name not in found:
        msg = (
            f'tracker {excerpt(name)!r} is unknown: expected lucas_kanade, cotracker or one that '
            f'is installed ({", ".join(sorted(found)) or "none"})'
        )
        raise ConfigError(msg)
    try:
        tracker = found[name].load()()
    except ConfigError:
        raise
    except Exception as error:
        msg = f'tracker {excerpt(name)}: cannot be made: {type(error).__name__}: {error}'
        raise ConfigError(msg) from error
    if not callable(getattr(tracker, 'track', None)):
        msg = f'tracker {excerpt(name)}: expected an object with a method track, found none'
        raise ConfigError(msg)
    made: PointTracker = tracker
    return made
