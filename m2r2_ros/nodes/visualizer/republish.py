# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as messages that other software knows already: of vision_msgs and of foxglove_msgs."""

from typing import Any, Final

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node

from m2r2_ros.bags.writing.sink import LATCHED
from m2r2_ros.nodes.common.graph import message_class
from m2r2_ros.nodes.common.publishing import publisher_qos

_DEPTH: Final = 1000
#: Names of ActionSegment's OUTCOME_*.
_OUTCOMES: Final = ('unknown', 'success', 'failure')


class Classifications:
    """Labels as vision_msgs/Classification, the label set as vision_msgs/LabelInfo.

    A class_id is the label's id in the label set, as text.
    """

    def __init__(self, node: Node) -> None:
        """Make the publishers.

        Raises:
            ConfigError: vision_msgs is not installed.
        """
        self._node = node
        self._kind = message_class('vision_msgs/msg/Classification')
        self._hypothesis = message_class('vision_msgs/msg/ObjectHypothesis')
        self._info = message_class('vision_msgs/msg/LabelInfo')
        self._class = message_class('vision_msgs/msg/VisionClass')
        self._labels = node.create_publisher(self._kind, '~/classification', _DEPTH)
        latched = publisher_qos(LATCHED)
        self._label_info = node.create_publisher(self._info, '~/label_info', latched)

    def label_set(self, label_set: Any) -> None:  # noqa: ANN401 - a LabelSet message
        """Publish the names of the ids."""
        info = self._info()
        info.header.stamp = self._node.get_clock().now().to_msg()
        info.class_map = [
            self._class(class_id=k, class_name=name) for k, name in enumerate(label_set.names)
        ]
        self._label_info.publish(info)

    def label(self, label: Any) -> None:  # noqa: ANN401 - an ActionLabel message
        """Publish the probabilities of a frame: the label in force, then the others by theirs."""
        scores = np.asarray(label.probabilities, np.float64)
        order = np.argsort(-scores, kind='stable').tolist()
        if label.label_id in order:
            order.remove(label.label_id)
            order.insert(0, label.label_id)
        message = self._kind(header=label.header)
        message.results = [self._hypothesis(class_id=str(k), score=float(scores[k])) for k in order]
        self._labels.publish(message)


class Events:
    """Segments as foxglove_msgs/Event."""

    def __init__(self, node: Node) -> None:
        """Make the publisher.

        Raises:
            ConfigError: foxglove_msgs is not installed, or older than its Event.
        """
        self._kind = message_class('foxglove_msgs/msg/Event')
        self._pair = message_class('foxglove_msgs/msg/KeyValuePair')
        self._events = node.create_publisher(self._kind, '~/event', _DEPTH)

    def segment(self, segment: Any) -> None:  # noqa: ANN401 - an ActionSegment message
        """Publish a segment."""
        metadata = {
            'label': segment.label,
            'label_id': str(segment.label_id),
            'confidence': f'{segment.confidence:.3f}',
            'outcome': _OUTCOMES[segment.outcome] if segment.outcome < len(_OUTCOMES) else '',
            'segment_index': str(segment.segment_index),
            'model_id': segment.model_id,
        }
        event = self._kind(start_time=segment.start, end_time=_before(segment.end))
        event.metadata = [self._pair(key=k, value=v) for k, v in metadata.items()]
        self._events.publish(event)


def _before(end: Time) -> Time:
    """Return the last instant of a segment: its end is not part of it, that of an Event is."""
    sec, nanosec = divmod(end.sec * 1_000_000_000 + end.nanosec - 1, 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)
