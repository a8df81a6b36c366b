# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings, whatever they are stored in, as one stream of messages in log-time order."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from m2r2_ros.bags.mcap.source import McapSource
from m2r2_ros.bags.merge import merged
from m2r2_ros.bags.reassemble.source import ReassembleSource
from m2r2_ros.bags.source import Source, Topic
from m2r2_ros.bags.sqlite.source import SqliteSource
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import PARTIAL
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import reading

__all__ = ['Recording', 'Topic', 'find_recordings', 'open_recording']

METADATA = 'metadata.yaml'
#: The one entry of a metadata.yaml.
INFORMATION = 'rosbag2_bagfile_information'
_FORMATS: dict[str, Callable[[Path], Source]] = {
    '.mcap': McapSource,
    '.db3': SqliteSource,
    '.h5': ReassembleSource,
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
    """

    def __init__(self, path: Path, sources: Sequence[Source]) -> None:
        self.path = path
        self.name = recording_name(path)
        filled = [source for source in sources if source.message_count]
        self.start = min((source.start for source in filled), default=0)
        self.end = max((source.end for source in filled), default=0)
        self.message_count = sum(source.message_count for source in sources)
        self.truncated = any(source.truncated for source in sources)
        self.notes = tuple(note for source in sources for note in source.notes)
        self.topics: dict[str, Topic] = {}
        self._unreadable: dict[str, str] = {}
        self._sources = sources
        for source in sources:
            self._unreadable.update(source.unreadable)
            for topic in source.topics.values():
                self._add(topic)

    @property
    def readable(self) -> list[str]:
        """Names of the topics whose messages can be read."""
        return [name for name in self.topics if name not in self._unreadable]

    def blocks(self, topics: Collection[str] | None = None) -> Iterator[list[MessageBlock]]:
        """Yield messages in log-time order, at most one block of each topic in each list.

        `arrival` is the rank among all messages that are yielded; messages of the same log time
        keep the order of the file. No more is in memory than a few parts of the files that
        overlap in time.

        Args:
            topics: The topics to read, those that the recording has not are passed over; None
                reads all.

        Raises:
            BagError: A file is corrupt, or a topic that was asked for is not CDR.
        """
        wanted = set(self.topics if topics is None else topics) & self.topics.keys()
        for name in sorted(wanted & self._unreadable.keys()):
            msg = (
                f'{self.path}: topic {name} cannot be read: {self._unreadable[name]}; leave it out'
            )
            raise BagError(msg)
        return merged(self._sources, wanted)

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
    """Open a rosbag2 folder, with or without its metadata.yaml, an .mcap, a .db3 or an .h5.

    Raises:
        BagError: There is no recording at `path`, or it cannot be read.
    """
    with reading(path, 'a recording', BagError):
        exists = path.exists()
    if not exists:
        msg = f'{path} does not exist; expected a rosbag2 folder, an .mcap, a .db3 or an .h5'
        raise BagError(msg)
    files = _files(path) if path.is_dir() else [path]
    return Recording(path, [_open_file(file) for file in files])


def recording_name(path: Path) -> str:
    """Return the name that a recording goes by: of its folder, or the stem of a bare file."""
    return path.resolve().name if path.is_dir() else path.stem


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


def find_recordings(paths: Iterable[Path]) -> list[Path]:
    """Return the recordings that `paths` are or hold at any depth, sorted, each once.

    A folder is one recording if it has a metadata.yaml, or if its files are called after it, as
    after a crash; the files of any other folder are recordings of their own.

    Raises:
        BagError: A path holds none.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        here = _search(path) if path.is_dir() else [path]
        if not here:
            msg = f'{path} holds no recording; expected rosbag2 folders, .mcap, .db3 or .h5 files'
            raise BagError(msg)
        for recording in here:
            if recording.is_file():
                _check_kind(recording)
            elif not recording.exists():
                msg = f'{recording} does not exist'
                raise BagError(msg)
            found.setdefault(recording.resolve(), recording)
    return sorted(found.values())


def _search(folder: Path) -> list[Path]:
    """Return the recordings in a folder."""
    files = _storage_files(folder)
    if (folder / METADATA).is_file():
        return [folder]
    name = folder.resolve().name
    if files and all(file.stem.rpartition('_')[0] == name for file in files):
        return [folder]
    below = [
        sub
        for sub in sorted(folder.iterdir())
        # A bag that is being written, or was not finished, is opened only where it is named.
        if sub.is_dir() and not sub.is_symlink() and sub.suffix != PARTIAL
    ]
    return files + [recording for sub in below for recording in _search(sub)]


def _storage_files(folder: Path) -> list[Path]:
    """Return the MCAP and sqlite3 files in a folder, _2 before _10."""
    files = [file for file in folder.iterdir() if file.suffix in _FORMATS and file.is_file()]

    def rank(file: Path) -> tuple[str, int, str]:
        stem, _, number = file.stem.rpartition('_')
        return (stem, int(number), '') if number.isdecimal() else (file.stem, -1, file.suffix)

    return sorted(files, key=rank)


def _files(folder: Path) -> list[Path]:
    """Return the files of a rosbag2 folder."""
    if not (folder / METADATA).is_file():
        files = _storage_files(folder)
        if not files:
            msg = f'{folder} holds no recording: neither {METADATA} nor .mcap nor .db3 files'
            raise BagError(msg)
        return files
    information = _information(folder / METADATA)
    mode = str(information.get('compression_mode') or '').lower()
    if mode == 'message':
        msg = (
            f'{folder}: its messages are compressed one by one (compression_mode: message), which '
            f'is not read here; `ros2 bag convert` writes it without'
        )
        raise BagError(msg)
    listed = information.get('relative_file_paths')
    names = [Path(str(name)).name for name in listed] if isinstance(listed, list) else []
    files = [folder / name for name in names] or _storage_files(folder)
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        msg = (
            f'{folder / METADATA}: {", ".join(missing) or "the recording"} is not in the folder; '
            f'bring it back, or remove {METADATA} to open what is there'
        )
        raise BagError(msg)
    return files


def _information(path: Path) -> dict[str, Any]:
    """Return what a metadata.yaml says; {} where a crash left it empty."""
    expected = 'rosbag2 metadata: remove it to open the files beside it without it'
    content = Section.read(path, expected, BagError)
    return content.section(INFORMATION).entries if content.entries else {}


def _check_kind(file: Path) -> None:
    """Raise BagError unless the name is one of a file that can be read."""
    if file.suffix in _FORMATS:
        return
    if file.suffix == '.bag':
        way = f'it is a ROS 1 bag; `rosbags-convert --src {file} --dst {file.stem}` makes it ROS 2'
    elif file.suffix == '.zstd':
        way = f'it is compressed; `zstd -d {file}` and open {file.stem}'
    else:
        way = 'expected a rosbag2 folder, an .mcap, a .db3 or an .h5'
    msg = f'{file} cannot be read here: {way}'
    raise BagError(msg)


def _open_file(file: Path) -> Source:
    """Open one file of a recording."""
    _check_kind(file)
    return _FORMATS[file.suffix](file)
