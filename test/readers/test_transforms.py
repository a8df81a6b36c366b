# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses out of /tf and /tf_static."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.readers.definitions import typestore
from m2r2_ros.readers.topics import TRANSFORMS, TopicSpec
from m2r2_ros.readers.transforms import (
    NON_FINITE,
    NOT_CONNECTED,
    SECOND_PARENT,
    WAITING,
    TransformReader,
    seen_frames,
)

T = 1_700_000_000 * SECOND
MILLISECOND = SECOND // 1000
#: Parent, child, milliseconds after T, x y z, and the angle about z.
Edge = tuple[str, str, float, tuple[float, float, float], float]
#: Arrival, whether on /tf_static, and its transforms.
Sent = tuple[int, bool, Sequence[Edge]]


def message(edges: Sequence[Edge]) -> bytes:
    types = typestore().types
    made = []
    for parent, child, ms, (x, y, z), angle in edges:
        sec, nanosec = divmod(T + round(ms * MILLISECOND), SECOND)
        stamp = types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
        turn = (0.0, 0.0, float(np.sin(angle / 2)), float(np.cos(angle / 2)))
        names = dict(zip('xyzw', turn, strict=True))
        made.append(
            types['geometry_msgs/msg/TransformStamped'](
                header=types['std_msgs/msg/Header'](stamp=stamp, frame_id=parent),
                child_frame_id=child,
                transform=types['geometry_msgs/msg/Transform'](
                    translation=types['geometry_msgs/msg/Vector3'](x=x, y=y, z=z),
                    rotation=types['geometry_msgs/msg/Quaternion'](**names),
                ),
            )
        )
    return bytes(typestore().serialize_cdr(types[TRANSFORMS](transforms=made), TRANSFORMS))


def blocks(sent: Sequence[Sent]) -> list[MessageBlock]:
    """Return the messages of each topic in one buffer."""
    found = []
    for static in (False, True):
        own = [
            (arrival, message(edges)) for arrival, is_static, edges in sent if is_static == static
        ]
        if own:
            lengths = np.array([len(raw) for _, raw in own])
            found.append(
                MessageBlock(
                    '/tf_static' if static else '/tf',
                    np.frombuffer(b''.join(raw for _, raw in own), np.uint8),
                    np.cumsum(lengths) - lengths,
                    lengths,
                    np.full(len(own), T + 7),
                    np.array([arrival for arrival, _ in own]),
                )
            )
    return found


def reader(base: str = 'base', tool: str = 'tool') -> TransformReader:
    return TransformReader(TopicSpec('pose', '/tf', TRANSFORMS, frames=(base, tool)))


def read(sent: Sequence[Sent], base: str = 'base', tool: str = 'tool') -> VectorSamples:
    return reader(base, tool).decode_together(blocks(sent))


def one_by_one(sent: Sequence[Sent]) -> VectorSamples:
    own = reader()
    parts = [own.decode_together(blocks([each])) for each in sent]
    dropped = sum((p.dropped for p in parts), start=parts[0].dropped.__class__())
    return VectorSamples(
        np.concatenate([p.stamps for p in parts]),
        np.concatenate([p.arrival for p in parts]),
        np.concatenate([p.values for p in parts]),
        dropped,
    )


def at(samples: VectorSamples) -> list[float]:
    """Return milliseconds after T."""
    return [(s - T) / MILLISECOND for s in samples.stamps.tolist()]


def arm(ms: float, x: float, angle: float = 0.0) -> Edge:
    return ('base', 'link', ms, (x, 0.0, 0.0), angle)


HAND: Sent = (0, True, [('link', 'tool', 0.0, (0.1, 0.0, 0.0), 0.0)])


def test_static_and_moving_transforms_make_a_chain() -> None:
    quarter = np.pi / 2
    found = read([HAND, (1, False, [arm(10, 1.0)]), (2, False, [arm(20, 2.0, quarter)])])
    assert at(found) == [10, 20]
    assert found.arrival.tolist() == [1, 2]
    expected = [
        [1.1, 0, 0, 0, 0, 0, 1],
        [2, 0.1, 0, 0, 0, np.sin(quarter / 2), np.cos(quarter / 2)],
    ]
    assert np.allclose(found.values, expected)
    assert not found.dropped


