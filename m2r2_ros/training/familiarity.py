# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From recordings to what a model knows of them, with thresholds measured on held-out ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.core.modalities import MODALITIES, SENSOR_DIMS
from m2r2_ros.model.describe import describe
from m2r2_ros.model.familiarity import FEATURES, PARTS, Familiarity, Watch
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.model.network import Network
from m2r2_ros.model.reference import Reference, fit_reference
from m2r2_ros.model.tensors import InputTensors
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.extract import CHUNK
from m2r2_ros.windows.normalisation import Normalisation

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
#: Parts whose columns have no meaning of their own, and sensors that training shifts.
ROTATED: Final = ('image', FEATURES)
SHIFTED: Final = ('wrench', 'pose', 'twist')
#: A modality that so many frames of the training set have is expected ever after.
_ALWAYS: Final = 0.95
#: Labels are withheld below a confidence at which most of them are wrong, if so few are.
_MOST_WRONG: Final = 0.5
_FEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class Described:
    """A recording as familiarity sees it.

    Attributes:
        name: Of the recording.
        vectors: By part, float32 (T, K).
        present: bool (T, 6), in the order of MODALITIES.
        shifted: The vectors of the recording with its channels shifted and scaled as in training;
            what the network is taught to bear is familiar.
    """

    name: str
    vectors: Mapping[str, NDArray[np.float32]]
    present: NDArray[np.bool_]
    shifted: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.present)

    def rows(self, part: str) -> NDArray[np.bool_]:
        """Return which frames have a part, bool (T,)."""
        there = self.present if part == FEATURES else self.present[:, [MODALITIES.index(part)]]
        return np.asarray(there.any(axis=1))

    def pick(self, rows: slice) -> 'Described':
        """Return some of the frames."""
        vectors = {part: v[rows] for part, v in self.vectors.items()}
        shifted = {part: v[rows] for part, v in self.shifted.items()}
        return Described(self.name, vectors, self.present[rows], shifted)


@dataclass(frozen=True, slots=True)
class Fold:
    """Recordings that an extractor learnt from, and others that it did not.

    Attributes:
        learnt: With the features of this very extractor.
        held_out: The same.
    """

    learnt: Sequence[Described]
    held_out: Sequence[Described]


def describe_recording(
    recording: CachedRecording,
    normalisation: Normalisation,
    features: Callable[[Inputs], NDArray[np.float32]] | None = None,
    *,
    offset: float = 0.0,
    gain: float = 0.0,
    seed: int = 0,
) -> Described:
    """Describe a recording, a few frames at a time.

    Args:
        recording: Its windows.
        normalisation: Scales of the training set.
        features: From inputs to x_i, float32 (N, D_e); None leaves them out.
        offset: Standard deviation of the shift of each channel in training, in z-scores.
        gain: Standard deviation of the factor of each channel in training.
        seed: Of shift and factor, which are the same for all frames of the recording.
    """
    rng = np.random.default_rng(seed)
    factors = {n: 1 + gain * rng.standard_normal(d) for n, d in SENSOR_DIMS.items()}
    offsets = {n: offset * rng.standard_normal(d) for n, d in SENSOR_DIMS.items()}
    plain, moved = [], []
    for lo in range(0, len(recording), CHUNK):
        inputs = recording.inputs(lo, min(lo + CHUNK, len(recording)), normalisation)
        plain.append(_vectors(inputs, features))
        if offset or gain:
            data = {
                n: (factors[n] * x + offsets[n]).astype(np.float32) if n in SHIFTED else x
                for n, x in inputs.data.items()
            }
            moved.append(_vectors(Inputs(data, inputs.present), features))
    return Described(recording.name, _joined(plain), np.array(recording.present), _joined(moved))


def measure(
    network: Network,
    recordings: Sequence[CachedRecording],
    normalisation: Normalisation,
    frame_rate: float,
    *,
    held_out: Sequence[CachedRecording] = (),
    offset: float = 0.0,
    gain: float = 0.0,
    confidences: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]] = (),
    rates: Mapping[str, float] | None = None,
) -> Familiarity:
    """Measure what a trained network knows.

    Args:
        network: After training.
        recordings: What it was trained on.
        normalisation: Scales of these.
        frame_rate: Frames per second.
        held_out: Recordings that it was not trained on, for the thresholds.
        offset: Of its training; see `describe_recording`.
        gain: Of its training.
        confidences: See `fit_familiarity`.
        rates: See `fit_familiarity`.
    """

    def features(inputs: Inputs) -> NDArray[np.float32]:
        found: NDArray[np.float32] = network.features(InputTensors.of(inputs)).numpy()
        return found

    def described(chosen: Sequence[CachedRecording]) -> list[Described]:
        return [
            describe_recording(r, normalisation, features, offset=offset, gain=gain, seed=seed)
            for seed, r in enumerate(chosen)
        ]

    learnt = described(recordings)
    folds = [Fold(learnt, described(held_out))] if held_out else []
    return fit_familiarity(learnt, frame_rate, folds=folds, confidences=confidences, rates=rates)


def _vectors(
    inputs: Inputs, features: Callable[[Inputs], NDArray[np.float32]] | None
) -> dict[str, NDArray[np.float32]]:
    found = describe(inputs)
    return found if features is None else {**found, FEATURES: features(inputs)}


def _joined(parts: Sequence[Mapping[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]} if parts else {}


def fit_familiarity(
    learnt: Sequence[Described],
    frame_rate: float,
    *,
    folds: Sequence[Fold] = (),
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
    references = {
        part: fit_reference(vectors, rotate=part in ROTATED)
        for part in PARTS
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
        tuple(m for k, m in enumerate(MODALITIES) if present[:, k].mean() >= _ALWAYS),
        dict(rates or {}),
        {'recordings': len(learnt), 'held_out': len(folds) > 0, 'budget': BUDGET},
    )


def _stacked(recordings: Sequence[Described], part: str) -> NDArray[np.float32]:
    found = [d.vectors[part][d.rows(part)] for d in recordings if part in d.vectors]
    return np.concatenate(found) if found else np.zeros((0, 1), np.float32)


def _split(learnt: Sequence[Described], frame_rate: float) -> list[Fold]:
    """Split a training set by recordings; a single one into parts that take turns."""
    pieces: Sequence[Described] = learnt
    if len(learnt) == 1:
        step = max(1, round(_PART * frame_rate))
        pieces = [learnt[0].pick(slice(lo, lo + step)) for lo in range(0, len(learnt[0]), step)]
    count = min(_FOLDS, len(pieces))
    if count < 2:
        return [Fold(learnt, learnt)]
    return [
        Fold(
            [p for k, p in enumerate(pieces) if k % count != fold],
            [p for k, p in enumerate(pieces) if k % count == fold],
        )
        for fold in range(count)
    ]


def _limit(folds: Sequence[Fold], part: str, frame_rate: float) -> float:
    """Return the averaged distance of a part up to which held-out recordings are familiar.

    All but BUDGET of their frames are, and half of the recordings are when their channels are
    shifted as far as in training (see `Described.shifted`).
    """
    plain, shifted = [], []
    for fold in folds:
        vectors = _stacked(fold.learnt, part)
        if len(vectors) < 2:
            continue
        reference = fit_reference(vectors, rotate=part in ROTATED)
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
