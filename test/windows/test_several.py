# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of a robot with two of everything, and of a sensor that nothing is built in for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from m2r2_ros.core.errors import MessageError
from m2r2_ros.core.modalities import BUILTIN, Modalities, Modality, of_kind
from m2r2_ros.core.samples import SoundSamples, VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.kinematics import continuous_pose
from test.bimanual import BIMANUAL, TACTILE_RATE
from test.windows.streams import ORIGIN, Message, deliver, in_order, same, sensor_messages

CONFIG = WindowConfig()
TWISTS = ('left_twist', 'right_twist')
RATES = {'wrench': 200.0, 'pose': 100.0, 'gripper': 15.0, '': 120.0}


def frames_of(camera: str, rate: float, seconds: float, phase: float) -> list[Message]:
    times = (np.arange(int(seconds * rate)) + phase) / rate
    return [
        Message(camera, ORIGIN + round(t * SECOND), t + 0.02, f'{camera}:{k}'.encode())
        for k, t in enumerate(times.tolist())
    ]


def chunks_of(microphone: str, seconds: float, seed: int) -> list[Message]:
    rng = np.random.default_rng(seed)
    return [
        Message(microphone, ORIGIN + k * SECOND // 25, (k + 1) / 25 + 0.01, chunk)
        for k, chunk in enumerate(rng.normal(0, 0.1, (int(25 * seconds), 640)).astype(np.float32))
    ]


def robot(seconds: float = 3.0) -> list[Message]:
    """Return what a robot sends; its twists are on no topic."""
    vectors = [m for n, m in BIMANUAL.items() if m.kind == 'vector' and n not in TWISTS]
    return in_order(
        *(sensor_messages(m, RATES[m.like], seconds, k) for k, m in enumerate(vectors)),
        frames_of('image', 10, seconds, 0.1),
        frames_of('cam2', 30, seconds, 0.4),
        chunks_of('sound', seconds, 50),
        chunks_of('mic2', seconds, 51),
    )


def bimanual(modalities: Modalities = BIMANUAL) -> WindowAssembler:
    assembler = WindowAssembler(CONFIG, modalities)
    assembler.derived = [name for name in TWISTS if name in modalities]
    return assembler


def run(messages: Sequence[Message]) -> FrameWindows:
    return deliver(bimanual(), messages)


def test_every_modality_has_its_own_data() -> None:
    assembler = bimanual()
    windows = deliver(assembler, robot())
    assert assembler.derived == TWISTS
    assert windows.present.shape == (len(windows), 13)
    assert len(windows) > 25
    assert windows.present[5:-1].all()
    shapes = {name: values.shape[1:] for name, values in windows.sensors.items()}
    assert shapes == {n: (30, BIMANUAL[n].dims) for n in of_kind(BIMANUAL, 'vector')}
    assert shapes['tactile'] == (30, 16)
    for left, right in (('left_wrench', 'right_wrench'), TWISTS, ('left_pose', 'right_pose')):
        assert not np.allclose(windows.sensors[left][8], windows.sensors[right][8], atol=1e-2)
    assert not np.allclose(windows.sounds['sound'][20], windows.sounds['mic2'][20], atol=1e-2)
    for name, frames in windows.images.items():
        assert {i.payload.partition(b':')[0].decode() for i in frames if i} == {name}


def test_the_first_camera_makes_the_clock_and_the_others_follow() -> None:
    windows = run(robot())
    times = {m.stamp for m in robot() if m.modality == 'image'}
    assert set(windows.stamps.tolist()) <= times
    second = {m.payload: m.stamp for m in robot() if m.modality == 'cam2'}
    for stamp, image in zip(windows.stamps[3:], windows.images['cam2'][3:], strict=True):
        assert image is not None
        newest = max(t for t in second.values() if t <= stamp)
        assert second[image.payload] == newest
    # Declared in another order, the other one does, thinned to ten frames a second.
    turned = {'cam2': replace(BUILTIN['image'], name='cam2'), 'image': BUILTIN['image']}
    only = [m for m in robot() if m.modality in turned]
    others = deliver(WindowAssembler(CONFIG, turned), only)
    assert set(others.stamps.tolist()) <= set(second.values())
    assert len(others) == pytest.approx(30, abs=2)


def test_each_twist_is_made_from_its_own_pose() -> None:
    windows = run(robot())
    for side in ('left', 'right'):
        arm: Modalities = {
            'pose': BUILTIN['pose'],
            'twist': BUILTIN['twist'],
            'image': BUILTIN['image'],
        }
        alone = WindowAssembler(CONFIG, arm)
        alone.derived = ['twist']
        own = [
            replace(m, modality=m.modality.removeprefix(f'{side}_'))
            for m in robot()
            if m.modality in ('image', f'{side}_pose')
        ]
        single = deliver(alone, own)
        stamps = [int(t) for t in single.stamps if t in windows.stamps][5:-1]
        assert len(stamps) > 15
        for t in stamps:
            a = windows.sensors[f'{side}_twist'][windows.stamps == t]
            b = single.sensors['twist'][single.stamps == t]
            np.testing.assert_array_equal(a, b)


def test_one_arm_that_dies_is_masked_alone() -> None:
    gone = ORIGIN + SECOND
    messages = [m for m in robot() if not (m.modality in ('right_pose', 'mic2') and m.stamp > gone)]
    assembler = bimanual()
    windows = deliver(assembler, messages)
    late = windows.stamps > gone + SECOND
    assert late.sum() > 5
    for name in BIMANUAL:
        lost = name in ('right_pose', 'right_twist', 'mic2')
        assert windows.has(name)[late][:-1].all() != lost, name
        if lost:
            assert assembler.counters[f'{name}.masked'] >= late.sum()
    # The pose and the microphone of the other side are what they were.
    calm = run(robot())
    for t in windows.stamps[late][:-1]:
        for name in ('left_pose', 'left_twist'):
            a = windows.sensors[name][windows.stamps == t]
            np.testing.assert_array_equal(a, calm.sensors[name][calm.stamps == t])


def test_samples_of_one_message_are_judged_each_on_its_own() -> None:
    """A message that gives a wrench and a tactile reading may repeat one of them."""
    pair = {n: BIMANUAL[n] for n in ('left_wrench', 'tactile')}
    rng = np.random.default_rng(1)
    moving = ORIGIN + np.arange(300) * SECOND // 100
    repeating = np.repeat(moving[::3], 3)
    stamps = {'left_wrench': moving, 'tactile': repeating}
    values = {n: rng.normal(size=(300, m.dims)) for n, m in pair.items()}
    together, apart = (WindowAssembler(CONFIG, pair) for _ in range(2))
    shared, own = (
        {n: VectorSamples(t, arrival(k), values[n]) for k, (n, t) in enumerate(stamps.items())}
        for arrival in (lambda _: np.arange(300), lambda k: 2 * np.arange(300) + k)
    )
    found = FrameWindows.join([together.push(shared), together.flush()])
    expected = FrameWindows.join([apart.push(own), apart.flush()])
    assert len(expected) > 25
    assert same(found, expected)
    assert +together.counters == +apart.counters
    assert together.counters['tactile.repeated'] == 200
    assert not together.counters['left_wrench.repeated']


@pytest.mark.parametrize('step', [1, 7, 400])
def test_grouping_does_not_change_a_window(step: int) -> None:
    messages = robot(2.0)
    one, two = bimanual(), bimanual()
    a = deliver(one, messages)
    b = deliver(two, messages, range(0, len(messages), step))
    assert same(a, b)
    assert +one.counters == +two.counters


def test_a_declared_age_decides_when_a_modality_is_masked() -> None:
    for age in (0.3, 0.8):
        tactile = replace(BIMANUAL['tactile'], max_age=age)
        messages = sensor_messages(tactile, 100, 3, 1)
        silent = [m for m in messages if m.stamp < ORIGIN + SECOND]
        others = sensor_messages('wrench', 200, 3, 2)
        pair = {'wrench': BUILTIN['wrench'], 'tactile': tactile}
        windows = deliver(WindowAssembler(CONFIG, pair), in_order(silent, others))
        seconds = (windows.stamps - ORIGIN) / SECOND
        assert windows.has('tactile')[seconds < 1 + age - 0.05][2:].all()
        assert not windows.has('tactile')[seconds > 1 + age + 0.05].any()


def thinned(rate: float, of: float, cuts: range | None = None) -> tuple[FrameWindows, Counter[str]]:
    tactile = replace(BIMANUAL['tactile'], max_rate=rate)
    messages = sensor_messages(tactile, of, 3, 1)
    assembler = WindowAssembler(CONFIG, {'tactile': tactile})
    return deliver(assembler, messages, cuts or ()), assembler.counters


def test_a_sensor_that_is_faster_than_is_wanted_is_thinned_and_counted() -> None:
    windows, counters = thinned(TACTILE_RATE, 400)
    assert 1200 - counters['tactile.thinned'] == pytest.approx(3 * TACTILE_RATE, abs=2)
    assert windows.has('tactile')[1:].all()
    # What is left lies on the signal: fifty points a second of it, with lines between them.
    whole, all_kept = thinned(0, 400)
    assert all_kept['tactile.thinned'] == 0
    assert np.abs(windows.sensors['tactile'] - whole.sensors['tactile'])[3:-1].max() < 0.15
    assert not np.array_equal(windows.sensors['tactile'][5], whole.sensors['tactile'][5])
    # A slower one is left as it is.
    assert thinned(1000, 100)[1]['tactile.thinned'] == 0


@pytest.mark.parametrize('step', [1, 13])
def test_what_is_thinned_does_not_depend_on_grouping(step: int) -> None:
    one, many = thinned(TACTILE_RATE, 400), thinned(TACTILE_RATE, 400, range(0, 1200, step))
    assert same(one[0], many[0])
    assert one[1] == many[1]


def test_what_is_thinned_does_not_depend_on_where_a_recording_begins() -> None:
    tactile = replace(BIMANUAL['tactile'], max_rate=TACTILE_RATE)
    messages = sensor_messages(tactile, 400, 3, 1)
    whole = deliver(WindowAssembler(CONFIG, {'tactile': tactile}), messages)
    later = deliver(WindowAssembler(CONFIG, {'tactile': tactile}), messages[333:])
    rows = {t: k for k, t in enumerate(whole.stamps.tolist())}
    for i in range(3, len(later)):
        k = rows[int(later.stamps[i])]
        np.testing.assert_array_equal(later.sensors['tactile'][i], whole.sensors['tactile'][k])


def test_derived_twists_are_thinned_by_their_own_rate() -> None:
    pose = {'left_pose': BIMANUAL['left_pose']}
    twist = replace(BIMANUAL['left_twist'], max_rate=25)
    assembler = WindowAssembler(CONFIG, {**pose, 'left_twist': twist})
    assembler.derived = ['left_twist']
    windows = deliver(assembler, sensor_messages(BIMANUAL['left_pose'], 100, 3, 1))
    assert windows.has('left_twist')[1:].all()
    assert assembler.counters['left_pose.thinned'] == 0
    assert assembler.counters['left_twist.thinned'] == pytest.approx(3 * 75, abs=5)


def test_a_camera_that_is_thinned_makes_no_frame_of_what_is_left_out() -> None:
    """Each window has the picture that its stamp is of."""
    slow = {'image': replace(BIMANUAL['image'], max_rate=5)}
    pictures = frames_of('image', 15, 4, 0.1)
    stamps = {m.payload: m.stamp for m in pictures}
    windows = deliver(WindowAssembler(CONFIG, slow), pictures)
    seen = [
        (t, i.payload) for t, i in zip(windows.stamps, windows.images['image'], strict=True) if i
    ]
    real = [(t, payload) for t, payload in seen if t in stamps.values()]
    assert len(real) >= 19
    assert all(stamps[payload] == t for t, payload in real)


def test_another_number_of_values_is_refused_by_name() -> None:
    stamps = ORIGIN + np.arange(3)
    wrong = VectorSamples(stamps, np.arange(3), np.zeros((3, 15)))
    with pytest.raises(MessageError, match='tactile: expected 16 values, not 15'):
        bimanual().push({'tactile': wrong})


def test_poses_of_any_name_are_continuous() -> None:
    pose = BIMANUAL['right_pose']
    messages = sensor_messages(pose, 100, 1, 3)
    windows = deliver(WindowAssembler(CONFIG, {'right_pose': pose}), messages)
    expected = continuous_pose(np.array([m.payload for m in messages]))
    assert windows.sensors['right_pose'].shape[1:] == (30, 9)
    held = np.searchsorted([m.stamp for m in messages], windows.stamps[-1]) - 1
    assert np.abs(windows.sensors['right_pose'][-1, -1] - expected[held]).max() < 0.1


def test_microphones_have_their_own_rates() -> None:
    """Two microphones hear one tone, one of them at 44.1 kHz."""
    both = {n: BIMANUAL[n] for n in ('sound', 'mic2')}
    assembler = WindowAssembler(CONFIG, both)
    parts = []
    for k in range(40):
        samples = {}
        for arrival, (name, rate) in enumerate((('sound', 16_000), ('mic2', 44_100))):
            t = (k / 20) + np.arange(rate // 20) / rate
            tone = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
            stamp = np.array([ORIGIN + k * SECOND // 20])
            samples[name] = SoundSamples(stamp, np.array([2 * k + arrival]), [tone], rate)
        parts.append(assembler.push(samples))
    windows = FrameWindows.join([*parts, assembler.flush()])
    a, b = (windows.sounds[name][-2] for name in both)
    assert a.shape == b.shape == (16_000,)
    np.testing.assert_allclose(a[2000:-2000], b[2000:-2000], atol=0.02)


def test_nothing_is_known_of_a_sensor_without_a_size() -> None:
    """Joints have as many numbers as the robot has, which training writes down."""
    joints = Modality('joints', like='joints', dims=14)
    messages = sensor_messages(joints, 100, 1, 1)
    windows = deliver(WindowAssembler(CONFIG, {'joints': joints}), messages)
    assert windows.sensors['joints'].shape[1:] == (30, 14)
