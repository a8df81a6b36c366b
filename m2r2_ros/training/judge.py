# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Online heads judged by the labels that are decided from what they say, at each lag."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.training.learn_decoding import MARGIN, Comparison, compare_rules
from m2r2_ros.training.posteriors import Posterior, posteriors_of
from m2r2_ros.training.search import ChosenHead, TrainedFold

#: Percent of accuracy that strictly online labels may lose where later ones gain more.
MOST_LOST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """An online head with the rules that were learnt for it.

    Attributes:
        head: The head of each fold.
        posteriors: What these heads, and the offline ones, say of what each fold holds out.
        rules: How labels are decided, and what was compared.
    """

    head: ChosenHead
    posteriors: list[Posterior]
    rules: Comparison


def judge(
    folds: Sequence[TrainedFold],
    online: ChosenHead,
    offline: ChosenHead,
    labels: LabelSet,
    frame_rate: float,
) -> Judged:
    """Learn rules from what heads say of recordings that they have not seen.

    Args:
        folds: Features; without any, there is nothing to learn from, and labels are arg max.
        online: Online heads of the folds.
        offline: Offline heads of the folds.
        labels: What the ids mean.
        frame_rate: Frames per second.
    """
    found = [
        posterior
        for fold, live, whole in zip(folds, online.heads, offline.heads, strict=True)
        for posterior in posteriors_of(fold.held_out, live.head, whole.head)
    ]
    return Judged(online, found, compare_rules(found, labels, frame_rate))


def better_of(plain: Judged, lagged: Judged) -> Judged:
    """Return the head with outputs for older labels where these gain, and online ones do not lose.

    Args:
        plain: A head without such outputs.
        lagged: A head with them.
    """
    before, after = plain.rules.best, lagged.rules.best
    gain = sum(t.value for t in after.values()) - sum(t.value for t in before.values())
    if gain <= 0:
        return plain
    lost = before[0].accuracy - after[0].accuracy
    return plain if lost > MOST_LOST or before[0].is_better(after[0], MARGIN) else lagged
