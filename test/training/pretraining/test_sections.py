# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.training.pretraining.sections import LabelRun, allot, draw, runs, spans


def of(*parts: tuple[int, int]) -> np.ndarray:
    """Targets from (label, frames)."""
    return np.concatenate([np.full(n, label, np.int64) for label, n in parts])


def test_runs_are_half_open_and_keep_gaps() -> None:
    assert runs(of((2, 3), (UNKNOWN, 1), (2, 2), (0, 1))) == [
        LabelRun(0, 3, 2),
        LabelRun(3, 4, UNKNOWN),
        LabelRun(4, 6, 2),
        LabelRun(6, 7, 0),
    ]
    assert runs(np.zeros(0, np.int64)) == []


def test_every_three_consecutive_actions_are_a_span_with_padding_clipped() -> None:
    targets = of((UNKNOWN, 4), (0, 10), (1, 5), (UNKNOWN, 2), (2, 3), (0, 7))
    first, second = spans(targets, 6)
    assert first.sections == (
        LabelRun(0, 4, UNKNOWN),  # six frames would begin before the recording
        LabelRun(4, 14, 0),
        LabelRun(14, 19, 1),
        LabelRun(19, 21, UNKNOWN),
        LabelRun(21, 24, 2),
        LabelRun(24, 30, UNKNOWN),
    )
    assert first.labels == (0, 1, 2)
    assert second.sections[0] == LabelRun(8, 14, UNKNOWN)
    assert second.sections[-1] == LabelRun(31, 31, UNKNOWN)
    assert second.labels == (1, 2, 0)
    assert first.begins.tolist() == [4, 14, 21, 24]


@pytest.mark.parametrize('labels', [(3,), (3, 1), (3, 1, 2)])
def test_recordings_of_few_actions_give_one_span(labels: tuple[int, ...]) -> None:
    (span,) = spans(of((UNKNOWN, 3), *((label, 4) for label in labels)), 30)
    assert span.labels == labels
    assert span.sections[0] == LabelRun(0, 3, UNKNOWN)


def test_a_recording_without_actions_gives_none() -> None:
    assert spans(of((UNKNOWN, 9)), 30) == []


def test_points_are_allotted_by_largest_remainder() -> None:
    # 100 * (30, 50, 20, 41, 30) / 171 = 17.54, 29.24, 11.70, 23.98, 17.54: of the equal remainders
    # the earlier one comes first.
    assert allot([30, 50, 20, 41, 30], [0, 1, 1, 1, 0], 100) == [18, 29, 12, 24, 17]
    assert allot([1, 1, 1], [0, 0, 0], 100) == [34, 33, 33]
    assert allot([0, 5, 0], [0, 1, 0], 7) == [0, 7, 0]


def test_no_action_is_omitted() -> None:
    # 10 * (500, 1, 499, 0) / 1000: the short one is given a point, nine are shared by the others.
    assert allot([500, 1, 499, 0], [1, 1, 1, 0], 10) == [5, 1, 4, 0]
    assert allot([1000, 1, 1, 1], [0, 1, 1, 1], 3) == [0, 1, 1, 1]


@given(
    st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=1, max_size=7),
    st.integers(7, 120),
)
def test_allotments_are_whole_and_near_their_share(
    sections: list[tuple[int, bool]], points: int
) -> None:
    lengths, least = [n for n, _ in sections], [int(b) for _, b in sections]
    counts = allot(lengths, least, points)
    assert sum(counts) == points
    assert all(c >= f for c, f in zip(counts, least, strict=True))
    shares = [points * n / sum(lengths) for n in lengths]
    if all(s >= f for s, f in zip(shares, least, strict=True)):
        assert all(abs(c - s) < 1 for c, s in zip(counts, shares, strict=True))


def test_points_keep_order_sections_and_places() -> None:
    targets = of((5, 40), (0, 60), (1, 30), (UNKNOWN, 10), (2, 50), (6, 40))
    span = spans(targets, 30)[1]
    assert span.labels == (0, 1, 2)
    points = draw(span, 105, 1.0, np.random.default_rng(0))
    # 210 frames to 105 points: half of each section.
    counts = [np.sum((points.frames >= r.lo) & (points.frames < r.hi)) for r in span.sections]
    assert counts == [15, 30, 15, 5, 25, 15]
    assert (np.diff(points.frames) > 0).all()
    for frame, place in zip(points.frames, points.places, strict=True):
        inside = 40 <= frame < 190
        assert place == (targets[frame] if inside and targets[frame] != UNKNOWN else -1)


def test_a_frame_is_drawn_twice_only_where_frames_are_few() -> None:
    (span,) = spans(of((0, 2), (1, 30), (2, 30)), 0)
    points = draw(span, 31, 1.0, np.random.default_rng(1))
    assert len(points.frames) == 31
    assert len(np.unique(points.frames)) == 31
    points = draw(span, 620, 1.0, np.random.default_rng(1))
    assert np.sum(points.frames < 2) == 20
    assert (np.diff(points.frames) >= 0).all()


def test_boundaries_are_the_first_points_of_new_actions() -> None:
    targets = of((7, 5), (0, 5), (UNKNOWN, 1), (0, 5), (1, 5), (UNKNOWN, 3), (8, 5))
    span = spans(targets, 4)[1]
    assert span.labels == (0, 0, 1)
    points = draw(span, 24, 0.05, np.random.default_rng(0))
    assert points.frames.tolist() == list(range(1, 25))  # each frame once
    ones = torch.nonzero(points.boundaries > 0.5).flatten()
    # Frame 5, 11 after a gap of the same label, 16; 24 begins the action in the padding.
    assert (ones + 1).tolist() == [5, 11, 16, 24]


def test_boundaries_are_smoothed_up_to_one() -> None:
    (span,) = spans(of((0, 3), (1, 1), (2, 4)), 0)
    points = draw(span, 8, 1.5, np.random.default_rng(0))
    away = np.array([3, 2, 1, 0, 0, 1, 2, 3])  # points to the nearest beginning, at 3 and 4
    np.testing.assert_allclose(points.boundaries, np.exp(-0.5 * (away / 1.5) ** 2), rtol=1e-6)


def test_the_seed_decides_and_other_seeds_differ() -> None:
    (span,) = spans(of((0, 90), (1, 90), (2, 90)), 0)
    one, same, other = (draw(span, 50, 1.0, np.random.default_rng(k)).frames for k in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
