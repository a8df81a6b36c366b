# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import safe_open

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.network.bundle import load_bundle
from m2r2_ros.training.state import TrainState
from test.cli.run import digest, done, m2r2
from test.replay.recordings import (
    ACTIONS,
    START,
    Entry,
    cdr,
    robot,
    robot_bag,
    truth_of,
    with_states,
    write_bag,
    write_mcap,
)

ROOT = Path(__file__).resolve().parents[2]
#: The entry point, which Ctrl-C stops even where a shell started pytest in the background.
STOPPABLE = (
    'import signal; signal.signal(signal.SIGINT, signal.default_int_handler); '
    'from m2r2_ros.cli.main import main; main()'
)
QUICK = ('--preset', 'proprio', '--epochs', 1, '--no-search')


@pytest.fixture(scope='module')
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording without ground truth, and a table of it."""
    folder = tmp_path_factory.mktemp('plain')
    write_bag(folder / 'bags' / 'trial', robot(3.0, 4))
    (folder / 'tables').mkdir()
    write_segments_csv(folder / 'tables' / 'trial.csv', truth_of(3.0, 4), START)
    return folder


@pytest.fixture(scope='module')
def trained(tmp_path_factory: pytest.TempPathFactory, robots: Path, plain: Path) -> Path:
    """A bundle from the command line: a folder, a bag, a table, and validation on the table's."""
    out = tmp_path_factory.mktemp('trained') / 'new' / 'bundle'
    before = digest([robots, plain])
    done(
        *('train', robots / 'first', robots, '--out', out, *QUICK, '--seed', 3),
        *('--validate', plain / 'bags', '--truth', plain / 'tables'),
    )
    assert digest([robots, plain]) == before
    return out


def test_a_bundle_says_how_it_was_trained_and_what_it_scored(trained: Path) -> None:
    bundle = load_bundle(trained)
    assert bundle.labels.names == ACTIONS
    assert bundle.training['recordings'] == ['first', 'second']
    assert bundle.training['options']['seed'] == 3
    assert bundle.topics['wrench'] == {
        'topic': '/wrench',
        'type': 'geometry_msgs/msg/WrenchStamped',
    }
    assert 'sound' not in bundle.topics
    assert bundle.scores['recordings'] == ['trial']
    assert bundle.scores['frames'] == 29
    assert {'accuracy', 'edit', 'f1@50', 'dr_one_to_one'} <= bundle.scores.keys()
    assert bundle.scores['offline']['frames'] == 29
    assert bundle.training['folds'] == [['trial']]
    assert bundle.training['survey']['missing'] == ['sound']
    assert bundle.model.offline_head is not None
    assert sorted(p.name for p in trained.parent.iterdir()) == ['bundle']


def test_a_bundle_is_described_and_labels(trained: Path, robots: Path, tmp_path: Path) -> None:
    shown = done('models', trained).out
    for part in (load_bundle(trained).id, 'reach, push, grip', 'first, second', 'trial', '/wrench'):
        assert part in shown
    done('label', robots, '--model', trained, '--out', tmp_path / 'out')
    assert len(list((tmp_path / 'out').glob('*_labels'))) == 2


def test_tables_of_segments_are_ground_truth(plain: Path, tmp_path: Path) -> None:
    """Labels corrected in a spreadsheet: the table keeps the name that m2r2 label gave it."""
    table = tmp_path / 'trial_segments.csv'
    shutil.copyfile(plain / 'tables' / 'trial.csv', table)
    done('train', plain / 'bags', '--out', tmp_path / 'b', *QUICK, '--truth', table)
    names = load_bundle(tmp_path / 'b').labels.names
    assert set(names) == {s.label for s in truth_of(3.0, 4)}


