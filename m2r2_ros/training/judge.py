# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Online heads judged by the labels that are decided from what they say, at each lag."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from m2r2_ros.core.labels import LabelSet
from m2r2_ros.training.learn_decoding import Comparison, compare_rules
from m2r2_ros.training.posteriors import Posterior, posteriors_of
from m2r2_ros.training.search import ChosenHead, TrainedFold

#: What strictly online labels may lose, in accuracy (percent) + F1@50, where later ones gain more.
LEEWAY: Final = 1.0


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
    values, others = plain.rules.values, lagged.rules.values
    gains = sum(others.values()) > sum(values.values())
    keeps = others.get(0, 0.0) >= values.get(0, 0.0) - LEEWAY
    return lagged if gains and keeps else plain
