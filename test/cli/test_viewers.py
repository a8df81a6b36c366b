# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 viewers`."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from test.cli.run import digest, done, m2r2
from test.replay.recordings import ACTIONS, WRENCH, robot, write_bag


def test_files_show_the_labels_and_topics_of_the_model(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / 'viewers'
    done('viewers', bundle, '--out', out, '--frame', 'tool0_base')
    layout = json.loads((out / 'foxglove.json').read_text())
    (path,) = layout['configById']['StateTransitions!labels']['paths']
    assert sorted(s['value'] for s in path['customStates']['states']) == sorted(ACTIONS)
    assert f'{WRENCH}.wrench.force.x' in (out / 'foxglove.json').read_text()
    studio = json.loads((out / 'foxglove-studio-1.48.json').read_text())
    assert 'ImageViewPanel!overlay' in studio['configById']
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


def test_either_a_model_or_a_recording_is_shown(bundle: Path, robots: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    first = robots / 'first'
    assert 'either a model or --rerun' in m2r2('viewers', '--out', out).error
    both = m2r2('viewers', bundle, '--rerun', first, '--out', out)
    assert 'either a model or --rerun' in both.error
    assert '--rerun' in m2r2('viewers', bundle, '--truth', first, '--out', out).error
    assert '.rrd' in m2r2('viewers', '--rerun', first, '--out', out).error
    assert not out.exists()


def test_lanes_for_rerun_need_labels(tmp_path: Path) -> None:
    bare = write_bag(tmp_path / 'bare', robot(2.0))
    out = tmp_path / 'out.rrd'
    error = m2r2('viewers', '--rerun', bare, '--out', out).error
    assert 'neither labels nor ground truth' in error
    assert not out.exists()


def test_lanes_for_rerun_say_what_joins_them(robots: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out.rrd'
    first = robots / 'first'
    result = m2r2('viewers', '--rerun', first, '--out', out)
    if find_spec('rerun') is None:
        assert "pip install 'm2r2_ros[rerun]'" in result.error
        assert not out.exists()
        pytest.skip("needs pip install 'm2r2_ros[rerun]'")
    assert result.code == 0
    assert '--application-id m2r2 --recording-id first' in result.err
    made = out.read_bytes()
    assert str(out) in m2r2('viewers', '--rerun', first, '--out', out).error
    assert out.read_bytes() == made
    done('viewers', '--rerun', first, '--out', out, '--overwrite')
