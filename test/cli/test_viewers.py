# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 viewers`."""

import json
from pathlib import Path

import yaml

from test.cli.run import digest, done, m2r2
from test.replay.recordings import ACTIONS, WRENCH


def test_files_show_the_labels_and_topics_of_the_model(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / 'viewers'
    done('viewers', bundle, '--out', out, '--frame', 'tool0_base')
    layout = json.loads((out / 'foxglove.json').read_text())
    (path,) = layout['configById']['StateTransitions!labels']['paths']
    assert sorted(s['value'] for s in path['customStates']['states']) == sorted(ACTIONS)
    assert f'{WRENCH}.wrench.force.x' in (out / 'foxglove.json').read_text()
    rviz = yaml.safe_load((out / 'm2r2.rviz').read_text())
    assert rviz['Visualization Manager']['Global Options']['Fixed Frame'] == 'tool0_base'


def test_files_that_exist_are_left_alone(bundle: Path, tmp_path: Path) -> None:
    mine = tmp_path / 'm2r2.rviz'
    mine.write_text('mine')
    before = digest(tmp_path)
    assert str(mine) in m2r2('viewers', bundle, '--out', tmp_path).error
    assert digest(tmp_path) == before
    done('viewers', bundle, '--out', tmp_path, '--overwrite')
    assert mine.read_text() != 'mine'


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    assert 'bundle.yaml' in m2r2('viewers', tmp_path, '--out', out).error
    assert not out.exists()
