# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.simulation.faults import (
    CAMERAS,
    DEVICES,
    KINDS,
    TARGETS,
    Fault,
    FaultInjector,
    Packets,
    parse_fault,
)

START = 1_760_000_000_000_000_000
#: 20 s at 100 Hz; the fault of most tests lasts from 5 s to 15 s, so over half of them.
N = 2000
DURING = slice(500, 1500)


def packets(d: int = 6) -> Packets:
    times = np.arange(N) / 100
    stamps = START + np.round(times * 1e9).astype(np.int64)
    values = np.random.default_rng(0).normal(0.0, 40.0, (N, d))
    return Packets(times, stamps, stamps + 1_000_000, values, np.arange(N))


def faulty(device: str, *texts: str, blocks: int = 1, d: int = 6) -> Packets:
    injector = FaultInjector([parse_fault(t) for t in texts], device, np.random.default_rng(1))
    healthy = packets(d)
    cuts = [0, *np.sort(np.random.default_rng(blocks).integers(0, N, blocks - 1)), N]
    parts = [injector.apply(healthy[lo:hi]) for lo, hi in pairwise(cuts)]
    return Packets(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Packets)))


def assert_same(a: Packets, b: Packets, *but: str) -> None:
    for name in {f.name for f in fields(Packets)} - set(but):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_dropout_leaves_nothing_of_its_time_and_all_of_the_rest() -> None:
    kept = np.ones(N, np.bool_)
    kept[DURING] = False
    assert_same(faulty('hand_camera', 'hand_camera-dropout@5s+10s', d=0), packets(0)[kept])


def test_lost_takes_its_share_and_nothing_outside_its_time() -> None:
    left = faulty('gripper', 'gripper-lost=0.3@5s+10s')
    missing = np.setdiff1d(np.arange(N), left.index)
    assert set(missing) <= set(range(500, 1500))
    assert 250 < len(missing) < 350
    assert_same(left, packets()[np.isin(np.arange(N), left.index)])
    assert len(faulty('gripper', 'gripper-lost=1@5s+10s')) == 1000
    assert len(faulty('gripper', 'gripper-lost=0@5s+10s')) == N


def test_late_packets_are_recorded_up_to_the_value_later_and_stamped_as_ever() -> None:
    late = faulty('twist', 'twist-late=0.4@5s+10s')
    delays = late.log_times - packets().log_times
    assert_same(late, packets(), 'log_times')
    assert np.all(delays >= 0) and 380_000_000 < delays.max() <= 400_000_000
    assert not delays[:500].any() and not delays[1500:].any()
    assert 190_000_000 < delays[DURING].mean() < 210_000_000


@pytest.mark.parametrize('value', [0.15, -0.15])
def test_offset_shifts_stamps_and_not_what_the_recorder_saw(value: float) -> None:
    shifted = faulty('microphone', f'microphone-offset={value}@5s+10s', d=0)
    moved = shifted.stamps - packets().stamps
    assert_same(shifted, packets(0), 'stamps')
    assert np.all(moved[DURING] == round(value * 1e9))
    assert not moved[:500].any() and not moved[1500:].any()


@pytest.mark.parametrize('value', [0.15, -0.15])
def test_shift_moves_log_times_with_the_stamps(value: float) -> None:
    shifted = faulty('microphone', f'microphone-shift={value}@5s+10s', d=1)
    moved = shifted.stamps - packets().stamps
    assert_same(shifted, packets(1), 'stamps', 'log_times')
    np.testing.assert_array_equal(shifted.log_times - packets().log_times, moved)
    assert np.all(moved[DURING] == round(value * 1e9))
    assert not moved[:500].any() and not moved[1500:].any()


@pytest.mark.parametrize('blocks', [1, 40])
@pytest.mark.parametrize('device', DEVICES)
def test_what_froze_goes_on_with_what_it_said_before(device: str, blocks: int) -> None:
    still = faulty(device, f'{device}-freeze@5s+10s', blocks=blocks)
    assert_same(still, packets(), 'values')
    expected = packets().values
    expected[DURING] = expected[499]
    np.testing.assert_array_equal(still.values, expected)


def test_what_freezes_at_once_stays_at_the_first_it_said() -> None:
    still = faulty('pose', 'pose-freeze@0s+end', blocks=7)
    np.testing.assert_array_equal(still.values, np.tile(packets().values[:1], (N, 1)))


