# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.readers.cdr import Fields, Unusable
from m2r2_ros.readers.paths import Step
from m2r2_ros.readers.types import Many, Message, Number, Text, message_type
from m2r2_ros.readers.walk import plan_for, walk

TIME = message_type('builtin_interfaces/msg/Time')
ROOT = Message(
    'a/msg/Few',
    {'stamp': TIME, 'text': Text(), 'values': Many(Number('float64'), None), 'n': Number('uint32')},
)
PLAN = plan_for(ROOT, [(Step('values'),), (Step('n'),)])


@given(raw=st.binary(max_size=60), little=st.booleans())
def test_any_bytes_are_the_same_to_both_cursors(raw: bytes, little: bool) -> None:
    """Both have to agree on what is malformed, and on where things are."""
    raw = bytes([0, little, 0, 0]) + raw
    try:
        fields = Fields(np.frombuffer(raw, np.uint8))
        fields.stamp()
        fields.string()
        values = fields.numbers('f8')
        at = fields.tell(4) + 4
        fields.number('I')
        fields.finish()
    except Unusable:
        values = None
    try:
        found = walk(memoryview(raw), ROOT, PLAN)
    except Unusable:
        assert values is None
        return
    assert values is not None
    assert sum(run.count for run in found.runs.get(0, [])) == len(values)
    assert found.runs[1][0].at == at
