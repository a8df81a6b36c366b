# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from m2r2_ros.evaluation.runs import runs_of
from m2r2_ros.training.vary import varied

TARGETS = np.repeat(np.arange(4), 30).astype(np.int64)


def test_without_a_share_nothing_changes() -> None:
    found = varied(TARGETS, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(found, np.arange(len(TARGETS)))


def test_segments_are_stretched_shortened_and_left_out() -> None:
    rng = np.random.default_rng(1)
    lengths, missing = [], 0
    for _ in range(200):
        runs = runs_of(TARGETS[varied(TARGETS, 0.5, rng)])
        lengths += (runs.ends - runs.starts).tolist()
        missing += 4 - len(runs)
    assert min(lengths) < 10
    assert max(lengths) > 50
    assert 0.3 < np.mean([n == 30 for n in lengths]) < 0.8
    assert 0.05 < missing / 800 < 0.25


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(1, 9)), min_size=1, max_size=6),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_frames_stay_in_order(runs: list[tuple[int, int]], share: float, seed: int) -> None:
    targets = np.concatenate([np.full(n, label, np.int64) for label, n in runs])
    frames = varied(targets, share, np.random.default_rng(seed))
    assert len(frames)
    assert (np.diff(frames) >= 0).all()
    assert 0 <= frames.min() <= frames.max() < len(targets)
