# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages as objects and as CDR bytes, for the tests of the readers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rosbags.typesys.store import Typestore

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import ImageSamples, Samples, SoundSamples, VectorSamples
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.readers.registry import make_reader
from m2r2_ros.readers.topics import TopicSpec
from test.readers.oracle import samples_of

#: What a reader is made from: the topic, its type and the definition of that.
Topic = tuple[TopicSpec, str, str]


def new(type_name: str, *fields: Any, store: Typestore | None = None) -> Any:
    """Make a message object of a type such as 'std_msgs/Header'."""
    return (store or typestore()).types[type_name.replace('/', '/msg/')](*fields)


def header(stamp: int = 0, frame: str = 'base', store: Typestore | None = None) -> Any:
    time = new('builtin_interfaces/Time', stamp // 10**9, stamp % 10**9, store=store)
    return new('std_msgs/Header', time, frame, store=store)


def serialise(message: Any, little: bool = True, store: Typestore | None = None) -> bytes:
    raw = (store or typestore()).serialize_cdr(message, message.__msgtype__, little_endian=little)
    return bytes(raw)


def pack(raws: Sequence[bytes], first_log_time: int = 10**18, gap: int = 3) -> MessageBlock:
    """Lay messages into one buffer with garbage between them."""
    data, offsets = bytearray(b'\xee' * gap), []
    for raw in raws:
        offsets.append(len(data))
        data += raw + b'\xee' * gap
    return MessageBlock(
        '/topic',
        np.frombuffer(bytes(data), np.uint8),
        np.array(offsets, np.int64),
        np.array([len(raw) for raw in raws], np.int64),
        first_log_time + np.arange(len(raws), dtype=np.int64) * 1000,
        np.arange(len(raws), dtype=np.int64) * 2 + 5,
    )


def both(topic: Topic, messages: Sequence[Any], block: MessageBlock) -> Samples:
    """Read messages from their bytes, insist that it is what the objects hold, and return it."""
    decoded = make_reader(*topic).decode(block)
    same(decoded, samples_of(topic[0], topic[1], messages, block))
    return decoded


def same(one: Samples, other: Samples) -> None:
    """Insist that samples are equal to the last bit."""
    assert type(one) is type(other)
    np.testing.assert_array_equal(one.stamps, other.stamps)
    np.testing.assert_array_equal(one.arrival, other.arrival)
    assert one.stamps.dtype == other.stamps.dtype == np.int64
    assert one.dropped == other.dropped
    if isinstance(one, VectorSamples) and isinstance(other, VectorSamples):
        assert one.values.dtype == other.values.dtype == np.float64
        np.testing.assert_array_equal(one.values, other.values)
    elif isinstance(one, SoundSamples) and isinstance(other, SoundSamples):
        assert one.rate == other.rate
        assert len(one.chunks) == len(other.chunks)
        for a, b in zip(one.chunks, other.chunks, strict=True):
            assert a.dtype == b.dtype == np.float32
            np.testing.assert_array_equal(a, b)
    elif isinstance(one, ImageSamples) and isinstance(other, ImageSamples):
        assert [frame.payload for frame in one.frames] == [frame.payload for frame in other.frames]
