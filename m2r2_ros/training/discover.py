# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From recordings without labels to segments in clusters, and a bundle that finds them again."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.core.errors import BagError, ConfigError, DiscoveryError, M2R2Error
from m2r2_ros.core.files import cannot_write, disk_errors, new_folder, share, sync
from m2r2_ros.core.modalities import IMAGE, VECTOR, Modalities, to_entries
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.clusters import Clusters, find_clusters
from m2r2_ros.discovery.describers import LATENTS, SIGNALS
from m2r2_ros.discovery.descriptor import SegmentReference, widths_of
from m2r2_ros.discovery.event_rule import EventOptions
from m2r2_ros.discovery.events import observe, options_of
from m2r2_ros.discovery.found import DISCOVERED, Discovered, Finder
from m2r2_ros.discovery.method import Calibration, Setting
from m2r2_ros.discovery.methods import OF_CAMERAS, OF_FEATURES, find_method
from m2r2_ros.discovery.observations import Observed
from m2r2_ros.discovery.primitives import PrimitiveRules, primitive_options
from m2r2_ros.model.config import preset
from m2r2_ros.model.facts import WEIGHTS, write_yaml
from m2r2_ros.readers.topic_map import TopicMap
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.training.inputs import settle_inputs
from m2r2_ros.windows.config import WindowConfig

#: Points of a segment's profile, over its length.
PROFILE: Final = 32


@dataclass(frozen=True)
class RecordingWindows:
    """The windows of a recording, read anew each time they are gone over.

    Attributes:
        path: The recording.
        windows: Their shape.
        modalities: What they hold.
        topics: Topics that are not to be guessed.
    """

    path: Path
    windows: WindowConfig
    modalities: Modalities
    topics: Mapping[str, TopicSpec]

    @property
    def name(self) -> str:
        """Name of the recording."""
        return recording_name(self.path)

    def __iter__(self) -> Iterator[FrameWindows]:
        """Yield runs of windows, in order."""
        yield from self.stream()

    def stream(self) -> WindowStream:
        """Open the recording."""
        recording = open_recording(self.path)
        return WindowStream(recording, self.windows, self.modalities, self.topics)


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """A segment that was found.

    Attributes:
        recording: Name of its recording.
        start: Stamp of its first frame, ns.
        end: Stamp of the next segment's first frame, or of its own last one, ns.
        first: Number of its first frame in the recording.
        frames: How many it has.
        description: float64 (D,), see discovery.descriptor.
        profile: float32 (PROFILE, C), its observations over its length; see `profile_of`.
        primitives: How many of its frames each heuristic primitive has.
    """

    recording: str
    start: int
    end: int
    first: int
    frames: int
    description: NDArray[np.float64]
    profile: NDArray[np.float32]
    primitives: Counter[str]


@dataclass(frozen=True, slots=True)
class UnlabelledSource:
    """Recordings without labels, ready to be gone over.

    Attributes:
        recordings: Their windows.
        setting: What the windows hold.
        windows: Their shape.
        topics: By modality, how it was read; see BundleFacts.
        left_out: Why recordings are not among them, a text for each.
    """

    recordings: tuple[RecordingWindows, ...]
    setting: Setting
    windows: WindowConfig
    topics: Mapping[str, Mapping[str, Any]]
    left_out: tuple[str, ...] = ()


def open_source(
    paths: Sequence[Path],
    given: TopicMap,
    windows: WindowConfig,
    methods: Sequence[str],
    seed: int = 0,
) -> UnlabelledSource:
    """Settle what is read of recordings: vectors, and images where a method looks at them.

    Those that cannot be opened, or have none of it, are left out.

    Raises:
        M2R2Error: None is left, or a declared topic is in none.
    """
    if OF_CAMERAS.intersection(methods):
        return _opened(paths, given, windows, seed, looks=True)
    try:
        return _opened(paths, given, windows, seed, looks=False)
    except (BagError, ConfigError):  # a camera may be all there is
        if not OF_FEATURES.intersection(methods):
            raise
        return _opened(paths, given, windows, seed, looks=True)


