# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot data sets read back with pyarrow, pandas and PyAV alone."""

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray


def info(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / 'meta' / 'info.json').read_text())
    return found


def stats(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / 'meta' / 'stats.json').read_text())
    return found


def frames(folder: Path) -> dict[str, list[Any]]:
    """Return the frames of all files, by column."""
    found: dict[str, list[Any]] = {}
    for file in sorted((folder / 'data').glob('*/*.parquet')):
        for key, values in pq.read_table(file).to_pydict().items():
            found.setdefault(key, []).extend(values)
    return found


def episodes(folder: Path) -> list[dict[str, Any]]:
    path = folder / 'meta' / 'episodes' / 'chunk-000' / 'file-000.parquet'
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def origins(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / 'meta' / 'm2r2_episodes.jsonl').read_text().splitlines()
    return [json.loads(line) for line in lines]


def texts(folder: Path, column: str) -> list[str]:
    """Return texts by number, as LeRobot looks them up."""
    table = pd.read_parquet(folder / 'meta' / f'{column}s.parquet')
    assert table[f'{column}_index'].tolist() == list(range(len(table)))
    return [table.iloc[k].name for k in range(len(table))]


def pictures(folder: Path, key: str, episode: dict[str, Any]) -> list[NDArray[np.uint8]]:
    """Return the images of an episode, found by their time in the video."""
    chunk, file = (episode[f'videos/{key}/{k}_index'] for k in ('chunk', 'file'))
    path = folder / 'videos' / key / f'chunk-{chunk:03d}' / f'file-{file:03d}.mp4'
    start = episode[f'videos/{key}/from_timestamp']
    end = episode[f'videos/{key}/to_timestamp']
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        rate = info(folder)['fps']
        # Readers find a frame by its time times the average rate.
        assert stream.average_rate == rate
        found = []
        for k, frame in enumerate(video.decode(stream)):
            assert frame.time == k / rate
            if start <= frame.time < end:
                found.append(frame.to_ndarray(format='rgb24'))
    return found
