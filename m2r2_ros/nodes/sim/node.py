# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node `sim`: the simulated cell as a live robot, with its sensors and its ground truth."""

import math
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final

from rclpy.node import Node
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

from m2r2_ros.bags.writing.sink import RELIABLE
from m2r2_ros.core.errors import ConfigError, M2R2Error
from m2r2_ros.nodes.common.about import About
from m2r2_ros.nodes.common.diagnostics import Diagnostics
from m2r2_ros.nodes.common.faults import Faults
from m2r2_ros.nodes.common.parameters import Parameter, Parameters
from m2r2_ros.nodes.common.publishing import PublisherSink
from m2r2_ros.nodes.common.reports import Reports
from m2r2_ros.nodes.common.run import run
from m2r2_ros.nodes.common.status import OK, WARN, Status
from m2r2_ros.nodes.common.stop import Stop
from m2r2_ros.nodes.common.timeline import Timeline
from m2r2_ros.simulation.cameras import choose_backend
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.faults import parse_fault
from m2r2_ros.simulation.messages import SOUND, TRANSFORMS

_DEFAULT: Final = EpisodeConfig()
PARAMETERS: Final = (
    Parameter('seed', 0, 'Determines all that happens, and all noise.', low=0, high=2**31 - 1),
    Parameter('cameras', _DEFAULT.cameras, 'Publish images; rendering takes most of the time.'),
    Parameter('image_rate', _DEFAULT.image_rate, 'Images of each camera per second.', 1.0, 60.0),
    Parameter('image_size', _DEFAULT.image_size, 'Width and height of an image, pixels.', 64, 640),
    Parameter(
        'audio_rate', _DEFAULT.audio_rate, 'Sound samples per second, 16000 or 48000.',
        16_000, 48_000,
    ),
    Parameter('motion_rate', _DEFAULT.motion_rate, 'Poses and twists per second.', 10.0, 1000.0),
    Parameter(
        'gripper_rate', _DEFAULT.gripper_rate, 'Joint states of the gripper per second.',
        1.0, 1000.0,
    ),
    Parameter('drift', _DEFAULT.drift, 'Drift of the wrench sensor, N/min.', -100.0, 100.0),
    Parameter(
        'faults',
        (),
        'What goes wrong, such as camera-dropout@12s+3s or wrench-saturate=20@30s, in seconds from '
        'the start.',
    ),
    Parameter('clock', True, 'Publish /clock, for nodes with use_sim_time.'),
    Parameter(
        'rate', 1.0, 'Simulated seconds per second to aim for.', low=0.01, high=100.0,
        dynamic=True,
    ),
)  # fmt: skip
ABOUT: Final = About(
    'sim',
    'Is the simulated cell, as a live robot.',
    PARAMETERS,
    publishes=('the sensors and the ground truth of the cell', '/clock'),
)

#: What it goes on without where the package of the messages is not installed.
_OPTIONAL: Final = {SOUND: 'sound', TRANSFORMS: 'transforms'}
#: Simulated seconds between two publications: the most by which a sample is late; half as much
#: would cost half as much work again.
_BLOCK: Final = 0.01
#: Delay, wall seconds, at which it does not try to catch up.
_SLIP: Final = 1.0
#: Diagnostics that the real-time factor is averaged over, and the share of `rate` that is enough.
_WINDOW, _ENOUGH = 5, 0.95


