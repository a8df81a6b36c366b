# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One MCAP file of a bag, while it is written."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.writing.metadata import NO_MESSAGES, FileInfo, TopicInfo, bag_metadata, dump_yaml
from m2r2_ros.bags.writing.replacing import DERIVED, RECORDED

Raw = bytes | memoryview | NDArray[np.uint8]


class BagPart:
    """An MCAP file that describes itself: all topics of the bag, index, metadata of rosbag2.

    Not thread-safe. After an OSError, it can only be abandoned.

    Attributes:
        counts: Messages by topic.
        start: Earliest log time, nanoseconds; NO_MESSAGES without messages.
        end: Latest log time, nanoseconds.
    """

    def __init__(self, path: Path, *, recorded: bool) -> None:
        """Create the file.

        Args:
            path: The file.
            recorded: Its messages come from a robot; those of other bags can be made again.

        Raises:
            OSError: It exists, or cannot be written.
        """
        from mcap.writer import CompressionType, Writer  # many read bags and write none

        self.counts: Counter[str] = Counter()
        self.start, self.end = NO_MESSAGES, 0
        self._topics: dict[str, TopicInfo] = {}
        self._channels: dict[str, int] = {}
        self._schemas: dict[tuple[str, str], int] = {}
        self._path, self._size = path, 0
        self._file = path.open('xb')
        self._mcap = Writer(self._file, compression=CompressionType.ZSTD)
        try:
            self._mcap.start(profile='ros2', library=RECORDED if recorded else DERIVED)
            self._mcap.flush()
        except OSError:
            # An empty file beside valid ones would be one more thing to explain.
            self.abandon()
            path.unlink()
            raise

    @property
    def info(self) -> FileInfo:
        """What metadata.yaml says of it."""
        return FileInfo(self._path.name, self.start, self.end, self.counts.total())

    @property
    def size(self) -> int:
        """Bytes written so far; up to a megabyte may still wait to be compressed."""
        return self._size or self._file.tell()

    def add_topic(self, topic: TopicInfo, definition: str) -> None:
        """Announce a topic; see BagWriter."""
        schema = self._schema(topic.type_name, definition)
        metadata = {'offered_qos_profiles': topic.qos, 'topic_type_hash': topic.type_hash}
        self._channels[topic.name] = self._mcap.register_channel(
            topic.name, 'cdr', schema, metadata
        )
        self._topics[topic.name] = topic

    def write(self, topic: str, raw: Raw, log_time: int) -> None:
        """Append a message."""
        self._mcap.add_message(self._channels[topic], log_time, raw, log_time)  # type: ignore[arg-type]
        self.counts[topic] += 1
        self.start = min(self.start, log_time)
        self.end = max(self.end, log_time)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._mcap.flush()

    def sync(self) -> None:
        """Wait until what was flushed is on the disk."""
        os.fsync(self._file.fileno())

    def finish(self) -> None:
        """Write the index and the metadata; the file is complete, and stays open for sync."""
        self._mcap.flush()
        topics = [(topic, self.counts[name]) for name, topic in self._topics.items()]
        text = dump_yaml(bag_metadata([self.info], topics))
        self._mcap.add_metadata('rosbag2', {'serialized_metadata': text})
        self._mcap.finish()
        self._file.flush()
        self._size = self._file.tell()

    def close(self) -> None:
        """Sync and close the file."""
        self.sync()
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is, without trying to write what could not be written."""
        self._size = self._file.raw.tell()
        self._file.raw.close()

    def _schema(self, type_name: str, definition: str) -> int:
        key = (type_name, definition)
        if key not in self._schemas:
            encoding = 'ros2idl' if definition.startswith('=' * 80 + '\nIDL: ') else 'ros2msg'
            self._schemas[key] = self._mcap.register_schema(
                type_name, encoding if definition else '', definition.encode()
            )
        return self._schemas[key]
