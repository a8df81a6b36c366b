# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that publishes its sensors in real time, and whose drivers can be broken."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from rclpy.node import Node

from m2r2_ros.bags.tables.spec import JOINTS, POSE
from m2r2_ros.bags.templates import message_template
from m2r2_ros.bags.writing.metadata import dump_yaml, qos_profiles
from m2r2_ros.bags.writing.sink import RELIABLE
from m2r2_ros.nodes.common.publishing import PublisherSink
from m2r2_ros.simulation.messages import SOUND, sound_message
from test.nodes.bundles import IMAGE, IMAGE_TOPIC, SENSORS, SOUND_TOPIC

BEST_EFFORT = dump_yaml([{**qos_profiles(RELIABLE)[0], 'reliability': 'best_effort'}])
PERIOD = 0.01
SOUND_RATE = 16_000


@dataclass
class Driver:
    """A sensor's driver.

    Attributes:
        rate: Messages per second, a divisor of 1000.
        alive: Whether it publishes.
        offset: Added to its stamps, ns.
        broken: Its numbers are NaN.
    """

    rate: int = 200
    alive: bool = True
    offset: int = 0
    broken: bool = False
    sent: int = 0
    sink: Any = None
    held: list[bytes] = field(default_factory=list)


class Robot:
    """Publishes on a node of its own thread until it is stopped."""

    def __init__(
        self, node: Node, modalities: tuple[str, ...] = tuple(SENSORS), *, qos: str = RELIABLE
    ) -> None:
        self._node = node
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # a driver is not killed while it publishes
        self.drivers = {m: Driver(10 if m == 'image' else 200) for m in modalities}
        self.stalled = False
        self.offset = 0
        self.image = (48, 64, '.jpg')
        for modality in modalities:
            self.restart(modality, qos=qos)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> 'Robot':
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join()

    def restart(self, modality: str, *, qos: str = RELIABLE) -> None:
        """Restart a driver, as another publisher."""
        driver = self.drivers[modality]
        with self._lock:
            if driver.sink is not None:
                driver.sink.close()
            driver.sink = PublisherSink(self._node)
            driver.sink.add_topic(*self._topic(modality), qos=qos)
            driver.alive = True

    def kill(self, modality: str) -> None:
        """End a driver: its publisher goes too."""
        driver = self.drivers[modality]
        with self._lock:
            driver.alive = False
            driver.sink.close()

    def _topic(self, modality: str) -> tuple[str, str]:
        if modality in SENSORS:
            return SENSORS[modality][:2]
        return (SOUND_TOPIC, SOUND) if modality == 'sound' else (IMAGE_TOPIC, IMAGE)

    def _run(self) -> None:
        begin = time.time_ns()
        rng = np.random.default_rng(0)
        while not self._stopping.wait(PERIOD):
            now = time.time_ns()
            for modality in self.drivers:
                with self._lock:
                    self._publish(modality, begin, now, rng)

    def _publish(self, modality: str, begin: int, now: int, rng: np.random.Generator) -> None:
        driver = self.drivers[modality]
        due = int((now - begin) * 1e-9 * driver.rate) - driver.sent
        index = driver.sent + np.arange(due)
        driver.sent += due
        stamps = begin + (index * (1_000_000_000 // driver.rate)).astype(np.int64)
        if not (driver.alive and due):
            return
        stamps += driver.offset + self.offset
        driver.held += self._messages(modality, stamps, driver, rng)
        if not self.stalled:
            for raw in driver.held:
                driver.sink.write(self._topic(modality)[0], raw, 0)
            driver.held = []

    def _messages(
        self, modality: str, stamps: Any, driver: Driver, rng: np.random.Generator
    ) -> list[bytes]:
        if modality == 'sound':
            size = SOUND_RATE // driver.rate
            return [sound_message(np.zeros(size, np.float32), SOUND_RATE, int(t)) for t in stamps]
        if modality == 'image':
            return [self._image(int(t), rng) for t in stamps]
        _, kind, width = SENSORS[modality]
        values = rng.normal(0, 0.1, (len(stamps), width))
        if kind == POSE:
            values[:, 3:] /= np.linalg.norm(values[:, 3:], axis=1, keepdims=True)
        if driver.broken:
            values[:] = np.nan
        joints = ('left', 'right') if kind == JOINTS else ()
        template = message_template(
            kind, width - (kind == POSE), 'base', joints, ('position',) if joints else ()
        )
        return [row.tobytes() for row in template.fill(stamps, values)]

    def _image(self, stamp: int, rng: np.random.Generator) -> bytes:
        from rclpy.serialization import serialize_message
        from sensor_msgs.msg import CompressedImage

        height, width, suffix = self.image
        pixels = rng.integers(0, 255, (height, width, 3)).astype(np.uint8)
        message = CompressedImage(format=suffix[1:], data=cv2.imencode(suffix, pixels)[1].tobytes())
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
        return bytes(serialize_message(message))
