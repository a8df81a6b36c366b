# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels in files of other tools, whole and damaged."""

import json
from pathlib import Path

import pytest
from pympi.Elan import Eaf

from m2r2_ros.bags.labels.clock import RecordingClock
from m2r2_ros.bags.labels.foreign import read_foreign, recordings_in
from m2r2_ros.bags.labels.origin import facts_of_labels
from m2r2_ros.bags.labels.sources import find_truths
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.origin import LayerFacts, Origin
from test.replay.recordings import SECOND, START, robot_bag

CLOCK = RecordingClock(START, START + 10 * SECOND)


def write(folder: Path, content: str) -> Path:
    path = folder / 'cell_annotations.json'
    path.write_text(content, encoding='utf-8')
    return path


def test_annotations_of_atlas(tmp_path: Path) -> None:
    annotations = {
        '7': {'start': 1.5, 'end': 2, 'label': 'b', 'success': False, 'color': [0, 0, 1]},
        '3': {'start': 0.1, 'end': 0.300000001, 'label': '把持'},
        '8': {'start': 1760000003.000000001, 'end': 1760000004, 'text': 'a', 'success': None},
        '9': {'start': 4, 'end': 5, 'label': ''},
    }
    text = json.dumps({'one': annotations, 'two': {}}, ensure_ascii=False)
    path = write(tmp_path, text.replace('1760000003.0,', '1760000003.000000001,'))
    assert recordings_in(path) == ['one', 'two']
    assert facts_of_labels(path) == LayerFacts(Origin.IMPORTED)
    assert read_foreign(path, 'one', CLOCK).segments == [
        Segment(START + SECOND // 10, START + 300_000_001, '把持'),
        Segment(START + 3 * SECOND // 2, START + 2 * SECOND, 'b', success=False),
        Segment(START + 3 * SECOND + 1, START + 4 * SECOND, 'a'),
    ]
    with pytest.raises(LabelError, match='no annotations of three, but of one, two'):
        read_foreign(path, 'three', CLOCK)


@pytest.mark.parametrize(
    ('content', 'told'),
    [
        ('{', 'cannot be read'),
        ('[]', 'expected annotations of ATLAS'),
        ('{"a": 1}', 'expected annotations of ATLAS'),
        ('{"a": {"0": 1}}', 'annotation 0 of a: expected start, end and label'),
        ('{"a": {"0": {"start": 0, "end": 1}}}', 'expected a label'),
        ('{"a": {"0": {"start": 0, "end": 1, "label": "x", "success": 1}}}', 'success of true'),
        ('{"a": {"0": {"start": 2, "end": 1, "label": "x"}}}', 'an end after the start'),
        ('{"a": {"0": {"start": NaN, "end": 1, "label": "x"}}}', 'start is NaN, expected a number'),
        ('{"a": {"0": {"start": 0, "end": 1e999999999, "label": "x"}}}', 'end is 1e999999999'),
        ('{"a": {"0": {"start": 0, "end": "x", "label": "x"}}}', 'end is x, expected a number'),
        ('{"a": {"0": {"start": [0], "end": 1, "label": "x"}}}', 'start is'),
        (f'{{"a": {{"0": {{"start": 0, "end": 1, "label": "{"x" * 300}"}}}}}}', '256 characters'),
        (r'{"a": {"0": {"start": 0, "end": 1, "label": "\ud800"}}}', 'surrogates not allowed'),
        ('[' * 100_000, 'cannot be read'),
    ],
)
def test_damaged_annotations_are_refused(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(LabelError, match=told):
        read_foreign(write(tmp_path, content), 'a', CLOCK)


def test_other_json_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    robot_bag(tmp_path / 'one', 2.0)
    (tmp_path / 'one_summary.json').write_text('{}')
    write(tmp_path, '{"one": {"0": {"start": 0, "end": 1, "label": "x"}}}')
    found = find_truths([tmp_path], ['one'])['one']
    assert found.path.name == 'cell_annotations.json'
    assert [s.label for s in found.read().segments] == ['x']


def elan(path: Path, tiers: dict[str, list[tuple[int, int, str]]], above: str = '') -> Path:
    file = Eaf()
    file.add_linguistic_type('within', 'Included_In')
    for name, own in tiers.items():
        parent = above if name != above else None
        file.add_tier(name, 'within' if parent else 'default-lt', parent or None)
        for one in own:
            file.add_annotation(name, *one)
    file.to_file(str(path))
    return path


def test_annotations_of_elan(tmp_path: Path) -> None:
    fine = [(0, 1500, 'push & <turn>'), (1500, 1501, '把持'), (1600, 1700, '')]
    tiers = {'upper': [(0, 1600, 'handle')], 'lower': fine, 'lower 2': [(700, 900, 'wait')]}
    path = elan(tmp_path / 'one.eaf', tiers, 'upper')
    assert recordings_in(path) == ['one']
    truth = read_foreign(path, 'one', CLOCK)
    ms = 10**6
    assert truth.segments == [
        Segment(START, START + 1500 * ms, 'push & <turn>'),
        Segment(START + 700 * ms, START + 900 * ms, 'wait'),
        Segment(START + 1500 * ms, START + 1501 * ms, '把持'),
    ]
    names = ('push & <turn>', '把持', 'wait')
    assert truth.label_set == LabelSet(names, ('handle', 'handle', 'handle'))


def test_elan_files_that_cannot_be_understood(tmp_path: Path) -> None:
    two = elan(tmp_path / 'two.eaf', {'anna': [(0, 1, 'a')], 'bo': [(0, 1, 'b')]})
    with pytest.raises(LabelError, match='has the tiers anna, bo, expected one'):
        read_foreign(two, 'two', CLOCK)
    damaged = tmp_path / 'damaged.eaf'
    damaged.write_bytes(two.read_bytes()[:200])
    with pytest.raises(LabelError, match='cannot be read'):
        read_foreign(damaged, 'damaged', CLOCK)
    late = tmp_path / 'late.eaf'
    late.write_text(two.read_text().replace('bo', 'anna 2').replace('"1"', f'"{10**20}"'))
    with pytest.raises(LabelError, match='before 2038'):
        read_foreign(late, 'late', CLOCK)
    nowhere = tmp_path / 'nowhere.eaf'
    nowhere.write_text(two.read_text().replace(' TIME_VALUE="0"', ''))
    nowhere.write_text(nowhere.read_text().replace('"b"', '""').replace('bo', 'anna 2'))
    with pytest.raises(LabelError, match='has no time'):
        read_foreign(nowhere, 'nowhere', CLOCK)
