# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the ground truth of recordings is, matched by name: in them, in tables, bags or layers."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Final

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.folder import SUFFIXES as RECORDINGS
from m2r2_ros.bags.folder import files_like
from m2r2_ros.bags.labels.cells import SUFFIXES as CSV
from m2r2_ros.bags.labels.clock import RecordingClock, clock_of
from m2r2_ros.bags.labels.foreign import ATLAS, FOREIGN, PATTERNS, read_foreign, recordings_in
from m2r2_ros.bags.labels.layers import Layer, annotations_of, layers_in, layers_of, read_layer
from m2r2_ros.bags.labels.reader import Truth, read_given_labels, read_label_set, read_truth
from m2r2_ros.bags.labels.stated import StatedTruth, read_stated
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL_TOPIC, SEGMENT_TOPIC
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.bags.remote.places import is_remote, real_name
from m2r2_ros.bags.rosbag2 import ANNOTATIONS
from m2r2_ros.core.errors import BagError, LabelError, NoTruthError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.text import listed

#: What ends the name of a file of labels that is no bag.
TABLES: Final = (*CSV, *FOREIGN)
MERGED: Final = '_labelled'
#: What may follow a recording's name in the name of its label bag or merged copy.
LABELS: Final = ('_labels', '.labels', MERGED)
#: ... or of a file with its truth.
SUFFIXES: Final = (*LABELS, '_truth', '_segments')


class Rank(IntEnum):
    """What counts where a recording has several: the first of these."""

    LAYER = 0  # the newest, which corrects the others
    TABLE = 1
    TRUTH_BAG = 2
    SEGMENTS = 3  # found in a folder, as m2r2 label wrote them, beside a recording with its truth
    LABEL_BAG = 4
    NO_TRUTH = 5


@dataclass(frozen=True, slots=True)
class TruthSource:
    """Where the ground truth of a recording is.

    Attributes:
        path: The table or bag that holds it.
        recording: The recording, by whose clock a table counts; None where it is not given.
        stated: The topic of the bag that states it; None reads GROUND_TRUTH.
        given: The bag holds labels that a model or a person gave, which count as truth.
        rate: Frames per second of a table by numbers of frames; 0 takes the camera's.
        rank: How it was found.
        note: What there is to say about it; '' for nothing.
    """

    path: Path
    recording: Path | None = None
    stated: StatedTruth | None = None
    given: bool = False
    rate: float = 0.0
    rank: Rank = Rank.TRUTH_BAG
    note: str = ''

    def read(self, labels: Path | None = None) -> Truth:
        """Read it.

        Args:
            labels: Label bag of the recording, which began with it, where that is not given.

        Raises:
            NoTruthError: There is none, or it is empty.
            M2R2Error: It cannot be read.
        """
        truth = self._read(labels)
        if not truth.segments:
            msg = f'{self.path}: its ground truth is empty'
            raise NoTruthError(msg)
        return replace(truth, note=self.note or truth.note)

    def _read(self, labels: Path | None) -> Truth:
        if self.rank == Rank.LAYER and self.path.name.endswith(ANNOTATIONS):
            there = listed(sorted({one.provenance.annotator for one in layers_in(self.path)}))
            msg = (
                f'{self.path}: no layer of that annotator; there are layers of {there or "nobody"}'
            )
            raise NoTruthError(msg)
        if self.path.suffix in FOREIGN:
            return self._read_foreign(labels)
        if self.path.suffix in TABLES:
            return read_truth(self.path, self._clock(self.recording or labels))
        if self.stated is not None:
            recording = open_recording(self.path)
            return Truth(read_stated(recording, self.stated, clock_of(recording)), None)
        return read_given_labels(self.path) if self.given else read_truth(self.path)

    def read_label_set(self) -> LabelSet | None:
        """Read its label set alone; None where there is none."""
        without = self.stated is not None or self.path.suffix in FOREIGN
        return None if without else read_label_set(self.path, '' if self.given else GROUND_TRUTH)

    def _read_foreign(self, labels: Path | None) -> Truth:
        given = self.recording or labels
        if given is None:
            msg = f'{self.path}: its times count from the start of a recording: give it, too'
            raise LabelError(msg)
        name = recording_name(given) if self.recording else labelled_recording(given)
        return read_foreign(self.path, name, clock_of(open_recording(given), self.rate))

    def _clock(self, path: Path | None) -> RecordingClock | None:
        return None if path is None else clock_of(open_recording(path), self.rate)


