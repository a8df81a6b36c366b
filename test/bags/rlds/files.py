# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RLDS datasets as TFDS writes them, with the messages of TensorFlow made by protobuf."""

import json
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import google_crc32c
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

#: Features of a step: what features.json says of each.
STEP: dict[str, Any] = {
    'observation/image': {'image': {'dtype': 'uint8', 'encodingFormat': 'jpeg'}},
    'observation/state': {'tensor': {'dtype': 'float32', 'shape': {'dimensions': ['7']}}},
    'observation/gripper': {'tensor': {'dtype': 'float32', 'shape': {}}},
    'observation/depth': {'tensor': {'dtype': 'uint16', 'shape': {'dimensions': ['2', '2']}}},
    'action': {'tensor': {'dtype': 'float32', 'shape': {'dimensions': ['7']}}},
    'language_instruction': {'text': {}},
    'is_terminal': {'tensor': {'dtype': 'bool', 'shape': {}}},
    'reward': {'tensor': {'dtype': 'float32', 'shape': {}}},
}
SUBTASK: dict[str, Any] = {'subtask': {'text': {}}}
STAMP: dict[str, Any] = {'stamp_ns': {'tensor': {'dtype': 'int64', 'shape': {}}}}
BEGIN = 1_700_000_000_000_000_001


@cache
def example_type() -> Any:
    """Return tf.train.Example."""
    file = descriptor_pb2.FileDescriptorProto(name='e.proto', package='t', syntax='proto3')

    def message(name: str, *fields: tuple[str, int, int, int, str]) -> Any:
        made = file.message_type.add(name=name)
        for field, number, label, kind, of in fields:
            held = {'type_name': of} if of else {}
            made.field.add(name=field, number=number, label=label, type=kind, **held)
        return made

    one, many = 1, 3
    text, raw, single, whole, part = 9, 12, 2, 3, 11
    message('BytesList', ('value', 1, many, raw, ''))
    message('FloatList', ('value', 1, many, single, ''))
    message('Int64List', ('value', 1, many, whole, ''))
    feature = message(
        'Feature',
        ('bytes_list', 1, one, part, '.t.BytesList'),
        ('float_list', 2, one, part, '.t.FloatList'),
        ('int64_list', 3, one, part, '.t.Int64List'),
    )
    feature.oneof_decl.add(name='kind')
    for field in feature.field:
        field.oneof_index = 0
    features = message('Features', ('feature', 1, many, part, '.t.Features.FeatureEntry'))
    entry = features.nested_type.add(name='FeatureEntry')
    entry.options.map_entry = True
    entry.field.add(name='key', number=1, label=one, type=text)
    entry.field.add(name='value', number=2, label=one, type=part, type_name='.t.Feature')
    message('Example', ('features', 1, one, part, '.t.Features'))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName('t.Example'))


def example(values: Mapping[str, Sequence[Any]]) -> bytes:
    """Return an example with these values."""
    made = example_type()()
    for name, content in values.items():
        feature = made.features.feature[name]
        if isinstance(content[0], bytes):
            feature.bytes_list.value.extend(content)
        elif isinstance(content[0], float):
            feature.float_list.value.extend(content)
        else:
            feature.int64_list.value.extend(content)
    return bytes(made.SerializeToString(deterministic=True))


def record(data: bytes) -> bytes:
    """Return a record of a TFRecord."""

    def crc(part: bytes) -> bytes:
        value = google_crc32c.value(part)
        return struct.pack('<I', ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack('<Q', len(data))
    return length + crc(length) + data + crc(data)


def picture(number: int, k: int) -> bytes:
    """Return an image as JPEG."""
    image = np.full((12, 16, 3), (20 * k + number) % 256, np.uint8)
    return bytes(cv2.imencode('.jpg', image)[1])


def numbers(number: int, steps: int) -> list[float]:
    """Return the states of an episode, seven numbers a step."""
    found = np.random.default_rng(number).normal(size=steps * 7).astype(np.float32)
    return [float(x) for x in found]


def episode(
    number: int, steps: int, *, subtasks: bool = False, stamps: bool = False, success: bool = True
) -> dict[str, Sequence[Any]]:
    """Return the values of an episode."""
    found: dict[str, Sequence[Any]] = {
        'steps/observation/image': [picture(number, k) for k in range(steps)],
        'steps/observation/state': numbers(number, steps),
        'steps/observation/gripper': [k / 4 for k in range(steps)],
        'steps/observation/depth': [*range(4 * steps)],
        'steps/action': numbers(number + 100, steps),
        'steps/language_instruction': [f'tidy {number % 2}'.encode()] * steps,
        'steps/is_terminal': [int(k == steps - 1) for k in range(steps)],
        'steps/reward': [float(success and k == steps - 1) for k in range(steps)],
    }
    if subtasks:
        texts = [name.encode() for name in ('reach', 'grasp, über', '')]
        found['steps/subtask'] = [texts[k * 3 // steps] for k in range(steps)]
    if stamps:
        found['steps/stamp_ns'] = [BEGIN + k * 100_000_003 for k in range(steps)]
    return found


def write_rlds(
    folder: Path, episodes: Mapping[str, Sequence[Mapping[str, Sequence[Any]]]], shards: int = 1
) -> Path:
    """Write a dataset of some splits; returns its folder."""
    folder.mkdir(parents=True)
    names = {name for split in episodes.values() for e in split for name in e}
    step = {
        name: feature
        for name, feature in {**STEP, **SUBTASK, **STAMP}.items()
        if name in STEP or f'steps/{name}' in names
    }
    steps = {'sequence': {'feature': _nested(step), 'length': '-1'}}
    features = {'featuresDict': {'features': {'steps': steps}}}
    (folder / 'features.json').write_text(json.dumps(features))
    info = {'name': 'toy', 'version': '1.0.0', 'fileFormat': 'tfrecord'}
    (folder / 'dataset_info.json').write_text(json.dumps(info))
    for split, content in episodes.items():
        for shard in range(shards):
            path = folder / f'toy-{split}.tfrecord-{shard:05d}-of-{shards:05d}'
            path.write_bytes(b''.join(record(example(e)) for e in content[shard::shards]))
    return folder


def _nested(features: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, feature in features.items():
        group, _, short = name.rpartition('/')
        into = found
        if group:
            into = found.setdefault(group, {'featuresDict': {'features': {}}})
            into = into['featuresDict']['features']
        into[short] = feature
    return {'featuresDict': {'features': found}}
