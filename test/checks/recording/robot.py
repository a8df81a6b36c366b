# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of a robot that moves, knocks and grips, made of arrays that tests may spoil."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.tables.spec import JOINTS, POSE, TWIST, WRENCH
from m2r2_ros.bags.templates import message_template
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.checks.finding import Finding, NotRun, Result
from m2r2_ros.checks.recording.baseline import Baseline
from m2r2_ros.checks.recording.passing import Pass, read_once
from m2r2_ros.checks.recording.watch import ALL, RecordingOptions, recording_observers
from m2r2_ros.core.time import SECOND
from m2r2_ros.simulation.messages import IMAGE, SOUND, cell_types, sound_message

START: Final = 1_760_000_000 * SECOND
LENGTH: Final = 16.0
TF: Final = 'tf2_msgs/msg/TFMessage'
WRENCH_TOPIC, POSE_TOPIC, TWIST_TOPIC = '/wrench', '/current_pose', '/current_twist'
GRIPPER_TOPIC, JOINTS_TOPIC, SOUND_TOPIC = '/gripper/joint_states', '/joint_states', '/mic/audio'
CAMERA_TOPIC: Final = '/camera/image_raw/compressed'
_CHUNK, _RATE = 512, 16_000
_JOINTS: Final = (*(f'joint_{k}' for k in range(6)), 'finger')

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """A topic before it is serialised.

    Attributes:
        type_name: Its type.
        times: Seconds at which each sample was sensed.
        stamps: Header stamps, nanoseconds.
        logs: Log times, nanoseconds.
        values: (n, d), of images which image it is, of sound the samples of a chunk.
    """

    type_name: str
    times: Array
    stamps: NDArray[np.int64]
    logs: NDArray[np.int64]
    values: Array

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> 'Stream':
        return Stream(
            self.type_name, self.times[which], self.stamps[which], self.logs[which],
            self.values[which],
        )  # fmt: skip

    def during(self, start: float, end: float) -> NDArray[np.bool_]:
        return np.asarray((self.times >= start) & (self.times < end), np.bool_)

    def moved(self, stamps: float = 0.0, logs: float = 0.0, start: float = 0.0) -> 'Stream':
        on = self.times >= start
        return replace(
            self,
            stamps=self.stamps + on * round(stamps * SECOND),
            logs=self.logs + on * round(logs * SECOND),
        )

    def with_values(self, values: Array) -> 'Stream':
        return replace(self, values=values)


Streams = dict[str, Stream]


def robot(seed: int = 0) -> Streams:
    """Return all streams of a healthy robot."""
    return dict(_robot(seed))


@cache
def _robot(seed: int) -> Streams:
    rng = np.random.default_rng(seed)
    knocks = np.sort(rng.uniform(0.5, LENGTH - 0.5, 24))
    width = 0.04 + 0.04 * np.sign(np.sin(2 * np.pi * 0.23 * np.arange(0, LENGTH, 1e-3)))
    width = np.convolve(np.pad(width, 150, 'edge'), np.hanning(301) / 150, 'valid')

    def path(t: Array) -> Array:
        pace = np.where((t > 6) & (t < 8), 6.0, np.where(t >= 8, t - 2, t))
        return np.stack([0.2 * np.sin(f * pace) for f in (0.9, 1.7, 2.3)], 1)

    def speed(t: Array) -> Array:
        return (path(t + 1e-4) - path(t - 1e-4)) / 2e-4

    def force(t: Array) -> Array:
        since = t[:, None] - knocks
        bumps = np.where(since >= 0, 15 * np.exp(-np.maximum(since, 0) / 0.03), 0.0).sum(1)
        return bumps[:, None] * [0.3, 0.2, -1.0, 0.02, 0.01, 0.005]

    def fingers(t: Array) -> Array:
        return np.interp(t, np.arange(len(width)) * 1e-3, width)[:, None]

    def pose(t: Array) -> Array:
        return np.hstack((path(t), np.tile([0.0, 0.0, 0.0, 1.0], (len(t), 1))))

    def joints(t: Array) -> Array:
        return np.hstack((path(t), 0.5 * path(t), fingers(t)))

    def twist(t: Array) -> Array:
        return np.hstack((speed(t), np.zeros((len(t), 3))))

    def stream(type_name: str, rate: float, of: object, noise: float, late: float) -> Stream:
        t = (np.arange(int(LENGTH * rate)) + 0.5 + rng.normal(0, 0.05, int(LENGTH * rate))) / rate
        values = of(t)  # type: ignore[operator]
        values = values + rng.normal(0, 1, values.shape) * noise
        return _stream(type_name, t, values, late)

    return {
        WRENCH_TOPIC: stream(WRENCH, 200, force, 0.1, 0.001),
        POSE_TOPIC: stream(POSE, 100, pose, 2e-5, 0.002),
        TWIST_TOPIC: stream(TWIST, 100, twist, 5e-4, 0.002),
        GRIPPER_TOPIC: stream(JOINTS, 15, fingers, 2e-5, 0.003),
        JOINTS_TOPIC: stream(JOINTS, 100, joints, 2e-5, 0.001),
        SOUND_TOPIC: _sound(rng, knocks),
        CAMERA_TOPIC: _stream(IMAGE, np.arange(0, LENGTH, 0.1), np.arange(160.0)[:, None], 0.02),
    }


