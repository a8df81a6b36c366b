# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write rosbag2 folders with one MCAP file that survive a killed process."""

import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn

import numpy as np
from mcap.exceptions import McapError
from mcap.records import Header
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer
from numpy.typing import NDArray

from m2r2_ros import __version__
from m2r2_ros.bags.definitions import message_definition
from m2r2_ros.bags.definitions import type_hash as hash_of_type
from m2r2_ros.bags.metadata import (
    NO_MESSAGES,
    TopicInfo,
    bag_metadata,
    dump_yaml,
    qos_profiles,
)
from m2r2_ros.bags.sink import RELIABLE
from m2r2_ros.core.errors import BagError

LIBRARY: Final = 'm2r2_ros'

Raw = bytes | memoryview | NDArray[np.uint8]


class BagWriter:
    """Writes a rosbag2 folder.

    Until it is closed, the bag is called '<name>.partial' and flushed every `flush_interval`, so
    that what a killed process leaves can be read (or repaired) up to the last flush. Closing
    renames it; only then does it replace an older one. After an exception inside the `with` block
    the partial bag is closed, complete with index, and keeps its name.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool = False,
        flush_interval: float = 1.0,
        discard_failed: bool = False,
    ) -> None:
        """Create '<path>.partial'.

        Args:
            path: The rosbag2 folder to write.
            overwrite: Replace a bag of that name, if this package wrote it.
            flush_interval: Seconds between flushes.
            discard_failed: Remove the partial bag after an exception, for what is made from files
                that can be read again.

        Raises:
            BagError: There is such a folder already, or it cannot be made.
        """
        self.path = Path(path).absolute()
        self._partial = self.path.with_name(self.path.name + '.partial')
        self._overwrite, self._discard_failed = overwrite, discard_failed
        self._refuse_or_clear()
        with self._disk_errors():
            self._partial.mkdir(parents=True)
            self._file = (self._partial / f'{self.path.name}_0.mcap').open('xb')
            self._mcap = Writer(self._file, compression=CompressionType.ZSTD)
            self._mcap.start(profile='ros2', library=f'{LIBRARY} {__version__}')
            self._mcap.flush()
        self._topics: dict[str, TopicInfo] = {}
        self._channels: dict[str, int] = {}
        self._schemas: dict[tuple[str, str], int] = {}
        self._counts: Counter[str] = Counter()
        self._start, self._end = NO_MESSAGES, 0
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._published = False
        self._failure: OSError | None = None
        threading.Thread(target=self._flush, args=(flush_interval,), daemon=True).start()

    def __enter__(self) -> 'BagWriter':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        with suppress(BagError):  # the error that led here is the one to tell
            self._finish()
        if self._discard_failed:
            _remove(self._partial)

    @property
    def topics(self) -> Mapping[str, TopicInfo]:
        """Topics added so far."""
        return self._topics

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return {name: self._counts[name] for name in self._topics}

    def add_topic(
        self,
        name: str,
        type_name: str,
        *,
        definition: str | None = None,
        type_hash: str | None = None,
        qos: str = RELIABLE,
    ) -> None:
        """Announce a topic.

        Args:
            name: Topic name.
            type_name: Message type, 'pkg/msg/Type'.
            definition: Full definition in ros2msg or ros2idl form, '' for a bag without; by
                default that of ROS 2 Jazzy or of this package.
            type_hash: RIHS01 hash; by default as for the definition.
            qos: Offered QoS profiles as YAML text, '' where none is known.

        Raises:
            BagError: The topic is there already, or the QoS text is not what rosbag2 writes.
            MessageError: Nothing is known of the type and no definition was given.
        """
        if name in self._topics:
            msg = f'{self.path}: topic {name} was added already; every topic is added once'
            raise BagError(msg)
        if definition is None:
            definition = message_definition(type_name)
            type_hash = type_hash or hash_of_type(type_name)
        profiles = qos_profiles(qos)
        info = TopicInfo(name, type_name, dump_yaml(profiles) if profiles else '', type_hash or '')
        with self._writing():
            schema = self._schema(type_name, definition)
            metadata = {'offered_qos_profiles': info.qos, 'topic_type_hash': info.type_hash}
            self._channels[name] = self._mcap.register_channel(name, 'cdr', schema, metadata)
        self._topics[name] = info

    def write(self, topic: str, raw: Raw, log_time: int) -> None:
        """Append one CDR message.

        Args:
            topic: A topic that was added.
            raw: The message with its encapsulation header.
            log_time: Nanoseconds, not negative.

        Raises:
            BagError: The topic was not added, the bag is closed or the disk is full.
        """
        channel = self._channels.get(topic)
        if channel is None or log_time < 0:
            self._refuse(topic, log_time)
        with self._lock:
            self._check_open()
            try:
                self._mcap.add_message(channel, log_time, raw, log_time)  # type: ignore[arg-type]
            except OSError as error:
                raise self._disk_error(error) from error
            self._counts[topic] += 1
            self._start = min(self._start, log_time)
            self._end = max(self._end, log_time)

    def close(self) -> None:
        """Complete the bag and give it its name; a second call does nothing.

        Raises:
            BagError: The disk is full, or a bag of that name has appeared in the meantime.
        """
        if self._published:
            return
        if not self._done.is_set():
            self._finish()
        self._publish()
        self._published = True

    def _publish(self) -> None:
        older = self.path.with_name(self.path.name + '.replaced')
        if self.path.exists():
            check_replaceable(self.path, overwrite=self._overwrite)
            if older.exists():
                check_replaceable(older, overwrite=self._overwrite)
                _remove(older)
        with self._disk_errors():
            if self.path.exists():
                self.path.rename(older)
            self._partial.rename(self.path)
            if older.exists():
                _remove(older)

    def _refuse_or_clear(self) -> None:
        if self.path.suffix in {'.mcap', '.db3'}:
            msg = f'{self.path}: a bag is a folder; leave {self.path.suffix} off its name'
            raise BagError(msg)
        check_replaceable(self.path, overwrite=self._overwrite)
        if self._partial.exists():
            if not self._overwrite:
                msg = (
                    f'{self._partial} is there, from a run that did not finish or that still '
                    'writes: repair it (m2r2 repair), remove it, or allow to overwrite it'
                )
                raise BagError(msg)
            check_replaceable(self._partial, overwrite=True)
            _remove(self._partial)

    def _schema(self, type_name: str, definition: str) -> int:
        key = (type_name, definition)
        if key not in self._schemas:
            encoding = 'ros2idl' if definition.startswith('=' * 80 + '\nIDL: ') else 'ros2msg'
            self._schemas[key] = self._mcap.register_schema(
                type_name, encoding if definition else '', definition.encode()
            )
        return self._schemas[key]

    def _refuse(self, topic: str, log_time: int) -> NoReturn:
        if topic in self._channels:
            msg = f'{self.path}: log time {log_time} of {topic} is negative; it counts from 1970'
        else:
            msg = f'{self.path}: topic {topic} was not added; there are {list(self._topics)}'
        raise BagError(msg)

    def _flush(self, interval: float) -> None:
        while not self._done.wait(interval):
            try:
                with self._lock:
                    if not self._done.is_set():
                        self._mcap.flush()
            except OSError as error:
                self._failure = error
                return

    def _finish(self) -> None:
        with self._writing():
            self._done.set()
            self._mcap.flush()
            file = Path(self._file.name)
            topics = [(info, self._counts[name]) for name, info in self._topics.items()]
            metadata = bag_metadata(file.name, topics, self._start, self._end)
            self._mcap.add_metadata('rosbag2', {'serialized_metadata': dump_yaml(metadata)})
            self._mcap.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            text = dump_yaml({'rosbag2_bagfile_information': metadata})
            (self._partial / 'metadata.yaml').write_text(text)

    def _check_open(self) -> None:
        if self._done.is_set():
            msg = f'{self.path}: the bag is closed already; nothing can be added'
            raise BagError(msg)
        if self._failure is not None:
            raise self._disk_error(self._failure) from self._failure

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, self._disk_errors():
            self._check_open()
            yield

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._disk_error(error) from error

    def _disk_error(self, error: OSError) -> BagError:
        return BagError(
            f'{self._partial} cannot be written: {error.strerror or error}; '
            'see to the disk, or write elsewhere'
        )


def check_replaceable(path: Path, *, overwrite: bool) -> None:
    """Refuse to write where something else is.

    Raises:
        BagError: `path` exists, and either must not be overwritten or is not a bag that this
            package wrote, with nothing but the bag in its folder.
    """
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        msg = f'{path} exists: choose another name, or allow to overwrite it'
        raise BagError(msg)
    reason = _not_ours(path)
    if reason:
        msg = f'{path} {reason}, and is not replaced: remove it yourself or choose another name'
        raise BagError(msg)


def refuse_same(out: Path, *sources: Path) -> None:
    """Refuse an output that is one of the inputs, holds one or lies in one.

    Raises:
        BagError: It is so.
    """
    target = out.resolve()
    for source in (source.resolve() for source in sources):
        if target == source or target in source.parents or source in target.parents:
            msg = f'{out} overlaps with {source}, which is never changed: write to another folder'
            raise BagError(msg)


def _not_ours(path: Path) -> str:
    if path.is_symlink() or not path.is_dir():
        return 'is not a rosbag2 folder'
    recordings = sorted(path.glob('*.mcap'))
    others = {p.name for p in path.iterdir()} - {'metadata.yaml'} - {p.name for p in recordings}
    if others:
        return f'holds other files than a bag of {LIBRARY} ({", ".join(sorted(others)[:3])})'
    if not recordings or not all(map(_written_here, recordings)):
        return f'is not a bag that {LIBRARY} wrote'
    return ''


def _written_here(file: Path) -> bool:
    try:
        with file.open('rb') as stream:
            header = next(StreamReader(stream).records)
    except (McapError, OSError, ValueError, StopIteration):
        return False
    return isinstance(header, Header) and header.library.startswith(LIBRARY)


def _remove(bag: Path) -> None:
    """Remove a folder that `_not_ours` has passed: files only, never a tree."""
    for file in bag.iterdir():
        file.unlink()
    bag.rmdir()
