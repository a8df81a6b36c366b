# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on robots, through the whole assembler: nothing stops it, all is counted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig
from test.windows.streams import (
    ORIGIN,
    Message,
    deliver,
    deriving,
    in_order,
    pack,
    same,
    sensor_messages,
)

CONFIG = WindowConfig()
SENSORS = ('wrench', 'pose', 'gripper')
RATES = {'wrench': 200.0, 'pose': 120.0, 'gripper': 15.0}


def robot(seconds: float = 6.0) -> list[Message]:
    return in_order(*(sensor_messages(m, RATES[m], seconds, k) for k, m in enumerate(SENSORS)))


def between(messages: list[Message], modality: str, lo: float, hi: float) -> list[Message]:
    """Return one stream's messages stamped from lo to hi seconds after the origin."""
    span = range(ORIGIN + round(lo * SECOND), ORIGIN + round(hi * SECOND))
    return [m for m in messages if m.modality == modality and m.stamp in span]


def run(messages: list[Message], cuts: range | None = None) -> tuple[WindowAssembler, FrameWindows]:
    """Deliver messages, and check that their grouping and their rubbish leave no trace."""
    assembler, other = (WindowAssembler(CONFIG, SENSORS) for _ in range(2))
    windows = deliver(assembler, messages)
    singly = deliver(other, messages, cuts or range(0, len(messages), 7))
    assert same(windows, singly)
    assert windows.restarts.tolist() == singly.restarts.tolist()
    assert +assembler.counters == +other.counters
    assert (windows.starts < windows.stamps).all()
    for values in windows.sensors.values():
        assert np.isfinite(values).all()
    return assembler, windows


def there(windows: FrameWindows, modality: str) -> NDArray[np.bool_]:
    return windows.has(modality)


def drops(assembler: WindowAssembler) -> dict[str, int]:
    """Return the counters of dropped samples, those that are not zero."""
    kept = ('masked', 'late')
    counts = {k: n for k, n in assembler.counters.items() if n and k != 'windows'}
    return {k: n for k, n in counts.items() if k.split('.')[1] not in kept}


def test_good_streams_drop_nothing() -> None:
    assembler, windows = run(robot())
    assert drops(assembler) == {}
    assert assembler.counters['windows'] == len(windows) > 55
    assert windows.restarts.tolist() == [True] + [False] * (len(windows) - 1)
    assert windows.present[5:].all()


@pytest.mark.parametrize('rubbish', [np.nan, np.inf, -np.inf])
def test_a_burst_of_nan_is_counted_and_masked(rubbish: float) -> None:
    messages = robot()
    burst = between(messages, 'wrench', 2, 3)
    for m in burst:
        m.payload = np.append(m.payload[:-1], rubbish)
    assembler, windows = run(messages)
    assert drops(assembler) == {'wrench.non_finite': len(burst)}
    seconds = (windows.stamps - ORIGIN) / SECOND
    assert not there(windows, 'wrench')[(seconds > 2.25) & (seconds < 3)].any()
    assert there(windows, 'wrench')[seconds > 3.1].all()
    assert there(windows, 'pose')[5:].all()


def test_single_nan_values_mask_nothing() -> None:
    messages = robot()
    for m in between(messages, 'wrench', 1, 5)[::10]:
        m.payload = m.payload * np.nan
    assembler, windows = run(messages)
    assert list(drops(assembler)) == ['wrench.non_finite']
    assert there(windows, 'wrench')[5:].all()


def test_an_orientation_of_zero_is_counted() -> None:
    messages = robot()
    zeros = between(messages, 'pose', 2, 4)[::3]
    for m in zeros:
        m.payload = np.append(m.payload[:3], np.zeros(4))
    assembler, windows = run(messages)
    assert drops(assembler) == {'pose.non_finite': len(zeros)}
    assert there(windows, 'pose')[5:].all()


def test_repeats_change_nothing_and_are_counted() -> None:
    messages = robot()
    repeated = [m for m in messages for _ in range(1 + (m.modality == 'pose'))]
    assembler, windows = run(repeated)
    n = sum(m.modality == 'pose' for m in messages)
    assert drops(assembler) == {'pose.repeated': n}
    assert same(windows, run(messages)[1])