def _opened(
    paths: Sequence[Path], given: TopicMap, windows: WindowConfig, seed: int, *, looks: bool
) -> UnlabelledSource:
    """Open recordings; with images, where they are looked at."""
    opened, errors = _usable(paths, open_recording)
    settled = settle_inputs(preset('lite' if looks else 'proprio'), given, opened)
    kinds = {VECTOR, IMAGE} if looks else {VECTOR}
    modalities = {n: m for n, m in settled.model.modalities.items() if m.kind in kinds}
    topics: dict[str, dict[str, Any]] = {}
    derived: set[str] = set()

    def look(path: Path) -> None:
        stream = RecordingWindows(path, windows, modalities, settled.topics).stream()
        for name, spec in stream.topics.items():
            topics.setdefault(name, spec.to_entry())
        derived.update(stream.derived)

    usable, without = _usable(opened, look)
    there = {n: m for n, m in modalities.items() if n in topics or n in derived}
    found = tuple(RecordingWindows(path, windows, there, settled.topics) for path in usable)
    setting = Setting(there, windows.frame_rate, seed)
    return UnlabelledSource(found, setting, windows, topics, (*errors, *without))


def _usable(
    paths: Sequence[Path], look: Callable[[Path], object]
) -> tuple[list[Path], tuple[str, ...]]:
    """Return the paths that can be looked at, and why the others cannot.

    Raises:
        M2R2Error: None can.
    """
    found: list[Path] = []
    failed: list[M2R2Error] = []
    for path in paths:
        try:
            look(path)
            found.append(path)
        except M2R2Error as error:
            failed.append(error)
    if failed and not found:
        raise failed[0]
    return found, tuple(map(str, failed))


def calibrate(
    source: UnlabelledSource,
    methods: Sequence[str],
    told: Callable[[str, float], None] = lambda method, share: None,
) -> dict[str, Calibration]:
    """Find the parameters of methods in recordings; no label is looked at.

    Args:
        source: The recordings.
        methods: Names of methods.
        told: Called with a method and 0 when it begins, 1 when it is done.
    """
    found = {}
    for name in methods:
        told(name, 0.0)
        found[name] = find_method(name).calibrate(source.recordings, source.setting)
        told(name, 1.0)
    return found


def thresholds_of(source: UnlabelledSource) -> EventOptions:
    """Return what is fast, a step of a gripper and a force in all recordings."""
    try:
        return options_of(observe(source.recordings, source.setting))
    except DiscoveryError:  # cameras alone may have something to say
        return EventOptions()


def reference_of(found: EventOptions) -> SegmentReference:
    """Return what descriptions of segments are made with."""
    return SegmentReference(found.gripper_step, found.free_force, found.free_range)


def find_segments(
    recording: RecordingWindows,
    finder: Finder,
    reference: SegmentReference,
    rules: PrimitiveRules | None = None,
) -> list[FoundSegment]:
    """Segment a recording; where the clock jumped a segment begins.

    What is kept of each frame are some numbers, not its window.

    Args:
        recording: The recording.
        finder: What finds the boundaries and describes segments.
        reference: What forces are compared with.
        rules: What names primitives, as a hint for people.
    """
    found: list[FoundSegment] = []
    run = _FoundRun(recording, finder, reference, rules, 0)
    for part in recording:
        for piece in part.runs():
            if piece.restarts[0]:
                found += run.end()
                run = _FoundRun(recording, finder, reference, rules, run.first + run.frames)
            run.add(piece)
    return found + run.end()


class _FoundRun:
    """Frames of a recording between two jumps of the clock, and their segments."""

    def __init__(
        self,
        recording: RecordingWindows,
        finder: Finder,
        reference: SegmentReference,
        rules: PrimitiveRules | None,
        first: int,
    ) -> None:
        self._recording, self._finder = recording, finder
        self._reference, self._rules = reference, rules
        self.first, self.frames = first, 0
        self._scores: list[NDArray[np.float32]] = []
        self._seen: list[Observed] = []
        self._stamps: list[NDArray[np.int64]] = []
        self._primitives: list[str] = []
        finder.reset()

    def add(self, windows: FrameWindows) -> None:
        self._scores.append(self._finder.extend(windows))
        self._seen.append(Observed.of(windows, self._recording.modalities))
        self._stamps.append(windows.stamps)
        if self._rules is not None:
            self._primitives += [name for name, _ in self._rules.extend(windows)]
        self.frames += len(windows)

    def end(self) -> list[FoundSegment]:
        if not self.frames:
            return []
        scores = np.concatenate([*self._scores, self._finder.detector.finish()])
        seen, stamps = Observed.join(self._seen), np.concatenate(self._stamps)
        cuts = sorted({0, *np.flatnonzero(scores > 0).tolist(), self.frames})
        return [
            FoundSegment(
                self._recording.name,
                int(stamps[lo]),
                int(stamps[min(hi, self.frames - 1)]),
                self.first + lo,
                hi - lo,
                self._finder.describer.describe(lo, hi),
                profile_of(seen[lo:hi], self._reference),
                Counter(filter(None, self._primitives[lo:hi])),
            )
            for lo, hi in pairwise(cuts)
        ]