def test_a_training_tells_what_it_reads_how_it_learns_and_what_it_chose(
    robots: Path, tmp_path: Path
) -> None:
    """Without a terminal, in lines of a log."""
    told = done('train', robots, '--out', tmp_path / 'b', *QUICK[:4], '--relative-pose')
    for part in (
        'reading first, 1 of 2',
        'frames (segments): reach',
        'no recording has sound: the model does without',
        'fold 2 of 2 holds out 1: ',
        'model, extractor: epoch 1/1, loss ',
        'fold 1 (offset 0.6, relative poses), online head 2: epoch 1/1, loss ',
        'held out: accuracy 0.',
        'chosen',
        'online labels of held-out recordings',
    ):
        assert part in told.err
    bundle = load_bundle(tmp_path / 'b')
    assert bundle.model.relative_pose
    assert bundle.training['options']['wishes']['relative_pose'] is True
    assert (tmp_path / 'b' / 'curve.png').read_bytes()[:4] == b'\x89PNG'


def test_an_interrupted_training_goes_on_where_it_was(
    robots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = 4
    train = ['train', str(robots / 'first'), '--preset', 'proprio', '--epochs', str(epochs)]
    out, work = tmp_path / 'b', tmp_path / 'b.training'
    process = subprocess.Popen(
        [sys.executable, '-c', STOPPABLE, *train, '--out', str(out)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list((work / 'checkpoints').glob('*.safetensors')) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode not in (0, 2)
    assert 'Traceback' not in err
    assert not out.exists()
    (checkpoint,) = (work / 'checkpoints').glob('*.safetensors')
    with safe_open(checkpoint, framework='pt') as file:
        begun = int(json.loads(file.metadata()['facts'])['epoch'])
    assert 1 <= begun < epochs
    saved: list[int] = []
    save = TrainState.save

    def note(self: TrainState, path: Path, epoch: int) -> None:
        saved.append(epoch)
        save(self, path, epoch)

    monkeypatch.setattr(TrainState, 'save', note)
    done(*train, '--out', out)
    assert saved == list(range(begun + 1, epochs + 1))
    assert not work.exists()
    done(*train, '--out', tmp_path / 'whole')
    assert load_bundle(tmp_path / 'whole').id == load_bundle(out).id


def test_a_checkpoint_of_another_truth_is_not_gone_on_from(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments that were moved between two runs, everything else being the same."""
    table = tmp_path / 'trial.csv'
    segments = truth_of(3.0, 4)
    train = ('train', plain / 'bags', '--out', tmp_path / 'b', '--preset', 'proprio', '--epochs', 2)
    saved: list[int] = []
    save = TrainState.save

    def stop(self: TrainState, path: Path, epoch: int) -> None:
        save(self, path, epoch)
        saved.append(epoch)
        if len(saved) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainState, 'save', stop)
    write_segments_csv(table, segments, START)
    stopped = m2r2(*train, '--truth', table)
    assert stopped.code not in (0, 2)
    assert 'Traceback' not in stopped.err
    later = [segments[0].end + 3 * 10**8, *(s.end for s in segments[1:])]
    moved = [
        type(s)(begin, end, s.label)
        for s, begin, end in zip(segments, [START, *later[:-1]], later, strict=True)
    ]
    write_segments_csv(table, moved, START)
    done(*train, '--truth', table)
    assert saved == [1, 1, 2]


def refused(tmp_path: Path, *arguments: object) -> str:
    """Return the error of a training that must leave nothing behind."""
    out = tmp_path / 'refused'
    error = m2r2('train', *arguments, '--out', out).error
    assert not out.exists()
    return error


def test_an_output_that_exists_is_kept(robots: Path, tmp_path: Path) -> None:
    out = tmp_path / 'b'
    out.mkdir()
    (out / 'mine').write_text('x')
    before = digest(tmp_path)
    assert f'{out}: exists already' in m2r2('train', robots, '--out', out, *QUICK).error
    assert digest(tmp_path) == before


def test_a_folder_that_training_would_remove_is_kept(robots: Path, tmp_path: Path) -> None:
    work = tmp_path / 'refused.training'
    work.mkdir()
    (work / 'thesis.tex').write_text('x')
    before = digest(tmp_path)
    assert 'thesis.tex' in refused(tmp_path, robots, *QUICK)
    assert digest(tmp_path) == before


def test_recordings_without_ground_truth_are_named(plain: Path, tmp_path: Path) -> None:
    error = refused(tmp_path, plain / 'bags', *QUICK)
    assert f'{plain}/bags/trial has no /ground_truth/action_segment' in error
    assert 'CSV' in error
    assert not list(tmp_path.iterdir())


def test_tables_of_other_recordings_are_named(plain: Path, tmp_path: Path) -> None:
    table = tmp_path / 'trail.csv'
    shutil.copyfile(plain / 'tables' / 'trial.csv', table)
    error = refused(tmp_path, plain / 'bags', '--truth', table, *QUICK)
    assert 'trail.csv' in error
    assert 'NAME.csv for one of trial' in error
    error = refused(tmp_path, plain / 'bags', '--truth', tmp_path / 'none.csv', *QUICK)
    assert 'none.csv: no such file' in error
    twice = (plain / 'tables', '--truth', tmp_path / 'trial_segments.csv')
    shutil.copyfile(table, twice[2])
    assert 'both ground truth of trial' in refused(
        tmp_path, plain / 'bags', '--truth', *twice, *QUICK
    )


def test_a_table_with_a_wrong_cell_is_named(plain: Path, tmp_path: Path) -> None:
    table = tmp_path / 'trial.csv'
    table.write_text('start,end,label\n0,soon,push\n')
    error = refused(tmp_path, plain / 'bags', '--truth', table, *QUICK)
    assert f'{table}:2' in error
    assert "'soon'" in error


def test_truth_of_another_time_is_refused(plain: Path, tmp_path: Path) -> None:
    table = tmp_path / 'trial.csv'
    table.write_text('start,end,label\n100,103,push\n')
    error = refused(tmp_path, plain / 'bags', '--truth', table, *QUICK)
    assert '100.000 s to 103.000 s (2025-10-09T08:55:00Z' in error
    assert '0.000 s to 2.980 s (2025-10-09T08:53:20Z' in error
    assert 'clock' in error


def test_validation_is_checked_before_training(robots: Path, plain: Path, tmp_path: Path) -> None:
    error = refused(tmp_path, robots / 'first', '--validate', plain / 'bags', *QUICK)
    assert 'trial has no /ground_truth/action_segment' in error
    error = refused(tmp_path, robots, '--validate', robots / 'first', *QUICK)
    assert 'both trained and validated on' in error
    shutil.copytree(robots / 'second', tmp_path / 'second')
    both = ('--validate', robots / 'second', '--validate', tmp_path / 'second')
    assert 'one name' in refused(tmp_path, robots / 'first', *both, *QUICK)
    assert not list(tmp_path.glob('*.training'))


def test_a_topic_that_no_recording_has_is_refused(robots: Path, tmp_path: Path) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text('wrench: /ft_elsewhere\n')
    error = refused(tmp_path, robots, '--topics', topics, *QUICK)
    assert 'wrench' in error
    assert '/ft_elsewhere' in error


def test_recordings_too_short_for_a_window_are_named(tmp_path: Path) -> None:
    write_bag(tmp_path / 'blink', robot(1.0)[:4], truth_of(1.0, 0))
    error = refused(tmp_path, tmp_path / 'blink', *QUICK)
    assert 'blink: it is too short for a single window' in error


def test_recordings_that_cannot_be_read_are_named(robots: Path, tmp_path: Path) -> None:
    (tmp_path / 'empty.mcap').touch()
    assert 'empty.mcap is empty' in refused(tmp_path, robots, tmp_path / 'empty.mcap', *QUICK)
    text = 'std_msgs/msg/String'
    chat = [Entry('/chat', text, START, cdr(text, data='hello'))]
    write_bag(tmp_path / 'chat', chat, truth_of(1.0, 0))
    assert 'no topic could serve any' in refused(tmp_path, tmp_path / 'chat', *QUICK)


def test_a_cut_recording_trains_up_to_the_cut(tmp_path: Path) -> None:
    whole = write_mcap(tmp_path / 'whole.mcap', robot(4.0, 4), chunk=20_000)
    cut = tmp_path / 'trial.mcap'
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    table = tmp_path / 'trial.csv'
    write_segments_csv(table, truth_of(4.0, 4), START)
    done('train', cut, '--truth', table, '--out', tmp_path / 'b', *QUICK)
    assert 5 < load_bundle(tmp_path / 'b').training['frames'] < 39


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--preset', 'prop'), ['prop', 'proprio', 'lite']),
        ((*QUICK, '--epochs', 0), ['--epochs']),
        ((*QUICK, '--seed', -1), ['--seed']),
        ((*QUICK, '--frame-rate', 1000), ['frame_rate', '300']),
    ],
)
def test_wrong_options_are_refused(
    robots: Path, tmp_path: Path, arguments: tuple[object, ...], words: list[str]
) -> None:
    error = refused(tmp_path, robots, *arguments)
    for word in words:
        assert word in error


def test_labels_with_other_parents_name_both_recordings(tmp_path: Path) -> None:
    for name, parents in (('one', ('move', '', '')), ('two', ('hold', '', ''))):
        with BagWriter(tmp_path / name) as bag:
            writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
            writer.write_label_set(LabelSet(ACTIONS, parents), '', START)
            writer.write_segment(truth_of(2.0, 0)[0], 0, 0, '')
    assert read_truth(tmp_path / 'one').label_set == LabelSet(ACTIONS, ('move', '', ''))
    error = refused(tmp_path, tmp_path / 'one', tmp_path / 'two', *QUICK)
    for part in ('reach', "'move'", "'hold'", str(tmp_path / 'one'), str(tmp_path / 'two')):
        assert part in error


def test_robot_bags_hold_their_truth(tmp_path: Path) -> None:
    path = robot_bag(tmp_path / 'robot', 2.0)
    assert read_truth(path).segments == truth_of(2.0, 0)


def test_recordings_without_ground_truth_are_told_and_left_out(
    robots: Path, plain: Path, tmp_path: Path
) -> None:
    empty = write_bag(tmp_path / 'empty', robot(3.0, 4))
    (tmp_path / 'empty.csv').write_text('start,end,label\n')
    bags = (robots / 'first', plain / 'bags', empty)
    told = done('train', *bags, '--out', tmp_path / 'b', *QUICK, '--truth', tmp_path / 'empty.csv')
    assert '2 of 3 recordings have no ground truth and are left out' in told.err
    assert f'{plain}/bags/trial has no /ground_truth/action_segment' in told.err
    assert 'empty.csv: its ground truth is empty' in told.err
    assert load_bundle(tmp_path / 'b').training['recordings'] == ['first']


def test_states_and_labels_of_a_model_train(robots: Path, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'stated', with_states(robot(6.0, 2), truth_of(6.0, 2)))
    out = tmp_path / 'b'
    table = tmp_path / 'first.csv'  # of the other recording, which lacks the topic
    seconds = [f'{(s.start - START) / 1e9},{(s.end - START) / 1e9}' for s in truth_of(8.0, 1)]
    rows = [f'{t},{s.label}' for t, s in zip(seconds, truth_of(8.0, 1), strict=True)]
    table.write_text('\n'.join(['start_s,end_s,label', *rows]))
    (tmp_path / 'truth.yaml').write_text('topic: /phase\nnames: [reach, push, grip]\n')
    stated = ('--truth-topic', tmp_path / 'truth.yaml', '--truth', table)
    told = done('train', bag, '--validate', robots / 'first', '--out', out, *QUICK, *stated).err
    assert 'ground truth of first: times from the start of the recording' in told
    assert set(load_bundle(out).labels.names) == set(ACTIONS)
    assert load_bundle(out).scores['recordings'] == ['first']
    done('label', bag, '--model', out, '--out', tmp_path / 'labels')
    given = ('--truth', tmp_path / 'labels' / 'stated_labels')
    done('train', bag, '--out', tmp_path / 'again', *QUICK, *given)
