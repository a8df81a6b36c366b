# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot datasets, v2.1 and v3, made on the spot with pyarrow and PyAV."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

CAMERA = 'observation.images.front'
PICTURE = 'observation.images.wrist'
TASKS = {0: 'Put the bottle away', 1: 'Wipe the table'}
SUBTASKS = {0: 'reach', 1: 'grasp, über', 2: 'place'}
JOINTS = ['shoulder', 'elbow', 'gripper']


@dataclass(frozen=True)
class Layout:
    """What a dataset is like."""

    version: int = 3
    lengths: Sequence[int] = (40, 25)
    fps: float = 10
    film: bool = True
    pictures: bool = False
    subtasks: bool = True
    language: bool = False
    stamps: bool = False
    success: bool = False
    film_lengths: Sequence[int] = ()
    info: dict[str, Any] = field(default_factory=dict)


def values(episode: int, length: int, width: int) -> NDArray[np.float32]:
    """Return what the joints of an episode do."""
    return np.random.default_rng(episode).normal(size=(length, width)).astype(np.float32)


def subtask_codes(length: int) -> NDArray[np.int64]:
    """Return a subtask for each step, none in the last two."""
    codes = np.minimum(np.arange(length) * 3 // length, 2)
    codes[-2:] = -1
    return codes


def stamps(episode: int, length: int) -> NDArray[np.int64]:
    """Return stamps of a robot's clock, unevenly spaced."""
    steps = np.random.default_rng(episode).integers(90_000_000, 110_000_001, length)
    return np.int64(1_700_000_000_123_456_789) + np.cumsum(steps)


def shade(episode: int, k: int) -> int:
    """Return how bright the image of a step is."""
    return 40 + (23 * k + 31 * episode) % 160


def picture(episode: int, k: int) -> bytes:
    """Return an image as PNG."""
    image = np.full((12, 16, 3), shade(episode, k), np.uint8)
    return bytes(cv2.imencode('.png', image)[1])


def write_dataset(folder: Path, layout: Layout) -> Path:
    """Write a dataset; returns its folder."""
    meta = folder / 'meta'
    meta.mkdir(parents=True)
    features = _features(layout)
    info = {
        'codebase_version': 'v3.0' if layout.version == 3 else 'v2.1',
        'robot_type': 'toy',
        'total_episodes': len(layout.lengths),
        'total_frames': sum(layout.lengths),
        'chunks_size': 1000,
        'fps': layout.fps,
        'features': features,
        **_paths(layout.version),
        **layout.info,
    }
    (meta / 'info.json').write_text(json.dumps(info))
    tables = [_table(layout, e, length) for e, length in enumerate(layout.lengths)]
    if layout.version == 3:
        _write_v3(folder, layout, tables)
    else:
        _write_v2(folder, layout, tables)
    return folder


def _paths(version: int) -> dict[str, str]:
    if version == 3:
        return {
            'data_path': 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
            'video_path': 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4',
        }
    chunk = 'chunk-{episode_chunk:03d}'
    return {
        'data_path': f'data/{chunk}/' + 'episode_{episode_index:06d}.parquet',
        'video_path': f'videos/{chunk}/' + '{video_key}/episode_{episode_index:06d}.mp4',
    }


def _features(layout: Layout) -> dict[str, Any]:
    def of(dtype: str, *shape: int, names: Any = None) -> dict[str, Any]:
        return {'dtype': dtype, 'shape': list(shape), 'names': names}

    found = {
        'observation.state': of('float32', 3, names=[JOINTS]),
        'action': of('float32', 3, names={'motors': JOINTS}),
        'observation.ee_pose': of('float64', 7, names=['x', 'y', 'z', 'qx', 'qy', 'qz', 'qw']),
        'observation.wrench': of('float32', 6),
        'observation.tactile': of('float32', 2, 2),
        'next.reward': of('float32', 1),
    }
    film = {'is_depth_map': False, 'video.fps': layout.fps}
    if layout.film:
        found[CAMERA] = {**of('video', 48, 64, 3), 'info': film}
    if layout.pictures:
        found[PICTURE] = of('image', 12, 16, 3)
    if layout.subtasks:
        found['subtask_index'] = of('int64', 1)
    if layout.language:
        found['language_persistent'] = of('language', 1)
    if layout.stamps:
        found['stamp_ns'] = of('int64', 1)
    if layout.success:
        found['next.success'] = of('bool', 1)
    index = ('frame_index', 'episode_index', 'index', 'task_index')
    return {**found, 'timestamp': of('float32', 1), **{name: of('int64', 1) for name in index}}


def _table(layout: Layout, episode: int, length: int) -> pa.Table:
    before = sum(layout.lengths[:episode])
    numbers = np.arange(length)
    columns: dict[str, Any] = {
        'observation.state': _lists(values(episode, length, 3)),
        'action': _lists(values(episode + 100, length, 3)),
        'observation.ee_pose': _lists(values(episode + 200, length, 7).astype(float)),
        'observation.wrench': _lists(values(episode + 300, length, 6)),
        'observation.tactile': pa.array(values(episode, length, 4).reshape(-1, 2, 2).tolist()),
        'next.reward': pa.array(numbers.astype(np.float32)),
        'timestamp': pa.array((numbers / layout.fps).astype(np.float32)),
        'frame_index': pa.array(numbers),
        'episode_index': pa.array(np.full(length, episode)),
        'index': pa.array(numbers + before),
        'task_index': pa.array(np.full(length, episode % 2)),
    }
    if layout.pictures:
        held = [{'bytes': picture(episode, k), 'path': f'frame-{k}.png'} for k in range(length)]
        columns[PICTURE] = pa.array(held)
    if layout.subtasks:
        columns['subtask_index'] = pa.array(subtask_codes(length))
    if layout.language:
        columns['language_persistent'] = pa.array([_language(layout, length)] * length)
    if layout.stamps:
        columns['stamp_ns'] = pa.array(stamps(episode, length))
    if layout.success:
        columns['next.success'] = pa.array((numbers == length - 1) & (episode == 0))
    return pa.table(columns)


def _language(layout: Layout, length: int) -> list[dict[str, Any]]:
    """Return what an annotator writes: subtasks, and rows of other styles between them."""

    def row(style: str, content: str, k: int) -> dict[str, Any]:
        time = float(np.float32(k / layout.fps))
        return {'role': 'assistant', 'content': content, 'style': style, 'timestamp': time,
                'camera': None, 'tool_calls': None}  # fmt: skip

    third = length // 3
    return [
        row('task_aug', 'tidy up', 0),
        row('subtask', 'open the drawer', 2),
        row('plan', '1. open', 2),
        row('subtask', 'take it', third),
        row('subtask', 'open the drawer', 2 * third),
    ]


def _lists(rows: NDArray[Any]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])


