# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layers of labels of any kind, by the names of the recordings that they are of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.folder import SUFFIXES
from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.layers import Layer, layers_of
from m2r2_ros.bags.labels.origin import facts_of_labels
from m2r2_ros.bags.labels.reader import Truth
from m2r2_ros.bags.labels.sources import LABELS, Rank, TruthSource, find_truths
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.bags.rosbag2 import ANNOTATIONS
from m2r2_ros.core.errors import LabelError, NoTruthError
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.core.origin import LayerFacts

#: What ends the name of a recording.
_RECORDINGS: Final = ('', *SUFFIXES)


@dataclass(frozen=True, slots=True)
class HeldLabels:
    """Labels of a recording.

    Attributes:
        name: Of the recording.
        path: What holds the labels: a label bag, a layer, a recording or a table.
        recording: Where the recording is; None where that is not known.
        source: What reads them.
    """

    name: str
    path: Path
    recording: Path | None
    source: TruthSource

    def read(self) -> Truth:
        """Read them; those that are unknown are left out.

        Raises:
            NoTruthError: There are none.
            M2R2Error: They cannot be read.
        """
        truth = self.source.read()
        known = [s for s in truth.segments if s.label not in ('', UNKNOWN_LABEL)]
        if not known:
            msg = f'{self.path}: none of its segments has a label'
            raise NoTruthError(msg)
        return Truth(known, truth.label_set, truth.note)

    @property
    def facts(self) -> LayerFacts:
        """Where they come from."""
        return facts_of_labels(self.path)

    @property
    def inputs(self) -> list[Path]:
        """What is never changed: the labels and the recording."""
        return [self.path, *([self.recording] if self.recording else [])]

    def span(self, segments: Sequence[Segment]) -> tuple[int, int]:
        """Return from when to when they could be, nanoseconds: the recording, or what they cover.

        Raises:
            BagError: The recording cannot be read.
        """
        if self.recording is not None:
            clock = clock_of(open_recording(self.recording))
            return clock.start, clock.end
        return min(s.start for s in segments), max(s.end for s in segments)


def held_labels(
    paths: Sequence[Path],
    recordings: Sequence[Path] = (),
    without: Callable[[str], None] = lambda name: None,
) -> dict[str, HeldLabels]:
    """Return labels by the name of their recording, in order of name.

    Of what a recording has, its newest annotation layer counts, then a table, its own ground truth,
    and labels of a model.

    Args:
        paths: Label bags, annotation layers, recordings, tables, or folders of them.
        recordings: Recordings, or folders of them, that the labels may be of.
        without: Called with the name of each recording that has no labels.

    Raises:
        BagError: A path is nothing, or holds none of these.
        LabelError: A recording has two of one kind, or there are no labels at all.
    """
    known = {recording_name(p): p for p in find_recordings(recordings)} if recordings else {}
    found = find_truths(paths, known)
    for name, source in sorted(found.items()):
        if source.rank == Rank.NO_TRUTH:
            without(name)
    held = {
        name: _held(name, source, known.get(name))
        for name, source in sorted(found.items())
        if source.rank != Rank.NO_TRUTH
    }
    if not held:
        msg = (
            f'{", ".join(map(str, paths))}: no labels there; expected label bags, annotation '
            'layers, recordings with ground truth, or tables'
        )
        raise LabelError(msg)
    return held


def layers_by_annotator(path: Path) -> dict[str, dict[str, HeldLabels]]:
    """Return the newest layer of each annotator: by annotator, then by recording.

    Args:
        path: A recording, or a folder of them.

    Raises:
        BagError: There are none.
    """
    found: dict[str, dict[str, HeldLabels]] = {}
    for recording in find_recordings([path]):
        name = recording_name(recording)
        for layer in layers_of(recording):  # the newest one last
            who = layer.provenance.annotator or 'nobody'
            found.setdefault(who, {})[name] = held_layer(name, layer, recording)
    return found


def held_layer(name: str, layer: Layer, recording: Path | None) -> HeldLabels:
    """Return the labels of an annotation layer."""
    source = TruthSource(layer.path, recording, rank=Rank.LAYER)
    return HeldLabels(name, layer.path, recording, source)


def _held(name: str, source: TruthSource, given: Path | None) -> HeldLabels:
    recording = given or source.recording or _beside(source.path)
    source = replace(source, recording=recording)
    bag = source.path.with_name(name + LABELS[0])
    if source.rank == Rank.SEGMENTS and bag.is_dir():  # which says more than the table beside it
        source = replace(source, path=bag, given=True, rank=Rank.LABEL_BAG)
    return HeldLabels(name, source.path, recording, source)


def _beside(path: Path) -> Path | None:
    """Return the recording beside the annotations that a layer lies in; None without one."""
    folder = path.absolute().parent
    if not folder.name.endswith(ANNOTATIONS):
        return None
    stem = folder.with_name(folder.name.removesuffix(ANNOTATIONS))
    named = (stem.with_name(stem.name + suffix) for suffix in _RECORDINGS)
    return next((path for path in named if path.exists()), None)
