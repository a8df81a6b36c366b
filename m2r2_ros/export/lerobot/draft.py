# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An episode by itself: a table and a video of each camera, written while frames come."""

import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from m2r2_ros.core.files import disk_errors
from m2r2_ros.core.samples import EncodedImage
from m2r2_ros.export.frames.episodes import EpisodeFacts, runs_of
from m2r2_ros.export.frames.images import ImageFiles
from m2r2_ros.export.frames.rows import FrameRows
from m2r2_ros.export.lerobot.features import (
    ACTION,
    IMAGE_TYPE,
    INTEGERS,
    STAMP,
    STATE,
    SUBTASK,
    TIMESTAMP,
    camera_key,
    columns,
    number_type,
)
from m2r2_ros.export.lerobot.stats import ImageStats, NumberStats
from m2r2_ros.export.lerobot.tables import FrameTable
from m2r2_ros.export.lerobot.video import Codec, EpisodeVideo

#: Runs of frames that wait for an encoder at most, and frames in one.
_WAITING: Final = 3
_RUN: Final = 8


@dataclass(frozen=True, slots=True)
class EpisodeLayout:
    """What each episode has.

    Attributes:
        vectors: Features with numbers, and what their numbers are called.
        cameras: Names.
        codec: Of videos; None where images lie in the tables.
        fps: Frames per second.
        threads: Of each encoder.
    """

    vectors: Mapping[str, tuple[str, ...]]
    cameras: tuple[str, ...]
    codec: Codec | None
    fps: int
    threads: int

    @property
    def columns(self) -> pa.Schema:
        """The columns of frames."""
        return columns(self.vectors, () if self.codec else map(camera_key, self.cameras))


