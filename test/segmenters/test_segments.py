# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments from frame labels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.labels import FrameLabel, Segment, label_at
from m2r2_ros.core.time import SECOND
from m2r2_ros.segmenters.segments import SegmentBuilder

T = 1_700_000_000 * SECOND
NAMES = 'abc'


def frames(
    labels: list[int], start: int = T, first: int = 0, confidence: float = 0.5
) -> list[FrameLabel]:
    """Make frame labels 100 ms apart, with running segments."""
    out: list[FrameLabel] = []
    for i, k in enumerate(labels):
        stamp = start + i * SECOND // 10
        last = out[-1] if out else None
        new = last is not None and last.label_id != k
        out.append(
            FrameLabel(
                stamp=stamp,
                label_id=k,
                label=NAMES[k],
                confidence=confidence + 0.01 * i,
                probabilities=np.full(3, 1 / 3, np.float32),
                boundary_score=0.0,
                segment_index=first if last is None else last.segment_index + new,
                segment_start=stamp if last is None or new else last.segment_start,
                revision_lag=0,
                modality_mask=0,
            )
        )
    return out


def build(*runs: list[FrameLabel]) -> list[tuple[int, Segment]]:
    builder = SegmentBuilder(10 * SECOND)
    closed = [x for run in runs for x in builder.add(run)]
    return closed + builder.finish()


some_labels = st.lists(st.integers(0, 2), min_size=1, max_size=60)


@given(some_labels)
def test_segments_tile_the_frames(labels: list[int]) -> None:
    rows = frames(labels)
    found = build(rows)
    segments = [s for _, s in found]
    assert [i for i, _ in found] == list(range(len(found)))
    assert segments[0].start == rows[0].stamp
    assert segments[-1].end == rows[-1].stamp
    for a, b in pairwise(segments):
        assert a.end == b.start
        assert a.label != b.label
    stamps = np.array([x.stamp for x in rows[:-1]], np.int64)
    assert label_at(segments, stamps) == [x.label for x in rows[:-1]]


@given(some_labels, st.integers(1, 7))
def test_grouping_does_not_change_the_segments(labels: list[int], size: int) -> None:
    rows = frames(labels)
    assert build(*(rows[k : k + size] for k in range(0, len(rows), size))) == build(rows)


def test_a_segment_closes_with_the_first_frame_of_the_next() -> None:
    builder = SegmentBuilder(10 * SECOND)
    rows = frames([0, 0, 1])
    assert builder.add(rows[:2]) == []
    ((index, segment),) = builder.add(rows[2:])
    assert (index, segment.label, segment.start, segment.end) == (0, 'a', T, rows[2].stamp)


def test_the_confidence_is_the_mean_over_the_frames() -> None:
    found = build(frames([0, 0, 0, 1, 1]))
    assert [s.confidence for _, s in found] == pytest.approx([0.51, 0.535])


def test_a_clock_that_went_back_ends_a_segment_where_it_was() -> None:
    before, after = frames([0, 0, 0]), frames([0, 0, 1], T - 3600 * SECOND, first=1)
    found = build(before, after)
    assert [i for i, _ in found] == [0, 1, 2]
    assert [(s.start, s.end, s.label) for _, s in found] == [
        (T, before[-1].stamp, 'a'),
        (after[0].stamp, after[2].stamp, 'a'),
        (after[2].stamp, after[2].stamp, 'b'),
    ]
    assert all(s.end >= s.start for _, s in found)


def test_two_segments_of_one_label_stay_two() -> None:
    found = build(frames([0, 0]), frames([0, 0], T + SECOND, first=1))
    assert [(i, s.label) for i, s in found] == [(0, 'a'), (1, 'a')]


def test_without_frames_there_are_no_segments() -> None:
    builder = SegmentBuilder(10 * SECOND)
    assert builder.add([]) == []
    assert builder.finish() == []


def test_what_is_finished_is_forgotten() -> None:
    builder = SegmentBuilder(10 * SECOND)
    builder.add(frames([0, 1, 1]))
    assert len(builder.finish()) == 1
    assert builder.finish() == []
    assert builder.add(frames([2, 0], first=7))[0][1].confidence == pytest.approx(0.5)


def test_a_segment_does_not_last_through_a_pause_of_the_recording() -> None:
    before, after = frames([0] * 5), frames([1] * 5, start=T + 60 * SECOND, first=1)
    (_, first), (_, second) = build(before, after)
    assert first.end == before[-1].stamp
    assert second.start == after[0].stamp
