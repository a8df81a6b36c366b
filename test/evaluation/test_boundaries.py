# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.boundaries import boundary_counts, boundary_segments
from m2r2_ros.evaluation.counts import Counts


def test_tolerance_is_in_seconds_and_inclusive() -> None:
    truth, predicted = np.array([10_000_000_000]), np.array([12_000_000_000])
    assert boundary_counts(truth, predicted, 2) == Counts(1, 0, 0)
    assert boundary_counts(truth, predicted, 1.999) == Counts(0, 1, 1)


def test_a_prediction_serves_one_boundary_only() -> None:
    truth, predicted = np.array([10, 11]), np.array([10])
    assert boundary_counts(truth, predicted, 1) == Counts(1, 0, 1)


def test_a_gap_within_one_label_is_no_boundary() -> None:
    segments = [Segment(0, 5, 'A'), Segment(7, 9, 'A'), Segment(9, 12, 'B')]
    assert boundary_segments(segments) == [segments[2]]
