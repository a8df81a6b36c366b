# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From recordings to what a model knows of them, with thresholds measured on held-out ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.core.modalities import IMAGE, Modalities
from m2r2_ros.model.familiarity import FEATURES, Familiarity, Watch
from m2r2_ros.model.reference import Reference, fit_reference
from m2r2_ros.training.described import Described

#: Share of the frames of held-out recordings that may be beyond what is familiar.
BUDGET: Final = 0.005
#: Thresholds are so many times what was measured.
MARGIN: Final = 1.2
#: The same for x_i of an extractor that has seen the recordings which they are measured on.
_SEEN: Final = 1.5
#: Least and greatest threshold, in standard deviations of the training set.
_LEAST, _MOST = 0.05, 3.0
#: Folds that a training set is split into where nothing was held out, and the length of the parts
#: of a single recording, s.
_FOLDS: Final = 5
_PART: Final = 3.0
#: A modality that so many frames of the training set have is expected ever after.
_ALWAYS: Final = 0.95
#: Labels are withheld below a confidence at which most of them are wrong, if so few are.
_MOST_WRONG: Final = 0.5
_FEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class KnownFold:
    """Recordings that an extractor learnt from, and others that it did not.

    Attributes:
        learnt: With the features of this very extractor.
        held_out: The same.
    """

    learnt: Sequence[Described]
    held_out: Sequence[Described]


def fit_familiarity(
    learnt: Sequence[Described],
    frame_rate: float,
    *,
    folds: Sequence[KnownFold] = (),
    confidences: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]] = (),
    rates: Mapping[str, float] | None = None,
) -> Familiarity:
    """Measure a training set.

    Args:
        learnt: All recordings that the final extractor learnt from, with its features.
        frame_rate: Frames per second.
        folds: What thresholds are measured on. Where there are none, the training set is split;
            its x_i then come from an extractor that knows them all, and get a wider threshold.
        confidences: Of recordings that the model did not learn from: probabilities as they will be
            published, float32 (T, C), and targets, int64 (T,), UNKNOWN where there is none.
        rates: Messages per second of each modality's topic.
    """
    modalities = learnt[0].modalities
    references = {
        part: fit_reference(vectors, rotate=_is_rotated(part, modalities))
        for part in (*modalities, FEATURES)
        if len(vectors := _stacked(learnt, part)) > 1
    }
    measured = folds or _split(learnt, frame_rate)
    thresholds = {}
    for part in references:
        margin = _SEEN if part == FEATURES and not folds else MARGIN
        level = margin * _limit(measured, part, frame_rate)
        thresholds[part] = float(np.clip(level, _LEAST, _MOST))
    present = np.concatenate([d.present for d in learnt])
    return Familiarity(
        references,
        thresholds,
        least_confidence(confidences),
        tuple(m for k, m in enumerate(modalities) if present[:, k].mean() >= _ALWAYS),
        dict(rates or {}),
        {'recordings': len(learnt), 'held_out': len(folds) > 0, 'budget': BUDGET},
    )


def _is_rotated(part: str, modalities: Modalities) -> bool:
    """Return whether the columns of a part have no meaning of their own."""
    return part == FEATURES or modalities[part].kind == IMAGE


def _stacked(recordings: Sequence[Described], part: str) -> NDArray[np.float32]:
    found = [d.vectors[part][d.rows(part)] for d in recordings if part in d.vectors]
    return np.concatenate(found) if found else np.zeros((0, 1), np.float32)


def _split(learnt: Sequence[Described], frame_rate: float) -> list[KnownFold]:
    """Split a training set by recordings; a single one into parts that take turns."""
    pieces: Sequence[Described] = learnt
    if len(learnt) == 1:
        step = max(1, round(_PART * frame_rate))
        pieces = [learnt[0].pick(slice(lo, lo + step)) for lo in range(0, len(learnt[0]), step)]
    count = min(_FOLDS, len(pieces))
    if count < 2:
        return [KnownFold(learnt, learnt)]
    return [
        KnownFold(
            [p for k, p in enumerate(pieces) if k % count != fold],
            [p for k, p in enumerate(pieces) if k % count == fold],
        )
        for fold in range(count)
    ]


def _limit(folds: Sequence[KnownFold], part: str, frame_rate: float) -> float:
    """Return the averaged distance of a part up to which held-out recordings are familiar.

    All but BUDGET of their frames are, and half of the recordings are when their channels are
    shifted as far as in training (see `Described.shifted`).
    """
    plain, shifted = [], []
    for fold in folds:
        vectors = _stacked(fold.learnt, part)
        if len(vectors) < 2:
            continue
        rotate = _is_rotated(part, fold.learnt[0].modalities)
        reference = fit_reference(vectors, rotate=rotate)
        for d in fold.held_out:
            if part not in d.vectors or not d.rows(part).any():
                continue
            plain.append(_averaged(reference, d.vectors[part][d.rows(part)], frame_rate))
            if part in d.shifted:
                distances = _averaged(reference, d.shifted[part][d.rows(part)], frame_rate)
                shifted.append(np.quantile(distances, 1 - BUDGET))
    if not plain:
        return _MOST
    limit = float(np.quantile(np.concatenate(plain), 1 - BUDGET))
    return max(limit, float(np.median(shifted))) if shifted else limit


def _averaged(
    reference: Reference, vectors: NDArray[np.float32], frame_rate: float
) -> NDArray[np.float32]:
    """Return averaged distances, float32 (n,)."""
    # In units of the greatest distance, so that none is capped.
    distances = reference.distance(vectors)
    unit = max(float(distances.max()), _LEAST)
    watch = Watch(Familiarity({FEATURES: reference}, {FEATURES: unit}), frame_rate)
    averaged: NDArray[np.float32] = watch.averaged(distances[:, None] / unit)[:, 0] * unit
    return averaged


def least_confidence(
    confidences: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]],
) -> float:
    """Return the confidence under which most labels are wrong, 0 where there is none.

    The highest one, such that half of the labels under it are wrong, and that withholds no more
    than BUDGET of all frames.

    Args:
        confidences: Probabilities, float32 (T, C), and targets, int64 (T,).
    """
    if not confidences:
        return 0.0
    p = np.concatenate([q for q, _ in confidences])
    targets = np.concatenate([t for _, t in confidences])
    p, targets = p[targets != UNKNOWN], targets[targets != UNKNOWN]
    if not len(p):
        return 0.0
    order = np.argsort(p.max(axis=1), kind='stable')
    wrong = np.cumsum(p.argmax(axis=1)[order] != targets[order])
    counts = np.arange(1, len(order) + 1)
    fits = (wrong >= _MOST_WRONG * counts) & (counts <= BUDGET * len(order)) & (counts >= _FEWEST)
    if not fits.any():
        return 0.0
    return float(p.max(axis=1)[order][np.flatnonzero(fits)[-1]])
