# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a LeRobot dataset says was done: tasks, subtasks, and language of annotators."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.lerobot.dataset import LeRobotDataset, read_lines
from m2r2_ros.bags.lerobot.rows import EpisodeRows
from m2r2_ros.bags.lerobot.tables import StepTable, library, step_table, whole_numbers_of
from m2r2_ros.bags.steps.kept import refined
from m2r2_ros.bags.steps.truth import COARSE, NO_LABEL, StepLabels, step_labels, with_outcomes
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import reading

TASK: Final = 'task_index'
SUBTASK: Final = 'subtask_index'
SUCCESS: Final = 'next.success'
LANGUAGE: Final = 'language_persistent'
#: Columns of whole numbers that labels are made of.
LABEL_COLUMNS: Final = (TASK, SUBTASK, SUCCESS)
_STYLE: Final = 'subtask'
_MOST_TEXTS: Final = 1 << 20
#: Tables that are gone through for the tasks of subtasks, and rows of one at a time.
_MOST_TABLES, _ROWS = 500, 1 << 16


def labels_of(
    dataset: LeRobotDataset, table: StepTable, rows: EpisodeRows, number: int
) -> dict[str, StepLabels]:
    """Return the labels of an episode by its number, by what topics have behind GROUND_TRUTH.

    Subtasks that an annotator wrote come first, then those of the dataset, above tasks in a lane
    of their own; then tasks alone. It is {} where the dataset says nothing of what was done.

    Raises:
        BagError: The texts cannot be read.
    """
    texts = _tasks(dataset, rows.columns[TASK], number) if TASK in rows.columns else {}
    tasks = step_labels(rows.columns[TASK], texts, rows.edges) if texts else None
    fine = _language(table, rows)
    if fine is None and SUBTASK in rows.columns:
        subtasks = _texts(dataset, 'subtasks', SUBTASK)
        parents = _parents(dataset, subtasks, texts) if len(texts) > 1 else {}
        codes = rows.columns[SUBTASK]
        fine = step_labels(codes, subtasks, rows.edges, parents) if subtasks else None
    fine = fine and refined(dataset.path, fine, rows.stamps, number)
    lanes = {'': fine, COARSE: tasks} if fine and fine.segments else {'': tasks}
    found = {below: labels for below, labels in lanes.items() if labels is not None}
    if SUCCESS in rows.columns:
        told = rows.columns[SUCCESS] > 0
        found = {below: with_outcomes(labels, told, rows.stamps) for below, labels in found.items()}
    return found


def _parents(
    dataset: LeRobotDataset, subtasks: Mapping[int, str], tasks: Mapping[int, str]
) -> dict[str, str]:
    """Return the task of each subtask that the dataset has in one task alone."""
    found: dict[int, set[int]] = {}
    for subtask, task in _pairs(dataset):
        found.setdefault(subtask, set()).add(task)
    ones = {s: tasks.get(min(above), '') for s, above in found.items() if len(above) == 1}
    return {subtasks[s]: task for s, task in ones.items() if subtasks.get(s, task) != task}


@lru_cache(maxsize=8)
def _pairs(dataset: LeRobotDataset) -> frozenset[tuple[int, int]]:
    """Return which subtasks and tasks a dataset has together; none of one of many files."""
    tables = {episode.table for episode in dataset.episodes.values() if episode.table.is_file()}
    if len(tables) > _MOST_TABLES:
        return frozenset()
    found: set[tuple[int, int]] = set()
    for path in tables:
        with step_table(path) as table:
            for _, batch in table.batches([SUBTASK, TASK], _ROWS):
                held = [whole_numbers_of(batch.column(n), f'{path}: {n}') for n in (SUBTASK, TASK)]
                found |= {(s, t) for s, t in np.unique(np.stack(held, 1), axis=0).tolist()}
    return frozenset(found)


def _language(table: StepTable, rows: EpisodeRows) -> StepLabels | None:
    """Return the subtasks in the language of the first row, which all rows repeat."""
    if LANGUAGE not in table.columns:
        return None
    what = f'{table.path}: {LANGUAGE}'
    batches = table.batches([LANGUAGE], 1, rows.low, rows.low + 1)
    with reading(what, 'rows of language', BagError):
        said = [row for _, batch in batches for row in batch.column(0)[0].as_py() or ()]
        subtasks = sorted(
            (float(row['timestamp']), row['content'] or '')
            for row in said
            if row.get('style') == _STYLE
        )
    if not subtasks:
        return None
    seconds = np.array([time for time, _ in subtasks])
    codes, texts = _spread([text for _, text in subtasks], seconds, rows)
    return step_labels(codes, texts, rows.edges)


def _spread(
    said: Sequence[str], seconds: NDArray[np.float64], rows: EpisodeRows
) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return what was said last at each step: codes int64 (n,), and texts by code."""
    names = [text for text in dict.fromkeys(said) if text.strip()]
    times = (rows.stamps - rows.stamps[0]) * 1e-9
    half = (rows.edges[-1] - rows.edges[-2]) * 0.5e-9
    newest = np.searchsorted(seconds, times + half, side='right') - 1
    places = {text: k for k, text in enumerate(names)}
    kinds = np.array([places.get(text, NO_LABEL) for text in said], np.int64)
    codes = np.where(newest >= 0, kinds[np.maximum(newest, 0)], NO_LABEL)
    return codes, dict(enumerate(names))


def _tasks(dataset: LeRobotDataset, codes: NDArray[np.int64], number: int) -> dict[int, str]:
    """Return the texts of tasks by their numbers; of an episode's own list where there is no other.

    That list does not say which number is whose: of one task alone it is clear.
    """
    texts, own = _texts(dataset, 'tasks', TASK), dataset.episodes[number].tasks
    if not texts and len(own) == 1 and len(kinds := np.unique(codes)) == 1:
        return {int(kinds[0]): own[0]}
    return texts


def _texts(dataset: LeRobotDataset, name: str, column: str) -> dict[int, str]:
    """Return the texts of tasks or subtasks by their numbers; {} without a list of them."""
    meta = dataset.path / 'meta'
    if (path := meta / f'{name}.parquet').is_file():
        return _table_of_texts(path, column)
    if (path := meta / f'{name}.jsonl').is_file():
        return _lines_of_texts(path, name.removesuffix('s'), column)
    return {}


def _lines_of_texts(path: Path, key: str, column: str) -> dict[int, str]:
    return _kept(path, [(entry.get(column), entry.get(key)) for _, entry in read_lines(path)])


def _table_of_texts(path: Path, column: str) -> dict[int, str]:
    kinds = library('pyarrow').types
    with step_table(path) as table:
        # The text is the index that pandas made of it, under this name or that.
        held = [
            c
            for c in table.columns
            if kinds.is_string(table.type_of(c)) or kinds.is_large_string(table.type_of(c))
        ]
        if not held:
            msg = f'{path}: no column of texts; download it again'
            raise BagError(msg)
        content = table.whole([column, held[-1]], _MOST_TEXTS)
    with reading(path, 'numbers and texts', BagError):
        rows: list[dict[str, Any]] = content.to_pylist()
    return _kept(path, [(row[column], row[held[-1]]) for row in rows])


def _kept(path: Path, found: Sequence[tuple[object, object]]) -> dict[int, str]:
    for number, text in found:
        if not isinstance(number, int) or not isinstance(text, str):
            odd = f'{number!r:.80} and {text!r:.80}'
            msg = f'{path}: expected whole numbers with texts, found {odd}'
            raise BagError(msg)
    texts: Mapping[Any, Any] = dict(found)
    return dict(sorted(texts.items()))
