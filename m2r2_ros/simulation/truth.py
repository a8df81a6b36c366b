# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth of an episode: actions, their verbs, and the phases of motion below them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.sink import MessageSink
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.simulation.label_faults import LabelFault, apply_label_faults
from m2r2_ros.simulation.motion import Activity
from m2r2_ros.simulation.parts import PHASES, action_labels

#: Topics of coarse labels and of phases, below those of ground truth.
COARSE: Final = '/coarse'
PHASE: Final = '/phase'


class TruthWriter:
    """Writes three lanes of ground truth, each with its label set."""

    def __init__(
        self,
        sink: MessageSink,
        start: int,
        rng: np.random.Generator,
        faults: Sequence[LabelFault] = (),
    ) -> None:
        """Add the topics.

        Args:
            sink: Where they go.
            start: Stamp of the beginning of the episode, nanoseconds.
            rng: Decides which labels have faults.
            faults: Of the labels of actions, which are then written by `finish` alone.
        """
        self._start, self._rng, self._faults = start, rng, faults
        self._kept: list[Segment] = []
        fine = self._names = action_labels()
        self._parents = dict(zip(fine.names, fine.parents, strict=True))
        coarse = LabelSet.of(dict.fromkeys(fine.parents))
        self._lanes = [
            _Lane(sink, '', fine, start),
            _Lane(sink, COARSE, coarse, start),
            _Lane(sink, PHASE, LabelSet.of(PHASES), start),
        ]

    def write(self, action: Activity, phases: list[Activity]) -> None:
        """Write an action that is over, and the phases that it was made of."""
        fine, coarse, phase = self._lanes
        for span in phases:
            phase.write(self._segment(span))
        if self._faults:
            self._kept.append(self._segment(action))
        else:
            fine.write(self._segment(action))
        coarse.write(self._segment(action._replace(name=self._parents[action.name])))

    def finish(self) -> None:
        """Write the labels that are to have faults, once all are there."""
        names = self._names.names
        faulty, _ = apply_label_faults(self._kept, self._faults, self._rng, names, self._start)
        for segment in faulty:
            self._lanes[0].write(segment)

    def _segment(self, span: Activity) -> Segment:
        begin, end = (self._start + round(t * 1e9) for t in (span.start, span.end))
        return Segment(begin, end, span.name, success=span.success)


class _Lane:
    """One topic of segments."""

    def __init__(self, sink: MessageSink, prefix: str, labels: LabelSet, start: int) -> None:
        self._writer = LabelWriter(sink, GROUND_TRUTH + prefix, frame_labels=False)
        self._writer.write_label_set(labels, '', start)
        self._labels, self._count = labels, 0

    def write(self, segment: Segment) -> None:
        label_id = self._labels.id_of(segment.label)
        self._writer.write_segment(segment, label_id, self._count, '')
        self._count += 1
