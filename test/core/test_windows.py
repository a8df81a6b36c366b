# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of several of a kind are cut, joined and masked like any others."""

import numpy as np
import pytest

from m2r2_ros.core.modalities import MAX_MODALITIES, modality_names
from m2r2_ros.core.windows import FrameWindows, masks_of
from test.bimanual import BIMANUAL
from test.network.networks import make_windows
from test.windows.streams import same


@pytest.mark.parametrize('columns', [1, 8, 9, 13, MAX_MODALITIES])
def test_masks_have_a_bit_for_each_column(columns: int) -> None:
    present = np.random.default_rng(columns).uniform(size=(50, columns)) > 0.5
    present[0] = True
    masks = masks_of(present)
    assert masks.dtype == np.uint32
    assert masks[0] == 2**columns - 1
    names = [f'x{k}' for k in range(columns)]
    for mask, row in zip(masks.tolist(), present, strict=True):
        assert modality_names(mask, names) == tuple(np.array(names)[row].tolist())


def test_windows_are_cut_and_joined() -> None:
    whole = make_windows(9, images=True, modalities=BIMANUAL)
    assert set(whole.images) == {'image', 'cam2'}
    assert set(whole.sounds) == {'sound', 'mic2'}
    parts = [whole[:2], whole[2:3], whole[3:]]
    joined = FrameWindows.join(parts)
    assert same(joined, whole)
    assert joined.modalities is BIMANUAL
    assert [len(part.images['cam2']) for part in parts] == [2, 1, 6]


def test_what_is_no_column_is_not_there() -> None:
    windows = make_windows(3, modalities=BIMANUAL)
    assert windows.has('tactile').tolist() == windows.present[:, -1].tolist()
    assert windows.has('wrench').tolist() == [False] * 3


def test_runs_are_the_parts_between_jumps_of_the_clock() -> None:
    windows = make_windows(9)
    windows.restarts[:] = [False, False, True, False, False, True, True, False, False]
    assert [len(run) for run in windows.runs()] == [2, 3, 1, 3]
    assert [bool(run.restarts[0]) for run in windows.runs()] == [False, True, True, True]
    assert np.array_equal(np.concatenate([run.stamps for run in windows.runs()]), windows.stamps)
    assert not list(windows[:0].runs())
