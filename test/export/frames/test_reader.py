# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.errors import BagError
from m2r2_ros.export.frames.reader import FrameReader
from m2r2_ros.export.frames.rows import FrameRows, joined
from m2r2_ros.export.frames.sensors import camera_rate, choose
from m2r2_ros.readers.definitions import typestore
from test.export.frames.numbered import (
    FORCE,
    HAND,
    RATE,
    SECOND,
    SIDE,
    START,
    arm,
    camera,
    commands,
    every,
    forces,
    messages,
    number_in,
    seconds_of,
    write,
)
from test.replay.recordings import Entry, cdr, header, pose
from test.review.recordings import COMPRESSED, compressed

MS = 10**6


def read(path: Path, fps: int = RATE, action: str = '') -> tuple[FrameRows, FrameReader]:
    """Return all frames of a recording, and what read them."""
    recording = open_recording(path)
    reader = FrameReader(recording, choose(recording, {}, action), fps)
    return joined(list(reader)), reader


def numbers(rows: FrameRows, name: str = 'hand_camera') -> list[int]:
    return [number_in(image.decode()) for image in rows.images[name]]


def recorded(path: Path, entries: Sequence[Entry]) -> Path:
    return write(path / 'recording', entries)


def test_frames_are_at_the_images_and_have_the_numbers_of_that_time(tmp_path: Path) -> None:
    rows, reader = read(recorded(tmp_path, messages()))
    assert numbers(rows) == list(range(80))
    assert rows.stamps.tolist() == every(RATE, 4.0)
    times = [seconds_of(t) for t in rows.stamps]
    # Interpolated, but for the last frames, which come after the last force.
    assert rows.vectors['wrench'][:, 0] == pytest.approx(times, abs=1e-3)
    assert rows.vectors['joints'][:, 1] == pytest.approx([-t for t in times], abs=0.02)
    assert reader.progress == 1.0


