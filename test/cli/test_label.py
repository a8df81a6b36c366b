# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import csv
import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from m2r2_ros.bags.labels.reader import read_label_track, read_segments, read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.model.familiarity import Familiarity
from m2r2_ros.model.reference import fit_reference
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.segmenters.decoding import Decoding, Rule
from test.cli.run import digest, done, m2r2, summary
from test.replay.recordings import (
    ACTIONS,
    POSE,
    TWIST,
    WRENCH,
    robot,
    robot_bag,
    truth_of,
    write_bag,
)


def test_a_folder_gives_bags_tables_and_summaries(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    before = digest([robots, bundle])
    result = done('label', robots, '--model', bundle, '--out', tmp_path)
    assert 'first' in result.out
    assert 'second' in result.out
    assert digest([robots, bundle]) == before
    for name, frames in (('first', 79), ('second', 59)):
        track = read_label_track(tmp_path / f'{name}_labels')
        assert len(track) == frames
        assert track.model_id == load_bundle(bundle).id
        assert track.label_set is not None
        assert track.label_set.names == ACTIONS
        truth = read_truth(robots / name).segments
        right = [
            label == next(s.label for s in truth if s.start <= t < s.end)
            for label, t in zip(track.labels, track.stamps, strict=True)
        ]
        assert np.mean(right) > 0.8
        segments = read_segments(tmp_path / f'{name}_labels', '/action_segment')
        with (tmp_path / f'{name}_segments.csv').open() as file:
            rows = list(csv.DictReader(file))
        start = open_recording(robots / name).start
        assert open_recording(tmp_path / f'{name}_labels').start == start
        assert [(Decimal(r['start_s']), Decimal(r['end_s']), r['label']) for r in rows] == [
            (Decimal(s.start - start) / 10**9, Decimal(s.end - start) / 10**9, s.label)
            for s in segments
        ]
        told = summary(tmp_path, name)
        assert told['frames'] == frames
        assert told['segments'] == len(segments)
        assert told['counters'] == {'windows': frames}
        assert told['topics'] == {
            'wrench': WRENCH,
            'pose': POSE,
            'twist': TWIST,
            'gripper': '/gripper/joint_states',
        }
        assert told['speed'] > 0
        assert not told['truncated']
    assert not list(tmp_path.glob('*.partial'))


def test_label_bags_open_with_other_tools(robots: Path, bundle: Path, tmp_path: Path) -> None:
    done('label', robots / 'second', '--model', bundle, '--out', tmp_path)
    with AnyReader([tmp_path / 'second_labels']) as bag:
        found = {c.topic: c.msgtype for c in bag.connections}
        messages: list[Any] = [bag.deserialize(raw, c.msgtype) for c, _, raw in bag.messages()]
    assert found == {
        '/action_label': 'm2r2_ros/msg/ActionLabel',
        '/action_segment': 'm2r2_ros/msg/ActionSegment',
        '/label_set': 'm2r2_ros/msg/LabelSet',
    }
    labels = [m for m in messages if hasattr(m, 'boundary_score')]
    assert len(labels) == 59
    assert all(m.latency == 0 and m.revision_lag == 0 for m in labels)
    assert all(abs(sum(m.probabilities) - 1) < 1e-4 for m in labels)


def test_merged_copies_hold_the_recording_and_its_labels(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    done('label', robots / 'second', '--model', bundle, '--out', tmp_path, '--merge')
    copy = open_recording(tmp_path / 'second_labelled')
    parts = [open_recording(p) for p in (robots / 'second', tmp_path / 'second_labels')]
    assert {n: t.count for n, t in copy.topics.items()} == {
        n: t.count for part in parts for n, t in part.topics.items()
    }
    # A folder with merged copies and label bags in it can be labelled again: they are passed over.
    shutil.copytree(robots / 'second', tmp_path / 'second')
    done('label', tmp_path, '--model', bundle, '--out', tmp_path / 'again')
    assert sorted(p.name for p in (tmp_path / 'again').glob('*_labels')) == ['second_labels']
    only = tmp_path / 'only'
    shutil.copytree(tmp_path / 'second_labels', only / 'second_labels')
    error = m2r2('label', only, '--model', bundle, '--out', tmp_path / 'none').error
    assert '/action_label' in error


def test_merging_into_labels_is_refused_before_any_work(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    done('label', robots / 'second', '--model', bundle, '--out', tmp_path, '--merge')
    copy = tmp_path / 'second_labelled'
    error = m2r2('label', copy, '--model', bundle, '--out', tmp_path / 'x', '--merge').error
    assert f'{copy} has /action_label' in error
    assert '--merge' in error
    assert not (tmp_path / 'x').exists()


def test_what_is_there_is_replaced_only_when_told(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    label = ('label', robots, '--model', bundle, '--out', tmp_path, '--merge')
    done(*label)
    before = digest(tmp_path)
    error = m2r2(*label).error
    assert '2 of 2 recordings could not be labelled' in error
    assert 'first_segments.csv: exists already; --overwrite replaces it, --resume' in error
    assert digest(tmp_path) == before
    done(*label, '--overwrite', '--lag', 3)
    assert summary(tmp_path, 'first')['revision_lag'] == 3
    assert set(read_label_track(tmp_path / 'first_labels').revision_lags) == {3}
    assert digest(tmp_path).keys() == before.keys()


@pytest.mark.parametrize('other', ['first_labels', 'first_labelled'])
def test_recordings_are_never_taken_for_labels(
    robots: Path, bundle: Path, tmp_path: Path, other: str
) -> None:
    """A recording whose name happens to be that of an output stays, even with --overwrite."""
    robot_bag(tmp_path / other, 2.0)
    before = digest(tmp_path)
    label = ('label', robots / 'first', '--model', bundle, '--out', tmp_path, '--merge')
    assert f'{tmp_path / other} exists' in m2r2(*label).error
    assert 'is a recording, not labels' in m2r2(*label, '--overwrite').error
    assert digest(tmp_path) == before


def test_resume_labels_what_is_left(robots: Path, bundle: Path, tmp_path: Path) -> None:
    label = ('label', robots, '--model', bundle, '--out', tmp_path)
    done(*label)
    kept = digest(tmp_path / 'first_labels')
    # As a killed process leaves it: a bag under a name of its own, no table, no summary.
    shutil.move(tmp_path / 'second_labels', tmp_path / 'second_labels.partial')
    (tmp_path / 'second_segments.csv').unlink()
    (tmp_path / 'second_summary.json').unlink()
    result = done(*label, '--resume')
    assert '1 recordings were labelled already' in result.err
    assert 'first' not in result.out
    assert digest(tmp_path / 'first_labels') == kept
    assert len(read_label_track(tmp_path / 'second_labels')) == 59
    assert not list(tmp_path.glob('*.partial'))
    # Killed while the copy was being written.
    (tmp_path / 'second_segments.csv').unlink()
    (tmp_path / 'second_summary.json').unlink()
    done(*label, '--resume', '--merge')
    assert (tmp_path / 'first_labelled').is_dir()
    assert (tmp_path / 'second_labelled').is_dir()


def test_resume_does_not_mix_models(robots: Path, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    done('label', robots / 'first', '--model', bundle, '--out', out)
    before = digest(out)
    other = tmp_path / 'other'
    tiny = load_bundle(bundle)
    save_bundle(replace(tiny, scores={'accuracy': 0.5}), other)
    label = ('label', robots / 'first', '--model', other, '--out', out, '--resume')
    error = m2r2(*label).error
    assert f'was labelled by model {tiny.id}' in error
    assert '--overwrite' in error
    assert digest(out) == before
    done(*label, '--overwrite')
    assert summary(out, 'first')['model_id'] == load_bundle(other).id


def test_a_table_of_the_users_own_survives_resume(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / 'first_segments.csv').write_text('start,end,label\n')
    before = digest(tmp_path)
    label = ('label', robots / 'first', '--model', bundle, '--out', tmp_path, '--resume')
    assert 'first_segments.csv: exists already' in m2r2(*label).error
    assert digest(tmp_path) == before


def test_two_recordings_of_one_name_are_refused(robots: Path, bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(robots / 'first', tmp_path / 'first')
    both = (robots / 'first', tmp_path / 'first')
    error = m2r2('label', *both, '--model', bundle, '--out', tmp_path / 'out').error
    assert str(both[0]) in error
    assert 'different folders' in error
    assert not (tmp_path / 'out').exists()


def test_topics_are_taken_from_a_file(robots: Path, bundle: Path, tmp_path: Path) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text('twist: null\nwrench: /ft_elsewhere\npose: {topic: /pose}\n')
    label = ('label', robots / 'first', '--model', bundle, '--topics', topics)
    result = done(*label, '--out', tmp_path / 'out')
    table = ' '.join(result.out.replace('│', ' ').split())
    assert 'no topic /ft_elsewhere for wrench' in table
    told = summary(tmp_path / 'out', 'first')
    assert told['absent_topics'] == {'wrench': '/ft_elsewhere'}
    assert told['topics'] == {'pose': POSE, 'gripper': '/gripper/joint_states'}
    # A twist that is off is not made from the pose behind the user's back.
    assert told['counters'] == {'windows': 79, 'wrench.masked': 79, 'twist.masked': 79}
    assert told['derived'] == []
    topics.write_text('wrench: /a\npose: /b\ntwist: /c\ngripper: /d\n')
    error = m2r2(*label, '--out', tmp_path / 'none').error
    assert '/a (wrench) is not in it' in error
    assert '/wrench (geometry_msgs/msg/WrenchStamped)' in error
    assert '--topics' in error


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('wrensh: /wrench', ['topics.yaml: wrensh: expected a mapping', 'did you mean wrench?']),
        ('wrench: {topik: /wrench}', ['wrench: unknown entries topik', 'topic']),
        ('wrench: /pose', ['/pose', 'PoseStamped', 'wrench']),
        ('wrench: {topic: /wrench, type: std_msgs/msg/String}', ['/wrench', 'std_msgs/msg/String']),
        ('[', ['cannot be read as YAML']),
    ],
)
def test_wrong_topic_files_are_refused(
    robots: Path, bundle: Path, tmp_path: Path, text: str, words: list[str]
) -> None:
    topics = tmp_path / 'topics.yaml'
    topics.write_text(text)
    out = tmp_path / 'out'
    error = m2r2(
        'label', robots / 'first', '--model', bundle, '--topics', topics, '--out', out
    ).error
    for word in words:
        assert word in error
    assert not out.exists()


def test_a_missing_topic_file_is_named(robots: Path, bundle: Path, tmp_path: Path) -> None:
    none = tmp_path / 'none.yaml'
    error = m2r2('label', robots, '--model', bundle, '--out', tmp_path, '--topics', none).error
    assert str(none) in error


@pytest.mark.parametrize(
    ('option', 'value', 'name'),
    [('--min-confidence', 2, '--min-confidence'), ('--lag', -1, '--lag')],
)
def test_options_out_of_range_are_refused(
    robots: Path, bundle: Path, tmp_path: Path, option: str, value: int, name: str
) -> None:
    out = tmp_path / 'out'
    assert name in m2r2('label', robots, '--model', bundle, '--out', out, option, value).error
    assert not out.exists()


def test_twist_is_made_from_the_pose(bundle: Path, tmp_path: Path) -> None:
    entries = [e for e in robot(6.0, 2) if e.topic != TWIST]
    write_bag(tmp_path / 'robot', entries, truth_of(6.0, 2))
    result = done('label', tmp_path / 'robot', '--model', bundle, '--out', tmp_path / 'out')
    assert 'twist from pose' in result.out
    told = summary(tmp_path / 'out', 'robot')
    assert told['derived'] == ['twist']
    # The first pose makes no speed yet, the rest do.
    assert told['counters'].get('twist.masked', 0) <= 1


def test_names_with_brackets_are_told_as_they_are(bundle: Path, tmp_path: Path) -> None:
    robot_bag(tmp_path / 'trial[red]', 2.0)
    result = done('label', tmp_path, '--model', bundle, '--out', tmp_path / 'out[1]')
    assert 'trial[red]' in result.out
    assert 'trial[red]' in result.err
    error = m2r2('label', tmp_path / 'no[red]', '--model', bundle, '--out', tmp_path).error
    assert 'no[red] does not exist' in error


@pytest.mark.parametrize(
    ('edit', 'expected'),
    [
        ('missing', 'network.onnx: points into other weights than weights.safetensors'),
        ('misshapen', 'network.onnx: points into other weights than weights.safetensors'),
        ('nan', 'gives NaN instead of probabilities'),
        ('cut', 'weights.safetensors'),
        ('none', 'weights.safetensors'),
    ],
)
def test_a_bundle_with_wrong_weights_is_refused(
    robots: Path, bundle: Path, tmp_path: Path, edit: str, expected: str
) -> None:
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    model = tmp_path / 'model'
    shutil.copytree(bundle, model)
    file = model / 'weights.safetensors'
    with safe_open(file, framework='pt') as weights:
        facts = weights.metadata()
        tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118
    name = next(n for n, t in tensors.items() if t.ndim == 2)
    if edit == 'missing':
        del tensors[name]
    elif edit == 'misshapen':
        tensors[name] = tensors[name][:-1].contiguous()
    elif edit == 'nan':
        tensors[name] = torch.full_like(tensors[name], torch.nan)
    if edit == 'cut':
        file.write_bytes(file.read_bytes()[:-100])
    elif edit == 'none':
        file.unlink()
    else:
        save_file(tensors, file, metadata=facts)
    before = digest(model)
    out = tmp_path / 'out'
    error = m2r2('label', robots, '--model', model, '--out', out).error
    assert expected in error
    if edit in ('cut', 'none'):  # which the header alone shows
        assert str(file) in m2r2('models', model).error
    assert digest(model) == before
    assert not list(out.glob('*')) if edit == 'nan' else not out.exists()


@pytest.mark.parametrize(
    ('old', 'new', 'word'),
    [
        ('frame_rate: 10.0', 'frame_rate: 20.0', 'edited after training'),
        ('frame_rate: 10.0', 'frame_rate: -1', 'windows.frame_rate'),
        ('frame_rate', 'frame_rat', 'frame_rat'),
        ('format: 4', 'format: 99', 'format 99'),
        ('preset: proprio', '', 'preset'),
        ('labels:', 'labels: {', 'cannot be read as YAML'),
    ],
)
def test_an_edited_bundle_is_refused(
    robots: Path, bundle: Path, tmp_path: Path, old: str, new: str, word: str
) -> None:
    model = tmp_path / 'model'
    shutil.copytree(bundle, model)
    text = (model / 'bundle.yaml').read_text()
    assert old in text
    (model / 'bundle.yaml').write_text(text.replace(old, new, 1))
    error = m2r2('label', robots, '--model', model, '--out', tmp_path / 'out').error
    assert str(model / 'bundle.yaml') in error
    assert word in error
    assert not (tmp_path / 'out').exists()


def test_no_bundle_at_all_is_named(robots: Path, tmp_path: Path) -> None:
    error = m2r2('label', robots, '--model', tmp_path / 'none', '--out', tmp_path / 'o').error
    assert f'{tmp_path / "none"}/bundle.yaml: no such file' in error
    assert not (tmp_path / 'o').exists()


def test_the_delay_of_a_learnt_rule_is_told(robots: Path, bundle: Path, tmp_path: Path) -> None:
    learnt = Decoding(learnt=(Rule(0, delay_s=0.2), Rule(3, delay_s=0.5)))
    model = tmp_path / 'learnt'
    save_bundle(replace(load_bundle(bundle), decoding=learnt.to_dict()), model)
    label = ['label', robots / 'second', '--model', model, '--as-live', '--out', tmp_path]
    assert 'labels come 0.20 s after an action begins' in told(*label)
    assert 'labels come 0.50 s after' in told(*label, '--lag', 3, '--overwrite')
    held = told(*label, '--min-duration', 0.3, '--overwrite')
    assert 'the hold rule adds 0.20 s' in held
    assert 'labels come' not in held


def told(*arguments: object) -> str:
    """Return what a command says beside its table, on one line."""
    return ' '.join(done(*arguments).err.split())


def test_nothing_labelled_is_told_and_ends_with_1(
    robots: Path, bundle: Path, tmp_path: Path
) -> None:
    elsewhere = fit_reference(np.full((8, 18), 1000, np.float32))
    known = Familiarity({'wrench': elsewhere}, {'wrench': 0.1}, always=('wrench',))
    save_bundle(replace(load_bundle(bundle), familiarity=known), tmp_path / 'model')
    found = m2r2('label', robots, '--model', tmp_path / 'model', '--out', tmp_path / 'out')
    assert found.code == 1
    assert 'nothing was labelled (unlike: wrench)' in ' '.join(found.err.split())
    assert '100.0%' in found.out
    for path in (tmp_path / 'out').glob('*_summary.json'):
        told = json.loads(path.read_text())
        assert (told['unknown'], told['segments'], told['confidence']) == (1.0, 0, 0.0)
        assert told['reasons'] == {'unlike: wrench': told['frames']}
        table = path.with_name(path.name.replace('_summary.json', '_segments.csv'))
        (row,) = csv.DictReader(table.open())
        assert (row['label'], row['reason']) == ('unknown', 'unlike: wrench')


def test_doubtful_recordings_come_first(bundle: Path, tmp_path: Path) -> None:
    robot_bag(tmp_path / 'a', 3.0)
    write_bag(tmp_path / 'b', [e for e in robot(3.0, 2) if e.topic != WRENCH], truth_of(3.0, 2))
    known = Familiarity({}, {}, always=('wrench',))
    save_bundle(replace(load_bundle(bundle), familiarity=known), tmp_path / 'model')
    found = done(
        'label', tmp_path / 'a', tmp_path / 'b', '--model', tmp_path / 'model', '--out',
        tmp_path / 'out',
    )  # fmt: skip
    rows = [line.split()[1] for line in found.out.splitlines() if line.startswith('│')]
    assert [row for row in rows if row in 'ab'] == ['b', 'a']
    assert summary(tmp_path / 'out', 'b')['reasons'].keys() == {'missing: wrench'}