def _sound(rng: np.random.Generator, knocks: Array) -> Stream:
    count = int(LENGTH * _RATE) // _CHUNK
    t = np.arange(count * _CHUNK) / _RATE
    loud = np.full(len(t), 0.002)
    for knock in knocks:
        loud += np.where(t >= knock, 0.2 * np.exp(-np.maximum(t - knock, 0) / 0.02), 0.0)
    chunks = (loud * rng.normal(0, 1, len(t))).clip(-0.9, 0.9).reshape(count, _CHUNK)
    return _stream(SOUND, np.arange(count) * _CHUNK / _RATE, chunks, 0.037)


def _stream(type_name: str, times: Array, values: Array, late: float) -> Stream:
    stamps = START + np.round(times * SECOND).astype(np.int64)
    return Stream(type_name, times, stamps, stamps + round(late * SECOND), values)


def write(path: Path, streams: Streams) -> Path:
    """Write a bag."""
    entries = [
        (int(log), topic, raw)
        for topic, stream in streams.items()
        for log, raw in zip(stream.logs, _messages(stream), strict=True)
    ]
    with BagWriter(path, discard_failed=True) as bag:
        for topic, stream in streams.items():
            definition, _ = cell_types().generate_msgdef(stream.type_name, ros_version=2)
            bag.add_topic(topic, stream.type_name, definition=definition, type_hash='')
        for log, topic, raw in sorted(entries, key=lambda entry: entry[0]):
            bag.write(topic, raw, log)
    return path


def _messages(stream: Stream) -> list[bytes]:
    if stream.type_name == SOUND:
        return [
            sound_message(chunk.astype(np.float32), _RATE, stamp)
            for chunk, stamp in zip(stream.values, stream.stamps.tolist(), strict=True)
        ]
    if stream.type_name == IMAGE:
        return [
            image(int(k), stamp)
            for k, stamp in zip(stream.values[:, 0], stream.stamps.tolist(), strict=True)
        ]
    if stream.type_name == TF:
        return [transform(stamp) for stamp in stream.stamps.tolist()]
    columns = stream.values.shape[1]
    numbers = 6 if stream.type_name == POSE else columns
    joints = _JOINTS[-columns:] if stream.type_name == JOINTS else ()
    template = message_template(
        stream.type_name, numbers, 'base', joints, ('position',) if joints else ()
    )
    return [row.tobytes() for row in template.fill(stream.stamps, stream.values)]


def transform(stamp: int) -> bytes:
    """Return a transform that changes nothing."""
    types = cell_types().types
    move = types['geometry_msgs/msg/Vector3'](x=0.0, y=0.0, z=0.0)
    turn = types['geometry_msgs/msg/Quaternion'](x=0.0, y=0.0, z=0.0, w=1.0)
    same = types['geometry_msgs/msg/Transform'](translation=move, rotation=turn)
    stamped = types['geometry_msgs/msg/TransformStamped'](
        header=_header(stamp, 'map'), child_frame_id='odom', transform=same
    )
    return bytes(cell_types().serialize_cdr(types[TF](transforms=[stamped]), TF))


def _header(stamp: int, frame: str) -> Any:
    types = cell_types().types
    sec, nanosec = divmod(stamp, SECOND)
    time = types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
    return types['std_msgs/msg/Header'](stamp=time, frame_id=frame)


def image(k: int, stamp: int) -> bytes:
    """Return an image that nobody decodes."""
    types = cell_types().types
    header = _header(stamp, 'camera')
    data = np.random.default_rng(k).integers(0, 256, 600, np.uint8)
    message = types[IMAGE](header=header, format='jpeg', data=data)
    return bytes(cell_types().serialize_cdr(message, IMAGE))


def check(
    path: Path,
    wanted: Collection[str] = ALL,
    options: RecordingOptions | None = None,
    baseline: Baseline | None = None,
) -> list[Result]:
    """Return what the checks of messages say of a recording."""
    recording, outcome = open_recording(path), Pass()
    observers = recording_observers(
        recording, options or RecordingOptions(), wanted=wanted, baseline=baseline, outcome=outcome
    )
    read_once(recording, observers, outcome=outcome)
    return [result for observer in observers for result in observer.finish()]


def findings(results: list[Result], check: str = '') -> list[Finding]:
    """Return the findings, of one check or all."""
    return [r for r in results if isinstance(r, Finding) and check in ('', r.check)]


def not_run(results: list[Result], check: str) -> str:
    """Return why a check was not run, of each topic."""
    found = [r for r in results if isinstance(r, NotRun) and r.check == check]
    return '; '.join(f'{r.topic}: {r.why}' for r in found)


def at(finding: Finding) -> tuple[float, float]:
    """Return when a finding is, seconds from the beginning."""
    assert finding.start is not None
    assert finding.end is not None
    return (finding.start - START) / SECOND, (finding.end - START) / SECOND