@pytest.mark.parametrize('device', ['wrench', 'pose', 'twist', 'gripper', 'joints', 'tf'])
def test_nan_spoils_all_values_of_its_time_alone(device: str) -> None:
    spoilt = faulty(device, f'{device}-nan@5s+10s')
    assert_same(spoilt, packets(), 'values')
    assert np.isnan(spoilt.values[DURING]).all()
    np.testing.assert_array_equal(spoilt.values[:500], packets().values[:500])
    np.testing.assert_array_equal(spoilt.values[1500:], packets().values[1500:])


def test_saturate_clips_forces_at_the_value_and_torques_at_a_twentieth_of_it() -> None:
    clipped = faulty('wrench', 'wrench-saturate=30@5s+10s')
    expected = packets().values
    expected[DURING, :3] = expected[DURING, :3].clip(-30, 30)
    expected[DURING, 3:] = expected[DURING, 3:].clip(-1.5, 1.5)
    assert_same(clipped, packets(), 'values')
    np.testing.assert_array_equal(clipped.values, expected)


@pytest.mark.parametrize('device', DEVICES)
def test_a_fault_of_the_camera_strikes_both_cameras_and_nothing_else(device: str) -> None:
    assert (len(faulty(device, 'camera-dropout@0s+end')) == 0) == (device in CAMERAS)
    assert (len(faulty(device, 'hand_camera-dropout@0s+end')) == 0) == (device == 'hand_camera')


ALL_AT_ONCE = (
    *('wrench-lost@2s+8s', 'wrench-late@3s+9s', 'wrench-nan@4s+1s', 'wrench-saturate@5s+9s'),
    *('wrench-offset@6s+3s', 'wrench-dropout@7s+1s', 'wrench-lost=0.5@8s+9s', 'pose-nan@0s+end'),
)


def test_overlapping_faults_do_all_that_each_of_them_does() -> None:
    both = faulty('wrench', 'wrench-offset=0.1@5s+4s', 'wrench-offset=0.2@7s+4s', 'wrench-lost@8s')
    moved = (both.stamps - packets().stamps[both.index]) // 1_000_000
    assert set(moved[both.times < 5]) == {0}
    assert set(moved[(both.times >= 5) & (both.times < 7)]) == {100}
    assert set(moved[(both.times >= 7) & (both.times < 9)]) == {300}
    assert set(moved[(both.times >= 9) & (both.times < 11)]) == {200}
    assert 1750 < len(both) < 1950


def test_a_further_fault_leaves_what_befell_by_the_others_alone() -> None:
    one = faulty('wrench', 'wrench-lost@2s+9s')
    two = faulty('wrench', 'wrench-lost@2s+9s', 'camera-lost@0s', 'wrench-late@12s+2s')
    assert_same(one, two, 'log_times')


@pytest.mark.parametrize('blocks', [2, 7, 400])
def test_blocks_may_be_cut_anywhere(blocks: int) -> None:
    assert_same(faulty('wrench', *ALL_AT_ONCE), faulty('wrench', *ALL_AT_ONCE, blocks=blocks))


def test_packets_that_go_in_stay_as_they_are() -> None:
    healthy, before = packets(), packets()
    faults = [parse_fault(text) for text in ALL_AT_ONCE]
    FaultInjector(faults, 'wrench', np.random.default_rng(0)).apply(healthy)
    for field in fields(Packets):
        assert np.array_equal(getattr(healthy, field.name), getattr(before, field.name))


@pytest.mark.parametrize(
    ('text', 'fault'),
    [
        ('camera-dropout@12', Fault('camera', 'dropout', 0.0, 12.0, 5.0)),
        ('pose-nan@8s+0.5s', Fault('pose', 'nan', 0.0, 8.0, 0.5)),
        (' wrench-saturate@1.5s+500ms', Fault('wrench', 'saturate', 20.0, 1.5, 0.5)),
        ('gripper-lost=0.3@500ms+end', Fault('gripper', 'lost', 0.3, 0.5, math.inf)),
        ('microphone-offset=-150ms@0s', Fault('microphone', 'offset', -0.15, 0.0, math.inf)),
        ('wrench-offset@0s', Fault('wrench', 'offset', 0.1, 0.0, 5.0)),
        ('hand_camera-late@.5', Fault('hand_camera', 'late', 0.3, 0.5, 5.0)),
        ('microphone-shift=150ms@0s', Fault('microphone', 'shift', 0.15, 0.0, math.inf)),
        ('pose-shift=-0.1@2s', Fault('pose', 'shift', -0.1, 2.0, math.inf)),
        ('camera-shift@2s+3s', Fault('camera', 'shift', 0.1, 2.0, 3.0)),
        ('camera-freeze@3s+1s', Fault('camera', 'freeze', 0.0, 3.0, 1.0)),
        ('file-truncate', Fault('file', 'truncate', 0.8, 0.0, math.inf)),
        ('file-truncate=0.25', Fault('file', 'truncate', 0.25, 0.0, math.inf)),
        ('file-flip@12s', Fault('file', 'flip', 0.0, 12.0, math.inf)),
    ],
)
def test_faults_are_read_as_they_are_typed(text: str, fault: Fault) -> None:
    assert parse_fault(text, of_file=True) == fault
    assert parse_fault(str(fault), of_file=True) == fault


