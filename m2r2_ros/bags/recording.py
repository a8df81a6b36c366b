# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings, whatever they are stored in, as one stream of messages in log-time order."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from m2r2_ros.bags.folder import missing, read_folder
from m2r2_ros.bags.formats import FORMATS, check_kind, is_folder, open_file
from m2r2_ros.bags.merge import merged
from m2r2_ros.bags.remote.places import is_remote
from m2r2_ros.bags.source import ALWAYS, Source, Span, Topic
from m2r2_ros.bags.steps.datasets import (
    episode_source,
    is_dataset,
    is_episode,
    not_one,
)
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.messages import MessageBlock

__all__ = ['Recording', 'Topic', 'open_recording']


class Recording:
    """A recording: one MCAP or sqlite3 file, or a rosbag2 folder of one or several.

    No file stays open, so there is nothing to close.

    Attributes:
        path: The folder or file.
        name: Folder name, or stem of a bare file.
        topics: Topics by name.
        start: Log time of the first message, nanoseconds; 0 without messages.
        end: Log time of the last message, nanoseconds.
        message_count: Messages of all topics.
        truncated: A file is truncated, as when a recorder was killed or a disk was full;
            what was written until then is there.
        notes: What else there is to say about it.
        unreadable: Why topics cannot be read, by name.
        sources: Its files.
    """

    def __init__(
        self,
        path: Path,
        sources: Sequence[Source],
        notes: Iterable[str] = (),
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """Join the files of a recording.

        Args:
            path: The folder or file.
            sources: The files, opened.
            notes: What there is to say about the folder.
            counts: Messages by topic that there ought to be.
        """
        self.path = path
        self.sources = sources
        self.name = recording_name(path)
        filled = [source for source in sources if source.message_count]
        self.start = min((source.start for source in filled), default=0)
        self.end = max((source.end for source in filled), default=0)
        self.message_count = sum(source.message_count for source in sources)
        self.truncated = any(source.truncated for source in sources)
        self.topics: dict[str, Topic] = {}
        self.unreadable: dict[str, str] = {}
        for source in sources:
            self.unreadable.update(source.unreadable)
            for topic in source.topics.values():
                self._add(topic)
        found = {name: topic.count for name, topic in self.topics.items()}
        lost = missing(found, counts or {})
        self.notes = (*notes, *(note for source in sources for note in source.notes), *lost)

    @property
    def readable(self) -> list[str]:
        """Names of the topics whose messages can be read."""
        return [name for name in self.topics if name not in self.unreadable]

    def types(self, named: Collection[str] = ()) -> dict[str, str]:
        """Return the types, by topic, of what could serve: what can be read and has messages.

        Args:
            named: Topics that are in it however they are.
        """
        return {
            name: topic.type_name
            for name, topic in self.topics.items()
            if name in named or (topic.count and name not in self.unreadable)
        }

    def blocks(
        self, topics: Collection[str] | None = None, span: Span = ALWAYS
    ) -> Iterator[list[MessageBlock]]:
        """Yield messages in log-time order, at most one block of each topic in each list.

        `arrival` is the rank among all messages that are yielded; messages of the same log time
        keep the order of the file. No more is in memory than a few parts of the files that
        overlap in time.

        Args:
            topics: The topics to read, those that the recording has not are passed over; None
                reads all.
            span: Log times of the messages to read; what lies outside is not read.

        Raises:
            BagError: A file is corrupt, or a topic that was asked for is not CDR.
        """
        wanted = set(self.topics if topics is None else topics) & self.topics.keys()
        for name in sorted(wanted & self.unreadable.keys()):
            msg = f'{self.path}: topic {name} cannot be read: {self.unreadable[name]}; leave it out'
            raise BagError(msg)
        return merged(self.sources, wanted, span)

    def _add(self, topic: Topic) -> None:
        """Count a topic in, which another file of the recording may have too."""
        before = self.topics.get(topic.name)
        if before is None:
            self.topics[topic.name] = topic
            return
        if before.type_name != topic.type_name:
            self.unreadable[topic.name] = (
                f'it has messages of two types, {before.type_name} and {topic.type_name}'
            )
        self.topics[topic.name] = Topic(
            topic.name,
            before.type_name,
            before.definition or topic.definition,
            before.count + topic.count,
            before.qos or topic.qos,
            before.type_hash or topic.type_hash,
        )


def open_recording(path: Path) -> Recording:
    """Open a rosbag2 folder, with or without its metadata.yaml, an .mcap, .db3, .h5 or .bag.

    A UPath, which `bags.remote.places.as_place` makes of a URL, is read where it lies. An episode
    of a dataset is opened by its name below the dataset, see bags.steps.datasets.

    Raises:
        BagError: There is no recording at `path`, or it cannot be read.
    """
    if is_remote(path):
        return _open_remote(path)
    if is_episode(path):
        return Recording(path, [episode_source(path)])
    if not is_folder(path):
        return Recording(path, [open_file(path)])
    if is_dataset(path):
        raise BagError(not_one(path))
    folder = read_folder(path)
    sources = [open_file(file) for file in folder.files]
    return Recording(path, sources, folder.notes, folder.counts)


def recording_name(path: Path) -> str:
    """Return the name that a recording goes by: of its folder, or the stem of a bare file."""
    if is_remote(path):
        # A bucket has no name as a path.
        return path.stem if path.suffix in FORMATS else str(path).rstrip('/').rsplit('/', 1)[-1]
    return Path(os.path.realpath(path)).name if path.is_dir() else path.stem


def _open_remote(path: Path) -> Recording:
    """Open a recording in an object store."""
    from m2r2_ros.bags.remote.opening import open_remote, remote_folder  # optional

    found = remote_folder(path)
    if not isinstance(found, tuple):
        check_kind(path)
        return Recording(path, [open_remote(found, open_file)])
    folder, files = found
    sources = [open_remote(files[file], open_file) for file in folder.files]
    return Recording(path, sources, folder.notes, folder.counts)
