# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""REASSEMBLE files read as recordings: every number, picture and sound where it belongs."""

import io
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.share import share_path
from m2r2_ros.readers.definitions import store_for
from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topic_map import load_topics
from m2r2_ros.readers.topics import TopicSpec
from test.bags.reassemble.files import CAMERAS, STATE, Shape, stamps, values, write_file

NAME = '2025-01-09-13-59-54'


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_file(tmp_path_factory.mktemp('reassemble') / f'{NAME}.h5')


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / whole.name))


def messages(recording: Recording, topic: str) -> list[tuple[int, Any]]:
    """Decode all messages of a topic, as another reader of CDR does."""
    known = recording.topics[topic]
    store = store_for(known.type_name, known.definition)
    return [
        (
            int(block.log_times[k]),
            store.deserialize_cdr(block.message(k).tobytes(), known.type_name),
        )
        for blocks in recording.blocks([topic])
        for block in blocks
        for k in range(len(block))
    ]


def samples(recording: Recording, modality: str, topic: str, **options: Any) -> Any:
    """Read a topic as a model does."""
    spec = TopicSpec(modality, topic, **options)
    known = recording.topics[topic]
    reader = make_reader(spec, known.type_name, known.definition)
    groups = [reader.decode(b) for blocks in recording.blocks([topic]) for b in blocks]
    assert not sum((g.dropped for g in groups), start=groups[0].dropped)
    return groups


def nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def exact(seconds: NDArray[np.float64]) -> list[int]:
    """Return nanoseconds to the last digit that a float of seconds has."""
    return [int(s) * 1_000_000_000 + round((s - int(s)) * 1e9) for s in seconds.tolist()]


def test_every_stream_has_its_messages_in_order(whole: Path) -> None:
    recording = open_recording(whole)
    counts: dict[str, int] = dict.fromkeys(recording.topics, 0)
    last, first = 0, 0
    for blocks in recording.blocks():
        arrival = np.concatenate([b.arrival for b in blocks])
        times = np.concatenate([b.log_times for b in blocks])[np.argsort(arrival)]
        assert times[0] >= last
        assert (np.diff(times) >= 0).all()
        first, last = first or int(times[0]), int(times[-1])
        for block in blocks:
            counts[block.topic] += len(block)
    assert counts == {name: topic.count for name, topic in recording.topics.items()}
    assert sum(counts.values()) == recording.message_count
    assert (first, last) == (recording.start, recording.end)
    assert recording.notes == ('events are not read',)
    assert not recording.truncated
    assert recording.name == NAME


@pytest.mark.parametrize(
    ('topic', 'force', 'torque', 'rate'),
    [
        ('/ft_sensor/wrench', 'measured_force', 'measured_torque', 1000),
        ('/ft_sensor/wrench_base', 'compensated_base_force', 'compensated_base_torque', 465),
    ],
)
def test_wrenches(whole: Path, topic: str, force: str, torque: str, rate: int) -> None:
    found = messages(open_recording(whole), topic)
    clock = exact(stamps(force, 2 * rate, rate))
    assert [time for time, _ in found] == clock
    assert [nanoseconds(m.header.stamp) for _, m in found] == clock
    forces = [(m.wrench.force.x, m.wrench.force.y, m.wrench.force.z) for _, m in found]
    torques = [(m.wrench.torque.x, m.wrench.torque.y, m.wrench.torque.z) for _, m in found]
    assert np.array_equal(forces, values(force, 2 * rate, 3))
    assert np.array_equal(torques, values(torque, 2 * rate, 3))


def test_quaternions_are_reordered_and_twists_are_not(whole: Path) -> None:
    recording = open_recording(whole)
    rows = values('pose', 1160, 7)
    for row, (_, m) in zip(rows, messages(recording, '/robot/pose'), strict=True):
        p, q = m.pose.position, m.pose.orientation
        assert (p.x, p.y, p.z) == tuple(row[:3])
        assert (q.w, q.x, q.y, q.z) == tuple(row[3:])  # so the file has it
        assert m.header.frame_id == 'fr3_link0'
    rows = values('velocity', 1160, 6)
    for row, (_, m) in zip(rows, messages(recording, '/robot/twist'), strict=True):
        v, w = m.twist.linear, m.twist.angular
        assert (v.x, v.y, v.z, w.x, w.y, w.z) == tuple(row)


def test_joint_states(whole: Path) -> None:
    found = messages(open_recording(whole), '/robot/joint_states')
    assert found[0][1].name == [f'fr3_joint{k}' for k in range(1, 8)]
    for field in ('position', 'velocity', 'effort'):
        name = 'joint_' + {'velocity': 'velocities'}.get(field, f'{field}s')
        rows = np.array([getattr(m, field) for _, m in found])
        assert np.array_equal(rows, values(name, 1940, 7))


