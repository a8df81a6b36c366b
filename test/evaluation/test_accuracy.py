# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.evaluation.accuracy import confusion_matrix, frame_accuracy

Spell = Callable[[str], NDArray[np.int64]]


def test_pools_frames_over_recordings(ids: Spell) -> None:
    truths = [ids('A1'), ids('B3')]
    predictions = [ids('B1'), ids('B3')]
    assert frame_accuracy(truths, predictions) == pytest.approx(0.75)


def test_no_frames() -> None:
    assert frame_accuracy([], []) is None


def test_confusion_has_truth_in_rows() -> None:
    truth, predicted = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert confusion_matrix(truth, predicted, 3).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
