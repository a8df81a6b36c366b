# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 timeline`: what is drawn of anybody's recording, and what is said where nothing is."""

from pathlib import Path

import cv2
import pytest

from m2r2_ros.bags.labels.sources import TruthOptions, names_of_bags
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.cli.label_rows import read_rows
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.views.rows import segments_in
from test.cli.run import digest, done, m2r2
from test.replay.recordings import (
    ACTIONS,
    START,
    WRENCH,
    robot,
    truth_of,
    with_states,
    write_bag,
)


@pytest.fixture(scope='module')
def labelled(robots: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels of the recordings, and merged copies."""
    out = tmp_path_factory.mktemp('labelled')
    done('label', robots / 'first', robots / 'second', '--model', bundle, '--out', out, '--merge')
    return out


def height(path: Path) -> int:
    image = cv2.imread(str(path))
    assert image is not None
    return int(image.shape[0])


def test_rows_are_of_what_there_is(robots: Path, labelled: Path, tmp_path: Path) -> None:
    bare = write_bag(tmp_path / 'first', robot(8.0, seed=1))
    truth = tmp_path / 'first.csv'
    truth.write_text('start,end,label\n0,4,reach\n4,8,push\n')
    before = digest([robots, labelled, bare])
    heights = []
    for k, options in enumerate(
        (
            (bare,),
            (bare, '--truth', truth),
            (bare, '--truth', truth, '--labels', labelled),
            (bare, '--truth', truth, '--labels', labelled, '--labels', labelled / 'first_labels'),
        )
    ):
        out = tmp_path / f'{k}.png'
        assert str(out) in done('timeline', *options, '--out', out).out
        heights.append(height(out))
    assert heights[0] < heights[1] < heights[2] == heights[3]
    assert digest([robots, labelled, bare]) == before


def test_a_recording_brings_its_own_truth_and_labels(robots: Path, labelled: Path) -> None:
    rows = read_rows(robots / 'first', [], [], TruthOptions())
    assert [s.label for s in rows.truth] == [s.label for s in truth_of(8.0, 1)]
    assert not rows.rows
    assert rows.label_set == LabelSet.of(ACTIONS)
    merged = read_rows(labelled / 'first_labelled', [], [], TruthOptions())
    assert list(merged.rows) == ['labels']
    given = read_rows(robots / 'first', [labelled], [], TruthOptions())
    assert segments_in(given.rows['labels']) == segments_in(merged.rows['labels'])


def test_labels_without_frames_are_segments(robots: Path, tmp_path: Path) -> None:
    segments = truth_of(8.0, 2)
    with BagWriter(tmp_path / 'first_labels') as bag:
        writer = LabelWriter(bag, frame_labels=False)
        writer.write_label_set(LabelSet.of(['z', *ACTIONS]), '', START)
        for k, segment in enumerate(segments):
            writer.write_segment(segment, ACTIONS.index(segment.label), k, '')
    rows = read_rows(robots / 'first', [tmp_path], [], TruthOptions())
    assert [s.label for s in segments_in(rows.rows['labels'])] == [s.label for s in segments]
    assert rows.label_set is not None
    assert rows.label_set.names[0] == 'z'
    done('timeline', robots / 'first', '--labels', tmp_path, '--out', tmp_path / 'a.png')


def test_several_rows_differ_in_name() -> None:
    assert names_of_bags([Path('a/x_labels')], ['m']) == ['labels']
    assert names_of_bags([Path('a/x_labels'), Path('b/x_labels')], ['m', 'm']) == ['a', 'b']
    assert names_of_bags([Path('a/x_labels'), Path('c/a/x_labels')], ['m', 'n']) == ['m', 'n']
    bags = [Path('a/x_labels'), Path('c/a/x_labels')]
    assert names_of_bags(bags, ['m', 'm']) == names_of_bags(bags, ['', 'm']) == [*map(str, bags)]


def test_labels_of_others_are_refused(robots: Path, labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / 'a.png'
    other = labelled / 'second_labels'
    error = m2r2('timeline', robots / 'first', '--labels', other, '--out', out).error
    assert f'{other}: no labels of first there, but of second' in error
    error = m2r2('timeline', robots / 'first', '--truth', robots / 'second', '--out', out).error
    assert 'no ground truth there belongs to a recording' in error
    assert 'holds no recording' in m2r2('timeline', robots, '--out', out).error
    assert not out.exists()


def test_where_there_is_nothing_to_draw_it_says_so(tmp_path: Path) -> None:
    states = write_bag(tmp_path / 'states', with_states([], truth_of(4.0, 0)))
    out = tmp_path / 'a.png'
    assert 'nothing to draw' in m2r2('timeline', states, '--out', out).error
    assert not out.exists()
    done('timeline', states, '--truth-topic', '/phase', '--out', out)


def test_the_picture_is_a_png_outside_of_the_recording(robots: Path, tmp_path: Path) -> None:
    first = robots / 'first'
    before = digest(robots)
    assert 'expected a .png' in m2r2('timeline', first, '--out', tmp_path / 'a.pdf').error
    assert 'overlaps' in m2r2('timeline', first, '--out', first / 'a.png').error
    assert digest(robots) == before


def test_topics_are_those_that_are_named(robots: Path, tmp_path: Path) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text(f'wrench: {WRENCH}\ngripper: null\n')
    heights = []
    for k, options in enumerate(((), ('--topics', topics))):
        done('timeline', robots / 'first', *options, '--out', tmp_path / f'{k}.png')
        heights.append(height(tmp_path / f'{k}.png'))
    assert heights[1] < heights[0]
