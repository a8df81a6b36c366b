# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest sample of a topic, subscribed to only while it is wanted."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from rclpy.node import Node

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.messages import single_message
from m2r2_ros.core.samples import Samples
from m2r2_ros.nodes.common.intake import Inlet
from m2r2_ros.readers.cdr import Fields
from m2r2_ros.readers.registry import Reader, make_reader
from m2r2_ros.readers.topics import TopicSpec


@dataclass(frozen=True, slots=True)
class Taken:
    """One sample of a stamped message.

    Attributes:
        frame_id: Frame of its header.
        samples: Holds that one sample.
    """

    frame_id: str
    samples: Samples


class LatestSample:
    """The newest message of the topic that serves a modality.

    Attributes:
        spec: The topic; None while there is no topic.
        problem: Why nothing can be read from it, '' where it can.
        counters: Messages by what became of them: 'read', 'passed_over' for a newer one, or why
            one could not be read.
    """

    def __init__(self, node: Node) -> None:
        """Begin without a topic."""
        self.spec: TopicSpec | None = None
        self.problem = ''
        self.counters: Counter[str] = Counter()
        self._node = node
        self._reader: Reader | None = None
        self._inlet: Inlet | None = None

    @property
    def lost(self) -> int:
        """Messages of the present subscription that were lost."""
        return self._inlet.lost if self._inlet else 0

    def use(self, spec: TopicSpec | None) -> None:
        """Read from this topic from now on; follow what its publishers offer."""
        if spec == self.spec:
            if self._inlet:
                self._inlet.refresh()
            return
        self.close()
        self.spec, self._reader, self.problem = spec, None, ''
        if spec and spec.type:
            try:
                self._reader = make_reader(spec, spec.type)
            except M2R2Error as error:
                self.problem = str(error)
        elif spec:
            self.problem = f'{spec.topic} has no publisher'

    def take(self, *, wanted: bool) -> Taken | None:
        """Return the newest sample that has come since the last call.

        Args:
            wanted: Whether it has a use; while it has not, nothing is received.
        """
        if not wanted or self._reader is None or self.spec is None:
            self.close()
            return None
        if self._inlet is None:
            self._inlet = Inlet(self._node, self.spec.topic, self.spec.type)
        received = self._inlet.take()
        if not received:
            return None
        self.counters['passed_over'] += len(received) - 1
        newest = received[-1]
        samples = self._reader.decode(single_message(self.spec.topic, newest.raw, newest.time, 0))
        if not len(samples.stamps):
            self.counters += samples.dropped
            return None
        self.counters['read'] += 1
        return Taken(_frame_id(newest.raw), samples)

    def close(self) -> None:
        """Unsubscribe."""
        if self._inlet:
            self._inlet.close()
            self._inlet = None


def _frame_id(raw: bytes) -> str:
    """Return the frame of a message that begins with a header."""
    fields = Fields(np.frombuffer(raw, np.uint8))
    fields.stamp()
    return fields.string()
