# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The median filter, by hand and by a plain loop."""

import numpy as np
import pytest

from m2r2_ros.model import median
from m2r2_ros.model.median import median_filtered


def test_the_median_of_each_label() -> None:
    p = np.array([[0.8, 0.2], [0.7, 0.3], [0.1, 0.9], [0.6, 0.4], [0.3, 0.7]], np.float32)
    assert np.array_equal(median_filtered(p, 1), p)
    found = median_filtered(p, 3)
    # Mirrored: 0.8 0.8 0.7, 0.8 0.7 0.1, 0.7 0.1 0.6, 0.1 0.6 0.3, 0.6 0.3 0.3.
    np.testing.assert_allclose(found[:, 0], [0.8, 0.7, 0.6, 0.3, 0.3], rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    # Of an even number, the greater one in the middle: two frames before, one after.
    assert median_filtered(p, 4)[2, 0] == pytest.approx(0.7 / (0.7 + 0.4))
    assert median_filtered(p[:1], 9)[0].tolist() == pytest.approx(p[0].tolist())


def test_a_frame_without_a_median_stays() -> None:
    p = np.eye(3, dtype=np.float32)
    assert np.array_equal(median_filtered(p, 3), p)


@pytest.mark.parametrize('width', [2, 7, 30])
def test_long_recordings_are_filtered_in_parts(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(3), 20).astype(np.float32)
    whole = median_filtered(p, width)
    monkeypatch.setattr(median, 'AT_A_TIME', 50)
    assert np.array_equal(median_filtered(p, width), whole)
