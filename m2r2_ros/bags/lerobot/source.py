# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An episode of a LeRobot dataset as a recording.

Nothing is resampled: each step is a message of each topic, and its stamp a multiple of the period
from a fixed day on, or the one that the dataset kept.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from m2r2_ros.bags.lerobot.columns import ImageColumn, NumberColumns, holds_images
from m2r2_ros.bags.lerobot.dataset import Film, LeRobotDataset, LeRobotEpisode, read_dataset
from m2r2_ros.bags.lerobot.info import INDEX_FEATURES, LeRobotFeature
from m2r2_ros.bags.lerobot.labels import LABEL_COLUMNS, LANGUAGE, SUCCESS, labels_of
from m2r2_ros.bags.lerobot.rows import STAMP, EpisodeRows, rows_of
from m2r2_ros.bags.lerobot.tables import StepTable, holds_numbers, step_table
from m2r2_ros.bags.lerobot.video import FilmStream
from m2r2_ros.bags.steps.meaning import MOST_NUMBERS
from m2r2_ros.bags.steps.names import TopicNames
from m2r2_ros.bags.steps.source import StepSource
from m2r2_ros.bags.steps.stream import StepStream
from m2r2_ros.bags.steps.truth import TruthTopics
from m2r2_ros.core.errors import BagError

#: Features that are no topics: they are stamps and labels.
_NO_TOPICS: Final = frozenset({*INDEX_FEATURES, *LABEL_COLUMNS, STAMP, LANGUAGE, 'language_events'})


def open_episode(folder: Path, index: int) -> StepSource:
    """Open an episode of a dataset.

    Args:
        folder: The dataset.
        index: Number of the episode.

    Raises:
        BagError: The dataset has no such episode, or it is damaged.
        ConfigError: What reads tables or films is not installed.
    """
    dataset = read_dataset(folder)
    episode = dataset.episodes.get(index)
    if episode is None:
        numbers = sorted(dataset.episodes)
        there = f'{numbers[0]} to {numbers[-1]}' if numbers else 'none'
        msg = f'{folder}: there is no episode {index}; it has {there}'
        raise BagError(msg)
    with step_table(episode.table) as table:
        rows = rows_of(table, episode, dataset.info, LABEL_COLUMNS)
        notes = [*rows.notes]
        streams: list[StepStream] = list(_streams(dataset, episode, table, rows, notes))
        labels = labels_of(dataset, table, rows, index)
    start = int(rows.stamps[0])
    streams += [TruthTopics(episode.table, lane, start, below) for below, lane in labels.items()]
    if SUCCESS in rows.columns and labels:
        notes.append('outcomes are those of next.success')
    return StepSource(episode.table, streams, notes)


def _streams(
    dataset: LeRobotDataset,
    episode: LeRobotEpisode,
    table: StepTable,
    rows: EpisodeRows,
    notes: list[str],
) -> Iterator[StepStream]:
    """Yield the topics of an episode; what becomes none goes into the notes."""
    names = TopicNames()
    rate = float(dataset.info.rate)
    for feature in dataset.info.features.values():
        if feature.name in _NO_TOPICS:
            continue
        film = episode.films.get(feature.name)
        why = _left_out(feature, table, film)
        if film is not None and not why:
            yield FilmStream(film, feature, rows, names, rate)
        elif not why and holds_images(table, feature.name):
            yield ImageColumn(table.path, feature, rows, names)
        elif not why:
            yield NumberColumns(table.path, feature, rows, names)
        else:
            notes.append(f'no topic of {feature.name}: {why}')


def _left_out(feature: LeRobotFeature, table: StepTable, film: Film | None) -> str:
    """Return why a feature becomes no topic, '' where it does."""
    if feature.depth:
        return 'its images are of depth'
    if film is not None:
        return '' if film.path.exists() else f'{film.path} is not there: download it'
    if feature.name not in table.columns:
        return f'there is no {"film" if feature.dtype == "video" else "column"} of it'
    if holds_images(table, feature.name):
        return ''
    if not holds_numbers(table.type_of(feature.name)):
        return f'it is of {table.type_of(feature.name)}'
    return f'it has {feature.width} numbers' if feature.width > MOST_NUMBERS else ''
