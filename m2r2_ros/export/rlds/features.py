# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""features.json and dataset_info.json, by which TFDS knows how to read an RLDS data set."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from m2r2_ros.export.frames.schema import Schema

_CLASSES: Final = 'tensorflow_datasets.core.features'
VERSION: Final = '1.0.0'
SPLIT: Final = 'train'
#: Flags of a step, its numbers, and its texts.
FLAGS: Final = ('is_first', 'is_last', 'is_terminal')
NUMBERS: Final = ('reward', 'discount')
TEXTS: Final = ('subtask', 'language_instruction')
STAMP: Final = 'stamp_ns'
#: Texts about an episode.
METADATA: Final = ('recording', 'labels_origin', 'labels_by')
SUCCESS: Final = 'success'


def features_of(
    schema: Schema, images: Mapping[str, tuple[int, int, str]], *, per_sensor: bool
) -> dict[str, Any]:
    """Return what features.json holds.

    Args:
        schema: The sensors.
        images: By camera, height, width, and 'jpeg' or 'png'.
        per_sensor: Whether each sensor has a feature of its own besides the state.
    """
    observation = {name: _image(*found) for name, found in images.items()}
    observation |= {n: _tensor('float32', count) for n, count in vectors_of(schema, per_sensor)}
    step: dict[str, Any] = {'observation': _dict(observation)}
    if schema.action:
        step['action'] = _tensor('float32', len(schema.action))
    step |= {name: _scalar('bool') for name in FLAGS}
    step |= {name: _scalar('float32') for name in NUMBERS}
    step |= {name: _text() for name in TEXTS}
    step[STAMP] = _scalar('int64')
    steps = {
        'pythonClassName': f'{_CLASSES}.dataset_feature.Dataset',
        'sequence': {'feature': _dict(step), 'length': '-1'},
    }
    metadata = {**{name: _text() for name in METADATA}, SUCCESS: _scalar('int64')}
    return _dict({'steps': steps, 'episode_metadata': _dict(metadata)})


def vectors_of(schema: Schema, per_sensor: bool) -> list[tuple[str, int]]:
    """Return the numbers of an observation: their names, and how many there are of each."""
    state = [('state', len(schema.state))] if schema.state else []
    own = [(name, len(names)) for name, names in schema.vectors.items()] if per_sensor else []
    return [*state, *own]


def info_of(name: str, lengths: Sequence[int], size: int, description: str) -> dict[str, Any]:
    """Return what dataset_info.json holds.

    Args:
        name: Of the data set.
        lengths: Episodes of each file.
        size: Bytes of all.
        description: What it is.
    """
    return {
        'name': name,
        'version': VERSION,
        'description': description,
        'fileFormat': 'tfrecord',
        'splits': [
            {
                'name': SPLIT,
                'filepathTemplate': '{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}',
                'shardLengths': [str(length) for length in lengths],
                'numBytes': str(size),
            }
        ],
    }


def _dict(features: Mapping[str, Any]) -> dict[str, Any]:
    return {
        'pythonClassName': f'{_CLASSES}.features_dict.FeaturesDict',
        'featuresDict': {'features': dict(features)},
    }


def _image(height: int, width: int, kind: str) -> dict[str, Any]:
    shape = {'dimensions': [str(height), str(width), '3']}
    return {
        'pythonClassName': f'{_CLASSES}.image_feature.Image',
        'image': {'dtype': 'uint8', 'encodingFormat': kind, 'shape': shape},
    }


def _tensor(kind: str, count: int) -> dict[str, Any]:
    shape = {'dimensions': [str(count)]}
    return {
        'pythonClassName': f'{_CLASSES}.tensor_feature.Tensor',
        'tensor': {'dtype': kind, 'encoding': 'none', 'shape': shape},
    }


def _scalar(kind: str) -> dict[str, Any]:
    return {
        'pythonClassName': f'{_CLASSES}.scalar.Scalar',
        'tensor': {'dtype': kind, 'encoding': 'none', 'shape': {}},
    }


def _text() -> dict[str, Any]:
    return {'pythonClassName': f'{_CLASSES}.text_feature.Text', 'text': {}}
