# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels, segments and label sets as messages, into a bag or onto live topics."""

from collections.abc import Collection
from typing import Any

import numpy as np

from m2r2_ros.bags.labels.topics import (
    LABEL,
    LABEL_SET,
    LABEL_SET_TOPIC,
    LABEL_TOPIC,
    OUTCOMES,
    SEGMENT,
    SEGMENT_TOPIC,
)
from m2r2_ros.bags.writing.sink import LATCHED, RELIABLE, MessageSink
from m2r2_ros.core.labels import FrameLabel, LabelSet, Segment
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import own_types


class LabelWriter:
    """Writes labels, segments and their label set into a bag, or onto a live robot's topics."""

    def __init__(self, bag: MessageSink, prefix: str = '', *, frame_labels: bool = True) -> None:
        """Add the topics.

        Args:
            bag: The bag to write to; stays open.
            prefix: In front of the topic names; GROUND_TRUTH for ground truth.
            frame_labels: Whether there is a label for every frame, not just segments.
        """
        self._bag = bag
        self._prefix = prefix
        bag.add_topic(prefix + LABEL_SET_TOPIC, LABEL_SET, qos=LATCHED)
        bag.add_topic(prefix + SEGMENT_TOPIC, SEGMENT, qos=RELIABLE)
        if frame_labels:
            bag.add_topic(prefix + LABEL_TOPIC, LABEL, qos=RELIABLE)

    def write_label_set(
        self,
        label_set: LabelSet,
        model_id: str,
        log_time: int,
        modalities: Collection[str] = (),
    ) -> None:
        """Write the label set; once, before the labels.

        Args:
            label_set: Names and parents in id order.
            model_id: Id of the bundle, '' for ground truth.
            log_time: Nanoseconds.
            modalities: What the bits of modality masks stand for.
        """
        colour = own_types().types['std_msgs/msg/ColorRGBA']
        message = own_types().types[LABEL_SET](
            names=list(label_set.names),
            parents=list(label_set.parents),
            colours=[colour(r=r, g=g, b=b, a=1.0) for r, g, b in label_set.colours],
            model_id=model_id,
            modalities=list(modalities),
        )
        self._write(LABEL_SET_TOPIC, LABEL_SET, message, log_time)

    def write_label(self, label: FrameLabel, model_id: str, latency: float, log_time: int) -> None:
        """Write the label of one frame.

        Args:
            label: The label.
            model_id: Id of the bundle that made it.
            latency: From frame stamp to publication, seconds; 0 in a replay.
            log_time: Nanoseconds.
        """
        message = own_types().types[LABEL](
            header=_header(label.stamp),
            label_id=label.label_id,
            label=label.label,
            confidence=label.confidence,
            probabilities=np.asarray(label.probabilities, np.float32),
            boundary_score=label.boundary_score,
            segment_index=label.segment_index,
            segment_start=_time(label.segment_start),
            revision_lag=label.revision_lag,
            modality_mask=label.modality_mask,
            latency=latency,
            model_id=model_id,
            reason=label.reason,
        )
        self._write(LABEL_TOPIC, LABEL, message, log_time)

    def write_segment(
        self,
        segment: Segment,
        label_id: int,
        segment_index: int,
        model_id: str,
        *,
        log_offset: int = 0,
    ) -> None:
        """Write a segment at its end.

        Args:
            segment: The segment.
            label_id: Index of its label in the label set, UNKNOWN where it has none.
            segment_index: Running number.
            model_id: Id of the bundle that made it, '' for ground truth.
            log_offset: Log time less end, nanoseconds; not 0 where clocks differ.
        """
        message = own_types().types[SEGMENT](
            header=_header(segment.end),
            start=_time(segment.start),
            end=_time(segment.end),
            label_id=label_id,
            label=segment.label,
            confidence=segment.confidence,
            segment_index=segment_index,
            model_id=model_id,
            outcome=OUTCOMES[segment.success],
        )
        self._write(SEGMENT_TOPIC, SEGMENT, message, segment.end + log_offset)

    def _write(self, topic: str, type_name: str, message: object, log_time: int) -> None:
        raw = bytes(own_types().serialize_cdr(message, type_name))
        self._bag.write(self._prefix + topic, raw, log_time)


def _header(stamp: int) -> Any:  # noqa: ANN401 - a generated class
    return own_types().types['std_msgs/msg/Header'](stamp=_time(stamp), frame_id='')


def _time(nanoseconds: int) -> Any:  # noqa: ANN401 - a generated class
    sec, nanosec = divmod(int(nanoseconds), SECOND)
    return own_types().types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
