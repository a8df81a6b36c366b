# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read a data set with LeRobot itself: python read_lerobot.py DATASET OUT.npz.

Runs in the environment of tools/consumers/lerobot.txt, without a network.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ['HF_HUB_OFFLINE'] = '1'

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def main(folder: Path, out: Path) -> None:
    """Write all that the frames of a data set have, in the order in which LeRobot gives it."""
    data = LeRobotDataset('local/data', root=folder)
    items = [data[k] for k in range(len(data))]
    arrays: dict[str, Any] = {}
    texts: dict[str, list[str]] = {'task': [item['task'] for item in items]}
    for key, value in items[0].items():
        if hasattr(value, 'numpy'):
            arrays[key] = np.stack([item[key].numpy() for item in items])
        elif key != 'task':
            texts[key] = [json.dumps(item[key], default=str) for item in items]
    step = 1 / data.fps
    keys = [key for key in data.features if key.startswith('observation.')]
    around = LeRobotDataset(
        'local/data', root=folder, delta_timestamps={key: [-step, 0.0, step] for key in keys}
    )
    middle = around[len(data) // 2]
    for key in keys:
        arrays[f'around/{key}'] = middle[key].numpy()
    for key, value in data.meta.stats.items():
        arrays[f'stats/{key}'] = value['mean']
    arrays |= {f'text/{key}': np.array(value) for key, value in texts.items()}
    np.savez(out, **arrays)


if __name__ == '__main__':
    main(Path(sys.argv[1]), Path(sys.argv[2]))
