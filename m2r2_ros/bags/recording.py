# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings, whatever they are stored in, as one stream of messages in log-time order."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from m2r2_ros.bags.source import Topic
from m2r2_ros.core.messages import MessageBlock

__all__ = ['Recording', 'Topic', 'find_recordings', 'open_recording']


class Recording:
    """A recording: one MCAP or sqlite3 file, or a rosbag2 folder of one or several.

    Attributes:
        path: The folder or file.
        name: Folder name, or stem of a bare file.
        topics: Topics by name.
        start: Log time of the first message, nanoseconds; 0 without messages.
        end: Log time of the last message, nanoseconds.
        message_count: Messages of all topics.
        truncated: The file ends before its end: a recorder was killed, a disk was full.
    """

    path: Path
    name: str
    topics: dict[str, Topic]
    start: int
    end: int
    message_count: int
    truncated: bool

    def blocks(self, topics: Collection[str] | None = None) -> Iterator[list[MessageBlock]]:
        """Yield messages in log-time order, one block of each topic in each list."""
        raise NotImplementedError


def open_recording(path: Path) -> Recording:
    """Open a rosbag2 folder, an .mcap or a .db3."""
    raise NotImplementedError


def find_recordings(paths: Iterable[Path]) -> list[Path]:
    """Return the recordings that `paths` are or hold, sorted, each once."""
    raise NotImplementedError
