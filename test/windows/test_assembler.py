# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows depend on stamps and order of arrival alone, and agree with numpy.interp."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.kinematics import continuous_pose
from m2r2_ros.windows.resample import grid
from test.windows.streams import (
    ORIGIN,
    Message,
    by_stamp,
    deliver,
    deriving,
    in_order,
    pack,
    same,
    sensor_messages,
)

CONFIG = WindowConfig()
SENSORS = ('wrench', 'pose', 'gripper')


def camera(rate: float, seconds: float, seed: int) -> list[Message]:
    rng = np.random.default_rng(seed)
    times = (np.arange(int(seconds * rate)) + rng.uniform(0, 0.2, int(seconds * rate))) / rate
    return [
        Message('image', ORIGIN + round(t * SECOND), t + 0.03, bytes([k % 256]))
        for k, t in enumerate(times)
    ]


def microphone(seconds: float, seed: int, rate: int = 16_000, chunk: int = 512) -> list[Message]:
    rng = np.random.default_rng(seed)
    n = int(seconds * rate / chunk)
    sound = rng.normal(0, 0.1, n * chunk).astype(np.float32)
    return [
        Message(
            'sound',
            ORIGIN + round((k * chunk / rate + rng.uniform(0, 0.004)) * SECOND),
            (k + 1) * chunk / rate + 0.01,
            sound[k * chunk : (k + 1) * chunk],
        )
        for k in range(n)
    ]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Message], list[int], list[int]]:
    seed = draw(st.integers(0, 10_000))
    rates = {'wrench': 200, 'pose': 120, 'gripper': 15}
    streams = [
        sensor_messages(m, r, 2.5, seed + k, draw(st.floats(0, 0.05)))
        for k, (m, r) in enumerate(rates.items())
    ]
    if draw(st.booleans()):
        streams.append(camera(draw(st.sampled_from([8.0, 10.0, 30.0])), 2.5, seed))
    if draw(st.booleans()):
        streams.append(microphone(2.5, seed))
    messages = in_order(*streams)
    cuts = st.lists(st.integers(0, len(messages)), max_size=30)
    return messages, draw(cuts), draw(cuts)


def modalities(messages: list[Message]) -> set[str]:
    return {m.modality for m in messages}


@settings(max_examples=25)
@given(deliveries())
def test_chunking_does_not_change_a_window(
    case: tuple[list[Message], list[int], list[int]],
) -> None:
    messages, cuts, others = case
    wanted = modalities(messages)
    one = deriving(CONFIG, {*wanted, 'twist'})
    two = deriving(CONFIG, {*wanted, 'twist'})
    a, b = deliver(one, messages, cuts), deliver(two, messages, others)
    assert same(a, b)
    assert +one.counters == +two.counters


def test_message_by_message_is_the_same_as_all_together() -> None:
    messages = in_order(
        *(sensor_messages(m, 100, 3, k) for k, m in enumerate(SENSORS)), microphone(3, 5)
    )
    wanted = modalities(messages)
    together = deliver(WindowAssembler(CONFIG, wanted), messages)
    singly = deliver(WindowAssembler(CONFIG, wanted), messages, range(len(messages)))
    assert len(together) > 25
    assert same(together, singly)


@settings(max_examples=25)
@given(deliveries(), st.floats(0, 0.5))
def test_start_does_not_change_a_window(
    case: tuple[list[Message], list[int], list[int]], begin: float
) -> None:
    messages, cuts, _ = case
    wanted = modalities(messages)
    whole = by_stamp(deliver(deriving(CONFIG, {*wanted, 'twist'}), messages))
    later = [m for m in messages if m.stamp >= ORIGIN + begin * SECOND]
    cut = deliver(deriving(CONFIG, {*wanted, 'twist'}), later, cuts)
    # The sound looks back by its context, everything else by a sample.
    back = 1.2 if 'sound' in wanted else 0.3
    complete = [i for i, t in enumerate(cut.starts) if t >= ORIGIN + (begin + back) * SECOND]
    assert len(complete) > 3
    for i in complete:
        assert same(cut[i : i + 1], whole[int(cut.stamps[i])])


@settings(max_examples=25)
@given(deliveries())
def test_order_of_arrival_across_streams_does_not_change_a_window(
    case: tuple[list[Message], list[int], list[int]],
) -> None:
    messages, cuts, _ = case
    wanted = modalities(messages)
    a = deliver(WindowAssembler(CONFIG, wanted), messages)
    b = deliver(WindowAssembler(CONFIG, wanted), sorted(messages, key=lambda m: m.stamp), cuts)
    # Which window is the first depends on which sample is; all others must agree.
    first = ORIGIN + 0.4 * SECOND
    a, b = a[int((a.starts < first).sum()) :], b[int((b.starts < first).sum()) :]
    assert len(a) > 10
    assert same(a, b)


