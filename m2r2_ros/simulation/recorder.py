# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From physics to messages: all sensors of the cell, merged in the order of their log times."""

import heapq
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.writing.sink import RELIABLE, MessageSink
from m2r2_ros.simulation.arm_state import TOPICS as ARM_TOPICS
from m2r2_ros.simulation.arm_state import ArmState
from m2r2_ros.simulation.cameras import Cameras
from m2r2_ros.simulation.cell import Cell
from m2r2_ros.simulation.clock import Clock
from m2r2_ros.simulation.config import EpisodeConfig
from m2r2_ros.simulation.faults import CAMERAS, FaultInjector, Packets
from m2r2_ros.simulation.messages import IMAGE, SOUND, cell_types, image_message, sound_message
from m2r2_ros.simulation.microphone import Microphone
from m2r2_ros.simulation.sensors import Sensor, devices
from m2r2_ros.simulation.trace import Trace

Entry = tuple[int, str, bytes]

AUDIO_TOPIC: Final = '/microphone/audio'
#: Seconds of simulation between two writes to a bag.
BLOCK: Final = 1.0
#: From exposure to log time of an image, and from the end of a chunk of sound, seconds.
_IMAGE_LATENCY, _SOUND_LATENCY = 0.025, 0.005
#: Samples in a chunk of sound, as sound cards are usually configured.
_CHUNK: Final = 512