@dataclass(frozen=True, slots=True)
class TruthOptions:
    """How ground truth is read.

    Attributes:
        stated: The topic that states it; None reads GROUND_TRUTH.
        rate: Frames per second of tables by numbers of frames; 0 takes the camera's.
        annotator: Whose annotation layers count; '' takes the newest, whoever made it.
    """

    stated: StatedTruth | None = None
    rate: float = 0.0
    annotator: str = ''


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Something that may be the ground truth of a recording."""

    name: str
    rank: Rank
    path: Path
    note: str = ''


def find_truths(
    paths: Sequence[Path],
    names: Collection[str],
    options: TruthOptions | None = None,
    without: Collection[Path] = (),
) -> dict[str, TruthSource]:
    """Return where the ground truth of recordings is, by their names.

    Args:
        paths: Tables, recordings with ground truth or annotation layers, layers, label bags, or
            folders of any of these.
        names: Names of the recordings.
        options: How it is read.
        without: Label bags that are not to be taken for truth, since they are to be scored.

    Raises:
        BagError: A path is nothing, or holds none of these.
        LabelError: A recording has two of one kind.
    """
    options = options or TruthOptions()
    scored = {real_name(path) for path in without}
    best: dict[str, _Candidate] = {}
    recordings: dict[str, Path] = {}
    found = [f for path in paths for f in _candidates(path, names, options, scored)]
    for one in sorted(found, key=lambda f: (f.rank, len(f.path.name), str(f.path))):
        other = best.setdefault(one.name, one)
        if one.rank == other.rank:
            _expect_same(other, one)
        if one.path.suffix not in TABLES and one.rank not in (Rank.LABEL_BAG, Rank.LAYER):
            recordings.setdefault(one.name, one.path)
    return {
        name: TruthSource(
            one.path,
            recordings.get(name),
            options.stated if one.rank not in (Rank.LABEL_BAG, Rank.LAYER) else None,
            one.rank == Rank.LABEL_BAG,
            options.rate,
            one.rank,
            one.note,
        )
        for name, one in best.items()
    }


def truths_of(
    recordings: Sequence[Path],
    names: Sequence[str],
    found: dict[str, TruthSource],
    options: TruthOptions,
) -> dict[Path, TruthSource]:
    """Return where the ground truth of each recording is: what was found, or in or beside it."""
    return {
        path: replace(found[name], recording=path) if name in found else own_truth(path, options)
        for path, name in zip(recordings, names, strict=True)
    }


def own_truth(recording: Path, options: TruthOptions | None = None) -> TruthSource:
    """Return where a recording says itself what happened: its newest layer, or in it."""
    options = options or TruthOptions()
    if options.stated is None and (layers := layers_of(recording, options.annotator)):
        layer = layers[-1]
        return TruthSource(layer.path, recording, rank=Rank.LAYER, note=_about(layer))
    if options.annotator:
        return TruthSource(annotations_of(recording), recording, rank=Rank.LAYER)
    return TruthSource(recording, recording, options.stated, rate=options.rate)


def labelled_recording(path: Path, names: Collection[str] = ()) -> str:
    """Return the name of the recording that a bag, label bag, merged copy or table is of.

    Args:
        path: Of which.
        names: Names of recordings, which may end like those of their labels.
    """
    name = path.stem if path.is_file() or path.suffix in TABLES else path.name
    if name in names:
        return name
    for suffix in SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name


def label_bags(given: Sequence[Path], names: Collection[str]) -> dict[str, list[Path]]:
    """Return the label bags of recordings, by their names, in the order in which they were given.

    A label bag lies beside the merged copy with the same labels, which has a longer name.

    Args:
        given: Label bags, or folders of them.
        names: Names of recordings, which may end like those of their labels.

    Raises:
        BagError: A path neither is a recording nor holds one.
    """
    found = [
        bag
        for path in given
        for bag in find_recordings([path])
        if {LABEL_TOPIC, SEGMENT_TOPIC} & {*topics_in(bag, LABEL_TOPIC)}
    ]
    best: dict[tuple[Path, str], Path] = {}
    for bag in sorted(found, key=lambda b: (len(b.name), str(b))):
        best.setdefault((folder_of(bag), labelled_recording(bag, names)), bag)
    kept = set(best.values())
    bags: dict[str, list[Path]] = {}
    for bag in dict.fromkeys(found):
        if bag in kept:
            bags.setdefault(labelled_recording(bag, names), []).append(bag)
    return bags


def names_of_bags(bags: Sequence[Path], models: Sequence[str]) -> list[str]:
    """Return what some label bags of one recording are called, which differ from each other.

    Args:
        bags: Where they are.
        models: Ids of the models that made them, '' where it is not known.
    """
    if len(bags) == 1:
        return ['labels']
    folders = [bag.absolute().parent.name for bag in bags]
    for names in (folders, list(models)):
        if all(names) and len({*names}) == len(names):
            return names
    return [str(bag) for bag in bags]


def topics_in(path: Path, topic: str) -> Collection[str]:
    """Return the topics of a recording; `topic`, where only reading it can say what is wrong.

    So that one broken recording does not prevent the others from being used.
    """
    try:
        return open_recording(path).topics
    except BagError:
        return (topic,)


def folder_of(path: Path) -> Path:
    """Return where a path leads to; for a link that leads nowhere, to where that would be."""
    return path.parent if is_remote(path) else Path(os.path.realpath(path)).parent


def _candidates(
    path: Path, names: Collection[str], options: TruthOptions, scored: Collection[str]
) -> Iterator[_Candidate]:
    """Yield what a path that was given is or holds."""
    if layer := _layer_given(path.absolute(), options):
        name = layer.path.parent.name.removesuffix(ANNOTATIONS)
        yield _Candidate(name, Rank.LAYER, layer.path, _about(layer))
        return
    folder = path.is_dir()
    patterns = (*(f'*{suffix}' for suffix in CSV), *PATTERNS)
    tables = sorted(files_like(path, patterns), key=str) if folder else []
    if not folder and path.suffix in TABLES:
        if not path.is_file():
            msg = f'{path}: no such file; expected a table of labels, a recording or a folder'
            raise LabelError(msg)
        tables = [path]
    for table in tables:
        if table.suffix == ATLAS:
            for name in recordings_in(table):
                yield _Candidate(name, Rank.TABLE, table)
            continue
        name = labelled_recording(table, names)
        theirs = folder and table.stem.endswith('_segments') and table.stem != name
        yield _Candidate(name, Rank.SEGMENTS if theirs else Rank.TABLE, table)
    # A folder may hold tables, bags or both; one that holds neither is an error that names it.
    if not tables or files_like(path, [f'*{suffix}' for suffix in RECORDINGS], deep=True):
        for bag in find_recordings([path]):
            real = real_name(bag)
            rank = _rank(bag, options)
            name = labelled_recording(bag, names)
            if not options.annotator and (rank != Rank.LABEL_BAG or real not in scored):
                yield _Candidate(name, rank, bag)
            if layers := layers_of(bag, options.annotator):
                yield _Candidate(name, Rank.LAYER, layers[-1].path, _about(layers[-1]))


def _layer_given(path: Path, options: TruthOptions) -> Layer | None:
    """Return the layer that a path is, or the newest in a folder of them; None of others."""
    if path.name.endswith(ANNOTATIONS):
        return next(reversed(layers_in(path, options.annotator)), None)
    if path.parent.name.endswith(ANNOTATIONS):
        with suppress(LabelError):
            return read_layer(path)
    return None


def _about(layer: Layer) -> str:
    unfinished = '' if layer.provenance.done else ', who was not done'
    return f'annotation layer of {layer.provenance.annotator or "nobody"}{unfinished}'


def _rank(bag: Path, options: TruthOptions) -> Rank:
    """Return what a bag counts as."""
    truth = options.stated.topic if options.stated else GROUND_TRUTH + SEGMENT_TOPIC
    topics = topics_in(bag, truth)
    if truth in topics:
        return Rank.TRUTH_BAG
    if LABEL_TOPIC in topics or SEGMENT_TOPIC in topics:
        return Rank.LABEL_BAG
    return Rank.NO_TRUTH


def _expect_same(one: _Candidate, other: _Candidate) -> None:
    """Refuse two of one kind, unless they are neighbours of which the shorter name counts.

    A recording with ground truth lies beside its merged copy, which may also lie elsewhere.
    """
    if real_name(one.path) == real_name(other.path) or one.rank >= Rank.LABEL_BAG:
        return
    tables = one.path.suffix in TABLES
    merged = other.path.name.endswith(MERGED) and not one.path.name.endswith(MERGED)
    if not tables and (merged or folder_of(one.path) == folder_of(other.path)):
        return
    msg = (
        f'{one.path} and {other.path} are both ground truth of {one.name}, two truths of one '
        'recording: give one of them'
    )
    raise LabelError(msg)
