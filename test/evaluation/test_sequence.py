# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment, label_at
from m2r2_ros.evaluation.sequence import ScoredSequence, names_of, segments_of


def test_truth_holds_from_start_to_before_end() -> None:
    sequence = ScoredSequence('r', np.arange(5), list('AAABB'), [Segment(1, 3, 'A')])
    assert sequence.truth == ['', 'A', 'A', '', '']
    assert sequence.labelled.tolist() == [False, True, True, False, False]
    assert names_of([sequence]) == ('A',)


def test_ids_are_those_of_labelled_frames() -> None:
    sequence = ScoredSequence('r', np.arange(4), list('ABCD'), [Segment(1, 3, 'B')])
    truth, predicted = sequence.ids(names_of([sequence]))
    assert truth.tolist() == [0, 0]
    assert predicted.tolist() == [0, 1]


def test_known_is_later_by_the_lag_of_each_frame() -> None:
    stamps = np.array([0, 10])
    lag = np.array([1e-9, 2e-9])
    assert ScoredSequence('r', stamps, ['A', 'A'], [], lag).known.tolist() == [1, 12]
    assert ScoredSequence('r', stamps, ['A', 'A'], [], 3e-9).known.tolist() == [3, 13]


@pytest.mark.parametrize(
    ('stamps', 'labels', 'segments', 'complaint'),
    [
        ([0, 1], ['A'], [], '1 labels for 2 frames'),
        ([1, 1], ['A', 'A'], [], 'must increase'),
        ([0, 1], ['A', 'A'], [Segment(2, 3, 'A'), Segment(0, 1, 'A')], 'order of start'),
    ],
)
def test_what_does_not_fit_is_refused(
    stamps: list[int], labels: list[str], segments: list[Segment], complaint: str
) -> None:
    with pytest.raises(LabelError, match=f'kitchen.*{complaint}'):
        ScoredSequence('kitchen', np.array(stamps), labels, segments)


@given(st.lists(st.sampled_from(['A', 'B', '']), max_size=30))
def test_segments_of_frames_give_the_frames_back(labels: list[str]) -> None:
    stamps = np.arange(len(labels), dtype=np.int64) * 7
    segments = segments_of(stamps, labels)
    assert label_at(segments, stamps) == labels
    assert all(a.label != b.label or a.end < b.start for a, b in pairwise(segments))
