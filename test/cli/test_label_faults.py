# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with recordings: told, counted, survived."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels.reader import read_label_track
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from test.cli.run import Result, digest, done, m2r2, summary
from test.hostile.disks import small_disk
from test.replay.recordings import (
    GRIPPER,
    POSE,
    SECOND,
    START,
    TWIST,
    TYPES,
    WRENCH,
    Entry,
    cdr,
    joints,
    robot,
    robot_bag,
    wrench,
    write_bag,
    write_mcap,
)


def label(path: Path, bundle: Path, out: Path, *more: object) -> Result:
    return m2r2('label', path, '--model', bundle, '--out', out, *more)


def test_a_cut_recording_is_labelled_up_to_the_cut(bundle: Path, tmp_path: Path) -> None:
    whole = write_mcap(tmp_path / 'whole.mcap', robot(6.0), chunk=20_000)
    cut = tmp_path / 'cut.mcap'
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    before = digest(cut)
    result = label(cut, bundle, tmp_path / 'out')
    assert result.code == 0
    assert 'truncated' in result.out
    told = summary(tmp_path / 'out', 'cut')
    assert told['truncated']
    assert 10 < told['frames'] < 50
    assert 'TRUNCATED: m2r2 repair' in done('inspect', cut).out
    repaired = tmp_path / 'repaired'
    result = m2r2('repair', cut, '--out', repaired)
    assert result.code == 3
    assert 'lost' in result.err
    assert not open_recording(repaired).truncated
    assert label(repaired, bundle, tmp_path / 'out').code == 0
    assert digest(cut) == before
    # Both are the beginning of what the whole recording gives, bit for bit.
    assert label(whole, bundle, tmp_path / 'out').code == 0
    tracks = [read_label_track(tmp_path / 'out' / f'{n}_labels') for n in ('cut', 'repaired')]
    full = read_label_track(tmp_path / 'out' / 'whole_labels')
    for track in tracks:
        # The last windows before a cut lack what the cut took.
        n = len(track) - 2
        np.testing.assert_array_equal(track.stamps[:n], full.stamps[:n])
        np.testing.assert_allclose(track.probabilities[:n], full.probabilities[:n], atol=1e-6)


def test_bad_recordings_do_not_keep_the_good_ones_from_being_labelled(
    bundle: Path, tmp_path: Path
) -> None:
    folder = tmp_path / 'day'
    folder.mkdir()
    robot_bag(folder / 'good', 2.0)
    robot_bag(folder / 'zoo', 2.0, seed=3)
    (folder / 'empty.mcap').touch()
    (folder / 'text.mcap').write_text('hello')
    (folder / 'none.db3').touch()
    write_mcap(folder / 'silent.mcap', [])
    corrupt = write_mcap(folder / 'corrupt.mcap', robot(3.0), chunk=20_000)
    data = bytearray(corrupt.read_bytes())
    data[300] ^= 0xFF  # in the first chunk
    corrupt.write_bytes(data)
    before = digest(folder)
    out = tmp_path / 'out'
    result = label(folder, bundle, out)
    assert '5 of 7 recordings could not be labelled' in result.error
    assert f'{folder}/empty.mcap is empty' in result.error
    assert f'{folder}/text.mcap is not an MCAP file' in result.error
    assert f'{folder}/none.db3' in result.error
    assert f'{folder}/silent.mcap: no topic serves any of' in result.error
    assert f'`m2r2 repair {corrupt}`' in result.error
    assert sorted(p.name for p in out.iterdir()) == [
        f'{name}_{what}'
        for name in ('good', 'zoo')
        for what in ('labels', 'segments.csv', 'summary.json')
    ]
    assert digest(folder) == before
    shown = m2r2('inspect', folder)
    assert '4 of 7 recordings cannot be read' in shown.error
    assert 'zoo: 2.0 s' in shown.out
    assert '1 of 2 recordings could not be labelled' in m2r2(
        'label', corrupt, folder / 'good', '--model', bundle, '--out', out, '--overwrite'
    ).error  # fmt: skip


