# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks, subtasks and language of LeRobot datasets as the ground truth of their episodes."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from m2r2_ros.bags.labels.origin import Origin, facts_of_labels
from m2r2_ros.bags.labels.reader import Truth, read_segments, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.steps.stamps import EPOCH
from test.bags.lerobot.files import (
    SUBTASKS,
    TASKS,
    Layout,
    changed,
    keep_segments,
    stamps,
    write_dataset,
    write_texts,
)

STEP = 100_000_000


def truth_of(folder: Path, layout: Layout, episode: int = 0) -> Truth:
    return read_truth(write_dataset(folder / 'set', layout) / f'episode_{episode:06d}')


def rows(truth: Truth) -> list[tuple[float, float, str]]:
    return [((s.start - EPOCH) / STEP, (s.end - EPOCH) / STEP, s.label) for s in truth.segments]


@pytest.mark.parametrize('version', [2, 3])
def test_subtasks_are_labels_and_tasks_lie_beside_them(tmp_path: Path, version: int) -> None:
    truth = truth_of(tmp_path, Layout(version=version, film=False))
    assert rows(truth) == [(0, 14, SUBTASKS[0]), (14, 27, SUBTASKS[1]), (27, 38, SUBTASKS[2])]
    assert truth.label_set is not None
    assert truth.label_set.names == tuple(SUBTASKS.values())
    path = tmp_path / 'set/episode_000000'
    coarse = read_segments(path, '/ground_truth/coarse/action_segment')
    assert [(s.start, s.label) for s in coarse] == [(EPOCH, TASKS[0])]


@pytest.mark.parametrize('version', [2, 3])
def test_a_task_is_the_parent_of_what_is_done_in_it_alone(tmp_path: Path, version: int) -> None:
    def parents(folder: Path) -> tuple[str, ...]:
        truth = read_truth(folder / 'episode_000000')
        assert truth.label_set is not None
        return truth.label_set.parents

    layout = Layout(version=version, film=False)
    assert parents(write_dataset(tmp_path / 'mixed', layout)) == ('', '', '')
    folder = write_dataset(tmp_path / 'apart', layout)
    for path in folder.glob('data/chunk-000/*.parquet'):
        changed(path, _recoded)
    assert parents(folder) == (TASKS[0], TASKS[0], TASKS[1])


def _recoded(table: pa.Table) -> pa.Table:
    """Give steps of the second task the last subtask, and others none of it."""
    tasks = np.array(table['task_index'])
    codes = np.where(tasks == 1, 2, np.minimum(np.array(table['subtask_index']), 1))
    return table.set_column(
        table.column_names.index('subtask_index'), 'subtask_index', pa.array(codes)
    )


@pytest.mark.parametrize('version', [2, 3])
def test_tasks_serve_where_there_is_nothing_finer(tmp_path: Path, version: int) -> None:
    truth = truth_of(tmp_path, Layout(version=version, film=False, subtasks=False), 1)
    assert rows(truth) == [(0, 25, TASKS[1])]
    assert truth.label_set is not None
    assert truth.label_set.names == tuple(TASKS.values())


def test_without_a_list_of_tasks_that_of_the_episode_serves(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(version=2, film=False, subtasks=False))
    (folder / 'meta/tasks.jsonl').unlink()
    assert rows(read_truth(folder / 'episode_000001')) == [(0, 25, TASKS[1])]


def test_language_of_annotators_comes_first(tmp_path: Path) -> None:
    truth = truth_of(tmp_path, Layout(film=False, language=True))
    assert rows(truth) == [
        (2, 13, 'open the drawer'),
        (13, 26, 'take it'),
        (26, 40, 'open the drawer'),
    ]


def test_labels_keep_to_stamps_that_a_dataset_kept(tmp_path: Path) -> None:
    for name, layout in (
        ('codes', Layout(film=False, stamps=True)),
        ('language', Layout(film=False, stamps=True, language=True)),
    ):
        truth = truth_of(tmp_path / name, layout)
        known = stamps(0, 40).tolist()
        assert {s.start for s in truth.segments} <= set(known)
        assert truth.segments[0].start == known[0 if name == 'codes' else 2]


def test_success_is_told_where_it_came(tmp_path: Path) -> None:
    layout = Layout(film=False, success=True, subtasks=False)
    folder = write_dataset(tmp_path / 'set', layout)
    outcomes = [read_truth(folder / f'episode_00000{k}').segments[0].success for k in (0, 1)]
    assert outcomes == [True, False]