def test_the_base_may_be_beside_the_tool_or_below_it() -> None:
    camera: Edge = ('base', 'camera', 10, (0.0, 2.0, 0.0), np.pi)
    beside = read([HAND, (1, False, [arm(10, 1.0), camera])], base='camera')
    assert np.allclose(np.abs(beside.values), [[1.1, 2, 0, 0, 0, 1, 0]])
    assert np.allclose(beside.values[0, :3], [-1.1, 2, 0])
    below = read([HAND, (1, False, [arm(10, 1.0)])], base='tool', tool='base')
    assert np.allclose(below.values, [[-1.1, 0, 0, 0, 0, 0, 1]])


def test_a_slower_transform_is_interpolated_and_waited_for() -> None:
    """The mobile base moves at 10 Hz, the arm on it at 50 Hz."""
    base = [(0, False, [('map', 'base', 0, (0.0, 0.0, 0.0), 0.0)])]
    base += [(6, False, [('map', 'base', 100, (1.0, 0.0, 0.0), np.pi / 2)])]
    arms = [(k, False, [('base', 'tool', 20 * k, (0.0, 0.0, 1.0), 0.0)]) for k in range(1, 6)]
    sent: list[Sent] = sorted([*base, *arms], key=lambda s: s[0])
    early = read(sent[:-1], base='map')
    assert at(early) == []
    found = read(sent, base='map')
    assert at(found) == [20, 40, 60, 80, 100]
    assert set(found.arrival.tolist()) == {6}  # when the base has reached them
    assert np.allclose(found.values[:, 0], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert np.allclose(found.values[:, 2], 1)
    halves = np.linspace(0.2, 1, 5) * np.pi / 4
    assert np.allclose(found.values[:, 5], np.sin(halves))


def test_a_rotation_takes_the_shortest_arc_whatever_the_sign_of_its_quaternion() -> None:
    """An angle of a whole turn more is the same rotation, with the other sign."""
    for turns in (0, 2 * np.pi):
        ends = [(0, 0.0), (2, np.pi / 2 + turns)]
        base: list[Sent] = [
            (rank, False, [('map', 'base', 50 * rank, (0.0, 0.0, 0.0), angle)])
            for rank, angle in ends
        ]
        tool: Sent = (1, False, [('base', 'tool', 50, (1.0, 0.0, 0.0), 0.0)])
        found = read([base[0], tool, base[1]], base='map')
        assert np.allclose(found.values[:, :3], [[np.sqrt(0.5), np.sqrt(0.5), 0]])


def test_static_transforms_may_come_late() -> None:
    late = (5, True, HAND[2])
    sent: list[Sent] = [(k, False, [arm(10 * k, 1.0)]) for k in range(1, 5)]
    sent += [late, (6, False, [arm(60, 3.0)])]
    found = read(sent)
    assert at(found)[-1] == 60
    assert found.arrival.min() >= 5
    assert found.dropped[NOT_CONNECTED] == 4


def test_frames_that_no_tree_connects_give_nothing() -> None:
    sent: list[Sent] = [(k, False, [arm(10 * k, 1.0)]) for k in range(3)]
    found = read(sent)
    assert not len(found.stamps)
    assert found.dropped == {NOT_CONNECTED: 3}
    assert seen_frames([blocks([*sent, HAND])]) == ['base', 'link', 'tool']


def test_a_circle_ends_and_connects_nothing() -> None:
    circle: list[Edge] = [
        ('a', 'b', 1, (0.0, 0.0, 0.0), 0.0),
        ('b', 'a', 1, (0.0, 0.0, 0.0), 0.0),
        ('a', 'tool', 1, (0.0, 0.0, 0.0), 0.0),
    ]
    found = read([(0, False, circle)])
    assert found.dropped == {NOT_CONNECTED: 1}


def test_a_frame_keeps_its_first_parent() -> None:
    other: Edge = ('elsewhere', 'link', 15, (9.0, 0.0, 0.0), 0.0)
    found = read(
        [HAND, (1, False, [arm(10, 1.0)]), (2, False, [other]), (3, False, [arm(20, 2.0)])]
    )
    assert at(found) == [10, 20]
    assert np.allclose(found.values[:, 0], [1.1, 2.1])
    assert found.dropped == {SECOND_PARENT: 1}


def test_what_is_no_transform_is_dropped() -> None:
    nan: Edge = ('base', 'link', 20, (np.nan, 0.0, 0.0), 0.0)
    zero = bytearray(message([arm(30, 1.0)]))
    zero[-32:] = bytes(32)
    own = reader()
    own.decode_together(blocks([HAND]))
    found = own.decode_together(blocks([(1, False, [arm(10, 1.0)]), (2, False, [nan])]))
    assert at(found) == [10]
    assert found.dropped == {NON_FINITE: 1}
    block = blocks([(3, False, [arm(30, 1.0)])])[0]
    assert own.decode(replace(block, data=np.frombuffer(bytes(zero), np.uint8))).dropped == {
        NON_FINITE: 1
    }
    cut = replace(block, lengths=block.lengths - 9)
    assert own.decode(cut).dropped == {'malformed': 1}
    assert at(own.decode_together(blocks([(5, False, [arm(40, 2.0)])]))) == [40]


def test_leading_slashes_are_no_part_of_a_name() -> None:
    sent: list[Sent] = [
        (0, True, [('/link', '/tool', 0.0, (0.1, 0.0, 0.0), 0.0)]),
        (1, False, [('/base', 'link', 10, (1.0, 0.0, 0.0), 0.0)]),
    ]
    assert at(read(sent, base='/base', tool='tool')) == [10]


def test_a_clock_that_goes_back_begins_anew() -> None:
    sent: list[Sent] = [HAND, *((k, False, [arm(1000 + 10 * k, 1.0)]) for k in range(1, 5))]
    sent += [(k, False, [arm(10 * k, 2.0)]) for k in range(5, 9)]
    for found in (read(sent), one_by_one(sent)):
        assert at(found)[-4:] == [50, 60, 70, 80]
    assert at(one_by_one(sent)) == [1010, 1020, 1030, 1040, 50, 60, 70, 80]


def test_what_waits_for_a_dead_transform_is_forgotten_and_counted() -> None:
    own = reader(base='map')
    first: Edge = ('map', 'base', 0, (0.0, 0.0, 0.0), 0.0)
    own.decode_together(blocks([(0, False, [first]), (0, True, HAND[2])]))
    waiting = 0
    for k in range(30):
        sent: list[Sent] = [
            (1 + 100 * k + i, False, [arm(1000 * k + 10 * i, 1.0)]) for i in range(1, 100)
        ]
        waiting += own.decode_together(blocks(sent)).dropped[WAITING]
    assert waiting > 1500
    assert max(len(transform.stamps) for transform in own._moving.values()) < 1200


def test_repeated_and_older_transforms_change_nothing() -> None:
    sent: list[Sent] = [HAND, (1, False, [arm(10, 1.0)]), (2, False, [arm(10, 5.0)])]
    sent += [(3, False, [arm(5, 5.0)]), (4, False, [arm(20, 2.0)])]
    found = read(sent)
    assert at(found) == [10, 20]
    assert np.allclose(found.values[:, 0], [1.1, 2.1])


@given(
    st.lists(st.sampled_from('abs'), min_size=2, max_size=40),
    st.lists(st.integers(1, 39), max_size=6),
)
def test_cuts_of_blocks_change_nothing(order: list[str], cuts: list[int]) -> None:
    """An arm, what carries it, and now and then the static transforms, in any order."""
    clocks = {'a': 0.0, 'b': 0.0}
    sent: list[Sent] = []
    for arrival, what in enumerate(order):
        if what == 's':
            sent.append((arrival, True, [('arm', 'tool', 0.0, (0.1, 0.0, 0.0), 0.3)]))
            continue
        clocks[what] += 10 if what == 'a' else 33
        parent, child = ('base', 'arm') if what == 'a' else ('map', 'base')
        place = (float(np.sin(clocks[what])), 0.5, 0.0)
        sent.append((arrival, False, [(parent, child, clocks[what], place, clocks[what] / 50)]))
    whole = read(sent, base='map')
    own = reader(base='map')
    edges = sorted({0, len(sent), *(c for c in cuts if c < len(sent))})
    parts = [own.decode_together(blocks(sent[lo:hi])) for lo, hi in pairwise(edges)]

    def joined(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])

    assert np.array_equal(joined('stamps'), whole.stamps)
    assert np.array_equal(joined('arrival'), whole.arrival)
    assert np.array_equal(joined('values'), whole.values)
    for part, lo in zip(parts, edges, strict=False):
        assert (part.arrival >= lo).all()  # nothing comes with a message before


def test_frames_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('m2r2_ros.readers.transforms._MOST_FRAMES', 3)
    many: list[Edge] = [('base', f'f{k}', 0, (0.0, 0.0, 0.0), 0.0) for k in range(10)]
    own = reader()
    own.decode_together(blocks([(0, False, many)]))
    assert len(own.frames) == 4
