# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How unlike the training set the inputs of a frame are, and from when on nothing is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import Modalities, column
from m2r2_ros.core.options import Section
from m2r2_ros.model.describe import describe
from m2r2_ros.model.inputs import Inputs
from m2r2_ros.model.reference import MOST_CENTRES, MOST_DIRECTIONS, Reference

#: The part that compares x_i, in which all modalities are put together; every other is a modality.
FEATURES: Final = 'features'
#: What x_i is called in reasons: each modality looks familiar by itself, but not with the others.
_NAMES: Final = {FEATURES: 'combination'}
#: Seconds over which distances are averaged, older ones fading exponentially.
MEMORY: Final = 1.0
#: Level that a frame counts at most, so that the end of something unlike is soon seen.
CAP: Final = 9.0
#: A label is withheld above the level 1 + TRUST * confidence: what is a little unlike the training
#: set costs only labels in doubt, what is far from it costs all.
TRUST: Final = 1.0
#: Nothing is labelled where so large a share of the modalities that training always had is missing.
MOST_MISSING: Final = 0.5
_MOST_RATE: Final = 1e6


@dataclass(frozen=True, slots=True)
class Familiarity:
    """What a model knows of its training set; part of a bundle.

    Attributes:
        references: By part, a modality or FEATURES.
        thresholds: By part, the averaged distance up to which a frame is familiar.
        least_confidence: Labels of less confidence are withheld, 0..1.
        always: Modalities that hardly a frame of the training set lacked.
        rates: Messages per second of each modality's topic in the training set.
        measured: What thresholds were measured on, and what they cost there; for readers.
    """

    references: Mapping[str, Reference]
    thresholds: Mapping[str, float]
    least_confidence: float = 0.0
    always: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that are compared, FEATURES last."""
        return tuple(self.references)

    def distances(self, inputs: Inputs, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the distance of each part of N frames, NaN where it is masked, float32 (N, P).

        Args:
            inputs: Normalised inputs; images as features of the backbone.
            features: x_i, float32 (N, D_e).
        """
        vectors = {**describe(inputs), FEATURES: features}
        found = np.full((len(inputs), len(self.parts)), np.nan, np.float32)
        for k, part in enumerate(self.parts):
            if part not in vectors:
                continue
            rows = inputs.present.any(axis=1) if part == FEATURES else inputs.has(part)
            if rows.all():
                found[:, k] = self.references[part].distance(vectors[part])
            elif rows.any():
                found[rows, k] = self.references[part].distance(vectors[part][rows])
        return found

    def missing(self, inputs: Inputs, frame: int) -> tuple[str, ...]:
        """Return the modalities that training always had and that a frame lacks."""
        present = inputs.present[frame]
        return tuple(
            m
            for m in self.always
            if m not in inputs.modalities or not present[column(inputs.modalities, m)]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads, but for the tensors."""
        return {
            'parts': {
                part: {
                    'threshold': float(self.thresholds[part]),
                    'directions': self.references[part].projection.shape[1],
                    'centres': len(self.references[part].centres),
                }
                for part in self.parts
            },
            'least_confidence': self.least_confidence,
            'always': list(self.always),
            'rates': {name: float(rate) for name, rate in self.rates.items()},
            'measured': dict(self.measured),
        }

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the arrays by their names behind the prefix."""
        return {
            f'{part}.{name}': getattr(self.references[part], name)
            for part in self.parts
            for name in ('mean', 'projection', 'centres')
        }

    @classmethod
    def from_dict(
        cls,
        entries: Mapping[str, Any],
        tensors: Mapping[str, NDArray[np.float32]],
        modalities: Modalities,
    ) -> 'Familiarity':
        """Read the `familiarity` section of bundle.yaml, with its tensors.

        Args:
            entries: The section.
            tensors: By their names behind the prefix.
            modalities: Of the model.

        Raises:
            BundleError: An entry is missing, unknown or out of range.
        """
        section = Section(entries, 'familiarity', error=BundleError)
        parts = familiarity_shapes(entries, dict.fromkeys((*modalities, FEATURES), 0))
        kept = section.section('parts')
        thresholds = {part: float(kept.section(part).number('threshold')) for part in parts}
        least = section.number('least_confidence')
        if not 0 <= least <= 1:
            section.refuse('least_confidence', 'a number from 0 to 1', least)
        rates = _rates(section.section('rates'), modalities)
        expected = f'some of {", ".join(modalities)}'
        always = section.texts('always', expected=expected)
        if not set(always) <= set(modalities):
            section.refuse('always', expected, list(always))
        measured = section.section('measured').entries
        section.close()
        references = {
            part: Reference(*(tensors[f'{part}.{n}'] for n in ('mean', 'projection', 'centres')))
            for part in parts
        }
        return cls(references, thresholds, float(least), always, rates, measured)


def familiarity_shapes(
    entries: Mapping[str, Any], widths: Mapping[str, int]
) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return the shape of each tensor, by part and name, that a `familiarity` section promises.

    Args:
        entries: The section.
        widths: K of each part that the model has.

    Raises:
        BundleError: A part is unknown, or a number is not one that training writes.
    """
    section = Section(entries, 'familiarity', error=BundleError).section('parts')
    shapes = {}
    for part, k in widths.items():
        if not section.has(part):
            continue
        entry = section.section(part)
        if entry.number('threshold') <= 0:
            entry.refuse('threshold', 'a number above 0', entry.number('threshold'))
        r, m = entry.count('directions'), entry.count('centres')
        entry.close()
        for name, value, most in (
            ('directions', r, MOST_DIRECTIONS),
            ('centres', m, MOST_CENTRES),
        ):
            if value > most:
                entry.refuse(name, f'a whole number up to {most}', value)
        shapes[part] = {'mean': (k,), 'projection': (k, r), 'centres': (m, r)}
    section.close()
    return shapes


def _rates(section: Section, modalities: Modalities) -> dict[str, float]:
    # The pose, too, where it was no modality but the twist came from it.
    names = dict.fromkeys([*modalities, *(m.derived_from for m in modalities.values())])
    found = {m: section.number(m) for m in names if m and section.has(m)}
    section.close()
    for name, rate in found.items():
        if not 0 < rate <= _MOST_RATE:
            section.refuse(name, f'a number above 0, up to {_MOST_RATE:g}', rate)
    return found


class Watch:
    """Follows the frames of a run and says why the model does not know them; streaming.

    The distance of each part is averaged over the frames so far, those before fading with MEMORY,
    beginning with the first frame by itself.
    """

    def __init__(self, familiarity: Familiarity, frame_rate: float) -> None:
        """Begin without a frame."""
        self._familiarity = familiarity
        self._thresholds = np.array([familiarity.thresholds[p] for p in familiarity.parts])
        self._fade = float(np.exp(-1 / (MEMORY * frame_rate)))
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._sums = np.zeros(len(self._thresholds))
        self._weights = np.zeros(len(self._thresholds))

    def levels(self, inputs: Inputs, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return each part's averaged distance in units of its threshold, float32 (N, P).

        Frames that follow on those before; a masked part keeps what it had, 0 before its first.
        """
        distances = self._familiarity.distances(inputs, features)
        return self.averaged((distances / self._thresholds).astype(np.float32))

    def averaged(self, distances: NDArray[np.float32]) -> NDArray[np.float32]:
        """Average distances in units of thresholds, float32 (N, P), NaN where a part is masked."""
        found = np.zeros(distances.shape, np.float32)
        for k, row in enumerate(np.minimum(distances.astype(np.float64), CAP)):
            seen = np.isfinite(row)
            self._sums[seen] = self._fade * self._sums[seen] + (1 - self._fade) * row[seen]
            self._weights[seen] = self._fade * self._weights[seen] + (1 - self._fade)
            found[k] = self._sums / np.maximum(self._weights, 1e-12)
        return found

    def step(self, inputs: Inputs, features: NDArray[np.float32]) -> list['Doubt']:
        """Return what speaks against labels of N frames that follow on those before."""
        levels = self.levels(inputs, features)
        return [
            Doubt(
                float(levels[k].max(initial=0.0)),
                self._unlike(levels[k]),
                self._familiarity.missing(inputs, k),
                len(self._familiarity.always),
            )
            for k in range(len(inputs))
        ]

    def _unlike(self, levels: NDArray[np.float32]) -> tuple[str, ...]:
        parts = self._familiarity.parts
        unlike = [parts[k] for k in np.argsort(-levels, kind='stable') if levels[k] > 1]
        named = [part for part in unlike if part != FEATURES] or unlike
        return tuple(_NAMES.get(part, part) for part in named)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks against a label of a frame, whatever it is.

    Attributes:
        level: How unlike the training set the inputs are, in units of what is still familiar.
        unlike: What of them is beyond 1, the most unlike first.
        missing: Modalities that training always had and that the frame lacks.
        expected: How many modalities training always had.
    """

    level: float = 0.0
    unlike: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    expected: int = 0

    def reason(self, confidence: float, least_confidence: float) -> str:
        """Return why a label of a confidence is withheld, '' where it is not."""
        if self.missing and len(self.missing) >= MOST_MISSING * self.expected:
            return f'missing: {", ".join(self.missing)}'
        if self.level > 1 + TRUST * confidence:
            return f'unlike: {", ".join(self.unlike)}'
        if confidence < least_confidence:
            return f'missing: {", ".join(self.missing)}' if self.missing else 'unsure'
        return ''
