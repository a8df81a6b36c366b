# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files in the exact layout of REASSEMBLE, made on the spot."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import av
import h5py
import numpy as np
from numpy.typing import NDArray

#: Second at which the recording begins.
BEGIN = 1736600000.25
#: Streams of robot_state: columns and rows per second.
STATE = {
    'measured_force': (3, 1000),
    'measured_torque': (3, 1000),
    'joint_positions': (7, 970),
    'joint_velocities': (7, 970),
    'joint_efforts': (7, 970),
    'gripper_positions': (2, 970),
    'gripper_velocities': (2, 970),
    'gripper_efforts': (2, 970),
    'pose': (7, 580),
    'velocity': (6, 580),
    'compensated_base_force': (3, 465),
    'compensated_base_torque': (3, 465),
}
#: Pictures per second.
CAMERAS = {'hama1': 30, 'hama2': 30, 'hand': 30, 'capture_node-camera-image': 6}
#: Microphones: rate and channels.
MICROPHONES = {'hama1_audio': (16000, 2), 'hama2_audio': (16000, 2), 'hand_audio': (48000, 1)}
#: A tone that starts when its stream does would hide a shift: it starts after so many seconds.
TONE_AFTER = 0.5
#: Text, start and end after BEGIN (s), success, and the same of the low level.
Step = tuple[str, float, float, bool]


@dataclass(frozen=True)
class Action:
    text: str
    start: float
    end: float
    success: bool = True
    low_level: Sequence[Step] = ()


ACTIONS = (
    Action('No action.', 0.0, 0.8),
    Action(
        'Pick round peg 1.',
        0.8,
        1.4,
        low_level=[('Approach', 0.8, 1.0, True), ('Grasp', 1.0, 1.4, True)],
    ),
    Action('Insert D-SUB.', 1.4, 1.9, success=False, low_level=[('Push', 1.5, 1.9, False)]),
    Action('No action.', 1.9, 2.1),
)


@dataclass(frozen=True)
class Shape:
    """How much there is of everything; by default so many seconds of all."""

    seconds: float = 2.0
    rows: dict[str, int] = field(default_factory=dict)
    size: tuple[int, int] = (64, 48)
    actions: Sequence[Action] = ACTIONS
    packets: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, rate: float) -> int:
        return self.rows.get(name, round(self.seconds * rate))


def stamps(name: str, count: int, rate: float) -> NDArray[np.float64]:
    """Return the clock of a stream, which differs from all others."""
    clocks = ['measured', 'joint', 'gripper', 'pose', 'velocity', 'compensated', *CAMERAS]
    shift = 0.001 * (1 + [name.startswith(clock) for clock in clocks].index(True))
    return BEGIN + shift + np.arange(count) / rate


def values(name: str, count: int, width: int) -> NDArray[np.float64]:
    """Return numbers that tell stream, row and column."""
    base = 1000.0 * (1 + list(STATE).index(name))
    return base + np.arange(count)[:, None] * 0.01 + np.arange(width) * 100.0


@cache
def film(count: int, width: int, height: int, rate: int = 30) -> bytes:
    """Return an MP4 (H.264) whose picture k is of brightness 40 + 4 (k mod 40)."""
    file = io.BytesIO()
    with av.open(file, 'w', format='mp4') as container:
        stream = container.add_stream('libx264', rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        stream.options = {'crf': '10', 'preset': 'ultrafast', 'bf': '2', 'g': '30'}
        for k in range(count):
            pixels = np.full((height, width, 3), 40 + 4 * (k % 40), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format='rgb24')))
        container.mux(stream.encode())
    return file.getvalue()


@cache
def song(packets: int, rate: int, channels: int) -> bytes:
    """Return the packets of an MP3 one behind the other: silence, then a tone of 1 kHz."""
    context = av.CodecContext.create('libmp3lame', 'w')
    context.sample_rate, context.bit_rate = rate, 64000
    context.layout, context.format = ('mono' if channels == 1 else 'stereo'), 'fltp'
    context.open()
    size = context.frame_size
    time = np.arange(packets * size) / rate
    tone = np.where(time < TONE_AFTER, 0.0, 0.5 * np.sin(2000 * np.pi * time)).astype(np.float32)
    found = []
    for k in range(packets + 4):
        part = tone[k * size : (k + 1) * size]
        chunk = np.zeros((channels, size), np.float32)
        chunk[:, : len(part)] = part
        frame = av.AudioFrame.from_ndarray(chunk, format='fltp', layout=context.layout.name)
        frame.sample_rate, frame.pts = rate, k * size
        found += [bytes(packet) for packet in context.encode(frame)]
    return b''.join(found[:packets])


def write_file(path: Path, shape: Shape | None = None) -> Path:
    """Write a recording."""
    shape = shape or Shape()
    with h5py.File(path, 'w') as file:
        for name, (width, rate) in STATE.items():
            count = shape.count(name, rate)
            file[f'robot_state/{name}'] = values(name, count, width)
            file[f'timestamps/{name}'] = stamps(name, count, rate)
        for name, rate in CAMERAS.items():
            count = shape.count(name, rate)
            file[name] = np.void(film(count, *shape.size, rate))
            file[f'timestamps/{name}'] = stamps(name, count, rate)
        for name, (rate, channels) in MICROPHONES.items():
            size = 1152 if rate > 24000 else 576
            packets = shape.packets.get(name, round(shape.seconds * rate / size))
            octets = np.frombuffer(song(packets, rate, channels), np.uint8)
            file[name] = octets.astype(np.int64)
        file['events'] = np.zeros((50, 3), np.int64)
        file['timestamps/events'] = BEGIN + np.arange(50) / 1000
        write_actions(file, shape.actions)
    return path


def write_actions(file: h5py.File, actions: Sequence[Action]) -> None:
    """Write the segments, numbered as in the data set."""
    segments = file.create_group('segments_info')
    for k, action in enumerate(actions):
        group = segments.create_group(str(k))
        group['index'] = k
        _write_step(group, (action.text, action.start, action.end, action.success))
        low_level = group.create_group('low_level')
        for j, step in enumerate(action.low_level):
            _write_step(low_level.create_group(str(j)), step)


def _write_step(group: h5py.Group, step: Step) -> None:
    text, start, end, success = step
    group['text'] = np.bytes_(text.encode())
    group['start'], group['end'] = BEGIN + start, BEGIN + end
    group['success'] = success
