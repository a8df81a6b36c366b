# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Places of weights are found wherever ONNX may have them, and nothing is said twice."""

from collections.abc import Callable

import onnx
import pytest
from onnx import StringStringEntryProto, TensorProto

from m2r2_ros.core.share import share_path
from m2r2_ros.model.graph_names import NETWORK, RECORDING
from m2r2_ros.model.graph_places import INSIDE, entries_of

ENTRY = ('location', '/etc/passwd')


def test_every_field_that_a_tensor_may_be_in_is_known() -> None:
    """ONNX's own description of its messages leads to no other."""
    found: dict[str, dict[int, str]] = {}
    waiting = [onnx.ModelProto.DESCRIPTOR]
    while waiting:
        message = waiting.pop()
        if message.name in found:
            continue
        fields = [f for f in message.fields if f.message_type is not None]
        found[message.name] = {f.number: f.message_type.name for f in fields}
        waiting += [f.message_type for f in fields]

    def leads_to_a_tensor(name: str, seen: frozenset[str] = frozenset()) -> bool:
        inner = set(found[name].values()) - seen
        return name == 'TensorProto' or any(leads_to_a_tensor(n, seen | {name}) for n in inner)

    wanted = {
        name: {k: n for k, n in fields.items() if leads_to_a_tensor(n)}
        for name, fields in found.items()
    }
    wanted['TensorProto'] = {TensorProto.EXTERNAL_DATA_FIELD_NUMBER: 'StringStringEntryProto'}
    assert {name: fields for name, fields in wanted.items() if fields} == INSIDE


def somewhere(tensor: TensorProto) -> None:
    tensor.external_data.add(key=ENTRY[0], value=ENTRY[1])


PLACES: dict[str, Callable[[onnx.ModelProto], TensorProto]] = {
    'a weight': lambda m: m.graph.initializer.add(),
    'a sparse weight': lambda m: m.graph.sparse_initializer.add().values,
    'a constant': lambda m: m.graph.node.add().attribute.add().t,
    'one of some constants': lambda m: m.graph.node.add().attribute.add().tensors.add(),
    'a weight of a branch': lambda m: m.graph.node.add().attribute.add().g.initializer.add(),
    'a function': lambda m: m.functions.add().node.add().attribute.add().t,
    'training': lambda m: m.training_info.add().algorithm.initializer.add(),
}


@pytest.mark.parametrize('place', PLACES)
def test_a_place_is_found_in(place: str) -> None:
    model = onnx.ModelProto(ir_version=8, producer_name='location')
    assert not [*entries_of(model.SerializeToString())]
    somewhere(PLACES[place](model))
    assert [*entries_of(model.SerializeToString())] == [ENTRY]


def test_what_is_said_twice_is_refused() -> None:
    """Readers take the last value, whatever came before."""
    model = onnx.ModelProto()
    somewhere(model.graph.initializer.add())
    entry = StringStringEntryProto(key='location', value='ok').SerializeToString()
    twice = entry + StringStringEntryProto(value='/etc/passwd').SerializeToString()
    whole = StringStringEntryProto(key=ENTRY[0], value=ENTRY[1]).SerializeToString()
    raw = model.SerializeToString()
    assert len(twice) - len(whole) < 100
    tensor = bytes([13 << 3 | 2, len(twice)]) + twice
    graph = bytes([5 << 3 | 2, len(tensor)]) + tensor
    hidden = bytes([7 << 3 | 2, len(graph)]) + graph
    assert onnx.load_from_string(hidden).graph.initializer[0].external_data[0].value == ENTRY[1]
    with pytest.raises(ValueError, match='no key and value'):
        list(entries_of(hidden))
    assert whole in raw


@pytest.mark.parametrize('length', [2, 5])
def test_numbers_may_be_written_at_any_length(length: int) -> None:
    model = onnx.ModelProto()
    somewhere(model.graph.initializer.add())
    raw = model.SerializeToString()
    tag = bytes([raw[0] | 0x80, *[0x80] * (length - 2), 0])
    assert onnx.load_from_string(tag + raw[1:]) == model
    assert [*entries_of(tag + raw[1:])] == [ENTRY]


@pytest.mark.parametrize(
    'raw', [b'\xff' * 20, b'\x3a\x05\x01', b'\x0b', b'\x39\0', b'\x3a', b'\x08']
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r'byte'):
        list(entries_of(raw))


@pytest.mark.parametrize('name', [NETWORK, RECORDING])
def test_the_shipped_model_has_its_weights_in_one_file(name: str) -> None:
    raw = share_path('models', 'cell', name).read_bytes()
    found = [*entries_of(raw)]
    assert {value for key, value in found if key == 'location'} == {'weights.safetensors'}
    graph = onnx.load_from_string(raw).graph
    assert len(found) == 3 * sum(bool(t.external_data) for t in graph.initializer)