def test_gripper_width_is_the_sum_of_both_fingers(whole: Path) -> None:
    given = load_topics(share_path('config', 'reassemble', 'topics.yaml'))['gripper']
    groups = samples(open_recording(whole), 'gripper', given.topic, joints=given.joints)
    width = np.concatenate([g.values for g in groups])
    assert np.array_equal(width[:, 0], values('gripper_positions', 1940, 2).sum(axis=1))


def test_pictures_have_their_own_stamps(whole: Path) -> None:
    recording = open_recording(whole)
    for name, topic in (
        ('hand', '/hand/image/compressed'),
        ('capture_node-camera-image', '/capture_node/camera/image/compressed'),
    ):
        count = 2 * CAMERAS[name]
        groups = samples(recording, 'image', topic)
        found = np.concatenate([g.stamps for g in groups])
        assert found.tolist() == exact(stamps(name, count, CAMERAS[name]))
        pictures = [f.decode() for g in groups for f in g.frames]
        assert pictures[0].shape == (48, 64, 3)
        brightness = [float(p.mean()) for p in pictures]
        assert brightness == pytest.approx([40 + 4 * (k % 40) for k in range(count)], abs=1.9)


@pytest.mark.parametrize(
    ('topic', 'rate', 'camera'),
    [('/hand/audio', 48000, 'hand'), ('/hama1/audio', 16000, 'hama1')],
)
def test_sound_begins_with_the_first_picture_of_its_device(
    whole: Path, topic: str, rate: int, camera: str
) -> None:
    groups = samples(open_recording(whole), 'sound', topic)
    times = np.concatenate([g.stamps for g in groups])
    chunks = [chunk for g in groups for chunk in g.chunks]
    assert groups[0].rate == rate
    begin = exact(stamps(camera, 1, 30))[0]
    before = np.cumsum([0, *map(len, chunks)])[:-1]
    assert times.tolist() == [begin + int(n) * 1_000_000_000 // rate for n in before]
    sound = np.concatenate(chunks)
    # LAME's encoder delays by 1105 samples, some of it in its first packet.
    onset = np.flatnonzero(np.abs(sound) > 0.1)[0] / rate
    assert onset == pytest.approx(0.5 + 1105 / rate, abs=0.01)
    tone = sound[-rate // 2 : -rate // 4]
    assert np.abs(tone).max() == pytest.approx(0.5, abs=0.05)
    peak = np.argmax(np.abs(np.fft.rfft(tone))) * rate / len(tone)
    assert peak == pytest.approx(1000, abs=5)


def test_stereo_stays_stereo(whole: Path) -> None:
    found = messages(open_recording(whole), '/hama2/audio')
    assert {m.number_of_channels for _, m in found} == {2}
    assert {m.format for _, m in found} == {'pcm-s16'}
    assert len(found[0][1].data) == 4 * 576 * 2 * 2


def test_documented_counts(tmp_path: Path) -> None:
    """2025-01-11-14-43-37, as others have measured it."""
    path = tmp_path / '2025-01-11-14-43-37.h5'
    rows = dict.fromkeys(STATE, 0) | {
        'measured_force': 23240, 'measured_torque': 23240,
        'pose': 13401, 'velocity': 13401,
        'joint_positions': 22549, 'joint_velocities': 22549, 'joint_efforts': 22549,
        'hand': 642, 'hama1': 642, 'hama2': 642, 'capture_node-camera-image': 136,
    }  # fmt: skip
    packets = {'hama1_audio': 372096 // 576, 'hama2_audio': 646, 'hand_audio': 1123200 // 1152}
    write_file(path, Shape(rows=rows, packets=packets, size=(16, 16)))
    recording = open_recording(path)
    counts = {name: topic.count for name, topic in recording.topics.items()}
    assert counts['/ft_sensor/wrench'] == 23240
    assert counts['/robot/pose'] == 13401
    assert counts['/robot/joint_states'] == 22549
    assert counts['/hand/image/compressed'] == 642
    assert counts['/capture_node/camera/image/compressed'] == 136
    for topic, rate, total in (('/hama1/audio', 16000, 372096), ('/hand/audio', 48000, 1123200)):
        groups = samples(recording, 'sound', topic)
        assert sum(len(g.chunks) for g in groups) == counts[topic]
        assert sum(len(chunk) for g in groups for chunk in g.chunks) == total
        assert groups[0].rate == rate
    assert len(messages(recording, '/hand/image/compressed')) == 642
    # 642 pictures are 21.4 s, the sound is longer: the example's sizes do not agree, and it shows.
    assert [note for note in recording.notes if note.startswith('/hand/audio lasts 23.40 s')]


def test_topics_are_found_by_their_names_and_by_the_map(whole: Path, tmp_path: Path) -> None:
    recording = open_recording(whole)
    available = {name: topic.type_name for name, topic in recording.topics.items()}
    guessed = {m: s.topic for m, s in guess_topics(available, {}).items()}
    assert guessed['wrench'] == '/ft_sensor/wrench'
    assert guessed['pose'] == '/robot/pose'
    assert guessed['twist'] == '/robot/twist'
    assert guessed['gripper'] == '/gripper/joint_states'
    assert guessed['sound'] == '/hand/audio'
    given = load_topics(share_path('config', 'reassemble', 'topics.yaml'))
    assert {s.topic for s in guess_topics(available, given).values()} <= available.keys()
    assert find_recordings([whole.parent]) == [whole]


def test_only_the_blobs_asked_for_are_decoded(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = open_recording(copy)
    monkeypatch.setattr('m2r2_ros.bags.reassemble.file.ReassembleFile.blob', None)
    monkeypatch.setattr('m2r2_ros.bags.reassemble.file.ReassembleFile.octets', None)
    assert len(messages(recording, '/ft_sensor/wrench')) == 2000


def test_numbers_are_read_in_chunks(copy: Path) -> None:
    rows = dict.fromkeys(('measured_force', 'measured_torque'), 10_000)
    write_file(copy, Shape(seconds=0.2, rows=rows))
    found = messages(open_recording(copy), '/ft_sensor/wrench')
    assert [m.wrench.torque.z for _, m in found] == values('measured_torque', 10_000, 3)[
        :, 2
    ].tolist()


def test_streams_stay_in_one_order_beyond_what_is_merged_at_once(copy: Path) -> None:
    write_file(copy, Shape(seconds=15.0, rows=dict.fromkeys(CAMERAS, 400), size=(16, 16)))
    recording = open_recording(copy)
    runs = list(recording.blocks())
    assert len(runs) > 2
    times = [np.concatenate([b.log_times for b in blocks]) for blocks in runs]
    assert all(a.max() <= b.min() for a, b in pairwise(times))


def test_a_film_is_read_from_where_it_lies(copy: Path) -> None:
    # Noise cannot be compressed, so that the film is longer than what is read at once.
    noise = np.random.default_rng(1).integers(0, 256, (30, 120, 160, 3)).astype(np.uint8)
    file = io.BytesIO()
    with av.open(file, 'w', format='mp4') as container:
        stream = container.add_stream('libx264', rate=30, width=160, height=120)
        stream.pix_fmt = 'yuv420p'
        for pixels in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format='rgb24')))
        container.mux(stream.encode())
    assert len(file.getvalue()) > 1 << 17
    with h5py.File(copy, 'a') as data:
        del data['hand'], data['timestamps/hand']
        data['hand'] = np.void(file.getvalue())
        data['timestamps/hand'] = stamps('hand', 30, 30)
    groups = samples(open_recording(copy), 'image', '/hand/image/compressed')
    found = [frame.decode().astype(float) for g in groups for frame in g.frames]
    likeness = [[np.corrcoef(a.ravel(), b.ravel())[0, 1] for b in noise[::7]] for a in found[::7]]
    assert np.argmax(likeness, axis=1).tolist() == list(range(5))


def test_columns_of_stamps_are_taken(copy: Path) -> None:
    with h5py.File(copy, 'a') as file:
        clock = file['timestamps/pose'][()]
        del file['timestamps/pose']
        file['timestamps/pose'] = clock[:, None]
    assert open_recording(copy).topics['/robot/pose'].count == 1160


def test_stamps_out_of_order_are_put_in_order_with_their_rows(copy: Path) -> None:
    order = np.random.default_rng(1).permutation(1160)
    with h5py.File(copy, 'a') as file:
        for name in ('timestamps/velocity', 'robot_state/velocity'):
            file[name][...] = file[name][()][order]
        swapped = file['timestamps/hand'][()]
        swapped[[3, 40]] = swapped[[40, 3]]
        file['timestamps/hand'][...] = swapped
    recording = open_recording(copy)
    found = messages(recording, '/robot/twist')
    assert [m.twist.linear.x for _, m in found] == values('velocity', 1160, 6)[:, 0].tolist()
    assert [time for time, _ in found] == exact(stamps('velocity', 1160, 580))
    assert [note for note in recording.notes if note.startswith('/robot/twist: ')]
    pictures = samples(recording, 'image', '/hand/image/compressed')
    brightness = [float(f.decode().mean()) for g in pictures for f in g.frames]
    expected = [40 + 4 * (k % 40) for k in range(60)]
    expected[3], expected[40] = expected[40], expected[3]
    assert brightness == pytest.approx(expected, abs=1.9)


def test_rows_without_a_time_are_left_out_and_counted(copy: Path) -> None:
    with h5py.File(copy, 'a') as file:
        for name in ('pose', 'hand'):
            clock = file[f'timestamps/{name}'][()]
            clock[[0, 5, 7]] = [np.nan, np.inf, -1.0]
            file[f'timestamps/{name}'][...] = clock
    recording = open_recording(copy)
    rows = np.delete(values('pose', 1160, 7)[:, 0], [0, 5, 7])
    found = messages(recording, '/robot/pose')
    assert [m.pose.position.x for _, m in found] == rows.tolist()
    assert len(messages(recording, '/hand/image/compressed')) == 57
    assert '/robot/pose: 3 rows without a usable stamp are left out' in recording.notes
    # The sound begins with the first picture that has a time.
    assert messages(recording, '/hand/audio')[0][0] == exact(stamps('hand', 2, 30))[1]


def test_nan_values_are_passed_on_as_they_are(copy: Path) -> None:
    with h5py.File(copy, 'a') as file:
        file['robot_state/measured_torque'][10, 1] = np.nan
    recording = open_recording(copy)
    assert np.isnan(messages(recording, '/ft_sensor/wrench')[10][1].wrench.torque.y)


@pytest.mark.parametrize('change', [-7, 7])
def test_rows_and_stamps_that_differ_in_number(copy: Path, change: int) -> None:
    for name, count, rate in (('pose', 1160, 580), ('hama1', 60, 30)):
        with h5py.File(copy, 'a') as file:
            del file[f'timestamps/{name}']
            file[f'timestamps/{name}'] = stamps(name, count + change, rate)
    recording = open_recording(copy)
    assert len(messages(recording, '/robot/pose')) == 1160 + min(change, 0)
    assert len(messages(recording, '/hama1/image/compressed')) == 60 + min(change, 0)
    told = [note for note in recording.notes if 'are paired' in note]
    assert len(told) == 2
    assert f'/robot/pose: 1160 rows, {1160 + change} stamps' in told[0]


def test_a_stream_with_a_clock_of_its_own_is_held(copy: Path) -> None:
    with h5py.File(copy, 'a') as file:
        for where in ('robot_state', 'timestamps'):
            del file[f'{where}/measured_torque']
        file['timestamps/measured_torque'] = stamps('measured_force', 2000, 1000)[2::4]
        file['robot_state/measured_torque'] = values('measured_torque', 500, 3)
    recording = open_recording(copy)
    clock = stamps('measured_force', 2000, 1000)
    slow = clock[2::4]
    expected = []
    for k, time in enumerate(clock):
        earlier = [j for j, other in enumerate(slow) if other <= time]
        if earlier:
            force, torque = (values(n, 2000, 3) for n in ('measured_force', 'measured_torque'))
            expected.append((force[k, 0], torque[earlier[-1], 2]))
    found = messages(recording, '/ft_sensor/wrench')
    assert [(m.wrench.force.x, m.wrench.torque.z) for _, m in found] == expected
    assert len(found) == 1998
    assert '/ft_sensor/wrench: 2 rows before measured_torque are left out' in recording.notes


def test_missing_streams_are_absent_and_told_of(copy: Path) -> None:
    with h5py.File(copy, 'a') as file:
        for name in ('hand', 'timestamps/hand', 'robot_state/pose', 'timestamps/velocity',
                     'robot_state/measured_torque', 'robot_state/gripper_efforts',
                     'hama2_audio', 'events'):  # fmt: skip
            del file[name]
    recording = open_recording(copy)
    absent = {'/hand/image/compressed', '/robot/pose', '/robot/twist', '/ft_sensor/wrench',
              '/hama2/audio'}  # fmt: skip
    assert not absent & recording.topics.keys()
    for topic in absent:
        assert any(note.startswith(f'no {topic}: ') for note in recording.notes)
    _, gripper = messages(recording, '/gripper/joint_states')[0]
    assert (len(gripper.position), len(gripper.velocity), len(gripper.effort)) == (2, 2, 0)
    sound = messages(recording, '/hand/audio')
    assert sound[0][0] == min(exact(stamps(name, 1, 1))[0] for name in ('joint_positions', 'hama1'))
    assert any('is put at the first stamp' in note for note in recording.notes)
