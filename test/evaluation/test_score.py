# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.score import score
from m2r2_ros.evaluation.sequence import ScoredSequence, segments_of

Spelling = Callable[[str], list[str]]
SECOND = 1_000_000_000
TENTH = SECOND // 10
START = 1_760_000_000 * SECOND


def sequence(truth: list[str], predicted: list[str], lag: float = 0.0) -> ScoredSequence:
    stamps = START + TENTH * np.arange(len(truth), dtype=np.int64)
    return ScoredSequence('r', stamps, predicted, segments_of(stamps, truth), lag)


def test_known_scores(spell: Spelling) -> None:
    truth = spell('no30 A40 B40 no30')
    scores = score([sequence(truth, spell('no35 A40 B40 no25'), lag=0.3)])
    assert scores.to_dict() == pytest.approx(
        {
            'accuracy': 125 / 140,
            'coverage': 1,
            'accuracy_covered': 125 / 140,
            'edit': 100,
            'f1@10': 100,
            'f1@25': 100,
            'f1@50': 100,
            'dr': 100,
            'dr_one_to_one': 100,
            'boundary_f1@2s': 100,
            'boundary_f1@5s': 100,
            'boundary_delay_median_s': 0.8,
            'boundary_delay_p90_s': 0.8,
            'boundaries': 3,
            'boundaries_missed': 0,
            'ece': None,
            'brier': None,
            'confidence_auroc': None,
            'accuracy_kept@50': None,
            'accuracy_kept@80': None,
            'accuracy_kept@90': None,
            'accuracy_kept@95': None,
            'frames': 140,
            'frames_unlabelled': 0,
            'recordings': 1,
            'frame_rate_hz': 10,
            't_e_frames': 10,
        }
    )


def test_pooled_and_averaged_over_recordings(spell: Spelling) -> None:
    right = sequence(spell('A20 B20 A20'), spell('A20 B20 A20'))
    wrong = sequence(spell('A20'), spell('B10 C10'))
    scores = score([right, wrong])
    assert scores.accuracy == pytest.approx(60 / 80)
    assert scores.edit == pytest.approx((100 + 0) / 2)
    assert scores.f1[50] == pytest.approx(200 * 3 / (2 * 3 + 2 + 1))
    assert scores.dr == scores.dr_one_to_one == pytest.approx(200 * 2 / (2 * 2 + 1))
    assert scores.boundary_f1[2.0] == pytest.approx((100 + 0) / 2)
    assert (scores.recordings, scores.boundaries) == (2, 2)


def test_background_is_a_parameter(spell: Spelling) -> None:
    tracks = [sequence(spell('no20 A20'), spell('no10 B10 A20'))]
    assert score(tracks, background=('no', 'B')).edit == 100
    assert score(tracks).edit == pytest.approx(100 * (1 - 1 / 3))
    assert score(tracks, background=('no', 'B')).f1[50] == 100


def test_frames_outside_every_true_segment_are_left_out(spell: Spelling) -> None:
    stamps = START + TENTH * np.arange(30, dtype=np.int64)
    segments = [Segment(int(stamps[10]), int(stamps[20]), 'A')]
    scores = score([ScoredSequence('r', stamps, spell('B10 A10 C10'), segments)])
    assert (scores.accuracy, scores.edit, scores.f1[50]) == (1, 100, 100)
    assert (scores.frames, scores.frames_unlabelled) == (10, 20)
    assert scores.boundary_f1 == {2.0: None, 5.0: None}


def test_an_unknown_frame_is_wrong_and_makes_no_segment(spell: Spelling) -> None:
    scores = score([sequence(spell('A40 B40'), [*[''] * 5, *spell('A35 B30'), *[''] * 10])])
    assert scores.accuracy == pytest.approx(65 / 80)
    assert scores.coverage == pytest.approx(65 / 80)
    assert scores.accuracy_covered == 1
    assert (scores.edit, scores.f1[50], scores.dr, scores.boundary_f1[2.0]) == (100,) * 4
    assert scores.boundary_delay_median_s == 0


def test_an_unknown_gap_splits_a_segment_and_is_no_boundary(spell: Spelling) -> None:
    scores = score([sequence(spell('A40 B40'), [*spell('A20'), *[''] * 5, *spell('A15 B40')])])
    assert scores.edit == pytest.approx(100 * (1 - 1 / 3))
    assert scores.f1[10] == pytest.approx(200 * 2 / (2 * 2 + 1))
    assert (scores.dr, scores.dr_one_to_one, scores.boundary_f1[2.0]) == (100, 100, 100)


def test_a_boundary_lies_where_the_next_label_begins(spell: Spelling) -> None:
    scores = score([sequence(spell('A40 B40'), [*spell('A35'), *[''] * 8, *spell('B37')])])
    assert scores.dr == 100
    assert scores.boundary_delay_median_s == pytest.approx(0.3)


