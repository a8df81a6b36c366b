# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from m2r2_ros.evaluation.classes import score_classes


def test_precision_recall_and_confusion() -> None:
    first = {('push', 'push'): 2, ('push', 'pull'): 1}
    second = {('pull', 'pull'): 1, ('pull', ''): 1}
    found = score_classes([first, second], ['push', 'pull'])
    assert [c.label for c in found.classes] == ['push', 'pull', '']
    assert [c.frames for c in found.classes] == [3, 2, 0]
    assert [c.precision for c in found.classes] == [1.0, 0.5, 0.0]
    assert [c.recall for c in found.classes] == [2 / 3, 0.5, None]
    assert found.confusion.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 0]]