def test_numbers_are_interpolated_between_samples(tmp_path: Path) -> None:
    stamps = every(RATE, 2.0)
    # Forces at 10 Hz, out of step with the images.
    late = [t + 13 * MS for t in every(10, 2.0, START - SECOND // 10)]
    rows, _ = read(recorded(tmp_path, [*camera(HAND, stamps), *forces(late)]))
    inside = rows.stamps < late[-1]
    expected = [seconds_of(t) for t in rows.stamps[inside]]
    assert rows.vectors['wrench'][inside, 0] == pytest.approx(expected, abs=1e-6)


def test_a_faster_camera_is_thinned(tmp_path: Path) -> None:
    rows, _ = read(recorded(tmp_path, messages()), fps=5)
    steps = np.diff(numbers(rows))
    assert len(rows) == pytest.approx(20, abs=1)
    assert set(steps) == {4}


def test_frames_go_on_while_the_camera_is_silent(tmp_path: Path) -> None:
    stamps = every(RATE, 4.0)
    there = [t for t in stamps if not 1.0 <= seconds_of(t) < 1.5]
    rows, reader = read(recorded(tmp_path, [*camera(HAND, there), *forces(every(100, 4.0))]))
    assert len(rows) == pytest.approx(80, abs=1)
    assert np.diff(rows.stamps).max() < 1.6 * SECOND / RATE
    assert numbers(rows)[19:30] == [19] * 11
    assert reader.counters['hand_camera.held'] == pytest.approx(10, abs=1)


def test_other_cameras_give_the_nearest_image(tmp_path: Path) -> None:
    stamps = every(RATE, 2.0)
    # Half as fast, 10 ms late.
    side = [t + 10 * MS for t in stamps[::2]]
    rows, _ = read(recorded(tmp_path, [*camera(HAND, stamps), *camera(SIDE, side, 500)]))
    assert numbers(rows, 'side')[:4] == [500, 500, 501, 501]
    assert numbers(rows) == list(range(40))


def test_without_a_camera_frames_are_at_multiples_of_the_period(tmp_path: Path) -> None:
    rows, _ = read(recorded(tmp_path, forces(every(100, 3.0, START + 3 * MS))), fps=10)
    assert (rows.stamps % (SECOND // 10) == 0).all()
    assert len(rows) == 29
    assert rows.images == {}


def test_values_are_held_over_gaps_and_counted(tmp_path: Path) -> None:
    times = [t for t in every(100, 3.0) if not 1.0 <= seconds_of(t) < 2.0]
    rows, reader = read(recorded(tmp_path, [*camera(HAND, every(RATE, 3.0)), *forces(times)]))
    gap = (rows.stamps > START + SECOND) & (rows.stamps < START + 2 * SECOND)
    assert rows.vectors['wrench'][gap, 0] == pytest.approx(0.99)
    assert reader.counters['wrench.held'] == pytest.approx(20, abs=1)


def test_frames_before_every_sensor_has_begun_are_left_out(tmp_path: Path) -> None:
    entries = [*camera(HAND, every(RATE, 3.0)), *forces(every(100, 2.0, START + SECOND))]
    rows, reader = read(recorded(tmp_path, entries))
    assert rows.stamps[0] == START + SECOND
    assert reader.counters['frames.incomplete'] == RATE


def test_a_command_counts_until_the_next(tmp_path: Path) -> None:
    sent = every(2, 3.0)
    entries = [*camera(HAND, every(RATE, 3.0)), *forces(every(100, 3.0)), *commands(sent)]
    rows, _ = read(recorded(tmp_path, entries))
    assert rows.action is not None
    assert rows.action[:, 0].tolist() == [float(seconds_of(t) // 0.5) for t in rows.stamps]
    assert 'action' not in rows.vectors
    rows, _ = read(tmp_path / 'recording', action=FORCE)
    assert rows.action is not None
    assert rows.action[:, 0] == pytest.approx(rows.vectors['wrench'][:, 0], abs=0.011)


def turned(stamp: int, turn: Sequence[float]) -> Entry:
    types = typestore().types
    body = types['geometry_msgs/msg/Pose'](
        types['geometry_msgs/msg/Point'](0.0, 0.0, 0.0),
        types['geometry_msgs/msg/Quaternion'](*map(float, turn)),
    )
    kind = 'geometry_msgs/msg/PoseStamped'
    return Entry('/pose', kind, stamp, cdr(kind, header=header(stamp), pose=body))


def test_rotations_are_turned_the_short_way_and_never_jump(tmp_path: Path) -> None:
    entries = []
    for k, stamp in enumerate(every(10, 3.0)):
        half = k * 0.2
        sign = (-1) ** k  # the same rotation, as drivers change it at will
        entries.append(turned(stamp, [0, 0, sign * np.sin(half), sign * np.cos(half)]))
    entries.append(turned(START + 3 * SECOND + 1, [0, 0, 0, 0]))
    rows, reader = read(recorded(tmp_path, entries), fps=40)
    quaternions = rows.vectors['pose'][:, 3:]
    assert np.linalg.norm(quaternions, axis=1) == pytest.approx(1.0)
    assert (np.abs(np.diff(quaternions, axis=0)) < 0.06).all()
    inside = rows.stamps <= START + 2.9 * SECOND
    angles = np.unwrap(2 * np.arctan2(quaternions[inside, 2], quaternions[inside, 3]))
    expected = [4.0 * seconds_of(t) for t in rows.stamps[inside]]
    assert angles == pytest.approx(expected, abs=1e-6)
    assert reader.counters['pose.not_finite'] == 1


def test_numbers_that_are_none_are_dropped(tmp_path: Path) -> None:
    entries = [
        Entry(e.topic, e.type_name, e.log_time, pose(e.log_time, [np.nan, 1e300, 0]))
        if k % 2
        else Entry(e.topic, e.type_name, e.log_time, pose(e.log_time, [1, 2, 3]))
        for k, e in enumerate(
            Entry('/pose', 'geometry_msgs/msg/PoseStamped', t, b'') for t in every(50, 2.0)
        )
    ]
    rows, reader = read(recorded(tmp_path, entries), fps=10)
    assert np.isfinite(rows.vectors['pose']).all()
    assert reader.counters['pose.not_finite'] == 50


def test_a_jump_of_the_clock_is_no_gap_to_fill(tmp_path: Path) -> None:
    days = 30 * 24 * 3600 * SECOND
    entries = [
        *messages(2.0),
        *camera(HAND, every(RATE, 2.0, START + days), 200),
        *forces(every(100, 2.0, START + days)),
        *arm(every(50, 2.0, START + days)),
    ]
    rows, reader = read(recorded(tmp_path, entries))
    assert 70 <= len(rows) <= 80
    assert reader.counters['clock.jumps'] == 1
    assert numbers(rows)[-1] == 239


def test_a_sensor_without_a_usable_sample_is_told(tmp_path: Path) -> None:
    stamps = every(RATE, 1.0)
    broken = [Entry(HAND, COMPRESSED, t, compressed(t, b'no image', 'h264')) for t in stamps]
    with pytest.raises(BagError, match=f'{HAND} holds no usable hand_camera; switch'):
        read(recorded(tmp_path, [*broken, *forces(every(100, 1.0))]))


def test_the_rate_of_a_camera_is_the_usual_one(tmp_path: Path) -> None:
    stamps = every(RATE, 1.0) + every(RATE, 1.0, START + 5 * SECOND)
    recording = open_recording(recorded(tmp_path, camera(HAND, stamps)))
    spec = choose(recording, {}).cameras['hand_camera']
    assert camera_rate(recording, spec) == pytest.approx(RATE, rel=0.01)


def test_nothing_is_kept_of_what_has_been_read(tmp_path: Path) -> None:
    recording = open_recording(recorded(tmp_path, messages(20.0)))
    reader = FrameReader(recording, choose(recording, {}), RATE)
    kept = []
    for _ in reader:
        tracks = [*reader._vectors.values()]
        kept.append(max(len(track._stamps) for track in tracks))
    assert max(kept[len(kept) // 2 :]) <= max(kept[: len(kept) // 2]) + 50
