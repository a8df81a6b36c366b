# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands whose work is tested in the rooms that do it: inspect, import, repair, demo."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from m2r2_ros import __version__
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.cli import inspect
from m2r2_ros.core.share import share_path
from test.cli.run import digest, done, m2r2, summary
from test.replay.recordings import TWIST, robot, robot_bag, write_bag, write_mcap

ROOT = Path(__file__).resolve().parents[2]


def test_version_and_help() -> None:
    assert done('--version').out.strip() == __version__
    shown = done('--help').out
    for command in (
        'inspect',
        'import',
        'train',
        'label',
        'evaluate',
        'repair',
        'models',
        'simulate',
        'viewers',
        'demo',
    ):
        assert command in shown


def test_without_a_model_models_lists_presets() -> None:
    shown = done('models').out
    assert 'proprio' in shown
    assert 'lite' in shown
    assert 'efficientnet_lite0' in shown


def test_inspect_tells_what_serves_what(robots: Path, tmp_path: Path) -> None:
    shown = done('inspect', robots).out
    assert 'first: 8.0 s' in shown
    assert 'second: 6.0 s' in shown
    found = json.loads(done('inspect', robots / 'first', '--json').out)[0]
    assert found['topics']['/wrench']['serves'] == ['wrench']
    assert found['topics']['/wrench']['count'] == 400
    assert found['topics']['/wrench']['rate'] == pytest.approx(50)
    assert found['topics']['/ground_truth/action_segment']['serves'] == []
    assert not found['truncated']
    poses = write_bag(tmp_path / 'poses', [e for e in robot(1.0) if e.topic != TWIST])
    assert 'twist would be made from /pose' in done('inspect', poses).out


def test_inspect_tells_topics_that_are_not_there(robots: Path, tmp_path: Path) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text('wrench: /ft_elsewhere\ntwist: null\n')
    assert 'no topic /ft_elsewhere for wrench' in done(
        'inspect', robots / 'first', '--topics', topics
    ).out  # fmt: skip
    found = json.loads(done('inspect', robots / 'first', '--topics', topics, '--json').out)[0]
    assert found['absent_topics'] == {'wrench': '/ft_elsewhere'}


def test_inspect_shows_the_first_of_many_topics_and_those_that_serve(
    robots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect, 'MOST_ROWS', 1)
    topics = json.loads(done('inspect', robots / 'first', '--json').out)[0]['topics']
    shown = {min(topics), *(name for name, topic in topics.items() if topic['serves'])}
    hidden = len(topics) - len(shown)
    assert hidden > 0
    out = done('inspect', robots / 'first').out
    assert f'{hidden} more topics: --json lists them all' in out
    assert '/wrench' in out


def test_what_a_recording_has_lost_is_shown(robots: Path, tmp_path: Path, bundle: Path) -> None:
    bag = tmp_path / 'bag'
    shutil.copytree(robots / 'first', bag)
    text = (bag / 'metadata.yaml').read_text()
    (bag / 'metadata.yaml').write_text(text.replace('message_count: 400', 'message_count: 402', 2))
    note = '/wrench: 400 of 402 messages'
    assert note in json.loads(done('inspect', bag, '--json').out)[0]['notes'][0]
    assert note in done('inspect', bag).out
    done('label', bag, '--model', bundle, '--out', tmp_path / 'out')
    assert note in summary(tmp_path / 'out', 'bag')['notes'][0]


@pytest.mark.parametrize('command', ['inspect', 'label', 'train'])
def test_paths_without_recordings_are_named(tmp_path: Path, bundle: Path, command: str) -> None:
    more = {
        'inspect': (),
        'label': ('--model', bundle, '--out', tmp_path / 'out'),
        'train': ('--preset', 'proprio', '--out', tmp_path / 'out'),
    }[command]
    (tmp_path / 'old.bag.active').touch()
    for path, word in (
        (tmp_path / 'none', 'does not exist'),
        (tmp_path, 'holds no recording'),
        (tmp_path / 'old.bag.active', 'was not closed'),
    ):
        error = m2r2(command, path, *more).error
        assert str(path) in error
        assert word in error
    assert not (tmp_path / 'out').exists()


def test_repair_keeps_what_is_there(tmp_path: Path) -> None:
    cut = write_mcap(tmp_path / 'cut.mcap', robot(3.0), chunk=10_000)
    cut.write_bytes(cut.read_bytes()[:-3000])
    before = digest(tmp_path)
    out = tmp_path / 'out'
    done('repair', cut, '--out', out)  # the cut went through the summary: no message is lost
    assert not open_recording(out).truncated
    made = digest(tmp_path)
    assert f'{out} exists' in m2r2('repair', cut, '--out', out).error
    assert digest(tmp_path) == made
    done('repair', cut, '--out', out, '--overwrite')
    other = robot_bag(tmp_path / 'other', 1.0)
    (other / 'notes.txt').write_text('mine')
    error = m2r2('repair', cut, '--out', other, '--overwrite').error
    assert 'notes.txt' in error
    assert digest(cut) == before
    (tmp_path / 'empty.mcap').touch()
    assert 'empty.mcap' in m2r2('repair', tmp_path / 'empty.mcap', '--out', tmp_path / 'x').error
    assert str(cut) in m2r2('repair', cut, '--out', cut).error
    assert not (tmp_path / 'x').exists()


