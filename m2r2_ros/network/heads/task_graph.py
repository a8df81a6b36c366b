# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which action comes before which, learned from the labels of recordings (ProTAS, CVPR 2024).

ProTAS merges the orders of actions in its training videos into a graph. Here action a precedes
action s if every recording with s has all of its a before its first s. The edges are those of this
partial order that are not implied by longer chains of actions.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from m2r2_ros.core.labels import UNKNOWN


def task_graph(recordings: Iterable[Tensor], classes: int) -> Tensor:
    """Return the edges of the graph.

    Args:
        recordings: For each recording int64 (N,), label ids, UNKNOWN where there is none.
        classes: C.

    Returns:
        float32 (C, C), 1 at (a, s) where a is a direct predecessor of s, 0 elsewhere.
    """
    holds = torch.ones(classes, classes, dtype=torch.bool)
    seen = torch.zeros(classes, dtype=torch.bool)
    for targets in recordings:
        first, last = _spans(targets, classes)
        present = last >= 0
        before = present[:, None] & (last[:, None] < first[None, :])
        holds &= (
            before | ~present[None, :]
        )  # a recording without s says nothing about what leads to s
        seen |= present
    order = (holds & seen[None, :]).float()
    implied = order @ order > 0
    return order.masked_fill(implied, 0.0)


def _spans(targets: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Return the first and the last frame of each label, N and -1 for those that do not occur."""
    n = len(targets)
    frames = torch.arange(n)[targets != UNKNOWN]
    labels = targets[targets != UNKNOWN]
    first = torch.full((classes,), n).scatter_reduce(0, labels, frames, 'amin')
    last = torch.full((classes,), -1).scatter_reduce(0, labels, frames, 'amax')
    return first, last


def disorder(completed: Tensor, graph: Tensor) -> Tensor:
    """Return alpha_pre + alpha_suc, how much each action would be out of order.

    alpha_pre of an action sums over its direct predecessors what is left of each to do, alpha_suc
    sums over its direct successors what is done of each.

    Args:
        completed: float32 (N, C), the greatest progress of each action so far, 0..1.
        graph: float32 (C, C), of `task_graph`.

    Returns:
        float32 (N, C).
    """
    return (1 - completed) @ graph + completed @ graph.T
