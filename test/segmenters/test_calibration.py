# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temperature scaling is what a softmax with that temperature gives."""

import numpy as np
import pytest

from m2r2_ros.segmenters.calibration import calibrated

LOGITS = np.random.default_rng(0).normal(0, 5, (50, 4)).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize('temperature', [0.5, 1.0, 1.7, 10.0])
def test_it_is_softmax_of_cooler_logits(temperature: float) -> None:
    found = calibrated(softmax(LOGITS), temperature)
    np.testing.assert_allclose(found, softmax(LOGITS / temperature), atol=1e-5)
    assert found.dtype == np.float32
    assert np.array_equal(found.argmax(axis=1), LOGITS.argmax(axis=1))


def test_certainty_stays_finite() -> None:
    sure = np.array([1.0, 0.0, 0.0], np.float32)
    found = calibrated(sure, 2.0)
    assert np.isfinite(found).all()
    assert found.argmax() == 0
