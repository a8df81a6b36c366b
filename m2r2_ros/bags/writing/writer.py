# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write rosbag2 folders of MCAP files that survive a killed process."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import NoReturn

from m2r2_ros.bags.rosbag2 import INFORMATION, METADATA
from m2r2_ros.bags.writing.metadata import (
    FileInfo,
    TopicInfo,
    bag_metadata,
    dump_yaml,
    normal_qos,
)
from m2r2_ros.bags.writing.part import BagPart, Raw
from m2r2_ros.bags.writing.replacing import make_way, publish, remove_bag
from m2r2_ros.bags.writing.sink import RELIABLE
from m2r2_ros.core.errors import BagError, OutputError
from m2r2_ros.core.files import Claim, cannot_write, partial_path, sync
from m2r2_ros.core.time import to_ns
from m2r2_ros.readers.definitions import message_definition
from m2r2_ros.readers.definitions import type_hash as hash_of_type

__all__ = ['BagWriter', 'Raw']


class BagWriter:
    """Writes a rosbag2 folder.

    Until it is closed, the bag is called '<name>.partial' and flushed within `flush_interval`, so
    that what a killed process leaves can be read (or repaired) up to the last flush; of a bag that
    is split, all files but the last are complete. Bags that can be made again are not flushed.
    Closing renames it; only then does it replace an older one. After an exception inside the `with`
    block the partial bag is closed, complete with index, and keeps its name; after a disk error it
    is left as it is. Any thread may write, and no other writer can write the same bag meanwhile.

    Attributes:
        path: The bag.
        custom: What metadata.yaml says in addition, by key; it may be filled until it is closed.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool = False,
        flush_interval: float = 1.0,
        fsync: bool = False,
        max_size: int = 0,
        max_duration: float = 0.0,
        discard_failed: bool = False,
    ) -> None:
        """Create '<path>.partial'.

        Args:
            path: The rosbag2 folder to write.
            overwrite: Replace a bag of that name, if this package wrote it.
            flush_interval: Most seconds that a killed process loses of a recording.
            fsync: Wait for the disk at every flush, against power cuts.
            max_size: Bytes after which the next file begins, exceeded by at most a megabyte and
                the message at hand; 0 for one file.
            max_duration: Seconds of log time after which the next file begins; 0 for one file.
            discard_failed: Remove the partial bag after an exception, for bags made from files
                that can be read again.

        Raises:
            BagError: There is such a folder already, another run is writing it, or it cannot be
                made.
        """
        self.path = Path(path).absolute()
        self._partial = partial_path(self.path)
        self._overwrite, self._discard_failed = overwrite, discard_failed
        self._fsync, self._max_size = fsync, max_size
        self._max_duration = to_ns(max_duration)
        self.custom: dict[str, str] = {}
        self._topics: dict[str, TopicInfo] = {}
        self._definitions: dict[str, str] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._published = False
        self._failure: OSError | None = None
        self._finished: list[FileInfo] = []
        self._finished_counts: Counter[str] = Counter()
        self._finished_size = 0
        self._unsynced: list[BagPart] = []
        try:
            self._claim = Claim(self.path)
        except OutputError as error:
            raise BagError(str(error)) from error
        try:
            self._part = self._begin()
        except BaseException:
            self._claim.release()
            raise
        self._flusher = threading.Thread(target=self._flush, args=(flush_interval,), daemon=True)
        # What can be made again is of no use until it is complete, and the same each time without.
        if not discard_failed:
            self._flusher.start()

    def __enter__(self) -> 'BagWriter':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.close()
                return
            with suppress(BagError):  # the error that led here is the one to report
                self._finish()
        finally:
            with self._claim, suppress(OSError):
                if self._discard_failed and not self._published:
                    remove_bag(self._partial)

    @property
    def partial(self) -> Path:
        """The folder until it is closed."""
        return self._partial

    @property
    def topics(self) -> Mapping[str, TopicInfo]:
        """Topics added so far."""
        return MappingProxyType(self._topics)

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        with self._lock:
            counts = self._finished_counts + self._part.counts
        return {name: counts[name] for name in self._topics}

    @property
    def size(self) -> int:
        """Bytes written so far."""
        with self._lock:
            return self._finished_size + self._part.size

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
        info = TopicInfo(name, type_name, normal_qos(qos), type_hash or '')
        with self._lock, self._disk_errors():
            self._check_open()
            self._part.add_topic(info, definition)
            self._topics[name], self._definitions[name] = info, definition

    def write(self, topic: str, raw: Raw, log_time: int) -> None:
        """Append one CDR message.

        Args:
            topic: A topic that was added.
            raw: The message with its encapsulation header.
            log_time: Nanoseconds, not negative.

        Raises:
            BagError: The topic was not added, the bag is closed or the disk is full.
        """
        if topic not in self._topics or log_time < 0:
            self._refuse(topic, log_time)
        with self._lock:
            self._check_open()
            try:
                if self._is_full(log_time):
                    self._split()
                self._part.write(topic, raw, log_time)
            except OSError as error:
                raise self._failed(error) from error

    def check(self) -> None:
        """Report a disk error that has happened since the last message.

        Raises:
            BagError: The bag cannot be written any more, or is closed.
        """
        with self._lock:
            self._check_open()

    def close(self) -> None:
        """Complete the bag and give it its name; a second call does nothing.

        Raises:
            BagError: The disk is full, or a bag of that name has appeared in the meantime.
        """
        if self._published:
            return
        with self._claim:
            if not self._done.is_set():
                self._finish()
            elif self._failure is not None:
                raise self._failed(self._failure)
            try:
                publish(self._partial, self.path, overwrite=self._overwrite)
            except OSError as error:
                raise self._disk_error(error) from error
            self._published = True

    def _refuse(self, topic: str, log_time: int) -> NoReturn:
        if topic in self._topics:
            msg = f'{self.path}: log time {log_time} of {topic} is negative; it counts from 1970'
        else:
            msg = f'{self.path}: topic {topic} was not added; there are {list(self._topics)}'
        raise BagError(msg)

    def _begin(self) -> BagPart:
        """Make the folder and the first file in it, or leave nothing."""
        with self._disk_errors():
            make_way(self._partial, self.path, overwrite=self._overwrite)
            self._partial.mkdir()
            try:
                return self._new_part(0)
            except OSError:
                self._partial.rmdir()
                raise

    def _new_part(self, number: int) -> BagPart:
        file = self._partial / f'{self.path.name}_{number}.mcap'
        part = BagPart(file, recorded=not self._discard_failed)
        for name, topic in self._topics.items():
            part.add_topic(topic, self._definitions[name])
        return part

    def _is_full(self, log_time: int) -> bool:
        """Return whether the next message belongs in the next file."""
        if self._max_duration and log_time - self._part.start >= self._max_duration:
            return True
        return bool(self._max_size and self._part.size >= self._max_size)

    def _split(self) -> None:
        """Complete the present file and begin the next."""
        full = self._part
        full.finish()
        self._part = self._new_part(len(self._finished) + 1)
        self._finished.append(full.info)
        self._finished_counts += full.counts
        self._finished_size += full.size
        # The flusher waits for the disk: writers have no time for that.
        self._unsynced.append(full)

    def _flush(self, interval: float) -> None:
        # Half of it, since a flush takes time too, and a busy machine lets it wait.
        while not self._done.wait(interval / 2):
            try:
                with self._lock:
                    part = self._part
                    part.flush()
                    finished, self._unsynced = self._unsynced, []
                for full in finished:
                    full.close()
                if self._fsync:
                    part.sync()
            except OSError as error:
                self._failure = error
                return

    def _finish(self) -> None:
        """Complete the last file and write metadata.yaml."""
        self._done.set()
        if self._flusher.ident is not None:
            self._flusher.join()
        with self._lock:
            if self._failure is not None:
                self._part.abandon()
                raise self._failed(self._failure)
            with self._disk_errors():
                self._part.finish()
                for part in (*self._unsynced, self._part):
                    part.close()
                files = [*self._finished, self._part.info]
                counts = self._finished_counts + self._part.counts
                topics = [(topic, counts[name]) for name, topic in self._topics.items()]
                content = {INFORMATION: bag_metadata(files, topics, self.custom)}
                (self._partial / METADATA).write_text(dump_yaml(content))
                sync(self._partial / METADATA)

    def _check_open(self) -> None:
        if self._failure is not None:
            raise self._failed(self._failure)
        if self._done.is_set():
            msg = f'{self.path}: the bag is closed already; nothing can be added'
            raise BagError(msg)

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> BagError:
        self._failure = error
        return self._disk_error(error)

    def _disk_error(self, error: OSError) -> BagError:
        return BagError(str(cannot_write(self._partial, error)))
