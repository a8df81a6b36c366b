# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several detectors as one: votes, in whatever pieces the frames come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.consensus import Consensus, vote
from test.discovery.arm import Arm

REACH = 5


class Says:
    """A detector that says what it was told, so many frames late."""

    def __init__(self, scores: NDArray[np.float32], lag: int | None) -> None:
        self._scores, self.lag = scores, lag
        self.reset()

    def reset(self) -> None:
        self._seen = self._said = 0

    def extend(self, windows: FrameWindows) -> NDArray[np.float32]:
        self._seen += len(windows)
        return self._say(0 if self.lag is None else max(0, self._seen - self.lag))

    def finish(self) -> NDArray[np.float32]:
        scores = self._say(self._seen)
        self.reset()
        return scores

    def _say(self, until: int) -> NDArray[np.float32]:
        scores = self._scores[self._said : until]
        self._said = max(self._said, until)
        return scores


def scores_at(*frames: int, count: int = 60) -> NDArray[np.float32]:
    scores = np.zeros(count, np.float32)
    scores[list(frames)] = 1.0
    return scores


def test_most_must_see_a_boundary() -> None:
    two = vote(np.stack([scores_at(20), scores_at(22), scores_at()]), REACH)
    assert np.flatnonzero(two).size == 1
    assert 20 <= int(np.flatnonzero(two)[0]) <= 22
    assert not vote(np.stack([scores_at(20), scores_at(), scores_at()]), REACH).any()
    assert not vote(np.stack([scores_at(20), scores_at(20 + REACH * 2 + 1)]), REACH).any()


def test_one_alone_decides_by_itself() -> None:
    found = vote(scores_at(3, 30)[None], REACH)
    assert np.flatnonzero(found).tolist() == [3, 30]


def test_scores_are_means_of_those_in_reach() -> None:
    weak = scores_at(20) * np.float32(0.5)
    found = vote(np.stack([scores_at(20), weak, scores_at()]), REACH)
    assert found[20] == pytest.approx(0.5)


@given(st.data())
def test_pieces_change_nothing(data: st.DataObject) -> None:
    """Detectors with lags of their own, frames in pieces of any size."""
    count = data.draw(st.integers(1, 60))
    frames = st.lists(st.integers(0, count - 1), max_size=8)
    lags = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
    says = [Says(scores_at(*data.draw(frames), count=count), lag) for lag in lags]
    windows = Arm().stand(6.0).windows()[:count]
    consensus = Consensus(says, 10.0)
    parts, first = [], 0
    while first < count:
        size = data.draw(st.integers(1, count - first))
        parts.append(consensus.extend(windows[first : first + size]))
        first += size
        assert consensus.lag is not None
        assert sum(map(len, parts)) == max(0, first - consensus.lag)
    parts.append(consensus.finish())
    scores = np.stack([s._scores for s in says])
    np.testing.assert_array_equal(np.concatenate(parts), vote(scores, REACH))


def test_one_that_waits_for_the_end_makes_all_wait() -> None:
    windows = Arm().stand(6.0).windows()
    consensus = Consensus([Says(scores_at(20), 2), Says(scores_at(21), None)], 10.0)
    assert consensus.lag is None
    assert not len(consensus.extend(windows))
    assert np.flatnonzero(consensus.finish()).size == 1
