# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings and the labels that are exported with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.labels.sources import TruthSource, find_truths, own_truth
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.core.errors import LabelError, NoTruthError
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, Segment
from m2r2_ros.core.palette import colour_of
from m2r2_ros.core.text import listed


@dataclass(frozen=True, slots=True)
class Labelled:
    """A recording and its labels.

    Attributes:
        recording: Where it is.
        name: What it is called.
        segments: In order of start; without those that are unknown.
        label_set: Of which set they are; it holds every label that is used.
        source: Where the labels were read.
    """

    recording: Path
    name: str
    segments: tuple[Segment, ...]
    label_set: LabelSet
    source: Path

    def parent_of(self, label: str) -> str:
        """Return the coarse label of a label, '' without one."""
        return self.label_set.parents[self.label_set.id_of(label)]


@dataclass(frozen=True, slots=True)
class LabelledSource:
    """A recording, and where its labels are, which are not read yet.

    Attributes:
        recording: Where it is.
        name: What it is called.
        truth: Where its labels are; None where those that were given are of others alone.
    """

    recording: Path
    name: str
    truth: TruthSource | None

    def read(self) -> Labelled:
        """Read the labels.

        Raises:
            NoTruthError: There are none.
            M2R2Error: They cannot be read.
        """
        if self.truth is None:
            msg = f'{self.recording}: what --labels gives has no labels of it'
            raise NoTruthError(msg)
        try:
            truth = self.truth.read()
        except NoTruthError as error:
            if self.truth.path != self.recording:
                raise
            # What is said of ground truth elsewhere names options that exports do not have.
            msg = (
                f'{self.recording} has no labels: give some with --labels, or label it first '
                '(m2r2 label, m2r2 review)'
            )
            raise NoTruthError(msg) from error
        segments = tuple(s for s in truth.segments if s.label not in ('', UNKNOWN_LABEL))
        label_set = _covering(truth.label_set, segments)
        return Labelled(self.recording, self.name, segments, label_set, self.truth.path)


def label_sources(recordings: Sequence[Path], labels: Sequence[Path] = ()) -> list[LabelledSource]:
    """Return where the labels of recordings are; see `labelled_recordings`.

    Raises:
        M2R2Error: No labels that were given are of a recording, or two recordings share a name.
    """
    expect_distinct_names(recordings)
    names = [recording_name(path) for path in recordings]
    found = find_truths(labels, names) if labels else {}
    if labels and found.keys().isdisjoint(names):
        msg = (
            f'{listed([str(path) for path in labels])}: no labels of {listed(names)} there, but of '
            f'{listed(sorted(found)) or "none"}; label first (m2r2 label)'
        )
        raise LabelError(msg)
    # Labels of another kind must not slip in between those that were asked for.
    others = [None if labels else own_truth(path) for path in recordings]
    return [
        LabelledSource(path, name, _on_clock_of(path, found[name]) if name in found else own)
        for path, name, own in zip(recordings, names, others, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class LayeredSource:
    """A recording, and where several layers of its labels are, which are not read yet.

    Attributes:
        name: What it is called.
        layers: Where its labels are, by the name of the layer.
    """

    name: str
    layers: Mapping[str, LabelledSource]

    def read(self) -> dict[str, Labelled]:
        """Read the labels of each layer.

        Raises:
            NoTruthError: There are none.
            M2R2Error: They cannot be read.
        """
        if not self.layers:
            msg = f'{self.name}: no layer that was given has labels of it'
            raise NoTruthError(msg)
        return {name: source.read() for name, source in self.layers.items()}


def layer_sources(recordings: Sequence[Path], layers: Sequence[Path]) -> list[LayeredSource]:
    """Return where several layers of labels of recordings are, called after their paths.

    Args:
        recordings: Recordings of different names.
        layers: Label bags, annotation layers, tables, or folders of them, one for each layer.

    Raises:
        M2R2Error: A path holds no labels, or two recordings share a name.
    """
    expect_distinct_names(recordings)
    names = [recording_name(path) for path in recordings]
    short = [path.stem for path in layers]
    called = short if len({*short}) == len(short) else [str(path) for path in layers]
    found = {layer: find_truths([path], names) for layer, path in zip(called, layers, strict=True)}
    return [
        LayeredSource(
            name,
            {
                layer: LabelledSource(path, name, _on_clock_of(path, truths[name]))
                for layer, truths in found.items()
                if name in truths
            },
        )
        for path, name in zip(recordings, names, strict=True)
    ]


def labelled_recordings(recordings: Sequence[Path], labels: Sequence[Path] = ()) -> list[Labelled]:
    """Return recordings and their labels.

    Args:
        recordings: Recordings of different names.
        labels: Label bags, annotation layers, tables, or folders of them, matched by name; without
            any, the newest annotation layer of a recording counts, or its own truth.

    Raises:
        NoTruthError: A recording has no labels.
        M2R2Error: They cannot be read, or two recordings share a name.
    """
    return [source.read() for source in label_sources(recordings, labels)]


def common_label_set(labelled: Sequence[Labelled]) -> LabelSet:
    """Return one label set for several recordings, in the order in which labels come.

    Raises:
        LabelError: Two recordings have different parents for a label.
    """
    parents: dict[str, str] = {}
    for one in labelled:
        for name, parent in zip(one.label_set.names, one.label_set.parents, strict=True):
            if parents.setdefault(name, parent) != parent:
                msg = (
                    f'{one.source}: label {name} has the parent {parent or "(none)"}, elsewhere '
                    f'{parents[name] or "(none)"}: export these recordings into different folders'
                )
                raise LabelError(msg)
    first = labelled[0].label_set if labelled else LabelSet.of(())
    if first.names == tuple(parents):
        return first
    return LabelSet(tuple(parents), tuple(parents.values()))


def _on_clock_of(recording: Path, source: TruthSource) -> TruthSource:
    """Return labels that count by the clock of the recording that is exported."""
    return replace(source, recording=recording)


def _covering(label_set: LabelSet | None, segments: Sequence[Segment]) -> LabelSet:
    """Return a label set with every label that is used; those it lacks come last, by alphabet."""
    known = label_set or LabelSet.of(())
    extra = tuple(sorted({s.label for s in segments} - {*known.names}))
    if not extra:
        return known
    count = len(known.names)
    colours = tuple(colour_of(count + k) for k in range(len(extra)))
    return LabelSet(
        (*known.names, *extra),
        (*known.parents, *('' for _ in extra)),
        (*known.colours, *colours) if known.chosen else (),
    )
