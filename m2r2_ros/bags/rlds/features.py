# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What features.json of an RLDS dataset says of its steps."""

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.reading import read_text, reading

FEATURES: Final = 'features.json'
STEPS: Final = 'steps/'
NUMBERS, IMAGE, TEXT, CHOICE = 'numbers', 'image', 'text', 'choice'
_EXPECTED: Final = 'the features.json that TFDS writes'
_MOST_BYTES: Final = 1 << 24
_MOST_FEATURES, _DEEPEST = 4096, 32


@dataclass(frozen=True, slots=True)
class StepFeature:
    """A feature of a step, or of an episode.

    Attributes:
        name: Name in the records, such as 'steps/observation/image'.
        kind: NUMBERS, IMAGE, TEXT, CHOICE, or what it is called where it is none of these.
        width: Numbers of a step.
        dtype: Type of the numbers.
    """

    name: str
    kind: str
    width: int = 1
    dtype: str = ''


def read_features(folder: Path) -> dict[str, StepFeature]:
    """Return the features of a dataset by name.

    Raises:
        BagError: It has no steps, or the file is damaged.
    """
    path = folder / FEATURES
    text = read_text(path, _EXPECTED, BagError, most=_MOST_BYTES)
    with reading(path, _EXPECTED, BagError):
        content = json.loads(text)
        found = {f.name: f for f in _walk(content, '', 0)}
    if not any(name.startswith(STEPS) for name in found):
        msg = f'{path}: has no steps; expected an RLDS dataset, whose examples are episodes'
        raise BagError(msg)
    if len(found) > _MOST_FEATURES:
        msg = f'{path}: has {len(found)} features, at most {_MOST_FEATURES} are read'
        raise BagError(msg)
    return found


def _walk(node: Any, name: str, depth: int) -> list[StepFeature]:  # noqa: ANN401 - of JSON
    """Return the features below a node, named as TFDS names them in records."""
    if depth > _DEEPEST or not isinstance(node, dict):
        msg = 'features are nested too deeply, or are no mappings'
        raise ValueError(msg)
    if 'featuresDict' in node:
        below = node['featuresDict']['features']
        start = f'{name}/' if name else ''
        return [f for key, part in below.items() for f in _walk(part, start + str(key), depth + 1)]
    if 'sequence' in node:
        if f'{name}/' == STEPS:
            return _walk(node['sequence']['feature'], name, depth + 1)
        return [StepFeature(name, 'a sequence')]
    if 'image' in node:
        return [StepFeature(name, IMAGE)]
    if 'text' in node:
        return [StepFeature(name, TEXT)]
    if 'classLabel' in node:
        return [StepFeature(name, CHOICE, 1, 'int64')]
    if 'tensor' in node:
        return [_tensor(name, node['tensor'])]
    return [StepFeature(name, str(node.get('pythonClassName', 'unknown')).rpartition('.')[2])]


def _tensor(name: str, tensor: dict[str, Any]) -> StepFeature:
    shape = [int(n) for n in tensor.get('shape', {}).get('dimensions', [])]
    dtype = str(tensor.get('dtype', ''))
    if dtype == 'string' and not shape:
        return StepFeature(name, TEXT)
    if tensor.get('encoding', 'none') not in ('none', '') or any(n <= 0 for n in shape):
        return StepFeature(name, 'a tensor of any size, or packed')
    kind = NUMBERS if dtype.startswith(('float', 'int', 'uint', 'bool', 'bfloat')) else dtype
    return StepFeature(name, kind, prod(shape[:8]) if len(shape) <= 8 else 0, dtype)
