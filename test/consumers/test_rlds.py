# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Datasets reads what `m2r2 export rlds` writes; skipped where it is not installed."""

from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.labels import label_at
from m2r2_ros.readers.image import decode_compressed
from test.cli.run import done
from test.consumers.environments import interpreter, read_with
from test.export.frames.numbered import (
    RATE,
    RAW,
    TRUTH,
    commands,
    every,
    jpeg,
    messages,
    number_in,
    raw_camera,
    write,
)


def test_every_step(tmp_path: Path) -> None:
    interpreter('rlds')
    for k, name in enumerate(('first', 'second')):
        raw = raw_camera(RAW, every(RATE, 4.0 - k))
        write(tmp_path / name, [*messages(4.0 - k, 100 * k), *commands(every(10, 4.0 - k)), *raw])
    out = tmp_path / 'out'
    done('export', 'rlds', tmp_path / 'first', tmp_path / 'second', '--out', out)
    read = read_with('rlds', out, tmp_path / 'read.npz')
    stamps = np.array(every(RATE, 4.0) + every(RATE, 3.0))
    order = np.argsort(read['episode_metadata/recording'])[read['episode']]
    assert sorted(read['episode_metadata/recording'].tolist()) == [b'first', b'second']
    by_name = np.argsort(order, kind='stable')
    assert (read['stamp_ns'][by_name] == stamps).all()
    seen = read['observation/hand_camera'][by_name]
    assert [number_in(image) for image in seen] == [*range(80), *range(100, 160)]
    expected = decode_compressed(jpeg(7))
    # Both decode the same bytes, with different libraries.
    assert np.abs(seen[7].astype(int) - expected.astype(int)).max() <= 4
    assert read['observation/raw'][by_name][9, 0, 0].tolist() == [9, 0, 1]
    assert read['observation/state'][by_name][:70, 0] == pytest.approx(
        np.arange(70) / RATE, abs=1e-3
    )
    assert read['action'][by_name][:4, 0].tolist() == [0, 0, 1, 1]
    labels = [label or 'unknown' for label in label_at(TRUTH, stamps)]
    assert [text.decode() for text in read['subtask'][by_name]] == labels
    assert read['is_first'].sum() == read['is_last'].sum() == read['is_terminal'].sum() == 2
    assert read['episode_metadata/success'].tolist() == [-1, -1]
