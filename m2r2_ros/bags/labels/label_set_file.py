# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A label set that people write down in YAML, of one level or of two."""

from pathlib import Path
from typing import Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.options import Section
from m2r2_ros.core.reading import naming

_EXPECTED: Final = 'a list of labels, or lists of labels by their parents'


def read_label_set_file(path: Path) -> LabelSet:
    """Read `labels`: a list of names, or a mapping from parents to lists of names.

    Raises:
        ConfigError: The file cannot be read, or holds something else.
        LabelError: A name is no label, or is there twice.
    """
    root = Section.read(path, f'a mapping with labels, {_EXPECTED}')
    content = root.get('labels', (list, dict), expected=_EXPECTED)
    root.close()
    if isinstance(content, list):
        pairs = [(name, '') for name in root.texts('labels')]
    else:
        levels = root.section('labels')
        pairs = [(name, parent) for parent in levels.entries for name in levels.texts(parent)]
    if not pairs:
        root.refuse('labels', _EXPECTED, content)
    with naming(path, ConfigError):
        return LabelSet(tuple(name for name, _ in pairs), tuple(parent for _, parent in pairs))
