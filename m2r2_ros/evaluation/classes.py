# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Precision and recall of each class, and which classes are mistaken for which."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import MAX_LABELS
from m2r2_ros.evaluation.confusion import Confusion


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well the frames of one class are distinguished from the others.

    Attributes:
        label: Name of the class, '' for frames that were given no label.
        frames: Frames that truly are of the class.
        precision: Fraction of the frames given the label that are of the class, if any.
        recall: Fraction of the frames of the class that were given the label, if any.
    """

    label: str
    frames: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Every class that occurs, and their confusion.

    Attributes:
        classes: In the order of the label set.
        confusion: int64 (C, C), frames by true class (row) and predicted class (column).
    """

    classes: tuple[ClassScore, ...]
    confusion: NDArray[np.int64]


def score_classes(confusions: Sequence[Confusion], order: Sequence[str] = ()) -> ClassScores:
    """Score each class over the labelled frames of all recordings.

    Args:
        confusions: Of the recordings.
        order: Labels in the order wanted; other labels that occur follow by name.

    Raises:
        LabelError: There are more classes than pairs of them can be counted.
    """
    rank = {label: k for k, label in enumerate(order)}
    names = sorted(
        {name for found in confusions for pair in found for name in pair},
        key=lambda name: (rank.get(name, len(rank)), name),
    )
    if len(names) > MAX_LABELS:
        msg = f'{len(names)} different labels in all recordings; expected at most {MAX_LABELS}'
        raise LabelError(msg)
    place = {name: k for k, name in enumerate(names)}
    cells = np.zeros((len(names), len(names)), np.int64)
    for found in confusions:
        for (true_name, given_name), frames in found.items():
            cells[place[true_name], place[given_name]] += frames
    true, given, right = cells.sum(1), cells.sum(0), np.diag(cells)
    return ClassScores(
        tuple(
            ClassScore(name, int(true[k]), _ratio(right[k], given[k]), _ratio(right[k], true[k]))
            for k, name in enumerate(names)
        ),
        cells,
    )


def _ratio(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None
