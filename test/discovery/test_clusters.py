# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clusters: levels weigh more than spread, and a bundle gives back what was found."""

import sys

import numpy as np
import pytest

from m2r2_ros.core.errors import BundleError, ConfigError, DiscoveryError
from m2r2_ros.discovery.clusters import MOST, Clusters, find_clusters

ONES = np.ones(3)


def segments(kinds: int = 4, each: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return descriptions with one number in levels among two that are noise, and their kinds."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(kinds), each)
    x = rng.uniform(-1, 1, (len(kind), 3))
    x[:, 0] = 0.01 * kind + rng.normal(0, 1e-4, len(kind))
    return x, kind


def purity(labels: np.ndarray, kind: np.ndarray) -> float:
    return sum(np.bincount(kind[labels == k]).max() for k in set(labels.tolist())) / len(kind)


def test_levels_tell_kinds_apart() -> None:
    x, kind = segments()
    clusters, labels = find_clusters(x, ONES, 12)
    assert len(clusters) == 12
    assert purity(labels, kind) == 1.0


def test_largest_clusters_come_first_and_every_segment_is_nearest_to_its_own() -> None:
    x, _ = segments()
    clusters, labels = find_clusters(x, ONES, 5)
    sizes = np.bincount(labels, minlength=5)
    assert (np.diff(sizes) <= 0).all()
    assert sizes.all()
    np.testing.assert_array_equal(clusters.probabilities(x).argmax(axis=1), labels)


def test_a_number_that_nothing_shows_or_that_never_changes_is_left_out() -> None:
    x, kind = segments()
    odd = np.column_stack([x, np.full(len(x), np.nan), np.full(len(x), 7.0)])
    clusters, labels = find_clusters(odd, np.ones(5), 12)
    assert purity(labels, kind) == 1.0
    other = odd.copy()
    other[:, 4] = 1e6
    np.testing.assert_allclose(clusters.probabilities(other), clusters.probabilities(odd))


@pytest.mark.parametrize(('count', 'wanted'), [(1, 1), (2, 2), (9, 2), (50, 10), (1000, MOST)])
def test_their_number_follows_that_of_segments(count: int, wanted: int) -> None:
    x = np.random.default_rng(0).normal(size=(count, 3))
    clusters, labels = find_clusters(x, ONES)
    assert len(clusters) == wanted
    assert len(set(labels.tolist())) == wanted


def test_more_clusters_than_segments_are_refused() -> None:
    x, _ = segments()
    with pytest.raises(DiscoveryError, match='48 segments were found, expected at least 49'):
        find_clusters(x, ONES, 49)
    with pytest.raises(DiscoveryError, match='0 segments'):
        find_clusters(np.zeros((0, 3)), ONES)


def test_segments_that_are_all_alike_are_clustered_all_the_same() -> None:
    clusters, labels = find_clusters(np.ones((6, 3)), ONES)
    assert np.isfinite(clusters.probabilities(np.ones((1, 3)))).all()
    assert len(labels) == 6


def test_tensors_give_back_the_clusters() -> None:
    x, _ = segments()
    clusters, _ = find_clusters(x, ONES, 5)
    again = Clusters.from_tensors(clusters.tensors(), 5)
    np.testing.assert_array_equal(again.probabilities(x), clusters.probabilities(x))
    for change, said in (
        ({'clusters.mean': None}, 'clusters.mean is missing'),
        ({'clusters.scale': np.zeros(2, np.float32)}, r'expected finite numbers \(3,\)'),
        ({'clusters.centres': np.full((5, 3), np.nan, np.float32)}, 'finite'),
        ({'clusters.spread': np.zeros(1, np.float32)}, 'above 0'),
    ):
        tensors = {k: v for k, v in {**clusters.tensors(), **change}.items() if v is not None}
        with pytest.raises(BundleError, match=said):
            Clusters.from_tensors(tensors, 5)


def test_without_scikit_learn_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'sklearn.cluster', None)
    with pytest.raises(ConfigError, match=r"pip install 'm2r2_ros\[discover\]'"):
        find_clusters(segments()[0], ONES, 5)
