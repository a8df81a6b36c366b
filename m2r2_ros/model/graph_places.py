# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a graph looks for weights, read without ONNX: some ONNX Runtimes open any file.

Those before 1.24, the newest for Python 3.10 among them, do not compare the path with the folder.
"""

from collections.abc import Iterator, Mapping
from typing import Final

#: Of each message of ONNX, the fields that tensors with weights elsewhere may be in.
INSIDE: Final[Mapping[str, Mapping[int, str]]] = {
    'ModelProto': {7: 'GraphProto', 20: 'TrainingInfoProto', 25: 'FunctionProto'},
    'TrainingInfoProto': {1: 'GraphProto', 2: 'GraphProto'},
    'FunctionProto': {7: 'NodeProto', 11: 'AttributeProto'},
    'GraphProto': {1: 'NodeProto', 5: 'TensorProto', 15: 'SparseTensorProto'},
    'NodeProto': {5: 'AttributeProto'},
    'AttributeProto': {
        5: 'TensorProto', 6: 'GraphProto', 10: 'TensorProto', 11: 'GraphProto',
        22: 'SparseTensorProto', 23: 'SparseTensorProto',
    },
    'SparseTensorProto': {1: 'TensorProto', 2: 'TensorProto'},
    'TensorProto': {13: 'StringStringEntryProto'},
}  # fmt: skip
_ENTRY: Final = 'StringStringEntryProto'
#: Types on the wire: numbers of any length, of 8 bytes, texts and messages, numbers of 4 bytes.
_NUMBER, _EIGHT, _MESSAGE, _FOUR = 0, 1, 2, 5


def entries_of(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield what the tensors of a graph say about where their weights are, as keys and values.

    Raises:
        ValueError: It is no graph, or says something twice.
    """
    waiting = [('ModelProto', 0, len(raw))]
    while waiting:
        kind, begin, end = waiting.pop()
        if kind == _ENTRY:
            yield _entry(raw, begin, end)
            continue
        inside = INSIDE[kind]
        for field, lo, hi in _messages(raw, begin, end):
            if field in inside:
                waiting.append((inside[field], lo, hi))


def _entry(raw: bytes, begin: int, end: int) -> tuple[str, str]:
    found = [(field, raw[lo:hi].decode()) for field, lo, hi in _messages(raw, begin, end)]
    if [field for field, _ in found] != [1, 2]:
        msg = 'a place of weights that is no key and value'
        raise ValueError(msg)
    return found[0][1], found[1][1]


def _messages(raw: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, begin and end of each field of a message that is a text or a message."""
    while at < end:
        tag, at = _number(raw, at)
        field, wire = (tag & 0xFFFFFFFF) >> 3, tag & 7
        if wire == _NUMBER:
            _, at = _number(raw, at)
        elif wire == _MESSAGE:
            size, at = _number(raw, at)
            yield field, at, at + size
            at += size
        elif wire in (_EIGHT, _FOUR):
            at += 8 if wire == _EIGHT else 4
        else:
            msg = f'type {wire} at byte {at}'
            raise ValueError(msg)
        if at > end:
            msg = f'ends within what began before byte {end}'
            raise ValueError(msg)


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, and where it ends."""
    found = shift = 0
    for byte in raw[at : at + 10]:
        found |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return found, at
    msg = f'a number without an end at byte {at}'
    raise ValueError(msg)
