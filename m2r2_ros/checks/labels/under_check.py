# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The labels of a recording, with all that they are judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from m2r2_ros.bags.labels.reader import LabelTrack
from m2r2_ros.bags.remote.places import real_name
from m2r2_ros.checks.labels.options import LabelOptions
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, Segment
from m2r2_ros.core.origin import LayerFacts
from m2r2_ros.core.taxonomy import Taxonomy
from m2r2_ros.core.time import SECOND


@dataclass(frozen=True, slots=True)
class LabelsUnderCheck:
    """Labels of a recording that are checked.

    Attributes:
        recording: Where the recording is.
        source: Where its labels were read.
        name: What the recording is called.
        segments: In order of start, unknown ones included.
        span: When the recording began and ended, on the clock of its stamps, nanoseconds.
        label_set: Of which set the labels are; None where that is not known.
        taxonomy: What labels there may be; None where nobody said.
        track: Labels of every frame, as models give them; None without.
        coarse: Segments of coarse labels beside these; None without.
        phases: Segments of phases of motion beside these; None without.
        frame: Period of the frames that labels are of, nanoseconds; 0 where it is not known.
        others: Segments of other layers of the recording, by what they are called.
        facts: Who or what made the labels; None where they are part of the recording.
    """

    recording: Path
    source: Path
    name: str
    segments: tuple[Segment, ...]
    span: tuple[int, int]
    label_set: LabelSet | None = None
    taxonomy: Taxonomy | None = None
    track: LabelTrack | None = None
    coarse: tuple[Segment, ...] | None = None
    phases: tuple[Segment, ...] | None = None
    frame: int = 0
    others: Mapping[str, Sequence[Segment]] = field(default_factory=dict)
    facts: LayerFacts | None = None

    @property
    def key(self) -> str:
        """Which recording it is, whatever it is called."""
        return real_name(self.recording)

    @property
    def known(self) -> tuple[Segment, ...]:
        """The segments that have a label."""
        return tuple(s for s in self.segments if s.label not in ('', UNKNOWN_LABEL))

    @property
    def parents(self) -> dict[str, str]:
        """Coarse label of each name; of the taxonomy where there is one."""
        known = self.taxonomy or self.label_set
        return dict(zip(known.names, known.parents, strict=True)) if known else {}


def frame_of(labels: LabelsUnderCheck, options: LabelOptions) -> int:
    """Return the period of the frames that labels are of, nanoseconds."""
    return labels.frame or round(options.frame * SECOND)
