# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which recordings are held out, and when, to choose by what was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.training.survey import kinds_of

#: Frames from which on one fold is enough, and the share of recordings that it holds out.
LARGE, HELD_OUT = 30_000, 6
#: Recordings up to which there are three folds; beyond, two.
FEW = 12


@dataclass(frozen=True, slots=True)
class Fold:
    """A split of recordings, by number.

    Attributes:
        train: To learn from.
        held_out: To choose by.
    """

    train: tuple[int, ...]
    held_out: tuple[int, ...]


def choose_folds(targets: Sequence[NDArray[np.int64]]) -> tuple[Fold, ...]:
    """Split recordings so that each kind is on both sides wherever it has two.

    Small sets are split into three folds, then two, in which every recording is held out once; of
    large ones one recording in HELD_OUT is held out. A recording that alone has some label always
    stays in training, where nothing else could teach that label.

    Args:
        targets: For each recording int64 (T,), label ids.

    Returns:
        No fold where there are not two recordings that could stand for each other.
    """
    order = [k for kind in kinds_of(targets) for k in kind]
    whole = sum(len(own) for own in targets)
    if whole > LARGE and len(order) >= HELD_OUT:
        groups = [[k for place, k in enumerate(order) if place % HELD_OUT == HELD_OUT // 2]]
    else:
        count = min(3 if len(order) <= FEW else 2, len(order))
        groups = [order[start::count] for start in range(count)]
    folds = []
    for group in groups:
        held_out = _replaceable(group, targets)
        train = tuple(k for k in range(len(targets)) if k not in held_out)
        if held_out and train:
            folds.append(Fold(train, tuple(held_out)))
    return tuple(folds)


def kinds_to_leave_out(
    fold: Fold, targets: Sequence[NDArray[np.int64]]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return for each kind what to train on without it, and what of it is held out.

    Only kinds that are held out in part, and all labels of which occur in the other kinds.

    Args:
        fold: A fold.
        targets: Of all recordings.
    """
    found = []
    kinds = kinds_of(targets)
    for kind in kinds if len(kinds) > 1 else []:
        rest = tuple(k for k in fold.train if k not in kind)
        own = tuple(k for k in fold.held_out if k in kind)
        if rest and own and _labels(targets, own) <= _labels(targets, rest):
            found.append((rest, own))
    return found


def _replaceable(group: Sequence[int], targets: Sequence[NDArray[np.int64]]) -> list[int]:
    """Return those of a group whose labels all occur in recordings that are not held out."""
    held_out = sorted(group)
    for k in list(held_out):
        rest = [j for j in range(len(targets)) if j not in held_out]
        if not _labels(targets, [k]) <= _labels(targets, rest):
            held_out.remove(k)
    return held_out


def _labels(targets: Sequence[NDArray[np.int64]], chosen: Sequence[int]) -> set[int]:
    return {int(label) for k in chosen for label in np.unique(targets[k])} - {UNKNOWN}
