# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Sequence

import numpy as np
import pytest

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.delay import boundary_delays

SECOND = 1_000_000_000


def delays(
    truth: Sequence[tuple[float, str]],
    found: Sequence[tuple[float, str]],
    lag: float = 0,
    reach: float = 2,
) -> list[float]:
    boundaries = [Segment(int(t * SECOND), int((t + 1) * SECOND), name) for t, name in truth]
    starts = np.array([int(t * SECOND) for t, _ in found], np.int64)
    known = starts + int(lag * SECOND)
    return boundary_delays(boundaries, starts, [name for _, name in found], known, reach).tolist()


def test_late_early_and_missed() -> None:
    truth = [(10, 'A'), (20, 'B'), (30, 'A'), (40, 'C')]
    found = [(0, 'C'), (10.5, 'A'), (19.75, 'B'), (33, 'A')]
    assert delays(truth, found) == pytest.approx(
        [0.5, -0.25, float('nan'), float('nan')], nan_ok=True
    )


def test_revision_lag_delays_but_does_not_decide_the_pairing() -> None:
    assert delays([(10, 'A')], [(10.1, 'A')], lag=5) == pytest.approx([5.1])


def test_a_change_serves_one_boundary_only() -> None:
    assert delays([(10, 'A'), (11, 'A')], [(10.5, 'A')]) == pytest.approx(
        [0.5, float('nan')], nan_ok=True
    )


def test_the_nearest_change_counts() -> None:
    assert delays([(10, 'A')], [(9, 'A'), (9.5, 'B'), (10.2, 'A')]) == pytest.approx([0.2])