def test_what_an_export_kept_is_more_exact(tmp_path: Path) -> None:
    layout = Layout(film=False, stamps=True)
    folder = write_dataset(tmp_path / 'set', layout)
    steps = read_truth(folder / 'episode_000001')
    keep_segments(folder, layout.lengths, list(SUBTASKS.values()))
    kept = read_truth(folder / 'episode_000001')
    assert [s.label for s in kept.segments] == [s.label for s in steps.segments]
    assert [s.start + 7 for s in kept.segments] == [s.start for s in steps.segments]
    assert [s.success for s in kept.segments] == [True, False, False]
    assert kept.label_set is not None
    assert kept.label_set.parents == ('above',) * 3


def test_labels_that_were_changed_since_the_export_count(tmp_path: Path) -> None:
    layout = Layout(film=False, stamps=True)
    folder = write_dataset(tmp_path / 'set', layout)
    steps = read_truth(folder / 'episode_000001')
    keep_segments(folder, layout.lengths, ['reach', 'reach', 'place'])
    told = read_truth(folder / 'episode_000001')
    assert told.segments == steps.segments
    # Else episodes whose labels were changed would have other parents than those that were not.
    assert told.label_set is not None
    assert told.label_set.parents == ('above', '', 'above')


def test_episodes_with_the_same_stamps_keep_their_own_labels(tmp_path: Path) -> None:
    layout = Layout(lengths=(40, 40), film=False)
    folder = write_dataset(tmp_path / 'set', layout)
    segment = {'start_ns': EPOCH, 'end_ns': EPOCH + 38 * STEP, 'label': 'reach', 'parent': ''}
    with (folder / 'meta/m2r2_episodes.jsonl').open('w') as file:
        for number, success in enumerate((True, False)):
            times = {'first_stamp_ns': EPOCH, 'last_stamp_ns': EPOCH + 39 * STEP}
            entry = {'episode_index': number, **times}
            print(json.dumps({**entry, 'segments': [{**segment, 'success': success}]}), file=file)
    texts = dict.fromkeys(SUBTASKS, 'reach')
    write_texts(folder / 'meta/subtasks.parquet', 'subtask_index', texts)
    for number, success in enumerate((True, False)):
        assert [s.success for s in read_truth(folder / f'episode_00000{number}').segments] == [
            success
        ]


def test_labels_may_hold_what_ends_lines_elsewhere(tmp_path: Path) -> None:
    layout = Layout(version=2, film=False, stamps=True)
    folder = write_dataset(tmp_path / 'set', layout)
    label = 'reach\u2028and\x85grasp'
    texts = [{'subtask_index': k, 'subtask': label} for k in SUBTASKS]
    (folder / 'meta/subtasks.jsonl').write_text(
        '\n'.join(json.dumps(line, ensure_ascii=False) for line in texts), encoding='utf-8'
    )
    path = keep_segments(folder, layout.lengths, [label] * 3)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text('\n'.join(json.dumps(line, ensure_ascii=False) for line in lines))
    truth = read_truth(folder / 'episode_000001')
    assert {s.label for s in truth.segments} == {label}
    assert {s.confidence for s in truth.segments} == {0.5}


def test_unknown_is_no_label(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(film=False))
    write_texts(folder / 'meta/subtasks.parquet', 'subtask_index', {**SUBTASKS, 1: 'unknown'})
    truth = read_truth(folder / 'episode_000000')
    assert [s.label for s in truth.segments] == ['reach', 'place']
    assert truth.label_set is not None
    assert truth.label_set.names == ('reach', 'place')


def test_ground_truth_is_imported(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(film=False))
    assert facts_of_labels(folder / 'episode_000000').origin == Origin.IMPORTED


def test_codes_without_a_text_are_told(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(film=False))
    few = pa.table({'subtask_index': [0, 1], '__index_level_0__': ['reach', 'x' * 300]})
    changed(folder / 'meta/subtasks.parquet', lambda table: few)
    recording = open_recording(folder / 'episode_000000')
    assert any('labels [2] have no text' in note for note in recording.notes)
    assert any('is cut after 256 characters' in note for note in recording.notes)
    labels = [s.label for s in read_truth(folder / 'episode_000000').segments]
    assert labels == ['reach', 'x' * 256]