class Recorder:
    """Watches a cell and writes what its sensors publish."""

    def __init__(
        self,
        cell: Cell,
        sink: MessageSink,
        config: EpisodeConfig,
        start: int,
        rng: np.random.Generator,
        *,
        cameras: Cameras | None = None,
        block: float = BLOCK,
        on_flush: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Add all topics to a bag, or to a live robot's.

        Args:
            cell: The cell to watch.
            sink: Where messages go; stays open.
            config: Options.
            start: Stamp of the beginning, nanoseconds.
            rng: For all noise.
            cameras: Take the images, if any; stay open.
            block: Seconds of simulation between two writes.
            on_flush: Called with the time of the cell, seconds, before what was sensed until then
                is written.
        """
        self._cell, self._sink, self._start = cell, sink, start
        self._block, self._on_flush = block, on_flush
        rngs = iter(rng.spawn(8))
        self._sensors = [Sensor(device, config, next(rngs)) for device in devices(config)]
        self._sound = _Sound(config, next(rngs))
        self._views = []
        if cameras:
            self._views = [_View(name, cameras, config, next(rngs)) for name in CAMERAS]
        # Spawned apart, so that the noise of all others is what it is without the arm's state.
        self._arm = ArmState(config, rng.spawn(1)[0])
        self._pending: list[Entry] = []
        self._written = 0.0
        for topic, type_name, qos in self._topics():
            definition, _ = cell_types().generate_msgdef(type_name, ros_version=2)
            type_hash = cell_types().hash_rihs01(type_name)
            sink.add_topic(topic, type_name, definition=definition, type_hash=type_hash, qos=qos)
        for log_time, topic, raw in self._arm.latched(cell.model, start):
            sink.write(topic, raw, log_time)

    def watch(self) -> None:
        """Read the cell; to be called after every step of its controller."""
        for view in self._views:
            self._add(view.look(self._cell.time, self._start))
        if self._cell.time - self._written >= self._block:
            self.flush()

    def flush(self, *, everything: bool = False) -> None:
        """Write what was sensed so far; `everything` includes what arrives later than now."""
        self._written = self._cell.time
        self._on_flush(self._written)
        trace = self._cell.take()
        if len(trace):
            for sensor in self._sensors:
                self._add(sensor.publish(trace, self._start))
            self._add(self._arm.publish(trace, self._start))
            self._add(self._sound.publish(trace, self._start))
        # What is sensed from now on arrives after this.
        now = self._start + round(self._written * 1e9)
        while self._pending and (everything or self._pending[0][0] < now):
            log_time, topic, raw = heapq.heappop(self._pending)
            self._sink.write(topic, raw, log_time)

    def _add(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            heapq.heappush(self._pending, entry)

    def _topics(self) -> list[tuple[str, str, str]]:
        views = [(view.topic, IMAGE) for view in self._views]
        sensors = [(sensor.device.topic, sensor.device.type_name) for sensor in self._sensors]
        sensed = [*views, (AUDIO_TOPIC, SOUND), *sensors]
        return [*((topic, type_name, RELIABLE) for topic, type_name in sensed), *ARM_TOPICS]


class _View:
    """One camera."""

    def __init__(
        self, name: str, cameras: Cameras, config: EpisodeConfig, rng: np.random.Generator
    ) -> None:
        timing, broken = rng.spawn(2)
        self.topic = f'/{name}/image_raw/compressed'
        self._name, self._cameras = name, cameras
        self._clock = Clock(config.image_rate, timing, jitter=0.03)
        self._faults = FaultInjector(config.faults, name, broken)
        self._seen: tuple[int, NDArray[np.uint8]] = (-1, np.empty(0, np.uint8))

    def look(self, time: float, start: int) -> list[Entry]:
        """Take the images that are due."""
        times, index = self._clock.until(time)
        if not len(times):
            return []
        packets = self._faults.apply(_packets(times, index, start, _IMAGE_LATENCY))
        frame = f'{self._name}_optical_frame'
        return [
            (log_time, self.topic, image_message(self._image(content), frame, stamp))
            for stamp, log_time, content in zip(
                packets.stamps.tolist(), packets.log_times.tolist(), _contents(packets), strict=True
            )
        ]

    def _image(self, content: int) -> NDArray[np.uint8]:
        """Return what a packet shows: now, or the image before, where it froze."""
        if content != self._seen[0]:
            self._seen = content, self._cameras.look(self._name)
        return self._seen[1]


class _Sound:
    """The microphone and the sound card that cuts its sound into chunks."""

    def __init__(self, config: EpisodeConfig, rng: np.random.Generator) -> None:
        heard, broken, self._timing = rng.spawn(3)
        self._rate, self._seconds = config.audio_rate, _CHUNK / config.audio_rate
        self._microphone = Microphone(config.audio_rate, heard)
        self._faults = FaultInjector(config.faults, 'microphone', broken)
        self._rest = np.zeros(0, np.float32)
        self._heard: tuple[int, NDArray[np.float32]] = (-1, self._rest)
        self._count = 0

    def publish(self, trace: Trace, start: int) -> list[Entry]:
        """Return the chunks that are complete."""
        sound = np.concatenate((self._rest, self._microphone.record(trace)))
        count = len(sound) // _CHUNK
        self._rest = sound[count * _CHUNK :]
        chunks = sound[: count * _CHUNK].reshape(count, _CHUNK)
        index = np.arange(self._count, self._count + count)
        self._count += count
        # Samples keep the pace of the sound card; only the stamps of the chunks jitter.
        late = np.abs(self._timing.normal(0.0, 0.0004, count))
        times = np.asarray(index * self._seconds + late, np.float64)
        packets = self._faults.apply(_packets(times, index, start, self._seconds + _SOUND_LATENCY))
        entries = []
        for stamp, log_time, content in zip(
            packets.stamps.tolist(), packets.log_times.tolist(), _contents(packets), strict=True
        ):
            if content != self._heard[0]:
                # What it froze at may never have been sent.
                self._heard = content, chunks[max(content - index[0], 0)]
            entries.append(
                (log_time, AUDIO_TOPIC, sound_message(self._heard[1], self._rate, stamp))
            )
        return entries


def _contents(packets: Packets) -> list[int]:
    """Return which images, or chunks of sound, packets have."""
    contents: list[int] = packets.values[:, 0].astype(np.int64).tolist()
    return contents


def _packets(
    times: NDArray[np.float64], index: NDArray[np.int64], start: int, latency: float
) -> Packets:
    stamps = start + np.round(times * 1e9).astype(np.int64)
    contents = index[:, None].astype(np.float64)
    return Packets(times, stamps, stamps + round(latency * 1e9), contents, index)
