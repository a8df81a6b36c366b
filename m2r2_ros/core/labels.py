# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels: the set of names, one frame's label, a segment."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.palette import UNKNOWN_COLOUR, Colour, colour_of
from m2r2_ros.core.text import excerpt, listed

UNKNOWN = -1
#: What frames and segments without a label are called.
UNKNOWN_LABEL = 'unknown'
#: Labels in a set, and characters of one: scores are kept for every pair of labels.
MAX_LABELS = 4096
MAX_LABEL = 256


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Class names in id order, with their coarse parents.

    Attributes:
        names: Label of id 0, 1, ...
        parents: Coarse label of each name (two-level taxonomy); '' without one.
        chosen: RGB in 0..1 of each name, where a taxonomy says it; empty for those of the palette.
    """

    names: tuple[str, ...]
    parents: tuple[str, ...]
    chosen: tuple[Colour, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            msg = f'label names must differ from each other: {listed(self.names)}'
            raise LabelError(msg)
        expect_labels(self.names)
        if long := [parent for parent in self.parents if len(parent) > MAX_LABEL]:
            msg = f'label parent {excerpt(long[0])} has more than {MAX_LABEL} characters'
            raise LabelError(msg)
        if len(self.parents) != len(self.names):
            msg = f'{len(self.names)} labels need as many parents, not {len(self.parents)}'
            raise LabelError(msg)
        if self.chosen and len(self.chosen) != len(self.names):
            msg = f'{len(self.names)} labels need as many colours, not {len(self.chosen)}'
            raise LabelError(msg)

    @classmethod
    def of(cls, names: Iterable[str]) -> 'LabelSet':
        """Make a flat label set."""
        names = tuple(names)
        return cls(names, ('',) * len(names))

    def id_of(self, name: str) -> int:
        """Return the id of `name`, UNKNOWN where it is not in the set."""
        return self.names.index(name) if name in self.names else UNKNOWN

    def coloured(self, chosen: Mapping[str, Colour]) -> 'LabelSet':
        """Return the same labels in colours that were chosen for some of them."""
        if chosen.keys().isdisjoint(self.names):
            return self
        own = zip(self.names, self.colours, strict=True)
        return replace(self, chosen=tuple(chosen.get(name, colour) for name, colour in own))

    @property
    def colours(self) -> tuple[Colour, ...]:
        """RGB in 0..1 of each label: that which was chosen, or that of its place in the set."""
        return self.chosen or tuple(map(colour_of, range(len(self.names))))


def chosen_colours(label_sets: Iterable[LabelSet | None]) -> dict[str, Colour]:
    """Return the colours that were chosen for labels, by name: those of the first set that has."""
    found: dict[str, Colour] = {}
    for label_set in label_sets:
        if label_set is not None and label_set.chosen:
            for name, colour in zip(label_set.names, label_set.chosen, strict=True):
                found.setdefault(name, colour)
    return found


def colours_of(label_set: LabelSet | None, used: Iterable[str]) -> dict[str, Colour]:
    """Return the colours of labels by name, that of UNKNOWN_LABEL among them.

    Args:
        label_set: Labels that have their colours in any case.
        used: Labels that are shown. Those that the set lacks come after it, in order of alphabet.
    """
    names = label_set.names if label_set else ()
    extra = sorted({*used} - {*names, UNKNOWN_LABEL})
    own = dict(zip(names, label_set.colours, strict=True)) if label_set else {}
    others = {name: colour_of(k) for k, name in enumerate(extra, len(names))}
    return {**own, **others, UNKNOWN_LABEL: UNKNOWN_COLOUR}


def expect_labels(names: Collection[str]) -> None:
    """Refuse labels that are no text for a message, or too many.

    Args:
        names: Labels that differ.

    Raises:
        LabelError: There are such labels.
    """
    if len(names) > MAX_LABELS:
        msg = f'{len(names)} different labels; expected at most {MAX_LABELS}'
        raise LabelError(msg)
    for name in names:
        if not 0 < len(name) <= MAX_LABEL or '\0' in name:
            msg = f"label '{excerpt(name)}': expected 1 to {MAX_LABEL} characters, none of them NUL"
            raise LabelError(msg)


@dataclass(frozen=True, slots=True)
class FrameLabel:
    """The label of one frame.

    Attributes:
        stamp: Frame stamp t_i, nanoseconds.
        label_id: Index into the label set, UNKNOWN without one.
        label: Name of the label, UNKNOWN_LABEL without one.
        confidence: Probability of the label, 0..1; without one, of the label that was withheld.
        probabilities: float32 (C,), one for each label of the set.
        boundary_score: Probability that a new segment began at this frame, 0..1.
        segment_index: Running number of the segment that the frame belongs to.
        segment_start: Stamp of that segment's first frame, nanoseconds.
        revision_lag: Frames that were seen after this one before it was labelled; 0 is strictly
            online.
        modality_mask: Bits of the model's modalities that were present (core.modalities).
        reason: Why there is no label, such as 'unlike: wrench'; '' where there is one.
    """

    stamp: int
    label_id: int
    label: str
    confidence: float
    probabilities: NDArray[np.float32]
    boundary_score: float
    segment_index: int
    segment_start: int
    revision_lag: int
    modality_mask: int
    reason: str = ''

    @property
    def is_finite(self) -> bool:
        """Whether all its numbers are numbers."""
        numbers = math.isfinite(self.confidence) and math.isfinite(self.boundary_score)
        return numbers and bool(np.isfinite(self.probabilities).all())


@dataclass(frozen=True, slots=True)
class Segment:
    """An interval of one label.

    Attributes:
        start: Where it begins, nanoseconds.
        end: Where it ends, not part of it, nanoseconds.
        label: Name of the label.
        confidence: Mean probability of the label over the segment, 0..1.
        success: Whether the attempt succeeded; None where that is not known, as in every segment
            that a model found.
        reason: Why nothing is known of it, such as 'unlike: wrench': such a segment is called
            UNKNOWN_LABEL and counts as none in scores. '' where it has a label.
    """

    start: int
    end: int
    label: str
    confidence: float = 1.0
    success: bool | None = None
    reason: str = ''


def label_at(segments: Sequence[Segment], stamps: NDArray[np.int64]) -> list[str]:
    """Return the label in force at each stamp, '' outside every segment.

    Args:
        segments: In order of start; where two overlap, the later start wins.
        stamps: int64 (n,), nanoseconds.
    """
    starts = np.array([s.start for s in segments], np.int64)
    found = np.searchsorted(starts, stamps, side='right') - 1
    return [
        segments[k].label if k >= 0 and t < segments[k].end else ''
        for k, t in zip(found, stamps, strict=True)
    ]
