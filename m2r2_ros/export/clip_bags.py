# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips as bags: the messages of a span as they are, what holds from before, and the labels."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.bags.rosbag2 import INFORMATION, METADATA
from m2r2_ros.bags.source import Span
from m2r2_ros.bags.writing.replacing import bring_back
from m2r2_ros.bags.writing.writer import BagWriter, Raw
from m2r2_ros.core.errors import BagError, ConfigError, M2R2Error
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.messages import in_order
from m2r2_ros.core.options import Section
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.clip_labels import ClipLabels, other_lanes
from m2r2_ros.export.clips import Clip, ClipsCut, other_clip
from m2r2_ros.export.latched import LatchedMessages

#: In front of the entries of custom_data in the metadata of a clip.
_PREFIX: Final = 'm2r2_ros.clip.'
#: Clips with less between them are read together, nanoseconds, and so many at most: each is a file
#: that is open.
_NEAR: Final = SECOND
_TOGETHER: Final = 64


def has_clip_bag(out: Path, clip: Clip) -> bool:
    """Return whether a clip is there already.

    Raises:
        OutputError: Something else is there, such as a clip of another span.
    """
    path = out / clip.name
    bring_back(path)
    if not path.exists():
        return False
    entries: dict[str, Any] = {}
    with suppress(M2R2Error):
        content = Section.read(path / METADATA, 'the metadata of a clip')
        entries = content.section(INFORMATION).get('custom_data', (dict,), {})
    if any(entries.get(key) != value for key, value in _entries(clip).items()):
        raise other_clip(path)
    return True


def _entries(clip: Clip) -> dict[str, str]:
    """Return what the metadata of a clip says of it."""
    return {_PREFIX + key: str(value) for key, value in clip.facts().items()}


def clip_topics(
    recording: Recording, wanted: Sequence[str], labels: Sequence[ClipLabels]
) -> list[str]:
    """Return the topics that clips copy: those wanted, or all that can be read.

    Raises:
        ConfigError: A topic is not there, or cannot be read.
    """
    readable = recording.readable
    if wrong := sorted({*wanted} - {*readable}):
        msg = (
            f'{recording.path}: no topic {listed(wrong)} that can be read, but '
            f'{listed(sorted(readable), 20) or "none"}'
        )
        raise ConfigError(msg)
    own = {topic for lane in labels for topic in lane.topics}
    return [name for name in readable if name not in own and name in (wanted or readable)]


def cut_bags(
    out: Path,
    labels: ClipLabels,
    clips: Sequence[Clip],
    topics: Sequence[str] = (),
    told: Callable[[float], None] = lambda share: None,
    *,
    overwrite: bool = False,
) -> ClipsCut:
    """Write a bag of each clip; only what lies in their spans is read.

    Those that are there already are kept.

    Args:
        out: Folder for the bags.
        labels: The recording and its labels.
        clips: In order of start.
        topics: Those to copy; () for all.
        told: Called with the share that is done, 0..1.
        overwrite: Make clips again that are there.

    Raises:
        ConfigError: A topic is not there.
        BagError: The recording cannot be read, or a bag not be written.
    """
    recording = open_recording(labels.labelled.recording)
    offset = recording.start - clock_of(recording).start
    lanes = [labels, *(() if topics else other_lanes(labels))]
    names = clip_topics(recording, topics, lanes)
    held = LatchedMessages(recording, names)
    cut = ClipsCut()
    due = []
    for clip in clips:
        try:
            if overwrite or not has_clip_bag(out, clip):
                due.append(clip)
            else:
                cut.made[clip.name] = clip
        except M2R2Error as error:
            cut.failed.append(str(error))
    for together in _grouped(due):
        run = _Run(out, recording, names, lanes, held, offset, cut, overwrite=overwrite)
        run.cut(together)
        told((len(cut.made) + len(cut.failed)) / len(clips))
    return cut


