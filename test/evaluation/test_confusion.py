# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from m2r2_ros.evaluation.confusion import confusion


def test_pairs_are_truth_and_prediction() -> None:
    truth, predicted = np.array([0, 0, 1]), np.array([0, 1, 1])
    found = confusion(truth, predicted, ['push', 'pull', ''])
    assert found == {('push', 'push'): 1, ('push', 'pull'): 1, ('pull', 'pull'): 1}


def test_no_frames() -> None:
    nothing = np.zeros(0, np.int64)
    assert confusion(nothing, nothing, []) == {}
