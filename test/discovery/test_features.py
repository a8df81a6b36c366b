# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features are in common units and held where masked; peaks are picked as they come."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError, DiscoveryError
from m2r2_ros.core.modalities import declared
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.features import (
    Holding,
    Standard,
    frame_features,
    read_tensor,
    usual_vectors,
)
from m2r2_ros.discovery.method import Detector
from m2r2_ros.discovery.peaks import PeakDetector


def made(values: Mapping[str, NDArray[np.float64]], samples: int = 3) -> FrameWindows:
    """Return windows of vectors that hold one value each, (n, D), at 10 Hz."""
    modalities = declared(tuple(values))
    n = len(next(iter(values.values())))
    stamps = np.arange(1, n + 1, dtype=np.int64) * SECOND // 10
    sensors = {
        name: np.repeat(values[name][:, None].astype(np.float32), samples, axis=1)
        for name in modalities
    }
    present = np.ones((n, len(modalities)), np.bool_)
    restarts = np.arange(n) == 0
    return FrameWindows(
        stamps - SECOND // 10, stamps, sensors, present, restarts, modalities=modalities
    )


def steps(n: int, dims: int, changes: Sequence[int], seed: int = 0) -> NDArray[np.float64]:
    """Return noise around a level that jumps far at each change."""
    rng = np.random.default_rng(seed)
    level = np.searchsorted(np.asarray(changes), np.arange(n), side='right') % 2
    return rng.normal(size=(n, dims)) * 0.3 + 3.0 * level[:, None] * (1 + np.arange(dims) % 2)


def in_chunks(detector: Detector, windows: FrameWindows, size: int) -> NDArray[np.float32]:
    """Return the scores of a recording that comes in chunks."""
    parts = [detector.extend(windows[k : k + size]) for k in range(0, len(windows), size)]
    scores = np.concatenate([*parts, detector.finish()])
    assert scores.dtype == np.float32
    assert len(scores) == len(windows)
    return scores


def test_features_are_means_and_deviations() -> None:
    windows = made({'wrench': steps(5, 6, []), 'twist': steps(5, 6, [])}, samples=4)
    windows.sensors['twist'][:, ::2] += 2
    windows.present[2, 0] = False
    features = frame_features(windows, ('wrench', 'twist'))
    assert features.shape == (5, 24)
    assert np.isnan(features[2, :12]).all()
    assert np.isfinite(np.delete(features[:, :12], 2, axis=0)).all()
    np.testing.assert_allclose(features[:, 18:], 1.0, rtol=1e-5)


def test_units_are_those_of_all_frames_together() -> None:
    values = steps(101, 6, [50]) * [1, 10, 100, 1e-3, 1, 0] + [0, 0, 1e4, 0, 0, 7]
    windows = made({'wrench': values})
    windows.present[10] = False
    there = np.delete(windows.sensors['wrench'][:, 0].astype(np.float64), 10, axis=0)

    def rows(part: FrameWindows) -> NDArray[np.float64]:
        return frame_features(part, ('wrench',))[:, :6]

    recordings = [[windows[:7], windows[7:30]], [windows[30:]]]
    standard = Standard.of(recordings, rows, 100, ('wrench',))
    np.testing.assert_allclose(standard.mean, there.mean(axis=0))
    np.testing.assert_allclose(standard.scale[:5], there.std(axis=0)[:5])
    assert standard.scale[5] == 1.0
    again = Standard.read(standard.tensors, 6)
    np.testing.assert_allclose(again.scale, standard.scale, rtol=1e-6)
    with pytest.raises(DiscoveryError, match='at least 101 frames with wrench, found 100'):
        Standard.of(recordings, rows, 101, ('wrench',))
    with pytest.raises(BundleError, match=r"'mean': expected .*\(7,\), found shape \(6,\)"):
        Standard.read(standard.tensors, 7)


def test_tensors_are_finite() -> None:
    with pytest.raises(BundleError, match='finite'):
        read_tensor({'x': np.array([np.nan], np.float32)}, 'x', (1,))


def test_vectors_that_are_mostly_there() -> None:
    windows = made({'wrench': steps(10, 6, []), 'twist': steps(10, 6, [])})
    windows.present[:6, 1] = False
    assert usual_vectors([[windows]], ('wrench', 'twist')) == ['wrench']
    windows.present[5, 1] = True
    assert usual_vectors([[windows[:5], windows[5:]]], ('wrench', 'twist')) == ['wrench', 'twist']
    assert usual_vectors([], ('wrench',)) == []


def test_masked_channels_hold_in_any_chunks() -> None:
    nan = np.nan
    values = np.array([[nan, 1.0], [2.0, nan], [nan, nan], [3.0, 4.0], [nan, 5.0]])
    expected = [[0, 1], [2, 1], [2, 1], [3, 4], [3, 5]]
    assert Holding().fill(values).tolist() == expected
    holding = Holding()
    parts = [holding.fill(values[k : k + 2]) for k in (0, 2, 4, 6)]
    assert np.concatenate(parts).tolist() == expected


class Echo(PeakDetector):
    """Its evidence is what the windows hold, some frames late."""

    def restart(self) -> None:
        self._seen: list[float] = []

    def rows(self, windows: FrameWindows) -> NDArray[np.float64]:
        return windows.sensors['gripper'][:, 0].astype(np.float64)

    def step(self, row: NDArray[np.floating[Any]]) -> float:
        self._seen.append(float(row[0]))
        return self.late(self._delay)

    def late(self, ahead: int) -> float:
        return self._seen[-1 - ahead] if len(self._seen) > ahead else 0.0


@pytest.mark.parametrize('size', [1, 3, 20])
@pytest.mark.parametrize(('delay', 'distance'), [(0, 0), (0, 2), (3, 2), (30, 2), (2, 30)])
def test_peaks_are_picked_as_they_come(size: int, delay: int, distance: int) -> None:
    values = np.array([0, 5, 0, 2, 9, 9, 0, 3, 8, 0, 1, 7]) / 10
    windows = made({'gripper': values[:, None]})
    expected = [
        v if v > max([0.25, *values[max(k - distance, 0) : k]])
        and v >= max(values[k : k + distance + 1]) else 0
        for k, v in enumerate(values)
    ]  # fmt: skip
    detector = Echo(delay, distance, 0.25)
    assert detector.lag == delay + distance
    for _ in range(2):  # it begins anew after finish
        np.testing.assert_allclose(in_chunks(detector, windows, size), expected)