def profile_of(seen: Observed, reference: SegmentReference) -> NDArray[np.float32]:
    """Return the course of a segment: speed, force and, where it has them, width and place.

    Returns:
        float32 (PROFILE, C): speed, force, then the widths of grippers, then positions.
    """
    away = np.linalg.norm(seen.force - np.array(reference.free_force or 0.0), axis=1)
    columns = np.column_stack([seen.speed, away, seen.gripper, seen.position])
    places = np.linspace(0, len(seen) - 1, PROFILE).round().astype(int)
    found: NDArray[np.float32] = columns[places].astype(np.float32)
    return found


def cluster(
    found: Sequence[FoundSegment],
    source: UnlabelledSource,
    reference: SegmentReference,
    count: int,
    by: str = SIGNALS,
) -> tuple[Clusters, list[int]]:
    """Cluster segments; see discovery.clusters.

    Args:
        found: Segments.
        source: The recordings that they are of.
        reference: What descriptions by signals were made with.
        count: How many clusters; 0 leaves it open.
        by: What the segments are described by.

    Raises:
        DiscoveryError: There are fewer segments than clusters.
        ConfigError: scikit-learn is not installed.
    """
    if not found:
        msg = 'there is no frame in any recording to segment'
        raise DiscoveryError(msg)
    descriptions = np.stack([s.description for s in found])
    if by == SIGNALS:
        first = next(w for r in source.recordings for w in r)
        widths = widths_of(Observed.of(first, source.setting.modalities), reference)
    else:
        widths = np.ones(descriptions.shape[1])
    clusters, labels = find_clusters(
        descriptions, widths, count, source.setting.seed, cosine=by == LATENTS
    )
    return clusters, labels.tolist()


def cluster_names(count: int) -> list[str]:
    """Return what clusters are called until a person names them."""
    digits = max(2, len(str(count)))
    return [f'cluster_{k + 1:0{digits}d}' for k in range(count)]


def save_discovered(
    found: Discovered, source: UnlabelledSource, folder: Path, training: Mapping[str, Any]
) -> None:
    """Write a bundle into a folder that is not there yet.

    Raises:
        OutputError: It is there, it cannot be written, or another run is writing it.
    """
    names = cluster_names(len(found.clusters))
    sections = {
        'kind': DISCOVERED,
        'labels': {'names': names, 'parents': [''] * len(names)},
        'windows': source.windows.to_dict(),
        'modalities': to_entries(source.setting.modalities),
        'options': found.options(),
        'decoding': {},
        'topics': {m: dict(t) for m, t in source.topics.items()},
        'training': dict(training),
        'scores': {},
    }
    tensors = {n: np.ascontiguousarray(t, np.float32) for n, t in found.tensors().items()}
    with new_folder(folder) as draft, disk_errors(folder):
        seal = write_yaml(draft, sections)
        _write_arrays(draft / WEIGHTS, tensors, seal)


def _write_arrays(
    path: Path, arrays: Mapping[str, NDArray[np.float32]], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file as network.weight_files does, without torch."""
    try:
        with disk_errors(path):
            save_file(dict(arrays), path, metadata=dict(metadata))
            share(path)
            sync(path)
    except SafetensorError as error:  # what the library makes of an OSError
        raise cannot_write(path, str(error).rpartition('error: ')[2]) from error


def find_all(
    source: UnlabelledSource,
    methods: Mapping[str, Calibration],
    thresholds: EventOptions,
    by: str = SIGNALS,
    told: Callable[[str, float], None] = lambda recording, share: None,
) -> list[FoundSegment]:
    """Segment all recordings.

    Args:
        source: The recordings.
        methods: Calibrations, by name of the method.
        thresholds: See `thresholds_of`.
        by: What segments are described by.
        told: Called with a recording and 0 when it begins, 1 when it is done.
    """
    reference = reference_of(thresholds)
    finder = Finder.of(methods, by, reference, source.setting)
    found: list[FoundSegment] = []
    for recording in source.recordings:
        told(recording.name, 0.0)
        rules = PrimitiveRules(primitive_options(thresholds), source.setting)
        found += find_segments(recording, finder, reference, rules)
        told(recording.name, 1.0)
    return found
