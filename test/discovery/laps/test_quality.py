# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import sys

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError, DiscoveryError
from m2r2_ros.discovery.laps.quality import (
    coherence,
    cosine_clusters,
    segment_descriptor,
    separation,
    unit_directions,
)


def groups(count: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 16))
    truth = np.repeat(np.arange(3), count)
    lengths = rng.uniform(0.5, 3, (3 * count, 1))  # directions count, lengths do not
    values = lengths * (centres[truth] + 0.1 * rng.normal(size=(3 * count, 16)))
    return values.astype(np.float32), truth


def test_distances_of_directions_are_cosines() -> None:
    values = groups()[0]
    values[:, 3] = 7  # says nothing
    found = unit_directions(values)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert (found[:, 3] == 0).all()
    gap = np.square(found[0] - found[30]).sum()
    assert gap == pytest.approx(2 * (1 - found[0] @ found[30]))
    assert (unit_directions(np.ones((3, 4), np.float32)) == 0).all()


def test_clusters_find_the_groups_and_are_judged() -> None:
    values, truth = groups()
    directions = unit_directions(values)
    labels = cosine_clusters(directions, 3)
    assert len({(int(a), int(b)) for a, b in zip(labels, truth, strict=True)}) == 3
    assert np.array_equal(labels, cosine_clusters(directions, 3))
    good, bad = separation(directions, labels), separation(directions, np.arange(60) % 3)
    assert good is not None and bad is not None
    assert good.silhouette > 0.5 > 0.1 > bad.silhouette
    assert good.calinski_harabasz > 10 * bad.calinski_harabasz
    assert separation(directions, np.zeros(60, np.int64)) is None
    with pytest.raises(DiscoveryError, match='61 clusters'):
        cosine_clusters(directions, 61)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    directions = unit_directions(groups()[0])
    for name in ('sklearn', 'sklearn.cluster', 'sklearn.metrics'):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"pip install 'm2r2_ros\[discover\]'"):
        cosine_clusters(directions, 3)
    with pytest.raises(ConfigError, match=r"pip install 'm2r2_ros\[discover\]'"):
        separation(directions, np.zeros(60, np.int64))


def test_a_cluster_is_coherent_when_its_members_look_alike() -> None:
    values, truth = groups()
    looks = np.stack([segment_descriptor(v[None]) for v in values])
    good = coherence(looks, truth)
    assert set(good.clusters) == {0, 1, 2} and good.clusters[0].pairs == 190
    assert good.overall.mean > 0.9 > good.baseline.mean + 0.3
    shuffled = coherence(looks, np.arange(60) % 3)
    assert abs(shuffled.overall.mean - shuffled.baseline.mean) < 0.15
    sampled = coherence(looks, truth, pairs=50)
    assert sampled.baseline.pairs == 150
    assert sampled.overall.mean == pytest.approx(good.overall.mean, abs=0.02)


def test_a_primitive_is_no_pair_with_itself() -> None:
    looks = np.eye(4, dtype=np.float32)
    found = coherence(looks, np.array([0, 0, 0, 1]), pairs=2)
    assert found.overall.mean == 0 and set(found.clusters) == {0}
    with pytest.raises(DiscoveryError, match='no cluster has two'):
        coherence(looks, np.arange(4))


def test_longer_features_weigh_more() -> None:
    found = segment_descriptor(np.array([[3, 0], [0, 1]], np.float32))
    assert found == pytest.approx(np.array([3, 1]) / np.sqrt(10))