def _write_v2(folder: Path, layout: Layout, tables: list[pa.Table]) -> None:
    lines = []
    for e, (table, length) in enumerate(zip(tables, layout.lengths, strict=True)):
        path = folder / f'data/chunk-000/episode_{e:06d}.parquet'
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        lines.append({'episode_index': e, 'tasks': [TASKS[e % 2]], 'length': length})
        if layout.film:
            film = folder / f'videos/chunk-000/{CAMERA}/episode_{e:06d}.mp4'
            shown = layout.film_lengths[e] if layout.film_lengths else length
            write_film(film, [(e, k) for k in range(shown)], layout.fps)
    _write_lines(folder / 'meta' / 'episodes.jsonl', lines)
    texts = [{'task_index': k, 'task': text} for k, text in TASKS.items()]
    _write_lines(folder / 'meta' / 'tasks.jsonl', texts)
    if layout.subtasks:
        texts = [{'subtask_index': k, 'subtask': text} for k, text in SUBTASKS.items()]
        _write_lines(folder / 'meta' / 'subtasks.jsonl', texts)


def _write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    path.write_text('\n'.join(json.dumps(line) for line in lines) + '\n')


def _write_v3(folder: Path, layout: Layout, tables: list[pa.Table]) -> None:
    path = folder / 'data/chunk-000/file-000.parquet'
    path.parent.mkdir(parents=True)
    pq.write_table(pa.concat_tables(tables), path, row_group_size=30)
    before = [0, *accumulate(layout.lengths)]
    rows = []
    for e, length in enumerate(layout.lengths):
        row = {
            'episode_index': e, 'tasks': [TASKS[e % 2]], 'length': length,
            'data/chunk_index': 0, 'data/file_index': 0,
            'dataset_from_index': before[e], 'dataset_to_index': before[e + 1],
        }  # fmt: skip
        if layout.film:
            row |= {f'videos/{CAMERA}/{key}_index': 0 for key in ('chunk', 'file')}
            row[f'videos/{CAMERA}/from_timestamp'] = before[e] / layout.fps
            row[f'videos/{CAMERA}/to_timestamp'] = before[e + 1] / layout.fps
        rows.append(row)
    listing = folder / 'meta/episodes/chunk-000/file-000.parquet'
    listing.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), listing)
    write_texts(folder / 'meta/tasks.parquet', 'task_index', TASKS)
    if layout.subtasks:
        write_texts(folder / 'meta/subtasks.parquet', 'subtask_index', SUBTASKS)
    if layout.film:
        images = [(e, k) for e, length in enumerate(layout.lengths) for k in range(length)]
        shown = layout.film_lengths[0] if layout.film_lengths else len(images)
        write_film(folder / f'videos/{CAMERA}/chunk-000/file-000.mp4', images[:shown], layout.fps)


def write_texts(path: Path, column: str, texts: dict[int, str]) -> None:
    """Write texts as pandas does that have become the index of a table."""
    table = pa.table({column: list(texts), '__index_level_0__': list(texts.values())})
    pq.write_table(table, path)


def write_film(path: Path, images: Sequence[tuple[int, int]], fps: float) -> None:
    """Write a film whose images are of the shades of some steps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', Fraction(str(fps)), {'g': '12'})
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for episode, k in images:
            image = np.full((48, 64, 3), shade(episode, k), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, 'bgr24')))
        container.mux(stream.encode())


def keep_segments(folder: Path, lengths: Sequence[int], labels: Sequence[str]) -> Path:
    """Write what our export keeps of the labels: each begins and ends 7 ns before a step."""
    lines = []
    for e, length in enumerate(lengths):
        known = stamps(e, length).tolist()
        codes = subtask_codes(length).tolist()
        edges = [k for k in range(length) if k == 0 or codes[k] != codes[k - 1]]
        rows = [
            {'start_ns': known[low] - 7, 'end_ns': known[high] - 7, 'label': labels[codes[low]],
             'parent': 'above', 'confidence': 0.5, 'success': low == 0}
            for low, high in pairwise(edges)
        ]  # fmt: skip
        lines.append({'first_stamp_ns': known[0], 'last_stamp_ns': known[-1], 'segments': rows})
    path = folder / 'meta/m2r2_episodes.jsonl'
    _write_lines(path, lines)
    return path


def changed(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write a Parquet file anew with another content."""
    pq.write_table(change(pq.read_table(path)), path)


def both() -> Iterator[Layout]:
    """Return a layout of each version."""
    for version in (2, 3):
        yield replace(Layout(), version=version)
