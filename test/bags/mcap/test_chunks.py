# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from mcap.opcode import Opcode
from mcap.writer import CompressionType
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.chunks import between, message_heads, walked_positions
from test.bags.files import mcap_bytes

CONTENT = mcap_bytes([[('/a', k, k) for k in range(9)]], CompressionType.NONE)


def chunk() -> NDArray[np.uint8]:
    """Return the contents of the one chunk: a schema, a channel and nine messages."""
    at = 8
    while CONTENT[at] != Opcode.CHUNK:
        at += 9 + int.from_bytes(CONTENT[at + 1 : at + 9], 'little')
    size = int.from_bytes(CONTENT[at + 25 : at + 33], 'little')
    return np.frombuffer(CONTENT, np.uint8)[at + 49 : at + 49 + size]


def test_walking_finds_every_message() -> None:
    positions = walked_positions(chunk(), cut=False, most=20)
    heads = message_heads(chunk(), positions)
    assert heads['log'].tolist() == list(range(9))
    found = between(chunk(), positions, heads, cut=False, most=20)
    assert [opcode for opcode, _ in found] == [Opcode.SCHEMA, Opcode.CHANNEL]


@pytest.mark.parametrize('missing', [0, 4, 8])
def test_a_message_that_is_left_out_is_noticed(missing: int) -> None:
    positions = np.delete(walked_positions(chunk(), cut=False, most=20), missing)
    heads = message_heads(chunk(), positions)
    with pytest.raises(ValueError, match='leaves messages out'):
        list(between(chunk(), positions, heads, cut=False, most=20))


@pytest.mark.parametrize('shift', [-(10**6), -1, 1, 5, 10**6])
def test_positions_off_their_message_are_noticed(shift: int) -> None:
    positions = walked_positions(chunk(), cut=False, most=20)
    positions[-1] += shift
    with pytest.raises(ValueError, match='message'):
        message_heads(chunk(), np.sort(positions))
