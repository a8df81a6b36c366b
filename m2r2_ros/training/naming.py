# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names for clusters: given in YAML, or those of the truth where there is some; as ground truth."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.origin_marks import origin_entries
from m2r2_ros.bags.labels.reader import Truth, read_given_labels
from m2r2_ros.bags.labels.sources import TruthOptions, find_truths, labelled_recording
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL_TOPIC
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.labels import LabelSet, Segment, expect_labels
from m2r2_ros.core.options import Section
from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.text import listed

#: What follows the name of a recording in that of the bag with its named segments.
TRUTH_BAG = '_truth'


@dataclass(frozen=True, slots=True)
class Clustered:
    """A recording whose segments are in clusters.

    Attributes:
        name: Of the recording.
        path: Its label bag.
        truth: The segments, each labelled with its cluster.
    """

    name: str
    path: Path
    truth: Truth


def read_clustered(folder: Path) -> list[Clustered]:
    """Read the label bags that `m2r2 discover` wrote.

    Raises:
        LabelError: There are none.
        BagError: One cannot be read.
    """
    found = [p for p in find_recordings([folder]) if LABEL_TOPIC in open_recording(p).topics]
    if not found:
        msg = f'{folder}: expected label bags of m2r2 discover, found none'
        raise LabelError(msg)
    return [Clustered(labelled_recording(p), p, read_given_labels(p)) for p in found]


def clusters_of(recordings: Sequence[Clustered]) -> list[str]:
    """Return the names of all clusters, in order."""
    names: dict[str, None] = {}
    for recording in recordings:
        label_set = recording.truth.label_set
        names |= dict.fromkeys(label_set.names if label_set else ())
        names |= dict.fromkeys(s.label for s in recording.truth.segments)
    return list(names)


def read_names(path: Path, clusters: Sequence[str]) -> dict[str, str]:
    """Read a YAML file with the name of each cluster, '' or null for none.

    Raises:
        ConfigError: The file cannot be read, a cluster is unknown or not named at all, or a name
            is no text; or nothing has a name.
        LabelError: A name is no label.
    """
    section = Section.read(path, 'a mapping from clusters to names, as m2r2 discover writes it')
    names = {}
    for cluster in section.entries:
        value = section.get(cluster, (str, type(None)), expected="a name, or '' for none")
        names[str(cluster)] = (value or '').strip()
    if unknown := [name for name in names if name not in clusters]:
        msg = f'{path}: there is no cluster {listed(unknown)}: expected some of {listed(clusters)}'
        raise ConfigError(msg)
    if missing := [cluster for cluster in clusters if cluster not in names]:
        msg = f"{path}: {listed(missing)} is missing: give it a name, or '' to leave it unlabelled"
        raise ConfigError(msg)
    if not any(names.values()):
        msg = f'{path}: no cluster has a name'
        raise ConfigError(msg)
    expect_labels({name for name in names.values() if name})
    return names


def majority_names(
    recordings: Sequence[Clustered], given: Sequence[Path], options: TruthOptions
) -> dict[str, str]:
    """Name each cluster as most of its time is called in the truth; '' where there is none.

    Args:
        recordings: Segments in clusters.
        given: Where the truth is of some of them, or of all.
        options: How it is read.

    Raises:
        LabelError: No recording has truth.
        M2R2Error: The truth of one cannot be read.
    """
    truths = find_truths(given, [r.name for r in recordings], options, [r.path for r in recordings])
    if not any(recording.name in truths for recording in recordings):
        msg = (
            f'{listed([str(p) for p in given])}: there is no truth for any of '
            f'{listed([r.name for r in recordings])}'
        )
        raise LabelError(msg)
    shared: dict[str, Counter[str]] = defaultdict(Counter)
    for recording in recordings:
        if recording.name in truths:
            true = truths[recording.name].read(recording.path).segments
            for segment in recording.truth.segments:
                shared[segment.label].update(_overlaps(segment, true))
    found = {name: max(counts, key=counts.__getitem__) for name, counts in shared.items() if counts}
    return {cluster: found.get(cluster, '') for cluster in clusters_of(recordings)}


def _overlaps(segment: Segment, truth: Sequence[Segment]) -> Counter[str]:
    """Return for how long each true label lasts within a segment, ns."""
    found: Counter[str] = Counter()
    for true in truth:
        overlap = min(segment.end, true.end) - max(segment.start, true.start)
        if overlap > 0:
            found[true.label] += overlap
    return found


def named_segments(recording: Clustered, names: Mapping[str, str]) -> list[Segment]:
    """Return the segments that have a name; those that follow on each other with one are one."""
    return list(_joined(recording.truth.segments, names))


def _joined(segments: Sequence[Segment], names: Mapping[str, str]) -> Iterator[Segment]:
    last: Segment | None = None
    for segment in segments:
        name = '' if segment.reason else names.get(segment.label, '')
        if last is not None and name == last.label and segment.start == last.end:
            last = replace(last, end=segment.end)
            continue
        if last is not None:
            yield last
        last = replace(segment, label=name, confidence=1.0) if name else None
    if last is not None:
        yield last


def write_named(recording: Clustered, names: Mapping[str, str], folder: Path) -> int:
    """Write the named segments of a recording as ground truth; return how many there are.

    Raises:
        BagError: There is a bag already, or it cannot be written.
    """
    segments = named_segments(recording, names)
    labels = LabelSet.of(dict.fromkeys(name for name in names.values() if name))
    start = open_recording(recording.path).start
    facts = LayerFacts(
        Origin.HEURISTIC,
        tool=f'm2r2 name {__version__}',
        started_from=f'labels {recording.path.name}',
    )
    with BagWriter(folder / f'{recording.name}{TRUTH_BAG}', discard_failed=True) as bag:
        bag.custom |= origin_entries(facts)
        writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
        writer.write_label_set(labels, '', start)
        for index, segment in enumerate(segments):
            writer.write_segment(segment, labels.id_of(segment.label), index, '')
    return len(segments)
