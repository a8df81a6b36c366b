# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AWE (Shi et al., CoRL 2023): a segment begins at each waypoint that the path needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.core.modalities import POSE_DIMS
from m2r2_ros.core.options import above, check_options, is_kind, one_of, read_options, shown
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.features import check_vectors, usual_vectors
from m2r2_ros.discovery.method import Calibration, Detector, Recordings, Setting, Whole
from m2r2_ros.discovery.signals import frame_means, held, like
from m2r2_ros.discovery.waypoints import waypoints
from m2r2_ros.windows.kinematics import rotations

POSITION, POSITION_ROTATION = _MODES = ('position', 'position_rotation')
#: Frames of calibration that its range is taken from, at least.
_LEAST: Final = 20
#: The tolerance as a share of the size of the workspace: a deviation that matters to fine work in a
#: small one is not seen in a motion across a table.
_SHARE: Final = 0.1
#: Bounds of the tolerance: what sensors tell apart, and what no task is larger than, m.
_FINEST, _COARSEST = 1e-4, 1.0
#: A gripper whose width varies by less, m, never moved.
_LEAST_TRAVEL: Final = 0.002
#: Share of its travel that a gripper has to pass the middle by.
_HYSTERESIS: Final = 0.1


@dataclass(frozen=True, slots=True)
class AweOptions:
    """Options of the method.

    Attributes:
        poses: Poses whose waypoints are found, each by itself.
        grippers: Each change of them is a waypoint of all poses.
        closed: Least width of each gripper.
        opened: Largest width of each gripper.
        tolerance: Largest error between waypoints, m; with rotations m and rad, added up.
        mode: 'position_rotation'; or 'position', which is blind to turns in place.
    """

    poses: list[str] = field(default_factory=list)
    grippers: list[str] = field(default_factory=list)
    closed: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    tolerance: float = above(0.01, 0, 100)
    mode: str = one_of(POSITION_ROTATION, _MODES)

    def __post_init__(self) -> None:
        check_options(self, 'awe')
        if not isinstance(self.grippers, list):
            msg = f'awe.grippers: expected a list of names, found {shown(self.grippers)}'
            raise ConfigError(msg)
        for name in ('closed', 'opened'):
            value = getattr(self, name)
            count = len(self.grippers)
            numbers = isinstance(value, list) and all(is_kind(v, float) for v in value)
            if not numbers or len(value) != count:
                msg = f'awe.{name}: expected a number for each gripper, found {shown(value)}'
                raise ConfigError(msg)