def test_repair_tells_what_is_lost_by_topic_and_time(tmp_path: Path) -> None:
    whole = write_mcap(tmp_path / 'whole.mcap', robot(3.0), chunk=10_000)
    told = m2r2('repair', whole, '--out', tmp_path / 'same')
    assert told.code == 0
    assert 'nothing was lost' in told.err
    data = bytearray(whole.read_bytes())
    data[300:900] = bytes(600)
    whole.write_bytes(data)
    told = m2r2('repair', whole, '--out', tmp_path / 'out')
    assert told.code == 3
    assert 'nothing was lost' not in told.err
    assert 'bytes at' in told.err
    assert 'recovered' in told.out
    before = open_recording(tmp_path / 'same').message_count
    assert 0 < open_recording(tmp_path / 'out').message_count < before


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A trial as the shipped specification has it."""
    spec = (share_path('config', 'import') / 'hiro_snap_assembly.yaml').read_text()
    assert 'R_Torques.dat' in spec
    folder = tmp_path / 'trial'
    folder.mkdir()
    times = [0.005 * k for k in range(400)]
    for name in ('R_Torques.dat', 'R_CartPos.dat'):
        rows = [f'{t:.3f} 0.1 0.2 0.3 0.4 0.5 0.6' for t in times]
        (folder / name).write_text('\n'.join(rows) + '\n')
    (folder / 'R_State.dat').write_text('0.0\n0.5\n0.8\n1.2\n')
    return folder


def test_shipped_specifications_go_by_name(tables: Path, tmp_path: Path) -> None:
    before = digest(tables)
    out = tmp_path / 'bag'
    shown = done('import', 'table', 'hiro_snap_assembly', '--input', tables, '--out', out).out
    assert '/wrench: 400 messages' in shown
    assert [s.label for s in read_truth(out).segments]
    assert digest(tables) == before
    made = digest(out)
    again = ('import', 'table', 'hiro_snap_assembly', '--input', tables, '--out', out)
    assert f'{out} exists' in m2r2(*again).error
    assert digest(out) == made
    done(*again, '--overwrite')
    # Data that lie in a folder of the same name are no specification.
    namesake = tmp_path / 'hiro_snap_assembly'
    namesake.mkdir()
    done('import', 'table', namesake, '--input', tables, '--out', out, '--overwrite')


def test_a_folder_of_trials_is_imported_at_once(tables: Path, tmp_path: Path) -> None:
    trials = tmp_path / 'trials'
    for name in ('a', 'b', 'c'):
        shutil.copytree(tables, trials / name)
    (trials / 'b' / 'R_CartPos.dat').write_text('soon\n')
    run = ('import', 'table', 'hiro_snap_assembly', '--input', trials, '--out', tmp_path / 'bags')
    error = m2r2(*run).error
    assert '1 of 3 recordings could not be imported' in error
    assert f'{trials}/b/R_CartPos.dat:1' in error
    assert sorted(p.name for p in (tmp_path / 'bags').iterdir()) == ['a', 'c']
    made = digest(tmp_path / 'bags')
    shutil.copyfile(tables / 'R_CartPos.dat', trials / 'b' / 'R_CartPos.dat')
    again = done(*run)
    assert '2 recordings were imported already and are kept' in again.err
    assert f'{tmp_path}/bags/b: 2.00 s' in again.out
    assert made.items() < digest(tmp_path / 'bags').items()


def test_specifications_that_do_not_fit_are_refused(tables: Path, tmp_path: Path) -> None:
    out = tmp_path / 'bag'
    spec = tmp_path / 'spec.yaml'
    shutil.copyfile(share_path('config', 'import') / 'hiro_snap_assembly.yaml', spec)
    (tables / 'R_Torques.dat').write_text('0.0 1 2\n0.1 1 2\n')
    error = m2r2('import', 'table', spec, '--input', tables, '--out', out).error
    assert 'R_Torques.dat' in error
    assert 'column' in error
    error = m2r2('import', 'table', tmp_path / 'none.yaml', '--input', tables, '--out', out).error
    assert 'none.yaml: no such file' in error
    assert 'hiro_snap_assembly' in error
    assert not out.exists()


def test_demo_labels_and_scores_what_it_recorded(tmp_path: Path) -> None:
    demo = ('demo', '--seconds', 8, '--out', tmp_path)
    shown = done(*demo).out
    assert 'times real time' in shown
    assert '[bold]' not in shown
    assert str(tmp_path / 'timeline.png') in shown
    scores = json.loads((tmp_path / 'scores.json').read_text())
    assert scores['accuracy'] > 0.5
    assert (tmp_path / 'timeline.png').read_bytes().startswith(b'\x89PNG')
    copy = open_recording(tmp_path / 'cell_1000_labelled').topics
    assert {'/action_label', '/microphone/audio'} <= copy.keys()
    made = {p.name for p in tmp_path.iterdir()}
    before = digest(tmp_path / 'cell_1000')
    done(*demo)
    assert {p.name for p in tmp_path.iterdir()} == made
    assert digest(tmp_path / 'cell_1000') == before


def test_the_shipped_model_says_how_it_was_made() -> None:
    folder = share_path('models', 'cell')
    assert sum(f.stat().st_size for f in folder.iterdir()) < 20e6
    bundle = yaml.safe_load((folder / 'bundle.yaml').read_text())
    note = bundle['training']['note']
    assert note in (ROOT / 'tools' / 'train_cell_model.bash').read_text()
    assert 'm2r2 train train --validate val' in note
    assert set(bundle['scores']['recordings']).isdisjoint(bundle['training']['recordings'])
    assert 'cell_1000' not in bundle['training']['recordings'] + bundle['scores']['recordings']