class SimNode(Node):
    """Simulates in one thread, at `rate` times real time, and publishes what is sensed."""

    def __init__(self, stop: Stop, *, arguments: Sequence[str] = ()) -> None:
        """Declare parameters.

        Raises:
            ConfigError: A parameter was given with the wrong type or out of range.
        """
        super().__init__('sim', cli_args=list(arguments))
        self.stop, self.faults = stop, Faults(self.get_logger())
        self.parameters = given = Parameters(self, PARAMETERS, on_change=self._change)
        options = ('cameras', 'image_rate', 'image_size', 'audio_rate', 'motion_rate')
        self._config = EpisodeConfig(
            **{name: given[name] for name in (*options, 'gripper_rate', 'drift')},
            faults=tuple(parse_fault(text) for text in given['faults']),
        )
        self._timeline = Timeline(given['rate'], paused=False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name='simulate')
        self._sink = _Sink(self)
        self._ticker = self.create_publisher(Clock, '/clock', 10) if given['clock'] else None
        self._start, self._seconds, self._put_off = 0, 0.0, 0.0
        self._missing: dict[str, str] = {}
        self._past: deque[tuple[float, float]] = deque(maxlen=_WINDOW + 1)

    def start(self) -> None:
        """Begin to simulate.

        Raises:
            ConfigError: MuJoCo is not installed.
        """
        if find_spec('mujoco') is None:
            msg = "the simulated cell needs MuJoCo: pip install 'm2r2_ros[sim]'"
            raise ConfigError(msg)
        if not choose_backend() and self._config.cameras:
            self._config = replace(self._config, cameras=False)
            self._missing['cameras'] = (
                'no OpenGL to draw with; libegl1 and libgl1-mesa-dri, or libosmesa6, draw without '
                'a screen'
            )
            self.get_logger().warning(f'without cameras: {self._missing["cameras"]}')
        Diagnostics(self, self._diagnose, self.faults)
        Reports(self, self._introduction(), self._progress, self.faults)
        self._thread.start()

    def close(self) -> None:
        """Stop simulating."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _change(self, changed: Mapping[str, Any]) -> None:
        self._timeline.set_rate(changed['rate'])

    def _introduction(self) -> str:
        """Return what is simulated, in a line."""
        config = self._config
        images = f'images at {config.image_rate:g} Hz' if config.cameras else 'no images'
        faults = f', with {", ".join(map(str, config.faults))}' if config.faults else ''
        return (
            f'simulates the cell with seed {self.parameters["seed"]} at {self._timeline.rate:g} '
            f'times real time and publishes what it senses, {images}, and ground truth{faults}'
        )

    def _progress(self) -> str:
        """Return how far it is, in a line."""
        late = f', {self._put_off:.1f} s put off' if self._put_off else ''
        return f'{self._seconds:.1f} s simulated, {self._sink.published} messages published{late}'

    def _work(self) -> None:
        """Simulate, in a thread: images are rendered where their graphics context was made."""
        from m2r2_ros.simulation.episode import Episode  # mujoco, after choose_backend

        try:
            episode = Episode(self.parameters['seed'], self._config)
            self._start = time.time_ns()
            self._timeline.jump(0)
            episode.run(
                self._sink,
                self._start,
                seconds=math.inf,
                block=_BLOCK,
                on_flush=self._reach,
            )
        except _Ended:
            return
        except Exception as error:
            self.faults.note('simulating', error)
            self.stop.set(2 if isinstance(error, M2R2Error) else 1)

    def _reach(self, seconds: float) -> None:
        """Let wall time catch up with the cell, whose messages are about to be published."""
        now = round(seconds * 1e9)
        if (behind := self._timeline.behind(now)) > _SLIP:
            self._put_off += behind
            self._timeline.jump(now)
        while self._timeline.position() < now and not self._closing.is_set():
            self._timeline.sleep(now)
        if self._closing.is_set():
            raise _Ended
        self._seconds = seconds
        if self._ticker:
            self._ticker.publish(Clock(clock=Time(nanoseconds=self._start + now).to_msg()))

    def _diagnose(self) -> list[Status]:
        self._past.append((time.monotonic(), self._seconds))
        (wall, seconds), rate = self._past[0], self._timeline.rate
        gone = self._past[-1][0] - wall
        factor = (self._seconds - seconds) / gone if seconds and gone else rate
        level, message = OK, f'{factor:.2f} times real time'
        if factor < _ENOUGH * rate:
            level, message = WARN, f'{message}, {rate:g} wanted: this machine is too slow for it'
        if not self._seconds:
            message = 'building the cell'
        values = {
            'real-time factor': f'{factor:.3f}',
            'simulated (s)': f'{self._seconds:.2f}',
            'put off (s)': f'{self._put_off:.3f}',
            'messages published': str(self._sink.published),
        }
        missing = {**self._missing, **self._sink.missing}
        text = 'some are missing' if missing else 'all'
        return [
            Status('simulation', level, message, values),
            Status('sensors', WARN if missing else OK, text, missing),
        ]


class _Ended(Exception):  # noqa: N818 - it is not an error
    """Unwinds what the robot is doing."""


class _Sink(PublisherSink):
    """Publishes, without sound or transforms where their message packages are not installed."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.missing: dict[str, str] = {}
        self.published = 0
        self._logger = node.get_logger()

    def add_topic(
        self,
        name: str,
        type_name: str,
        *,
        definition: str | None = None,
        type_hash: str | None = None,
        qos: str = RELIABLE,
    ) -> None:
        try:
            super().add_topic(name, type_name, qos=qos)
        except ConfigError as error:
            if type_name not in _OPTIONAL:
                raise
            self.missing[name] = str(error)
            self._logger.warning(f'without {_OPTIONAL[type_name]}: {error}')

    def write(self, topic: str, raw: bytes, log_time: int) -> None:
        if topic not in self.missing:
            super().write(topic, raw, log_time)
            self.published += 1


def main() -> None:
    """Run the node."""
    run(SimNode, ABOUT)


if __name__ == '__main__':
    main()
