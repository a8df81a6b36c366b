# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small feature sets in which three labels are easy to tell apart."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.training.feature_set import FeatureSet, FeatureWriter, read_feature_set

LABELS = LabelSet(('rest', 'pick_a', 'pick_b'), ('rest', 'pick', 'pick'))
WIDTH = 6
RATE = 10.0


def toy(frames: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Make features (T, D) that show the label of each frame, in runs of ten."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(rng.integers(0, 3, -(-frames // 10)), 10)[:frames].astype(np.int64)
    features = rng.normal(0, 0.3, (frames, WIDTH)).astype(np.float32)
    features[np.arange(frames), targets] += 2
    return features, targets


def toy_set(folder: Path, *, frames: int = 80, unlabelled: bool = False) -> FeatureSet:
    """Write three recordings to train on, one to validate on and one to test on."""
    writer = FeatureWriter(folder, LABELS)
    for k, part in enumerate(['train', 'train', 'train', 'val', 'test']):
        features, targets = toy(frames + k, k)
        if unlabelled:
            targets[:5] = UNKNOWN
        writer.write(f'r{k}', features, targets)
        writer.add(part, f'r{k}')
    writer.finish(RATE, {'model': 'none', 'features': 'toy'})
    return read_feature_set(folder)
