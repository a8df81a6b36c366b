# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images, sound and text as messages, in CDR with encapsulation header."""

from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

IMAGE: Final = 'sensor_msgs/msg/CompressedImage'
SOUND: Final = 'foxglove_msgs/msg/RawAudio'
TEXT: Final = 'std_msgs/msg/String'
TRANSFORMS: Final = 'tf2_msgs/msg/TFMessage'

_SOUND_FIELDS: Final = """
builtin_interfaces/Time timestamp
uint8[] data
string format
uint32 sample_rate
uint32 number_of_channels
"""
_QUALITY: Final = 85


@cache
def cell_types() -> Typestore:
    """Return the types that recordings of the cell are made of."""
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(_SOUND_FIELDS, SOUND))
    return store


def image_message(image: NDArray[np.uint8], frame_id: str, stamp: int) -> bytes:
    """Return an image, uint8 (height, width, 3) RGB, as CompressedImage."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    header = cell_types().types['std_msgs/msg/Header'](stamp=_time(stamp), frame_id=frame_id)
    return _cdr(IMAGE, header=header, format='jpeg', data=data.ravel())


def sound_message(sound: NDArray[np.float32], rate: int, stamp: int) -> bytes:
    """Return a chunk of sound (n,) in -1..1 as RawAudio; the stamp is that of its first sample."""
    pcm = np.clip(np.round(sound * 32767), -32768, 32767).astype('<i2')
    return _cdr(
        SOUND,
        timestamp=_time(stamp),
        data=pcm.view(np.uint8),
        format='pcm-s16',
        sample_rate=rate,
        number_of_channels=1,
    )


def text_message(text: str) -> bytes:
    """Return a text as String."""
    return _cdr(TEXT, data=text)


def _cdr(type_name: str, **fields: Any) -> bytes:  # noqa: ANN401 - fields are of any type
    message = cell_types().types[type_name](**fields)
    return bytes(cell_types().serialize_cdr(message, type_name))


def _time(stamp: int) -> Any:  # noqa: ANN401 - a generated class
    sec, nanosec = divmod(stamp, 1_000_000_000)
    return cell_types().types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
