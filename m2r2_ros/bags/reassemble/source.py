# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""REASSEMBLE's HDF5 files as recordings, read directly.

Every stream keeps its own clock and rate: the stamps in the file are those of the messages, and
their log times. Nothing is resampled.
"""

import heapq
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from m2r2_ros.bags.reassemble.facts import Defect, defect_of
from m2r2_ros.bags.reassemble.file import ReassembleFile, reassemble_file
from m2r2_ros.bags.reassemble.layout import CAMERAS, EVENTS, MICROPHONES, SENSORS, STAMPS
from m2r2_ros.bags.reassemble.sound import SoundStream
from m2r2_ros.bags.reassemble.stream import TopicStream
from m2r2_ros.bags.reassemble.truth import GroundTruth, read_ground_truth, truth_streams
from m2r2_ros.bags.reassemble.vectors import VectorStream, vector_problem
from m2r2_ros.bags.reassemble.video import VideoStream
from m2r2_ros.bags.source import ALWAYS, FilePart, Span, Topic

#: Sound and images of a device whose lengths differ by more, s, are reported.
_DRIFT: Final = 0.5


class ReassembleSource:
    """A .h5 file of the data set; see Source.

    Raises:
        BagError: It is not an HDF5 file, or not as the data set describes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.truncated = False
        with reassemble_file(path) as file:
            self._streams, self.notes = _streams(file, defect_of(path.stem))
        self.topics: dict[str, Topic] = {s.topic.name: s.topic for s in self._streams}
        self.unreadable = {s.topic.name: s.broken for s in self._streams if s.broken}
        filled = [s for s in self._streams if s.topic.count]
        self.start = min((s.start for s in filled), default=0)
        self.end = max((s.end for s in filled), default=0)
        self.message_count = sum(s.topic.count for s in filled)

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of the streams; see Source. Only the blobs asked for are decoded."""
        with reassemble_file(self.path) as file:
            wanted = [s.parts(file) for s in self._streams if s.topic.name in topics]
            for order, part in enumerate(heapq.merge(*wanted, key=lambda part: part.start)):
                if part.start >= span.until:
                    return
                yield replace(part, order=order)


def _streams(file: ReassembleFile, defect: Defect) -> tuple[list[TopicStream], tuple[str, ...]]:
    """Return the topics of a file, and what there is to say about them."""
    truth = read_ground_truth(file)
    notes = [f'known defect: {defect.note}'] if defect.note else []
    notes += truth.notes
    sensors = list(_sensors(file, truth, defect, notes))
    cameras = list(_cameras(file, notes))
    stamped: list[TopicStream] = [*sensors, *cameras]
    starts = [s.start for s in stamped if s.topic.count]
    microphones = _microphones(file, cameras, min(starts, default=0), notes)
    streams = [*stamped, *microphones]
    starts += [s.start for lane in truth.lanes for s in lane.segments]
    streams += truth_streams(truth.lanes, min(starts, default=0))
    if EVENTS in file:
        notes.append(f'{EVENTS} are not read')
    return streams, (*notes, *(note for stream in streams for note in stream.notes))


def _sensors(
    file: ReassembleFile, truth: GroundTruth, defect: Defect, notes: list[str]
) -> Iterator[VectorStream]:
    for sensor in SENSORS:
        if problem := vector_problem(file, sensor):
            notes.append(f'no {sensor.topic}: {problem}')
            continue
        until = truth.last_action if sensor.topic in defect.leave_out else None
        yield VectorStream(file, sensor, until)


def _cameras(file: ReassembleFile, notes: list[str]) -> Iterator[VideoStream]:
    for camera in CAMERAS:
        missing = [n for n in (camera.dataset, f'{STAMPS}/{camera.dataset}') if n not in file]
        if missing:
            notes.append(f'no {camera.topic}: no {", ".join(missing)}')
            continue
        yield VideoStream(file, camera)


def _microphones(
    file: ReassembleFile, cameras: list[VideoStream], first: int, notes: list[str]
) -> Iterator[SoundStream]:
    """Yield sound, which begins with the first image of its device."""
    filmed = {camera.dataset: camera for camera in cameras if camera.topic.count}
    for microphone in MICROPHONES:
        if microphone.dataset not in file:
            notes.append(f'no {microphone.topic}: no {microphone.dataset}')
            continue
        camera = filmed.get(microphone.camera)
        if camera is None:
            notes.append(
                f'{microphone.topic}: without images of {microphone.camera} it is put at the '
                'first stamp of the recording'
            )
            yield SoundStream(file, microphone, first)
            continue
        sound = SoundStream(file, microphone, camera.start)
        seen = (camera.end - camera.start) * 1e-9
        if abs(sound.seconds - seen) > _DRIFT and not sound.broken:
            notes.append(f'{microphone.topic} lasts {sound.seconds:.2f} s, its camera {seen:.2f} s')
        yield sound
