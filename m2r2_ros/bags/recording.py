# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings, whatever they are stored in, as one stream of messages in log-time order."""

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from m2r2_ros.bags.folder import has_metadata, is_part, missing, read_folder, storage_files
from m2r2_ros.bags.merge import merged
from m2r2_ros.bags.remote.places import in_order, is_remote, real_name
from m2r2_ros.bags.rosbag2 import ANNOTATIONS
from m2r2_ros.bags.source import ALWAYS, Source, Span, Topic
from m2r2_ros.bags.steps.datasets import (
    episode_source,
    episodes_of,
    is_dataset,
    is_episode,
    not_one,
)
from m2r2_ros.bags.writing.replacing import REPLACED
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.files import PARTIAL
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.reading import check_file

__all__ = ['Recording', 'Topic', 'find_recordings', 'open_recording']

#: What opens a file of each format, as module:attribute; imported for the first such file.
_FORMATS: Final = {
    '.mcap': 'm2r2_ros.bags.mcap.source:McapSource',
    '.db3': 'm2r2_ros.bags.sqlite.source:SqliteSource',
    '.h5': 'm2r2_ros.bags.reassemble.source:ReassembleSource',
    '.bag': 'm2r2_ros.bags.ros1.source:Ros1Source',
}


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
        self._unreadable: dict[str, str] = {}
        for source in sources:
            self._unreadable.update(source.unreadable)
            for topic in source.topics.values():
                self._add(topic)
        found = {name: topic.count for name, topic in self.topics.items()}
        lost = missing(found, counts or {})
        self.notes = (*notes, *(note for source in sources for note in source.notes), *lost)

    @property
    def readable(self) -> list[str]:
        """Names of the topics whose messages can be read."""
        return [name for name in self.topics if name not in self._unreadable]

    def types(self, named: Collection[str] = ()) -> dict[str, str]:
        """Return the types, by topic, of what could serve: what can be read and has messages.

        Args:
            named: Topics that are in it however they are.
        """
        return {
            name: topic.type_name
            for name, topic in self.topics.items()
            if name in named or (topic.count and name not in self._unreadable)
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
        for name in sorted(wanted & self._unreadable.keys()):
            msg = (
                f'{self.path}: topic {name} cannot be read: {self._unreadable[name]}; leave it out'
            )
            raise BagError(msg)
        return merged(self.sources, wanted, span)

    def _add(self, topic: Topic) -> None:
        """Count a topic in, which another file of the recording may have too."""
        before = self.topics.get(topic.name)
        if before is None:
            self.topics[topic.name] = topic
            return
        if before.type_name != topic.type_name:
            self._unreadable[topic.name] = (
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
    if not _is_folder(path):
        return Recording(path, [_open_file(path)])
    if is_dataset(path):
        raise BagError(not_one(path))
    folder = read_folder(path)
    sources = [_open_file(file) for file in folder.files]
    return Recording(path, sources, folder.notes, folder.counts)


def recording_name(path: Path) -> str:
    """Return the name that a recording goes by: of its folder, or the stem of a bare file."""
    if is_remote(path):
        # A bucket has no name as a path.
        return path.stem if path.suffix in _FORMATS else str(path).rstrip('/').rsplit('/', 1)[-1]
    return Path(os.path.realpath(path)).name if path.is_dir() else path.stem


def expect_distinct_names(paths: Iterable[Path]) -> None:
    """Refuse two recordings of one name, whose labels would have one place.

    Raises:
        BagError: There are two.
    """
    names: dict[str, Path] = {}
    for path in paths:
        other = names.setdefault(recording_name(path), path)
        if other != path:
            msg = f'{path} and {other} have one name: label them into different folders'
            raise BagError(msg)


def find_recordings(
    paths: Iterable[Path], passed_over: Callable[[str], None] = lambda what: None
) -> list[Path]:
    """Return the recordings that `paths` are or hold at any depth, sorted, each once.

    A folder is one recording if it has a metadata.yaml, or if its files are called after it, as
    after a crash; the files of any other folder are recordings of their own. Whether they can be
    opened is not looked at.

    Args:
        paths: Recordings, and folders of them; links to folders within these are not followed.
        passed_over: Called with what is in the way in a folder, such as one that cannot be listed.

    Raises:
        BagError: A path holds none, or does not exist.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if is_remote(path):
            here = _search_remote(path, passed_over)
        elif is_episode(path):
            here = [path]
        elif _is_folder(path):
            here = list(_search(path, passed_over))
        else:
            _check_kind(path)
            here = [path]
        if not here:
            expected = 'rosbag2 folders, .mcap, .db3, .h5 or .bag files, or a dataset'
            msg = f'{path} holds no recording; expected {expected}'
            raise BagError(msg)
        for recording in here:
            found.setdefault(real_name(recording), recording)
    return in_order(list(found.values()))


def _search_remote(top: Path, passed_over: Callable[[str], None]) -> list[Path]:
    """Return the recordings that a URL is or holds."""
    from m2r2_ros.bags.remote.opening import remote_recordings  # optional

    found = remote_recordings(top, passed_over)
    for path in found:
        if path == top and path.suffix:
            _check_kind(path)
    return found


def _search(top: Path, passed_over: Callable[[str], None]) -> Iterator[Path]:
    """Yield the recordings in a folder, which may be nested deeper than Python recurses."""
    storage_files(top)  # a folder that was asked for has to be there
    folders = [top]
    while folders:
        folder = folders.pop()
        if is_dataset(folder):
            try:
                yield from episodes_of(folder, passed_over)
            except M2R2Error as error:
                if folder is top:
                    raise
                passed_over(str(error))
            continue
        try:
            files, has_one = storage_files(folder), has_metadata(folder)
            with os.scandir(folder) as entries:
                # A bag that is being written, or was not finished, is opened only where it is
                # named.
                below = [
                    folder / entry.name
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False)
                    and not entry.name.endswith((PARTIAL, REPLACED))
                ]
        except (BagError, OSError) as error:
            passed_over(str(error))
            continue
        if folder is not top and folder.name.endswith(ANNOTATIONS) and not has_one:
            continue  # what people said of a recording
        name = recording_name(folder) if folder is top else folder.name
        if has_one or (files and all(is_part(f, name) for f in files)):
            yield folder
            continue
        yield from files
        folders += below


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder.

    Raises:
        BagError: It is nothing.
    """
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        absent = isinstance(error, FileNotFoundError)
        why = 'does not exist' if absent else f'cannot be opened: {error}'
        msg = f'{path} {why}; expected a rosbag2 folder, an .mcap, a .db3, an .h5 or a .bag'
        raise BagError(msg) from error


def _check_kind(file: Path) -> None:
    """Raise BagError unless the name is one of a file that can be read."""
    if file.suffix in _FORMATS:
        return
    if file.name.endswith('.bag.active'):
        way = f'it is a ROS 1 bag that was not closed; rename it to {file.stem} to read it'
    elif file.suffix == '.zstd':
        way = f'it is compressed; `zstd -d {file}` and open {file.stem}'
    else:
        way = 'expected a rosbag2 folder, an .mcap, a .db3, an .h5 or a .bag'
    msg = f'{file} cannot be read here: {way}'
    raise BagError(msg)


def _open_remote(path: Path) -> Recording:
    """Open a recording in an object store."""
    from m2r2_ros.bags.remote.opening import open_remote, remote_folder  # optional

    found = remote_folder(path)
    if not isinstance(found, tuple):
        _check_kind(path)
        return Recording(path, [open_remote(found, _open_file)])
    folder, files = found
    sources = [open_remote(files[file], _open_file) for file in folder.files]
    return Recording(path, sources, folder.notes, folder.counts)


def _open_file(file: Path) -> Source:
    """Open one file of a recording."""
    _check_kind(file)
    check_file(file, 'a recording', BagError)
    module, name = _FORMATS[file.suffix].split(':')
    source: Source = getattr(import_module(module), name)(file)
    return source
