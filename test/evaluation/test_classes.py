# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from m2r2_ros.core.labels import Segment
from m2r2_ros.evaluation.classes import score_classes
from m2r2_ros.evaluation.sequence import ScoredSequence


def test_precision_recall_and_confusion() -> None:
    stamps = np.arange(6, dtype=np.int64)
    truth = [Segment(0, 3, 'push'), Segment(3, 5, 'pull')]  # the last frame has no truth
    found = score_classes(
        [ScoredSequence('r', stamps, ['push', 'push', 'pull', 'pull', '', 'wave'], truth)],
        ['push', 'pull'],
    )
    assert [c.label for c in found.classes] == ['push', 'pull', '']
    assert [c.frames for c in found.classes] == [3, 2, 0]
    assert [c.precision for c in found.classes] == [1.0, 0.5, 0.0]
    assert [c.recall for c in found.classes] == [2 / 3, 0.5, None]
    assert found.confusion.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 0]]
