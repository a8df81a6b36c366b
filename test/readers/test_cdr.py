# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.readers.cdr import CdrColumns, Fields, Unusable, byte_orders
from test.readers.messages import pack


@given(st.lists(st.binary(max_size=9), max_size=8))
def test_each_message_is_in_the_group_of_its_byte_order(raws: list[bytes]) -> None:
    block = pack(raws)
    found = {order: which.tolist() for order, which in byte_orders(block)}
    for order, mark in (('>', b'\0\0'), ('<', b'\0\1')):
        expected = [k for k, raw in enumerate(raws) if len(raw) >= 4 and raw[:2] == mark]
        assert found.get(order, []) == expected


@given(raw=st.binary(max_size=60), little=st.booleans())
def test_any_bytes_read_the_same_one_by_one_and_together(raw: bytes, little: bool) -> None:
    """Both cursors have to agree on what is malformed."""
    raw = bytes([0, little, 0, 0]) + raw
    columns = CdrColumns(pack([raw]), '<' if little else '>', np.array([0]))
    stamp = columns.stamp()
    columns.string()
    count = columns.numbers('f8')
    number = columns.read('u4', 1)
    try:
        fields = Fields(np.frombuffer(raw, np.uint8))
        expected = fields.stamp()
        fields.string()
        values = fields.numbers('f8')
        last = fields.number('I')
        fields.finish()
    except Unusable:
        assert not columns.finish()[0]
        return
    assert columns.finish()[0]
    assert (stamp[0], count[0], number[0, 0]) == (expected, len(values), last)