def _grouped(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Return clips that are read in one pass each: those that overlap or are close."""
    groups: list[list[Clip]] = []
    end = 0
    for clip in clips:
        if groups and clip.since <= end + _NEAR and len(groups[-1]) < _TOGETHER:
            groups[-1].append(clip)
            end = max(end, clip.until)
        else:
            groups.append([clip])
            end = clip.until
    return groups


class _Run:
    """One pass over the messages of clips that overlap or are close."""

    def __init__(
        self,
        out: Path,
        recording: Recording,
        topics: Sequence[str],
        labels: Sequence[ClipLabels],
        held: LatchedMessages,
        offset: int,
        cut: ClipsCut,
        *,
        overwrite: bool,
    ) -> None:
        self._out, self._recording, self._topics = out, recording, topics
        self._labels, self._held, self._offset = labels, held, offset
        self._cut, self._overwrite = cut, overwrite
        self._open: list[_ClipBag] = []

    def cut(self, clips: Sequence[Clip]) -> None:
        """Write the clips."""
        waiting = list(reversed(clips))
        since = clips[0].since + self._offset
        until = max(clip.until for clip in clips) + self._offset
        try:
            for blocks in self._recording.blocks(self._topics, Span(since, until)):
                for log_time, topic, raw in in_order(blocks):
                    while waiting and waiting[-1].since + self._offset <= log_time:
                        self._begin(waiting.pop())
                    for bag in tuple(self._open):
                        if log_time < bag.until:
                            bag.write(topic, raw, log_time)
                        else:
                            self._end(bag)
            while waiting:
                self._begin(waiting.pop())
            for bag in tuple(self._open):
                self._end(bag)
        except BaseException as error:
            for bag in self._open:
                bag.drop(error)
            raise

    def _begin(self, clip: Clip) -> None:
        bag = _ClipBag(self._out / clip.name, clip, self._offset, overwrite=self._overwrite)
        self._open.append(bag)
        for topic in self._topics:
            bag.add(self._recording, topic)
        bag.begin(self._labels, self._held)

    def _end(self, bag: '_ClipBag') -> None:
        self._open.remove(bag)
        if bag.count:
            bag.close()
            self._cut.made[bag.clip.name] = bag.clip
            return
        why = BagError(f'{bag.clip.name}: no message within its span')
        bag.drop(why)
        self._cut.failed.append(str(why))


class _ClipBag:
    """The bag of a clip while it is written.

    Attributes:
        clip: The clip.
        until: Log time where it ends, nanoseconds.
        count: Messages of its span so far.
    """

    def __init__(self, path: Path, clip: Clip, offset: int, *, overwrite: bool) -> None:
        self.clip, self.count = clip, 0
        self.until = clip.until + offset
        self._offset = offset
        # What a killed run left of one that is not there is replaced in any case.
        again = overwrite or not path.exists()
        self._bag = BagWriter(path, overwrite=again, discard_failed=True)
        self._bag.custom |= _entries(clip)
        self._due: list[tuple[Segment, int, ClipLabels, LabelWriter]] = []

    def add(self, recording: Recording, name: str) -> None:
        """Announce a topic as the recording has it."""
        topic = recording.topics[name]
        self._bag.add_topic(
            name,
            topic.type_name,
            definition=topic.definition,
            type_hash=topic.type_hash,
            qos=topic.qos,
        )

    def begin(self, lanes: Sequence[ClipLabels], held: LatchedMessages) -> None:
        """Write what holds from before, and the label sets."""
        since = max(self.clip.since + self._offset, 0)
        for topic, raw in held.at(since):
            self._bag.write(topic, raw, since)
        for lane in lanes:
            writer = LabelWriter(self._bag, lane.prefix, frame_labels=False)
            writer.write_label_set(lane.labelled.label_set, lane.model_id, since)
            own = lane.within(self.clip.since, self.clip.until)
            self._due += [(segment, number, lane, writer) for number, segment in own]
        self._due.sort(key=lambda due: -due[0].end)

    def write(self, topic: str, raw: Raw, log_time: int) -> None:
        """Append a message, after the labels that end before it."""
        if self._due:
            self._write_labels(log_time)
        self._bag.write(topic, raw, log_time)
        self.count += 1

    def _write_labels(self, log_time: int) -> None:
        while self._due and self._due[-1][0].end + self._offset <= log_time:
            segment, number, lane, writer = self._due.pop()
            label = lane.labelled.label_set.id_of(segment.label)
            writer.write_segment(segment, label, number, lane.model_id, log_offset=self._offset)

    def close(self) -> None:
        """Complete the bag."""
        self._write_labels(self.until)
        self._bag.__exit__(None, None, None)

    def drop(self, error: BaseException) -> None:
        """Remove the bag."""
        self._bag.__exit__(type(error), error, None)