@settings(max_examples=25)
@given(deliveries())
def test_sensors_are_what_numpy_interp_makes_of_the_whole_stream(
    case: tuple[list[Message], list[int], list[int]],
) -> None:
    messages, cuts, _ = case
    windows = deliver(WindowAssembler(CONFIG, modalities(messages)), messages, cuts)
    for name in SENSORS:
        rows = [m for m in messages if m.modality == name]
        stamps = np.array([m.stamp for m in rows])
        values = np.array([m.payload for m in rows])
        values = continuous_pose(values) if name == 'pose' else values
        for i, (start, end) in enumerate(zip(windows.starts, windows.stamps, strict=True)):
            n = int((stamps < end).sum())
            # A stream that was not there is not waited for, so its first samples may be late.
            if start < ORIGIN + 0.4 * SECOND:
                continue
            assert windows.has(name)[i]
            times = grid(windows.starts[i : i + 1], windows.stamps[i : i + 1], CONFIG.points)[0]
            assert times[0] == start
            expected = np.column_stack(
                [np.interp(times - start, stamps[:n] - start, v) for v in values[:n].T]
            )
            np.testing.assert_allclose(windows.sensors[name][i], expected, atol=2e-6)


def test_a_window_uses_nothing_from_its_end_on() -> None:
    messages = in_order(*(sensor_messages(m, 300, 2, k) for k, m in enumerate(SENSORS)))
    whole = deliver(WindowAssembler(CONFIG, SENSORS), messages)
    tick = int(whole.stamps[8])
    for m in messages:
        if m.stamp >= tick:
            m.payload = np.asarray(m.payload) * 0 + 99
    changed = deliver(WindowAssembler(CONFIG, SENSORS), messages)
    assert same(whole[:9], changed[:9])
    assert not same(whole[9:10], changed[9:10])


