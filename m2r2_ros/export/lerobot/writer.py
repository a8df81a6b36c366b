# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Episodes as a LeRobot data set, version 3.

Each episode is first written by itself, and becomes part of the data set when its recording turns
out to be readable to the end.
"""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.files import disk_errors
from m2r2_ros.export.frames.episodes import EpisodeFacts
from m2r2_ros.export.frames.feed import FramePlan
from m2r2_ros.export.frames.folder import EPISODES, write_made_by
from m2r2_ros.export.frames.rows import FrameRows
from m2r2_ros.export.lerobot.draft import EpisodeDraft, EpisodeLayout
from m2r2_ros.export.lerobot.features import LANGUAGE, SUBTASK, camera_key, vectors_of
from m2r2_ros.export.lerobot.info import (
    FILES,
    TABLE_MB,
    VIDEO_MB,
    LeRobotOptions,
    info_of,
    video_columns,
)
from m2r2_ros.export.lerobot.language import LanguageColumn, expect_few_rows, with_language
from m2r2_ros.export.lerobot.stats import ImageStats, NumberStats
from m2r2_ros.export.lerobot.tables import EpisodeTable, TableFiles, write_texts
from m2r2_ros.export.lerobot.video import VideoFiles, threads_for

_MB: Final = 1 << 20
#: Frames that are copied at once.
_ROWS: Final = 1 << 14
_ROWS_WITH_IMAGES: Final = 1 << 7


class LeRobotWriter:
    """Writes a data set into a folder; see frames.feed.EpisodeWriter.

    Attributes:
        damaged: Images that could not be decoded, by camera, since the last commit.
    """

    def __init__(
        self, folder: Path, plan: FramePlan, labels: Sequence[str], options: LeRobotOptions
    ) -> None:
        """Begin without episodes.

        Args:
            folder: An empty folder.
            plan: What the frames have.
            labels: All labels that occur, by number.
            options: How it is written.
        """
        self.damaged: Counter[str] = Counter()
        cameras = plan.schema.cameras
        self._folder, self._plan, self._labels, self._options = folder, plan, labels, options
        self._ids = {label: number for number, label in enumerate(labels)}
        self._layout = EpisodeLayout(
            vectors_of(plan.schema, per_sensor=options.per_sensor),
            cameras,
            options.codec,
            plan.fps,
            threads_for(len(cameras)),
        )
        self._pool = {name: ThreadPoolExecutor(1) for name in cameras}
        self._draft: EpisodeDraft | None = None
        self._drafts: list[EpisodeDraft] = []
        self._episodes = self._frames = 0
        self._tasks: dict[str, int] = {}
        self._kept_tasks = 0
        self._sizes: dict[str, tuple[int, int]] = {}
        self._stats: dict[str, NumberStats | ImageStats] = {}
        self._table = TableFiles(
            folder / 'data', with_language(self._layout.columns, there=options.language),
            TABLE_MB * _MB, FILES,
        )  # fmt: skip
        videos = cameras if options.codec else ()
        self._videos = {
            name: VideoFiles(folder / 'videos' / camera_key(name), plan.fps, VIDEO_MB * _MB, FILES)
            for name in videos
        }
        self._rows: EpisodeTable | None = None

    def begin(self, facts: EpisodeFacts) -> None:
        """Begin an episode."""
        place = len(self._drafts)
        self._draft = EpisodeDraft(
            self._staging / f'episode-{place:06d}',
            facts,
            self._layout,
            self._episodes + place,
            self._frames + sum(draft.length for draft in self._drafts),
            self._pool,
        )

    def add(self, rows: FrameRows, labels: Sequence[str], tasks: Sequence[str]) -> None:
        """Add frames to it.

        Raises:
            MessageError: The first image of a camera cannot be decoded, or their size changes.
            OutputError: The disk refuses.
        """
        assert self._draft is not None
        for task in tasks:
            self._tasks.setdefault(task, len(self._tasks))
        subtasks = np.array([self._ids[label] for label in labels], np.int64)
        numbers = np.array([self._tasks[task] for task in tasks], np.int64)
        self._draft.add(rows, subtasks, tasks, numbers)

    def end(self) -> None:
        """End it.

        Raises:
            MessageError: Its images have another size than those of the recordings before.
            ConfigError: It would have too many rows of language.
            OutputError: The disk refuses.
        """
        draft = self._draft
        assert draft is not None
        draft.close()
        self._drafts.append(draft)
        self._draft = None
        if self._options.language:
            expect_few_rows(draft.length, draft.changes)
        for name, size in draft.sizes.items():
            if (known := self._sizes.get(name, size)) != size:
                msg = (
                    f'{draft.facts.source.recording}: the images of {name} have {size[1]} by '
                    f'{size[0]} pixels, those of other recordings {known[1]} by {known[0]}: export '
                    'it by itself'
                )
                raise MessageError(msg)

    def commit(self) -> None:
        """Make the episodes since the last time part of the data set.

        Raises:
            OutputError: The disk refuses.
        """
        self.damaged.clear()
        for draft in self._drafts:
            self._place(draft)
            self.damaged.update(draft.damaged)
            draft.abandon()
        self._drafts.clear()
        self._kept_tasks = len(self._tasks)

    def discard(self) -> None:
        """Forget the episodes since the last time."""
        for draft in [*self._drafts, *([self._draft] if self._draft else [])]:
            draft.abandon()
        self._drafts.clear()
        self._draft = None
        self._tasks = dict(list(self._tasks.items())[: self._kept_tasks])

    def finish(self, about: dict[str, Any]) -> None:
        """Write what the data set says of itself.

        Args:
            about: What else is to be kept.

        Raises:
            OutputError: The disk refuses.
        """
        self._table.close()
        for videos in self._videos.values():
            videos.close()
        if self._rows is not None:
            self._rows.close()
        meta = self._folder / 'meta'
        write_texts(meta / 'tasks.parquet', 'task', list(self._tasks))
        write_texts(meta / 'subtasks.parquet', 'subtask', self._labels)
        with disk_errors(meta):
            info = info_of(
                self._layout, self._options, self._sizes, self._episodes, self._frames,
                len(self._tasks),
            )  # fmt: skip
            _write_json(meta / 'info.json', info)
            stats = {key: one.to_dict() for key, one in self._stats.items()}
            _write_json(meta / 'stats.json', stats)
            write_made_by(self._folder, about)
        self.close()

    def close(self) -> None:
        """Let go of files and threads, whatever is in them."""
        self.discard()
        self._table.abandon()
        for thread in self._pool.values():
            thread.shutdown()
        shutil.rmtree(self._staging, ignore_errors=True)

    @property
    def _staging(self) -> Path:
        return self._folder / 'drafts'

    def _place(self, draft: EpisodeDraft) -> None:
        """Make an episode part of the data set."""
        chunk, file = self._copy(draft)
        placed = {
            camera_key(name): videos.append(draft.video(name), draft.length)
            for name, videos in self._videos.items()
        }
        stats = {key: one.to_dict() for key, one in draft.stats.items()}
        if self._rows is None:
            path = self._folder / 'meta' / 'episodes' / 'chunk-000' / 'file-000.parquet'
            self._rows = EpisodeTable(path, [*placed], stats)
        self._rows.add(
            {
                'episode_index': self._episodes,
                'tasks': draft.tasks,
                'length': draft.length,
                'data/chunk_index': chunk,
                'data/file_index': file,
                'dataset_from_index': self._frames,
                'dataset_to_index': self._frames + draft.length,
                **video_columns(placed),
                **{f'stats/{k}/{n}': v for k, found in stats.items() for n, v in found.items()},
            }
        )
        for key, one in draft.stats.items():
            _merge(self._stats, key, one)
        self._sizes |= draft.sizes
        self._keep_origin(draft)
        self._episodes += 1
        self._frames += draft.length

    def _copy(self, draft: EpisodeDraft) -> tuple[int, int]:
        """Copy the frames of an episode into the file of its turn."""
        with disk_errors(draft.table), pq.ParquetFile(draft.table) as source:
            place = self._table.begin(draft.table.stat().st_size)
            language = None
            if self._options.language:
                subtasks = source.read([SUBTASK]).column(0).to_numpy()
                language = LanguageColumn(subtasks, self._labels, self._plan.fps)
            size = _ROWS if self._options.codec else _ROWS_WITH_IMAGES
            if language:
                size = min(size, language.at_once)
            for batch in source.iter_batches(size):
                table = pa.Table.from_batches([batch])
                if language:
                    table = table.append_column(LANGUAGE, language.repeated(len(batch)))
                self._table.write(table)
        return place

    def _keep_origin(self, draft: EpisodeDraft) -> None:
        """Keep where an episode comes from, with its labels to the nanosecond."""
        line = {'episode_index': self._episodes, **draft.facts.to_dict(draft.stamps)}
        path = self._folder / EPISODES
        with disk_errors(path), path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(line, ensure_ascii=False) + '\n')


def _merge(
    stats: dict[str, NumberStats | ImageStats], key: str, one: NumberStats | ImageStats
) -> None:
    if isinstance(one, ImageStats):
        images = stats.setdefault(key, ImageStats())
        assert isinstance(images, ImageStats)
        images.merge(one)
    else:
        numbers = stats.setdefault(key, NumberStats(one.dims))
        assert isinstance(numbers, NumberStats)
        numbers.merge(one)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=4, ensure_ascii=False) + '\n', encoding='utf-8')