def test_topics_without_messages_give_no_frames(bundle: Path, tmp_path: Path) -> None:
    entries = robot(1.0, topics=[WRENCH])[:1]
    one = write_bag(tmp_path / 'one', entries)
    assert label(one, bundle, tmp_path / 'out').code == 1  # nothing was labelled
    assert summary(tmp_path / 'out', 'one')['frames'] == 0
    assert len(read_label_track(tmp_path / 'out' / 'one_labels')) == 0
    error = m2r2('evaluate', tmp_path / 'out', '--truth', one).error
    assert 'one' in error


def test_recordings_without_a_topic_of_use_are_told_what_there_is(
    bundle: Path, tmp_path: Path
) -> None:
    text = 'std_msgs/msg/String'
    write_bag(tmp_path / 'chat', [Entry('/chat', text, START, cdr(text, data='hello'))])
    error = label(tmp_path / 'chat', bundle, tmp_path / 'out').error
    assert 'no topic could serve any' in error
    assert '--topics' in error
    assert not (tmp_path / 'out').exists()


def test_unknown_types_are_passed_over(bundle: Path, tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'plain', 2.0)
    with BagWriter(tmp_path / 'odd') as writer:
        writer.add_topic('/odd', 'vendor_msgs/msg/Thing', definition='')
        for t in {e.topic: e for e in robot(2.0)}.values():
            writer.add_topic(t.topic, t.type_name)
        for k, e in enumerate(robot(2.0)):
            writer.write(e.topic, e.raw, e.log_time)
            if k % 10 == 0:
                writer.write('/odd', b'\0\1\0\0rubbish', e.log_time)
    out = tmp_path / 'out'
    done('label', bag, tmp_path / 'odd', '--model', bundle, '--out', out)
    a, b = (read_label_track(out / f'{n}_labels') for n in ('plain', 'odd'))
    np.testing.assert_array_equal(a.probabilities, b.probabilities)
    assert 'vendor_msgs/msg/Thing' in done('inspect', tmp_path / 'odd', '--json').out


def test_missing_modalities_are_masked_and_counted(bundle: Path, tmp_path: Path) -> None:
    write_bag(tmp_path / 'half', robot(2.0, topics=[POSE, GRIPPER]))
    done('label', tmp_path / 'half', '--model', bundle, '--out', tmp_path / 'out')
    told = summary(tmp_path / 'out', 'half')
    assert told['counters']['wrench.masked'] == told['frames'] > 15
    masks = read_label_track(tmp_path / 'out' / 'half_labels').masks
    assert not (masks & 0b1).any()
    assert (masks & 0b1000).all()