def test_the_frame_grid_is_absolute_and_half_open() -> None:
    rows = [Message('wrench', ORIGIN + k * 10_000_000, k * 0.01, [float(k)] * 6) for k in range(31)]
    windows = deliver(WindowAssembler(CONFIG, ['wrench']), rows)
    assert windows.stamps.tolist() == [ORIGIN + k * SECOND // 10 for k in (1, 2, 3)]
    # 30 points from 0.1 s on, the newest sample before 0.2 s held at the end.
    expected = np.minimum(10 + np.arange(30) / 3, 19)
    np.testing.assert_allclose(windows.sensors['wrench'][1, :, 0], expected, atol=1e-5)


@pytest.mark.parametrize('rate', [8.0, 10.0, 15.0, 30.0, 60.0])
def test_camera_frames_make_the_clock(rate: float) -> None:
    frames = camera(rate, 10, 3)
    windows = deliver(
        WindowAssembler(CONFIG, ['image', 'wrench']),
        in_order(frames, sensor_messages('wrench', 200, 10, 1)),
    )
    stamps = {m.stamp for m in frames}
    assert set(windows.stamps.tolist()) <= stamps
    assert len(windows) == pytest.approx(10 * min(rate, 10), abs=2)
    assert all(i is not None for i in windows.images['image'])
    newest = [next(m.payload for m in frames if m.stamp == t) for t in windows.stamps]
    assert [i and i.payload for i in windows.images['image']] == newest


def test_a_silent_camera_does_not_stop_the_frames() -> None:
    frames = [m for m in camera(10, 12, 3) if not 4 < (m.stamp - ORIGIN) / SECOND < 8]
    messages = in_order(frames, sensor_messages('wrench', 200, 12, 1))
    windows = deliver(WindowAssembler(CONFIG, ['image', 'wrench']), messages, range(0, 2400, 7))
    assert len(windows) == pytest.approx(120, abs=6)
    assert np.diff(windows.stamps).max() < 0.75 * SECOND
    masked = ~windows.has('image')
    assert 30 < masked.sum() < 40
    assert all(i is None for i, m in zip(windows.images['image'], masked, strict=True) if m)
    assert same(windows, deliver(WindowAssembler(CONFIG, ['image', 'wrench']), messages))


def test_no_camera_at_all_falls_back_to_the_fixed_rate() -> None:
    windows = deliver(
        WindowAssembler(CONFIG, ['image', 'wrench']), sensor_messages('wrench', 200, 5, 1)
    )
    assert len(windows) > 40
    assert not windows.has('image').any()


def test_a_dying_sensor_is_masked_zeroed_counted_and_picked_up_again() -> None:
    wrench = [
        m for m in sensor_messages('wrench', 200, 6, 1) if not 2 < (m.stamp - ORIGIN) / SECOND < 4
    ]
    messages = in_order(wrench, sensor_messages('gripper', 50, 6, 2))
    assembler = WindowAssembler(CONFIG, ['wrench', 'gripper'])
    windows = deliver(assembler, messages, range(0, len(messages), 11))
    there = windows.has('wrench')
    seconds = (windows.stamps - ORIGIN) / SECOND
    assert there[seconds < 2.1].all()
    assert not there[(seconds > 2.3) & (seconds < 4.0)].any()
    assert there[seconds > 4.2].all()
    assert not windows.sensors['wrench'][~there].any()
    assert assembler.counters['wrench.masked'] == (~there).sum()
    assert windows.has('gripper').all()
    assert same(windows, deliver(WindowAssembler(CONFIG, ['wrench', 'gripper']), messages))


def test_a_window_is_not_held_up_by_a_dead_stream_beyond_its_deadline() -> None:
    wrench = sensor_messages('wrench', 200, 4, 1)
    gripper = [m for m in sensor_messages('gripper', 50, 4, 2) if m.stamp < ORIGIN + SECOND]
    assembler = WindowAssembler(CONFIG, ['wrench', 'gripper'])
    lags = []
    for i, m in enumerate(in_order(wrench, gripper)):
        single = deliver(assembler, [m], flush=False) if i == 0 else None
        windows = single if single is not None else assembler.push(_one(m, i))
        lags += [(m.stamp - int(t)) / SECOND for t in windows.stamps]
    assert max(lags) < CONFIG.deadline + 0.02
    assert np.median(lags) < 0.02


def _one(message: Message, rank: int) -> dict:  # type: ignore[type-arg]
    return pack([message], rank)


def test_late_samples_are_counted_and_do_not_depend_on_grouping() -> None:
    wrench = sensor_messages('wrench', 200, 4, 1)
    gripper = sensor_messages('gripper', 50, 4, 2)
    for m in gripper:
        if 1 < (m.stamp - ORIGIN) / SECOND < 2.5:
            m.arrival = 2.5 + (m.stamp - ORIGIN) / SECOND * 1e-3
    messages = in_order(wrench, gripper)
    one = WindowAssembler(CONFIG, ['wrench', 'gripper'])
    two = WindowAssembler(CONFIG, ['wrench', 'gripper'])
    a = deliver(one, messages)
    b = deliver(two, messages, range(0, len(messages), 3))
    assert same(a, b)
    assert one.counters == two.counters
    assert one.counters['gripper.late'] > 20
    assert one.counters['gripper.masked'] > 0


def test_it_says_what_the_next_window_waits_for() -> None:
    assembler = WindowAssembler(WindowConfig(), ('wrench', 'pose'))
    assert assembler.upcoming is None
    assert assembler.awaited == {'wrench', 'pose'}
    stamps = ORIGIN + np.arange(1, 20) * 10_000_000
    ranks = np.arange(len(stamps))
    wrench = VectorSamples(stamps, 2 * ranks, np.zeros((len(stamps), 6)))
    pose = VectorSamples(stamps, 2 * ranks + 1, np.tile([0, 0, 0, 0, 0, 0, 1.0], (19, 1)))
    assert len(assembler.push({'wrench': wrench})) == 0
    assert assembler.upcoming == ORIGIN + 100_000_000
    assert assembler.awaited == {'pose'}
    assert len(assembler.push({'pose': pose})) == 1
    assert assembler.upcoming == ORIGIN + 200_000_000
    assert assembler.awaited == {'wrench', 'pose'}


def test_what_is_added_to_no_windows_is_not_in_the_next_ones() -> None:
    assembler = WindowAssembler(WindowConfig(), ['image', 'sound', 'wrench'])
    first = assembler.push({})
    assert len(first) == 0
    shapes = [first.sensors['wrench'].shape, first.sounds['sound'].shape]
    first.sensors.clear()
    first.sounds.clear()
    first.images['image'].append(None)
    again = assembler.push({})
    assert [again.sensors['wrench'].shape, again.sounds['sound'].shape] == shapes
    assert shapes == [(0, 30, 6), (0, 16_000)]
    assert again.images == {'image': []}
