# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The labels in a bag beside their ground truth, both at the level that is scored."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.labels.clock import shown_range
from m2r2_ros.bags.labels.reader import LabelTrack, Truth, read_label_set
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.evaluation.pairing import Pair
from m2r2_ros.evaluation.sequence import ScoredSequence


def parents_of(pairs: Sequence[Pair]) -> dict[str, str]:
    """Return the parent of every label, from all label sets that can be read.

    Raises:
        LabelError: None of them has parents.
    """
    parents: dict[str, str] = {}
    for pair in pairs:
        for read in (partial(read_label_set, pair.labels), pair.truth.read_label_set):
            with suppress(M2R2Error):  # it is told when the recording is scored
                if labels := read():
                    named = zip(labels.names, labels.parents, strict=True)
                    parents.update((name, parent or name) for name, parent in named)
    if all(name == parent for name, parent in parents.items()):
        msg = (
            'the coarse level needs a label set with parents, and neither the label bags nor the '
            'ground truth have one: score the fine level'
        )
        raise LabelError(msg)
    return parents


def to_sequence(
    pair: Pair, track: LabelTrack, truth: Truth, parents: Mapping[str, str]
) -> ScoredSequence:
    """Put the labels of a recording beside their truth.

    Args:
        pair: Where they are from.
        track: Labels.
        truth: Ground truth.
        parents: What to call labels instead, as `parents_of` returns it; empty for the fine level.

    Raises:
        LabelError: They have no time in common.
    """
    names = [
        '' if k == UNKNOWN else parents.get(label, label)
        for k, label in zip(track.label_ids.tolist(), track.labels, strict=True)
    ]
    classes = track.label_set.names if track.label_set else ()
    confidences, probabilities = track.confidences, track.probabilities
    fits = probabilities.shape[1] == len(classes) > 0
    if fits and parents:
        classes, probabilities = _merged(classes, probabilities, parents)
        confidences = _of_labels(names, classes, probabilities)
    sequence = ScoredSequence(
        name=pair.name,
        stamps=track.stamps,
        predicted=names,
        truth_segments=[replace(s, label=parents.get(s.label, s.label)) for s in truth.segments],
        revision_lag_s=lag_seconds(track.stamps, track.revision_lags),
        confidences=confidences,
        probabilities=probabilities if fits else None,
        classes=classes if fits else (),
    )
    if not sequence.labelled.any():
        start, end = track.stamps[[0, -1]].tolist() if len(track) else (0, 0)
        true = (truth.segments[0].start, max(s.end for s in truth.segments))
        msg = (
            f'{pair.labels}, {shown_range(start, end, start)}, and {pair.truth.path}, '
            f'{shown_range(*true, start)}, have no time in common: expected labels and truth of '
            f'{pair.name} on the same clock'
        )
        raise LabelError(msg)
    return sequence


def lag_seconds(stamps: NDArray[np.int64], revision_lags: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how much later than its stamp each frame was labelled, float64 (n,), seconds.

    Args:
        stamps: int64 (n,), frame stamps, nanoseconds.
        revision_lags: int64 (n,), frames seen after each one before it was labelled; a lag that
            reaches past the last frame ends there.
    """
    seen = np.minimum(np.arange(len(stamps)) + revision_lags, len(stamps) - 1)
    lag: NDArray[np.float64] = (stamps[seen] - stamps) / 1e9
    return lag


def _merged(
    classes: Sequence[str], probabilities: NDArray[np.float32], parents: Mapping[str, str]
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Add the columns of labels that have one parent."""
    coarse = [parents.get(name, name) for name in classes]
    names = tuple(dict.fromkeys(coarse))
    merged = np.zeros((len(probabilities), len(names)), np.float32)
    for column, name in zip(probabilities.T, coarse, strict=True):
        merged[:, names.index(name)] += column
    return names, merged


def _of_labels(
    names: Sequence[str], classes: Sequence[str], probabilities: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the probability of each frame's label; 0 where it is none of the classes."""
    place = {name: k for k, name in enumerate(classes)}
    columns = np.array([place.get(name, -1) for name in names], np.int64)
    found = probabilities[np.arange(len(names)), columns]
    return np.where(columns >= 0, found, np.float32(0))