def test_a_file_is_damaged_only_where_there_is_one() -> None:
    with pytest.raises(ConfigError, match='there is no file here that could be damaged'):
        parse_fault('file-truncate=0.5')


@pytest.mark.parametrize(
    ('text', 'hint'),
    [
        ('force-nan@1s', 'known are camera, external_camera, hand_camera, microphone, wrench,'),
        ('camera-nan@1s', "'nan' is no fault of camera, known are dropout, lost, late, offset,"),
        ('gripper-saturate@1s', "'saturate' is no fault of gripper, known are dropout,"),
        ('camera@1s', "'' is no fault of camera"),
        ('camera-dropout', 'does not say when it starts'),
        ('camera-dropout=3@1s', 'dropout takes no value: leave out what follows ='),
        ('wrench-lost=1.2@1s', 'lost takes 0 to 1, not 1.2'),
        ('wrench-lost=30s@1s', "'30s' is no number"),
        ('wrench-late=-1@1s', 'late takes 0 to 86400 s, not -1'),
        ('wrench-offset=nan@1s', "'nan' is no time, such as 12, 1.5s or 500ms"),
        (f'wrench-offset={"9" * 400}@1s', 'is no time'),
        ('pose-nan@-1s', 'cannot start at -1.0 s, but from 0 s on'),
        ('pose-nan@end', "'end' is no time"),
        ('pose-nan@1s+-2s', 'cannot last -2.0 s, but longer than 0 s'),
        ('pose-nan@1s+0s', 'cannot last 0.0 s'),
        ('pose-nan@1s+2s+3s', "'2s+3s' is no time"),
        ('file-truncate=0.5@3s', 'truncate has no time: leave out what follows @'),
        ('file-truncate=1.5', 'truncate takes 0 to 1, not 1.5'),
        ('file-flip', 'does not say when it starts'),
        ('file-flip@3s+1s', 'flip does not last: leave out what follows +'),
        ('file-nan@3s', "'nan' is no fault of file, known are truncate, flip"),
        ('wrench-truncate=0.5', "'truncate' is no fault of wrench"),
    ],
)
def test_nonsense_is_refused_with_the_way_out(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_fault(text)
    message = str(refusal.value)
    assert message.startswith(f'fault {text!r}: ') and hint in message
    assert 'expected DEVICE-KIND[=VALUE]@START[+DURATION], such as camera-dropout@' in message


@pytest.mark.parametrize(
    ('value', 'start', 'duration'), [(math.nan, 0, 1), (0.2, math.nan, 1), (0.2, 0, math.nan)]
)
def test_no_fault_can_be_made_of_numbers_that_are_none(
    value: float, start: float, duration: float
) -> None:
    with pytest.raises(ConfigError):
        Fault('wrench', 'lost', value, start, duration)


def test_an_injector_of_an_unknown_device_is_refused() -> None:
    with pytest.raises(ConfigError, match="'camera' is no device, known are external_camera"):
        FaultInjector([], 'camera', np.random.default_rng(0))


typed = st.lists(
    st.sampled_from([*TARGETS, *KINDS, *'-=@+.019', 's', 'ms', 'end', '٣', 'e5', ' ']), max_size=9
).map(''.join)


@given(st.text() | typed)
def test_whatever_is_typed_is_a_fault_or_refused(text: str) -> None:
    try:
        fault = parse_fault(text, of_file=True)
    except ConfigError:
        return
    assert parse_fault(str(fault), of_file=True) == fault


@st.composite
def any_fault(draw: st.DrawFn) -> Fault:
    name, kind = draw(st.sampled_from(sorted(KINDS.items())))
    return Fault(
        draw(st.sampled_from(kind.targets)),
        name,
        draw(st.floats(kind.low, kind.high)),
        draw(st.floats(0, allow_infinity=False)) if kind.starts else 0.0,
        draw(st.floats(0, exclude_min=True)) if kind.lasts else math.inf,
    )


@given(any_fault())
def test_a_fault_reads_back_as_it_is_written(fault: Fault) -> None:
    assert parse_fault(str(fault), of_file=True) == fault
