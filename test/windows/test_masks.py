# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Questions to masks."""

import numpy as np
import pytest

from m2r2_ros.windows.masks import every


@pytest.mark.parametrize('shape', [(0,), (1,), (7,), (3, 4), (0, 4)])
def test_every_is_all(shape: tuple[int, ...]) -> None:
    mask = np.ones(shape, np.bool_)
    assert every(mask) is True
    if mask.size:
        mask.flat[-1] = False
        assert every(mask) is False