def test_nothing_known_at_all(spell: Spelling) -> None:
    scores = score([sequence(spell('A40 B40'), [''] * 80)])
    assert (scores.accuracy, scores.coverage, scores.accuracy_covered) == (0, 0, None)
    assert (scores.edit, scores.f1[10], scores.dr, scores.boundaries_missed) == (0, 0, 0, 1)
    assert scores.ece is None


def test_confidence(spell: Spelling) -> None:
    stamps = START + TENTH * np.arange(5, dtype=np.int64)
    truth = [Segment(int(stamps[0]), int(stamps[4]), 'A')]  # the last frame has no truth
    confidences = np.array([0.9, 0.9, 0.7, 0.9, 0.1])
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.0, 0.0], [0.9, 0.1]])
    predicted = ['A', 'A', 'B', '', 'B']
    scores = score(
        [ScoredSequence('r', stamps, predicted, truth, 0.0, confidences, probabilities, ('A', 'B'))]
    )
    # The unknown frame is in no bin, and is kept last; its probabilities are none.
    assert scores.ece == pytest.approx((0.1 * 2 + 0.7) / 3)
    assert scores.brier == pytest.approx((0.02 * 2 + 0.98) / 3)
    assert scores.confidence_auroc == 1
    assert scores.accuracy_kept == {
        50: 1, 80: pytest.approx(2 / 3.2), 90: pytest.approx(2 / 3.6), 95: pytest.approx(2 / 3.8)
    }  # fmt: skip


def test_recordings_without_confidences_do_not_spoil_the_others(spell: Spelling) -> None:
    stamps = START + TENTH * np.arange(2, dtype=np.int64)
    truth = [Segment(int(stamps[0]), int(stamps[1]) + 1, 'A')]
    sure = ScoredSequence('s', stamps, ['A', 'B'], truth, confidences=np.array([0.8, 0.6]))
    scores = score([sequence(spell('A9'), spell('A9')), sure])
    assert scores.ece == pytest.approx((0.2 + 0.6) / 2)
    assert scores.confidence_auroc == 1
    assert scores.brier is None


def test_confidences_of_another_length_are_refused() -> None:
    stamps = np.arange(2, dtype=np.int64)
    with pytest.raises(LabelError, match=r'confidences of shape \(3,\) for 2 frames'):
        ScoredSequence('r', stamps, ['A', 'B'], [], confidences=np.zeros(3))
    with pytest.raises(LabelError, match='for 2 frames and 1 labels'):
        ScoredSequence('r', stamps, ['A', 'B'], [], probabilities=np.zeros((2, 2)), classes=('A',))


def test_missed_boundaries_are_counted(spell: Spelling) -> None:
    scores = score([sequence(spell('A50 B50'), spell('A90 B10'))])
    assert (scores.boundaries, scores.boundaries_missed) == (1, 1)
    assert scores.boundary_delay_median_s is None


def test_nothing_to_score_gives_null_and_never_nan() -> None:
    empty = ScoredSequence('r', np.zeros(0, np.int64), [], [])
    for tracks in ([], [empty], [sequence(['A'], ['A'])]):
        text = json.dumps(score(tracks).to_dict(), allow_nan=False)
        assert json.loads(text)['boundary_delay_median_s'] is None
        assert json.loads(text)['dr'] is None


labels = st.lists(st.sampled_from('ABC'), min_size=2, max_size=60)


@given(labels)
def test_a_perfect_prediction_is_perfect(truth: list[str]) -> None:
    scores = score([sequence(truth, truth)])
    assert (scores.accuracy, scores.edit, set(scores.f1.values())) == (1, 100, {100})
    assert scores.dr_one_to_one in {100, None}
    assert set(scores.boundary_f1.values()) <= {100, None}
    assert scores.boundaries_missed == 0
    assert scores.boundary_delay_p90_s in {0, None}


@given(labels, st.data())
def test_names_do_not_matter(truth: list[str], data: st.DataObject) -> None:
    predicted = data.draw(
        st.lists(st.sampled_from('ABC'), min_size=len(truth), max_size=len(truth))
    )
    other = dict(zip('ABC', data.draw(st.permutations(['x', 'y', 'z'])), strict=True))
    renamed = sequence([other[name] for name in truth], [other[name] for name in predicted])
    assert score([renamed]) == score([sequence(truth, predicted)])


@given(labels, st.data())
def test_scores_keep_their_bounds(truth: list[str], data: st.DataObject) -> None:
    predicted = data.draw(
        st.lists(st.sampled_from('ABC'), min_size=len(truth), max_size=len(truth))
    )
    scores = score([sequence(truth, predicted)])
    assert scores.f1[10] >= scores.f1[25] >= scores.f1[50]  # type: ignore[operator]
    percent = [scores.edit, *scores.f1.values(), scores.dr, scores.dr_one_to_one]
    assert all(value is None or 0 <= value <= 100 for value in percent)
