# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Golden vectors: what the published evaluation code gives for eleven small sequences."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.evaluation.counts import Counts
from m2r2_ros.evaluation.detection import published_counts
from m2r2_ros.evaluation.edit import edit_score
from m2r2_ros.evaluation.f1 import segment_counts
from test.evaluation.ids import score_ids

Spell = Callable[[str], NDArray[np.int64]]
BACKGROUND = (0,)


class Golden(NamedTuple):
    """A pair of sequences, written as label and frames, and its scores; counts are TP, FP, FN."""

    truth: str
    predicted: str
    accuracy: float
    edit: float
    f1: tuple[tuple[int, int, int], ...]
    dr_counts: tuple[int, int, int]
    dr: float


_TRUTH = 'no30 A40 B40 no30'

GOLDEN = {
    'c1': Golden(_TRUTH, _TRUTH, 100, 100, ((4, 0, 0),) * 3, (3, 0, 0), 100),
    'c2': Golden(_TRUTH, 'no35 A40 B40 no25', 89.29, 100, ((4, 0, 0),) * 3, (3, 0, 0), 100),
    'c3': Golden(_TRUTH, 'no40 A40 B40 no20', 78.57, 100, ((4, 0, 0),) * 3, (3, 0, 0), 100),
    'c4': Golden(_TRUTH, 'no41 A40 B40 no19', 76.43, 100, ((4, 0, 0),) * 3, (0, 3, 3), 0),
    'c5': Golden(_TRUTH, 'no30 A10 B4 A26 B40 no30', 97.14, 66.67, ((4, 2, 0),) * 3, (3, 2, 0), 75),
    'c6': Golden(_TRUTH, 'no30 C40 B40 no30', 71.43, 75, ((3, 1, 1),) * 3, (3, 0, 0), 100),
    'c7': Golden(
        'background30 A40 background10 B40',
        'background25 A50 background5 B40',
        91.67,
        100,
        ((2, 0, 0),) * 3,
        (3, 2, 0),
        75,
    ),
    'c8': Golden(_TRUTH, 'A140', 28.57, 25, ((1, 0, 3), (1, 0, 3), (0, 1, 4)), (0, 0, 3), 0),
    'c9': Golden('A50 B50', 'A45 B3 A4 B48', 95, 50, ((2, 2, 0),) * 3, (1, 2, 0), 50),
    'c10': Golden('A8 B8 A8 B8', 'A8 B8 A8 B8', 100, 100, ((4, 0, 0),) * 3, (3, 4, 0), 60),
    'c11': Golden('A10 B4', 'A12 B2', 85.71, 100, ((2, 0, 0),) * 3, (1, 0, 0), 100),
}

every_vector = pytest.mark.parametrize('golden', GOLDEN.values(), ids=GOLDEN)


@every_vector
def test_accuracy(golden: Golden, ids: Spell) -> None:
    accuracy = score_ids([ids(golden.truth)], [ids(golden.predicted)]).accuracy
    assert accuracy == pytest.approx(golden.accuracy / 100, abs=5e-5)


@every_vector
def test_edit(golden: Golden, ids: Spell) -> None:
    edit = edit_score(ids(golden.truth), ids(golden.predicted), BACKGROUND)
    assert edit == pytest.approx(golden.edit, abs=5e-3)


@every_vector
def test_f1_counts(golden: Golden, ids: Spell) -> None:
    truth, predicted = ids(golden.truth), ids(golden.predicted)
    counts = tuple(segment_counts(truth, predicted, k, BACKGROUND) for k in (0.1, 0.25, 0.5))
    assert counts == tuple(Counts(*three) for three in golden.f1)


@every_vector
def test_detection_rate(golden: Golden, ids: Spell) -> None:
    counts = published_counts(ids(golden.truth), ids(golden.predicted))
    assert counts == Counts(*golden.dr_counts)
    assert counts.f1 == pytest.approx(golden.dr)