class AweDetector(Whole):
    """Finds the waypoints of a whole recording; a frame's pose is the last of its window."""

    def __init__(self, options: AweOptions) -> None:
        """Begin before the first frame."""
        self._options = options
        super().__init__()

    def features(self, windows: FrameWindows) -> NDArray[np.float64]:
        """Return the poses and the widths of the grippers, (n, 9 P + G), NaN where masked."""
        poses = [_poses(windows, name) for name in self._options.poses]
        widths = [frame_means(windows, name)[:, :1] for name in self._options.grippers]
        return np.concatenate([*poses, *widths], axis=1)

    def scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 1 at waypoints; the last one, where the recording ends, begins no segment."""
        o = self._options
        widths = features[:, POSE_DIMS * len(o.poses) :]
        levels = zip(widths.T, o.closed, o.opened, strict=True)
        forced = [i for width, low, high in levels for i in changes(width, low, high).tolist()]
        scores = np.zeros(len(features))
        for k in range(len(o.poses)):
            poses = held(features[:, POSE_DIMS * k : POSE_DIMS * (k + 1)])
            turns = rotations(poses) if o.mode == POSITION_ROTATION else None
            scores[waypoints(poses[:, :3], turns, forced, o.tolerance)] = 1.0
        scores[-1] = 0.0
        return scores


def changes(width: NDArray[np.float64], closed: float, opened: float) -> NDArray[np.int64]:
    """Return where a gripper passed the middle between closed and open, int64, ascending.

    Args:
        width: (T,), NaN where it is not known.
        closed: Its least width.
        opened: Its largest.
    """
    middle, margin = (closed + opened) / 2, _HYSTERESIS * (opened - closed)
    # Where it is near the middle, or not known, it is what it was.
    side = np.where(width > middle + margin, 1, np.where(width < middle - margin, -1, 0))
    sure = np.flatnonzero(side)
    passed: NDArray[np.int64] = sure[1:][np.diff(side[sure]) != 0]
    return passed


def _poses(windows: FrameWindows, name: str) -> NDArray[np.float64]:
    values = windows.sensors[name][:, -1].astype(np.float64)
    values[~windows.has(name)] = np.nan
    return values


class AweMethod:
    """Waypoints of whole recordings, by the pose of the tool and the gripper."""

    causal: Final = False
    grid: Final[Mapping[str, Sequence[float]]] = {'tolerance': (0.25, 0.5, 2.0, 4.0)}

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Find the tolerance by the size of the workspace, and how far grippers open.

        Raises:
            DiscoveryError: No pose is there often enough, or there are too few frames.
        """
        declared = like(setting.modalities, 'pose')
        poses = usual_vectors(recordings, declared)
        if not poses:
            names = ', '.join(declared) or 'none'
            msg = f'awe: expected a pose in at least half of all frames; poses declared: {names}'
            raise DiscoveryError(msg)
        grippers, closed, opened = [], [], []
        moved = usual_vectors(recordings, like(setting.modalities, 'gripper'))
        boxes = [_Boxes.of(recording, [*poses, *moved]) for recording in recordings]
        for name in moved:
            low = min(float(box.low[name][0]) for box in boxes if box.frames[name])
            high = max(float(box.high[name][0]) for box in boxes if box.frames[name])
            if high - low >= _LEAST_TRAVEL:
                grippers.append(name)
                closed.append(low)
                opened.append(high)
        tolerance = _SHARE * _extent(boxes, poses)
        tolerance = float(np.clip(tolerance, _FINEST, _COARSEST))
        return Calibration(asdict(AweOptions(poses, grippers, closed, opened, tolerance)))

    def open(self, calibration: Calibration, setting: Setting) -> Detector:
        """Return a detector.

        Raises:
            ConfigError: An option is unknown, of another kind or out of range.
        """
        options = read_options(AweOptions, calibration.options, 'awe')
        check_vectors(options.poses, setting.modalities, 'awe', 'poses', 'pose')
        if options.grippers:
            check_vectors(options.grippers, setting.modalities, 'awe', 'grippers', 'gripper')
        return AweDetector(options)


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Least and largest frame means of vectors in a recording, by name, and how many there are."""

    low: dict[str, NDArray[np.float64]]
    high: dict[str, NDArray[np.float64]]
    frames: dict[str, int]

    @classmethod
    def of(cls, recording: Iterable[FrameWindows], names: Sequence[str]) -> '_Boxes':
        boxes = cls({}, {}, dict.fromkeys(names, 0))
        for windows in recording:
            for name in names:
                values = frame_means(windows, name)
                values = values[np.isfinite(values).all(axis=1)]
                boxes._add(name, values)
        return boxes

    def _add(self, name: str, values: NDArray[np.float64]) -> None:
        nothing = np.full(values.shape[1], np.inf)
        low, high = values.min(axis=0, initial=np.inf), values.max(axis=0, initial=-np.inf)
        self.low[name] = np.minimum(self.low.get(name, nothing), low)
        self.high[name] = np.maximum(self.high.get(name, -nothing), high)
        self.frames[name] += len(values)


def _extent(boxes: Sequence[_Boxes], poses: Sequence[str]) -> float:
    """Return the diagonal of the box around a path, m, the median of all paths."""
    frames = sum(box.frames[poses[0]] for box in boxes)
    if frames < _LEAST:
        msg = f'awe: expected at least {_LEAST} frames with {poses[0]}, found {frames}'
        raise DiscoveryError(msg)
    paths = [(box, name) for box in boxes for name in poses if box.frames[name]]
    return float(np.median([np.linalg.norm((b.high[n] - b.low[n])[:3]) for b, n in paths]))


METHOD: Final = AweMethod()