def test_disorder_is_counted() -> None:
    messages = robot()
    late = between(messages, 'wrench', 2, 4)[::5]
    for m in late:
        m.stamp -= SECOND // 10
    assembler, windows = run(messages)
    assert drops(assembler) == {'wrench.out_of_order': len(late)}
    assert there(windows, 'wrench')[5:].all()


def moved(messages: list[Message], after: float, jump: float) -> list[Message]:
    """Let the clock of all streams jump at a time; arrivals go on."""
    edge = ORIGIN + round(after * SECOND)
    return [
        Message(
            m.modality, m.stamp + (m.stamp >= edge) * round(jump * SECOND), m.arrival, m.payload
        )
        for m in messages
    ]


def stamped_before(messages: list[Message], seconds: float) -> list[Message]:
    return [m for m in messages if m.stamp < ORIGIN + round(seconds * SECOND)]


@pytest.mark.parametrize('jump', [-2.0, -3600.0, 3600.0])
def test_a_clock_that_jumps_restarts_windows(jump: float) -> None:
    messages = robot()
    assembler, windows = run(moved(messages, 3.11, jump))
    assert assembler.counters['clock.resets'] == 1
    assert set(drops(assembler)) <= {'clock.resets', *(f'{m}.off_clock' for m in SENSORS)}
    assert sum(n for k, n in drops(assembler).items() if 'off_clock' in k) < 12
    restarts = np.flatnonzero(windows.restarts)
    assert len(restarts) == 2
    before, after = windows[: restarts[1]], windows[restarts[1] :]
    for part in (before, after):
        assert len(part) > 25
        assert set(np.diff(part.stamps)) == {SECOND // 10}
    # Before the jump they are those of a recording that ends there: what is waited for comes out.
    # (The slow gripper had not passed 3.1 s yet.)
    ended = deliver(WindowAssembler(CONFIG, SENSORS), stamped_before(messages, 3.11))
    assert same(before, ended)
    # After the jump the windows are those of a run that begins there.
    _, calm = run(messages)
    rows = {t: k for k, t in enumerate(calm.stamps.tolist())}
    for i in range(6, len(after)):
        k = rows[int(after.stamps[i]) - round(jump * SECOND)]
        for name in SENSORS:
            np.testing.assert_allclose(after.sensors[name][i], calm.sensors[name][k], atol=1e-6)


def test_one_stream_that_jumps_an_hour_ahead_is_masked_and_leaves_the_others_alone() -> None:
    messages = robot()
    gone = between(messages, 'wrench', 2, 4)
    for m in gone:
        m.stamp += 3600 * SECOND
    assembler, windows = run(messages)
    assert drops(assembler) == {'wrench.off_clock': len(gone)}
    assert np.flatnonzero(windows.restarts).tolist() == [0]
    seconds = (windows.stamps - ORIGIN) / SECOND
    assert not there(windows, 'wrench')[(seconds > 2.3) & (seconds < 4)].any()
    assert there(windows, 'wrench')[seconds > 4.2].all()
    assert there(windows, 'gripper')[5:].all()
    assert np.diff(windows.stamps).max() == SECOND // 10


def test_a_pause_of_all_streams_is_a_restart() -> None:
    messages = [m for m in robot(66) if not 3 <= (m.stamp - ORIGIN) / SECOND < 63]
    assembler, windows = run(messages)
    assert assembler.counters['clock.resets'] == 1
    restarts = np.flatnonzero(windows.restarts)
    assert len(restarts) == 2
    seconds = (windows.stamps - ORIGIN) / SECOND
    assert not ((seconds > 3.2) & (seconds < 63)).any()
    assert 25 < restarts[1] < len(windows) - 25


def test_a_pause_too_short_to_be_one_is_masked() -> None:
    messages = [m for m in robot(12) if not 3 <= (m.stamp - ORIGIN) / SECOND < 8]
    assembler, windows = run(messages)
    assert drops(assembler) == {}
    assert set(np.diff(windows.stamps)) == {SECOND // 10}
    seconds = (windows.stamps - ORIGIN) / SECOND
    assert not windows.present[(seconds > 3.7) & (seconds < 7.9)].any()


def test_pushes_of_nothing_do_nothing() -> None:
    messages = robot(3)
    expected = deliver(WindowAssembler(CONFIG, SENSORS), messages)
    assembler = WindowAssembler(CONFIG, SENSORS)
    empty = np.empty(0, np.int64)
    nothing = {m: VectorSamples(empty, empty, np.empty((0, 7 if m == 'pose' else BUILTIN[m].dims)))
               for m in SENSORS}  # fmt: skip
    parts = [assembler.flush(), assembler.push(nothing)]
    for i, m in enumerate(messages):
        parts += [assembler.push({}), assembler.push(nothing | pack([m], i))]
    parts += [assembler.flush(), assembler.flush()]
    assert all(p.sensors['pose'].shape[1:] == (CONFIG.points, 9) for p in parts)
    assert same(FrameWindows.join(parts), expected)


def test_drops_of_the_readers_are_passed_on() -> None:
    samples = pack(robot(1), 0)['wrench']
    samples.dropped['too_short'] = 3
    assembler = WindowAssembler(CONFIG, SENSORS)
    assembler.push({'wrench': samples})
    assert assembler.counters['wrench.too_short'] == 3


@pytest.mark.parametrize('jump', [-0.6, -3600.0, 3600.0])
def test_a_twist_made_from_the_pose_does_not_reach_across_a_jump(jump: float) -> None:
    messages = moved(robot_pose(), 3, jump)
    assembler, fresh = (deriving(CONFIG, ['pose', 'twist']) for _ in range(2))
    windows = deliver(assembler, messages)
    restart = int(np.flatnonzero(windows.restarts)[1])
    edge = ORIGIN + 3 * SECOND
    first = next(k for k, m in enumerate(robot_pose()) if m.stamp >= edge)
    # One sample is off the clock; with the second the clock jumps.
    assert same(windows[restart:], deliver(fresh, messages[first + 1 :]))
    assert there(windows, 'twist')[restart + 2 :].all()


def robot_pose() -> list[Message]:
    return [m for m in robot() if m.modality == 'pose']


def test_a_gripper_of_15_hz_is_never_masked() -> None:
    _, windows = run(robot(8))
    assert there(windows, 'gripper')[6:].all()


@pytest.mark.parametrize('rate', [15.0, 29.97])
def test_other_frame_rates(rate: float) -> None:
    config = WindowConfig(frame_rate=rate)
    messages = robot()
    windows = deliver(WindowAssembler(config, SENSORS), messages)
    assert len(windows) == pytest.approx(6 * rate, abs=4)
    assert windows.sensors['wrench'].shape[1:] == (round(300 / rate), 6)
    assert np.array_equal(windows.starts[1:], windows.stamps[:-1])
    assert set(np.diff(windows.stamps)) <= {int(config.period), int(config.period) + 1}
    assert there(windows, 'wrench')[5:].all()


@pytest.mark.parametrize('whole', [False, True])
def test_memory_is_bounded_however_long_the_stream(whole: bool) -> None:
    assembler = WindowAssembler(CONFIG, SENSORS)
    rows = []
    for minute in range(8):
        messages = robot(30)
        for m in messages:
            m.stamp += minute * 30 * SECOND
        step = len(messages) if whole else 50
        for lo in range(0, len(messages), step):
            assembler.push(pack(messages[lo : lo + step], minute * len(messages) + lo))
        rows.append(capacity(assembler))
    assert rows[-1] < 1.1 * rows[1]
    # Twice the samples and their arrivals, of a push and of the 2 s before it.
    assert rows[-1] < 4 * (len(messages) if whole else 50) + 4 * 2.5 * sum(RATES.values()) + 320


def capacity(assembler: WindowAssembler) -> int:
    """Return for how many rows the assembler has room, all its buffers together."""
    columns = [s._rows for s in assembler._streams.values()]
    columns += [assembler._clock, assembler._released]
    return sum(max(len(a) for a in c._arrays.values()) for c in columns)


def test_memory_is_bounded_while_nothing_is_waited_for() -> None:
    """One stream is dead from the start, another dies, a third is off the clock."""
    assembler = WindowAssembler(CONFIG, (*SENSORS, 'twist'))
    for k in range(3000):
        stamp = ORIGIN + k * SECOND // 10
        messages = [Message('wrench', stamp + i * 5_000_000, 0, np.ones(6)) for i in range(20)]
        messages.append(Message('gripper', stamp - (k > 100) * 3600 * SECOND, 0, np.ones(1)))
        if k < 50:
            messages.append(Message('pose', stamp, 0, np.ones(7)))
        assembler.push(pack(messages, k * 100))
    assert assembler.counters['gripper.off_clock'] == 2899
    assert capacity(assembler) < 4000
