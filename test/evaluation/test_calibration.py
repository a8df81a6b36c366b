# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from m2r2_ros.evaluation.calibration import BINS, Reliability, brier_score


def reliability(confidences: list[float], right: list[int]) -> Reliability:
    return Reliability.of(np.array(confidences), np.array(right, bool))


def test_error_of_known_bins() -> None:
    # Two bins: 0.9 in (13/15, 14/15] with 3 of 4 right, 0.5 in (7/15, 8/15] with 1 of 2 right.
    found = reliability([0.9] * 4 + [0.5] * 2, [1, 1, 1, 0, 1, 0])
    assert found.ece == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.0)
    assert found.frames[[13, 7]].tolist() == [4, 2]
    assert found.right[[13, 7]].tolist() == [3, 1]
    assert found.confidence[[13, 7]].tolist() == pytest.approx([3.6, 1.0])
    assert found.frames.sum() == 6


def test_frames_of_a_bin_offset_each_other() -> None:
    """The error is of the bin's means, not of its frames."""
    assert reliability([0.79, 0.79, 0.75, 0.75], [1, 1, 1, 0]).ece == pytest.approx(0.02)


def test_bins_hold_their_upper_edge() -> None:
    found = reliability([0.0, 1 / 15, 1 / 15 + 1e-9, 1.0], [0, 0, 0, 0])
    assert found.frames[[0, 1, BINS - 1]].tolist() == [2, 1, 1]


def test_no_frames_have_no_error() -> None:
    assert reliability([], []).ece is None


def test_brier_score() -> None:
    p = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    found = brier_score(p, ['a', 'b', 'c'], ['a', 'a', 'b', 'unheard of'])
    assert found.tolist() == pytest.approx([0, 2, 0.25 + 0.49 + 0.04, 0.25 + 0.09 + 0.04 + 1])
