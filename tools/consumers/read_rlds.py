# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read a data set with TensorFlow Datasets itself: python read_rlds.py DATASET OUT.npz.

Runs in the environment of tools/consumers/rlds.txt, without a network.
"""

import os
import sys
from pathlib import Path
from typing import Any

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''

import numpy as np
import tensorflow_datasets as tfds


def flat(tree: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    """Return the leaves of nested features by their path."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= (
            flat(value, f'{prefix}{key}/') if isinstance(value, dict) else {prefix + key: value}
        )
    return found


def main(folder: Path, out: Path) -> None:
    """Write all that the steps of a data set have, episode by episode."""
    builder = tfds.builder_from_directory(folder)
    arrays: dict[str, list[Any]] = {}
    for number, episode in enumerate(builder.as_dataset(split='train')):
        for key, value in flat(episode['episode_metadata']).items():
            arrays.setdefault(f'episode_metadata/{key}', []).append(value.numpy())
        for step in episode['steps']:
            arrays.setdefault('episode', []).append(number)
            for key, value in flat(step).items():
                arrays.setdefault(key, []).append(value.numpy())
    columns: dict[str, Any] = {key: np.array(values) for key, values in arrays.items()}
    np.savez(out, **columns)


if __name__ == '__main__':
    main(Path(sys.argv[1]), Path(sys.argv[2]))