class EpisodeDraft:
    """One episode.

    Attributes:
        facts: What was known of it before.
        length: Frames.
        stamps: Of the first and the last frame, nanoseconds.
        tasks: What it is for, each once.
        changes: Runs of frames with one label.
        stats: By feature.
    """

    def __init__(
        self,
        folder: Path,
        facts: EpisodeFacts,
        layout: EpisodeLayout,
        number: int,
        first: int,
        pool: Mapping[str, ThreadPoolExecutor],
    ) -> None:
        """Begin.

        Args:
            folder: Where its files go; made here.
            facts: What is known of it.
            layout: What it has.
            number: Its own.
            first: That of its first frame in the data set.
            pool: A thread for each camera.
        """
        self.facts, self.length, self.stamps = facts, 0, (0, 0)
        self.tasks: list[str] = []
        self.changes = 0
        self._folder, self._layout, self._number, self._first = folder, layout, number, first
        self._pool, self._subtask = pool, -1
        with disk_errors(folder):
            folder.mkdir(parents=True)
        self._table = FrameTable(self.table, layout.columns)
        sizes = {key: len(names) for key, names in layout.vectors.items()}
        sizes |= dict.fromkeys((TIMESTAMP, *INTEGERS), 1)
        self.stats: dict[str, NumberStats | ImageStats] = {
            key: NumberStats(size) for key, size in sizes.items()
        }
        self._videos: dict[str, EpisodeVideo] = {}
        self._files: dict[str, ImageFiles] = {}
        self._waiting: dict[str, deque[Future[None]]] = {name: deque() for name in layout.cameras}
        for name in layout.cameras:
            self._add_camera(name)

    @property
    def table(self) -> Path:
        """The file with its frames."""
        return self._folder / 'frames.parquet'

    def video(self, camera: str) -> Path:
        """Return the file with the images of a camera."""
        return self._folder / f'{camera}.mp4'

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Height and width of the images of each camera."""
        return {name: one.size for name, one in self._cameras.items()}

    @property
    def damaged(self) -> dict[str, int]:
        """Images of each camera that could not be decoded."""
        return {name: one.damaged for name, one in self._cameras.items()}

    @property
    def _cameras(self) -> dict[str, EpisodeVideo | ImageFiles]:
        return {**self._videos, **self._files}

    def add(
        self,
        rows: FrameRows,
        subtasks: NDArray[np.int64],
        tasks: Sequence[str],
        task_ids: NDArray[np.int64],
    ) -> None:
        """Take frames.

        Args:
            rows: The frames.
            subtasks: Number of the label of each, int64 (n,).
            tasks: What each is for.
            task_ids: Number of that, int64 (n,).

        Raises:
            MessageError: The first image of a camera cannot be decoded, or their size changes.
            OutputError: The disk refuses.
        """
        for name, images in rows.images.items():
            if name in self._videos:
                self._encode(name, images)
        places = np.arange(self.length, self.length + len(rows))
        found: dict[str, Any] = {key: self._numbers(key, rows) for key in self._layout.vectors}
        found[TIMESTAMP] = (places / self._layout.fps).astype(np.float32)
        found |= {STAMP: rows.stamps, SUBTASK: subtasks, 'task_index': task_ids}
        found['frame_index'], found['index'] = places, places + self._first
        found['episode_index'] = np.full(len(rows), self._number)
        for key, values in found.items():
            stats = self.stats[key]
            assert isinstance(stats, NumberStats)
            stats.add(values.reshape(len(rows), -1))
        arrays = {key: _column(values) for key, values in found.items()}
        for name in self._files:
            arrays[camera_key(name)] = self._images(name, rows.images[name])
        self._table.add(arrays)
        self._note(rows, subtasks, tasks)

    def close(self) -> None:
        """Finish its files.

        Raises:
            MessageError: As for `add`.
            OutputError: The disk refuses.
        """
        self._table.close()
        for name, video in self._videos.items():
            self._waiting[name].append(self._pool[name].submit(video.close))
        for waiting in self._waiting.values():
            while waiting:
                waiting.popleft().result()

    def abandon(self) -> None:
        """Remove its files, whatever is in them."""
        for waiting in self._waiting.values():
            for future in waiting:
                future.cancel()
            for future in waiting:
                if not future.cancelled():
                    future.exception()
        for video in self._videos.values():
            video.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _add_camera(self, name: str) -> None:
        layout = self._layout
        if layout.codec is None:
            self._files[name] = ImageFiles()
            self.stats[camera_key(name)] = ImageStats()
        else:
            video = EpisodeVideo(self.video(name), layout.codec, layout.fps, layout.threads)
            self._videos[name], self.stats[camera_key(name)] = video, video.stats

    def _encode(self, name: str, images: Sequence[EncodedImage]) -> None:
        """Hand images to the thread of their camera, and wait while it has enough."""
        waiting = self._waiting[name]
        for k in range(0, len(images), _RUN):
            while len(waiting) >= _WAITING:
                waiting.popleft().result()
            run = images[k : k + _RUN]
            waiting.append(self._pool[name].submit(self._videos[name].add, run))

    def _images(self, name: str, images: Sequence[EncodedImage]) -> pa.Array:
        """Return images as a column holds them."""
        files, stats = self._files[name], self.stats[camera_key(name)]
        assert isinstance(stats, ImageStats)
        payloads = []
        for k, image in enumerate(images):
            payloads.append(files.payload(image))
            if (self.length + k) % max(self._layout.fps // 4, 1) == 0:
                stats.add(files.pixels())
        values = [{'bytes': payload, 'path': None} for payload in payloads]
        return pa.array(values, IMAGE_TYPE)

    def _numbers(self, key: str, rows: FrameRows) -> NDArray[np.float32]:
        if key == STATE:
            return rows.state.astype(np.float32)
        if key == ACTION:
            assert rows.action is not None
            return rows.action.astype(np.float32)
        return rows.vectors[key.removeprefix('observation.')].astype(np.float32)

    def _note(self, rows: FrameRows, subtasks: NDArray[np.int64], tasks: Sequence[str]) -> None:
        for number, _, _ in runs_of(subtasks):
            self.changes += number != self._subtask
            self._subtask = number
        self.tasks += [task for task in dict.fromkeys(tasks) if task not in self.tasks]
        first = self.stamps[0] if self.length else int(rows.stamps[0])
        self.stamps = first, int(rows.stamps[-1])
        self.length += len(rows)


def _column(values: NDArray[Any]) -> pa.Array:
    """Return numbers as a column; rows of several are lists of fixed length."""
    if values.ndim == 1 or values.shape[1] == 1:
        return pa.array(values.reshape(len(values)))
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, type=number_type(values.shape[1]))
