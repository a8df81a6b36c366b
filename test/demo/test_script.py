# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from itertools import pairwise

import numpy as np
import pytest

from m2r2_ros.demo.script import BOARD, OBJECTS, SHORTEST, TRAY, demo_labels, write_script


def test_labels_have_two_levels() -> None:
    labels = demo_labels()
    assert len(labels.names) == 13
    assert dict(zip(labels.names, labels.parents, strict=True))['insert_gear'] == 'insert'
    assert set(labels.parents) == {'no_action', 'pick', 'insert', 'remove', 'place'}


@pytest.mark.parametrize('seed', range(5))
def test_actions_fill_the_time_and_make_sense(seed: int) -> None:
    script = write_script(200.0, np.random.default_rng(seed))
    assert script.actions[0].start == 0
    assert script.actions[-1].end == 200
    assert all(
        a.end == b.start and a.end - a.start >= SHORTEST for a, b in pairwise(script.actions)
    )
    assert {action.label for action in script.actions} == set(demo_labels().names)
    held, inserted = '', dict.fromkeys((thing.name for thing in OBJECTS), -1)
    for action in script.actions[:-1]:
        verb, _, name = action.label.partition('_')
        if verb in {'pick', 'remove'}:
            assert held == ''
            assert inserted[name] in {-1, verb == 'remove'}
            held = name
        elif verb in {'insert', 'place'}:
            assert held == name
            held, inserted[name] = '', verb == 'insert'
        else:
            assert held == ''


@pytest.mark.parametrize('seconds', [0.1, 1.0, 7.3])
def test_any_length_is_filled(seconds: float) -> None:
    script = write_script(seconds, np.random.default_rng(0))
    assert script.actions[-1].end == seconds
    assert all(action.end > action.start for action in script.actions)


def test_phases_join_without_jumps() -> None:
    script = write_script(100.0, np.random.default_rng(1))
    for a, b in pairwise(script.phases):
        assert (a.end, a.target, a.yaw[1], a.width[1]) == (b.start, b.origin, b.yaw[0], b.width[0])
    widths = {OBJECTS[p.item].name: p.width[1] for p in script.phases if p.held}
    assert widths == {thing.name: thing.width for thing in OBJECTS}
    grasps = [(p.item, p.origin[:2]) for p in script.phases if p.kind == 'grasp']
    spots = [(k, spot[:2]) for row in (TRAY, BOARD) for k, spot in enumerate(row)]
    assert set(grasps) <= set(spots)
