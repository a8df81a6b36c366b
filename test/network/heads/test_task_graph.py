# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graph of which action comes before which: hand-made recordings."""

import torch
from torch import Tensor

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.network.heads.task_graph import disorder, task_graph


def edges(*recordings: list[int], classes: int = 4) -> set[tuple[int, int]]:
    graph = task_graph([torch.tensor(r) for r in recordings], classes)
    return {(a, s) for a, s in graph.nonzero().tolist()}


def test_a_chain_has_no_edge_that_others_imply() -> None:
    assert edges([0, 0, 1, 2, 2, 3]) == {(0, 1), (1, 2), (2, 3)}


def test_what_some_recording_contradicts_is_no_edge() -> None:
    assert edges([0, 1, 2, 3], [0, 2, 1, 3]) == {(0, 1), (0, 2), (1, 3), (2, 3)}


def test_a_recording_without_an_action_does_not_ask_for_what_leads_to_it() -> None:
    assert edges([0, 1], [0, 2], [2]) == {(0, 1)}
    # 1 came once without 0 before it.
    assert edges([0, 1], [1]) == set()


def test_an_action_that_comes_again_later_precedes_nothing_between() -> None:
    assert edges([0, 1, 0, 2]) == {(0, 2), (1, 2)}


def test_unknown_frames_and_labels_that_never_occur_bear_no_edges() -> None:
    assert edges([UNKNOWN, 3, UNKNOWN, 1, UNKNOWN]) == {(3, 1)}
    assert edges([UNKNOWN]) == edges() == set()


def test_disorder_is_what_is_left_before_and_done_after() -> None:
    """By a plain loop over edges."""
    graph = task_graph([torch.tensor([0, 1, 2, 3]), torch.tensor([0, 2, 1, 3])], 4)
    completed = torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.0, 0.25, 0.5, 0.0], [1.0, 1.0, 1.0, 0.75]])
    expected = torch.zeros(3, 4)
    for a, s in graph.nonzero().tolist():
        for i in range(3):
            expected[i, s] += 1 - completed[i, a]
            expected[i, a] += completed[i, s]
    torch.testing.assert_close(disorder(completed, graph), expected)
    row: Tensor = disorder(completed, graph)[1]
    # 0 has 1 and 2 behind it; 1 and 2 have 0 done and 3 not begun; 3 lacks 0.75 of 1, half of 2.
    torch.testing.assert_close(row, torch.tensor([0.75, 0.0, 0.0, 1.25]))
