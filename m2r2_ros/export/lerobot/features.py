# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The features of a LeRobot data set: what info.json says of them, and their columns."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

from m2r2_ros.export.frames.schema import Schema
from m2r2_ros.export.lerobot.video import Codec
from m2r2_ros.export.video_frame import PIXELS

STATE: Final = 'observation.state'
ACTION: Final = 'action'
STAMP: Final = 'stamp_ns'
SUBTASK: Final = 'subtask_index'
LANGUAGE: Final = 'language_persistent'
#: What the index of every frame consists of.
TIMESTAMP: Final = 'timestamp'
INDEXES: Final = ('frame_index', 'episode_index', 'index', 'task_index')
#: Features that are whole numbers.
INTEGERS: Final = (STAMP, *INDEXES, SUBTASK)
#: An image as it was recorded.
IMAGE_TYPE: Final = pa.struct([('bytes', pa.binary()), ('path', pa.string())])


def camera_key(name: str) -> str:
    """Return what a camera is called in a data set."""
    return f'observation.images.{name}'


def vectors_of(schema: Schema, *, per_sensor: bool) -> dict[str, tuple[str, ...]]:
    """Return the features with numbers, and what their numbers are called.

    Args:
        schema: The sensors.
        per_sensor: Whether each has a feature of its own besides the state.
    """
    found = {STATE: schema.state} if schema.state else {}
    if per_sensor:
        found |= {f'observation.{name}': names for name, names in schema.vectors.items()}
    return {**found, **({ACTION: schema.action} if schema.action else {})}


def info_features(
    vectors: Mapping[str, tuple[str, ...]],
    cameras: Mapping[str, tuple[int, int]],
    codec: Codec | None,
    fps: int,
    *,
    language: bool,
) -> dict[str, Any]:
    """Return what info.json says of the features.

    Args:
        vectors: Features with numbers, and what their numbers are called.
        cameras: Height and width by key.
        codec: Of videos; None where images lie in the tables.
        fps: Frames per second.
        language: Whether labels are rows of language.
    """
    found: dict[str, Any] = {
        key: {'dtype': 'float32', 'shape': [len(names)], 'names': list(names)}
        for key, names in vectors.items()
    }
    for key, (height, width) in cameras.items():
        found[key] = {
            'dtype': 'video' if codec else 'image',
            'shape': [height, width, 3],
            'names': ['height', 'width', 'channels'],
        }
        if codec:
            found[key]['info'] = _video_info(height, width, codec, fps)
    found[TIMESTAMP] = {'dtype': 'float32', 'shape': [1], 'names': None}
    for key in INTEGERS:
        found[key] = {'dtype': 'int64', 'shape': [1], 'names': None}
    if language:
        found[LANGUAGE] = {'dtype': 'language', 'shape': [1], 'names': None}
    return found


def _video_info(height: int, width: int, codec: Codec, fps: int) -> dict[str, Any]:
    return {
        'video.height': height,
        'video.width': width,
        'video.codec': codec.value,
        'video.pix_fmt': PIXELS,
        'video.is_depth_map': False,
        'video.fps': fps,
        'video.channels': 3,
        'has_audio': False,
    }


def columns(vectors: Mapping[str, tuple[str, ...]], images: Iterable[str]) -> pa.Schema:
    """Return the columns of the frames of an episode, without those of language.

    Args:
        vectors: Features with numbers.
        images: Cameras whose images lie in the tables.
    """
    fields = [(key, number_type(len(names))) for key, names in vectors.items()]
    fields += [(key, IMAGE_TYPE) for key in images]
    fields += [(TIMESTAMP, pa.float32())]
    return pa.schema([*fields, *((key, pa.int64()) for key in INTEGERS)])


def number_type(count: int) -> pa.DataType:
    """Return the type of a column; single numbers are no lists."""
    return pa.float32() if count == 1 else pa.list_(pa.float32(), count)