def test_a_sensor_that_dies_is_masked_from_then_on(bundle: Path, tmp_path: Path) -> None:
    dead = START + 1 * SECOND
    entries = [e for e in robot(3.0) if e.topic != WRENCH or e.log_time < dead]
    write_bag(tmp_path / 'dying', entries)
    done('label', tmp_path / 'dying', '--model', bundle, '--out', tmp_path / 'out')
    track = read_label_track(tmp_path / 'out' / 'dying_labels')
    has = (track.masks & 0b1) > 0
    assert has[track.stamps <= dead].all()
    assert not has[track.stamps > dead + SECOND // 2].any()
    assert summary(tmp_path / 'out', 'dying')['counters']['wrench.masked'] == (~has).sum()


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_dropped_and_counted(
    bundle: Path, tmp_path: Path, value: float
) -> None:
    entries = robot(2.0)
    rows = [i for i, e in enumerate(entries) if e.topic == WRENCH][::10]
    for i in rows:
        stamp = entries[i].log_time
        entries[i] = entries[i]._replace(raw=wrench(stamp, [0, value, 0, 0, 0, 0]))
    write_bag(tmp_path / 'bad', entries)
    done('label', tmp_path / 'bad', '--model', bundle, '--out', tmp_path / 'out')
    assert summary(tmp_path / 'out', 'bad')['counters']['wrench.non_finite'] == len(rows)
    assert np.isfinite(read_label_track(tmp_path / 'out' / 'bad_labels').probabilities).all()


@pytest.mark.parametrize(
    ('shift', 'reason'),
    [(-SECOND // 10, 'out_of_order'), (0, 'repeated'), (3600 * SECOND, 'off_clock')],
)
def test_odd_stamps_are_dropped_and_counted(
    bundle: Path, tmp_path: Path, shift: int, reason: str
) -> None:
    entries = robot(3.0)
    rows = [i for i, e in enumerate(entries) if e.topic == WRENCH][10::20]
    for i in rows:
        # Four topics a tick: the wrench before this one.
        stamp = entries[i - 4].log_time + shift
        entries[i] = entries[i]._replace(raw=wrench(stamp, [0.0] * 6))
    write_bag(tmp_path / 'odd', entries)
    done('label', tmp_path / 'odd', '--model', bundle, '--out', tmp_path / 'out')
    told = summary(tmp_path / 'out', 'odd')
    assert told['counters'][f'wrench.{reason}'] == len(rows)
    assert told['frames'] == 29
    stamps = read_label_track(tmp_path / 'out' / 'odd_labels').stamps
    assert (np.diff(stamps) > 0).all()


@pytest.mark.parametrize('jump', [-3600 * SECOND, 3600 * SECOND])
def test_a_clock_that_jumps_begins_anew(bundle: Path, tmp_path: Path, jump: int) -> None:
    begin = START + 2 * SECOND + jump
    later = [e._replace(log_time=e.log_time - jump) for e in robot(2.0, 1, start=begin)]
    write_bag(tmp_path / 'jump', robot(2.0) + later)
    done('label', tmp_path / 'jump', '--model', bundle, '--out', tmp_path / 'out')
    told = summary(tmp_path / 'out', 'jump')
    assert told['counters']['clock.resets'] == 1
    assert 36 <= told['frames'] <= 40
    stamps = read_label_track(tmp_path / 'out' / 'jump_labels').stamps
    assert (np.abs(np.diff(stamps)) > 3000 * SECOND).sum() == 1


def test_joint_states_of_wrong_length_are_dropped_and_counted(bundle: Path, tmp_path: Path) -> None:
    entries = robot(2.0)
    rows = [i for i, e in enumerate(entries) if e.topic == GRIPPER][::5]
    for i in rows:
        raw = joints(entries[i].log_time, [0.1], name=['left', 'right'])
        entries[i] = entries[i]._replace(raw=raw)
    write_bag(tmp_path / 'short', entries)
    done('label', tmp_path / 'short', '--model', bundle, '--out', tmp_path / 'out')
    told = summary(tmp_path / 'out', 'short')['counters']
    assert sum(n for k, n in told.items() if k.startswith('gripper.')) == len(rows)


def test_messages_cut_short_are_dropped_and_counted(bundle: Path, tmp_path: Path) -> None:
    entries = robot(2.0)
    rows = [i for i, e in enumerate(entries) if e.topic in (TWIST, GRIPPER)][::7]
    for i in rows:
        entries[i] = entries[i]._replace(raw=entries[i].raw[:-9])
    write_bag(tmp_path / 'short', entries)
    done('label', tmp_path / 'short', '--model', bundle, '--out', tmp_path / 'out')
    told = summary(tmp_path / 'out', 'short')['counters']
    assert sum(n for k, n in told.items() if k != 'windows') == len(rows)


def test_a_folder_that_cannot_be_written_is_named(bundle: Path, tmp_path: Path) -> None:
    robot_bag(tmp_path / 'robot', 2.0)
    (tmp_path / 'file').touch()
    error = label(tmp_path / 'robot', bundle, tmp_path / 'file' / 'out').error
    assert str(tmp_path / 'file') in error


def test_a_full_disk_leaves_nothing_under_a_final_name(bundle: Path, tmp_path: Path) -> None:
    recording = robot_bag(tmp_path / 'robot', 20.0)
    out = tmp_path / 'out'
    before = digest(recording)
    with small_disk(4_000):
        error = label(recording, bundle, out).error
    assert 'robot_labels' in error
    assert 'disk' in error
    assert not [p for p in out.iterdir() if p.suffix != '.partial']
    assert digest(recording) == before
    assert label(recording, bundle, out, '--resume').code == 0
    shutil.rmtree(out)
    # The labels fit, the copy of the recording does not.
    with small_disk(60_000):
        error = label(recording, bundle, out, '--merge').error
    assert 'robot_labelled' in error
    assert not (out / 'robot_labelled').exists()
    assert not (out / 'robot_summary.json').exists()


def test_types_are_as_the_reader_expects() -> None:
    """The recordings that these tests spoil are sound before."""
    assert {e.topic: e.type_name for e in robot(0.1)} == TYPES
