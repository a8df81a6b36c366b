# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names that users and other nodes give: whether they can be those of a file, or of a topic."""

import os
import re
from pathlib import Path
from typing import Final

from rclpy.exceptions import NameValidationException
from rclpy.node import Node
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_topic_name import validate_topic_name

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.text import excerpt

#: Bytes of a path, and of each name in it, that Linux accepts.
_LONGEST_PATH: Final = 4095
_LONGEST_NAME: Final = 255

#: Where in its source rclpy's C++ found an error.
_PLACE: Final = re.compile(r', at /.*')


def file_path(text: str, parameter: str) -> Path:
    """Return a path, with ~ expanded.

    Args:
        text: As it was given.
        parameter: What it was given as, for messages.

    Raises:
        ConfigError: There cannot be such a file.
    """
    why = ''
    path = Path(text)
    try:
        path = path.expanduser()
        parts = [os.fsencode(part) for part in path.parts]
        if max(map(len, parts), default=0) > _LONGEST_NAME:
            why = f'has a name of more than {_LONGEST_NAME} bytes in it'
        elif len(os.fsencode(path)) > _LONGEST_PATH:
            why = f'has more than {_LONGEST_PATH} bytes'
        elif '\0' in text:
            why = 'has a zero byte in it'
    except RuntimeError:
        why = 'is in the home of a user who is not known'
    except UnicodeEncodeError:
        why = 'is not text'
    if why:
        msg = f'{parameter}: {excerpt(text)!r} {why}; expected the path of a file or folder'
        raise ConfigError(msg)
    return path


def topic_name(node: Node, text: str, parameter: str) -> str:
    """Return the full, remapped name of a topic.

    Args:
        node: Relative names are in its namespace.
        text: As it was given.
        parameter: What it was given as, for messages.

    Raises:
        ConfigError: There cannot be such a topic.
    """
    try:
        validate_topic_name(text)
        full = str(node.resolve_topic_name(text))
        validate_full_topic_name(full)
    # The latter two are those of rclpy's C++: text that is not UTF-8, and what cannot be expanded.
    except (NameValidationException, ValueError, RuntimeError) as error:
        why = _PLACE.sub('', str(error).partition('\n')[0]).rstrip(':')
        msg = (
            f'{parameter}: {excerpt(text)!r} is not the name of a topic: {why}; expected a name '
            'such as /camera/image_raw'
        )
        raise ConfigError(msg) from error
    return full
