# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clusters of primitives, and how good they are (sections 3.2.2, 3.2.3 and 4.4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError, DiscoveryError

#: Pairs that similarities are averaged over.
PAIRS: Final = 10_000


@contextmanager
def clustering_library() -> Iterator[None]:
    """Explain what is missing where scikit-learn is imported.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        yield
    except ImportError as error:
        msg = "clustering needs scikit-learn: pip install 'm2r2_ros[discover]'"
        raise ConfigError(msg) from error


def unit_directions(embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return embeddings as k-means can compare their directions, float64 (n, d).

    They are standardised, then brought to length 1: squared distances are 2 (1 - cosine).
    """
    values = embeddings.astype(np.float64)
    values = values - values.mean(axis=0)
    spread = values.std(axis=0)
    # What is the same in all up to rounding would be made large.
    values /= np.where(spread > 1e-6 * (1e-12 + spread.max(initial=0.0)), spread, np.inf)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    directions: NDArray[np.float64] = values / np.where(lengths > 0, lengths, 1.0)
    return directions


def cosine_clusters(
    directions: NDArray[np.float64], clusters: int, seed: int = 0
) -> NDArray[np.int64]:
    """Return the cluster of each direction by k-means, int64 (n,).

    Args:
        directions: float64 (n, d), from `unit_directions`.
        clusters: k, which the paper takes from knowledge of the task.
        seed: Of the starts.

    Raises:
        DiscoveryError: There are fewer directions than clusters.
        ConfigError: scikit-learn is not installed.
    """
    if not 1 <= clusters <= len(directions):
        msg = f'{clusters} clusters cannot be made of {len(directions)} primitives'
        raise DiscoveryError(msg)
    with clustering_library():
        from sklearn.cluster import KMeans
    found = KMeans(clusters, n_init=10, random_state=seed).fit_predict(directions)
    return np.asarray(found, np.int64)


@dataclass(frozen=True, slots=True)
class Separation:
    """How far clusters lie apart.

    Attributes:
        silhouette: Mean silhouette, -1..1.
        calinski_harabasz: Spread between clusters over that within, 0 or more.
    """

    silhouette: float
    calinski_harabasz: float


def separation(directions: NDArray[np.float64], labels: NDArray[np.int64]) -> Separation | None:
    """Return how far clusters lie apart; None where that means nothing: with one, or one for each.

    Args:
        directions: float64 (n, d).
        labels: int64 (n,), the cluster of each.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    with clustering_library():
        from sklearn.metrics import calinski_harabasz_score, silhouette_score
    if not 2 <= len(np.unique(labels)) < len(labels):
        return None
    return Separation(
        float(silhouette_score(directions, labels)),
        float(calinski_harabasz_score(directions, labels)),
    )


@dataclass(frozen=True, slots=True)
class Similarity:
    """Cosine similarity of pairs of primitives.

    Attributes:
        mean: Mean, -1..1.
        std: Standard deviation.
        pairs: How many pairs were sampled.
    """

    mean: float
    std: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Coherence:
    """Intra-cluster semantic similarity.

    Attributes:
        clusters: ICSS_k by cluster; those of one primitive have none.
        overall: Over the pairs of all clusters.
        baseline: Over as many pairs of any primitives.
    """

    clusters: dict[int, Similarity]
    overall: Similarity
    baseline: Similarity


def coherence(
    descriptors: NDArray[np.float32],
    labels: NDArray[np.int64],
    pairs: int = PAIRS,
    seed: int = 0,
) -> Coherence:
    """Return how alike the images of a cluster's primitives are (ICSS).

    Args:
        descriptors: float32 (n, d), v_i of length 1; see `segment_descriptor`.
        labels: int64 (n,), the cluster of each.
        pairs: Pairs to sample of each cluster at most.
        seed: Of the sampling.

    Raises:
        DiscoveryError: No cluster has two primitives.
    """
    rng = np.random.default_rng(seed)
    values = descriptors.astype(np.float64)
    members = {int(k): np.flatnonzero(labels == k) for k in np.unique(labels)}
    cosines = {k: _cosines(values, m, pairs, rng) for k, m in members.items() if len(m) > 1}
    if not cosines:
        msg = 'no cluster has two primitives: their similarity means nothing'
        raise DiscoveryError(msg)
    together = np.concatenate(list(cosines.values()))
    anywhere = _cosines(values, np.arange(len(values)), len(together), rng)
    return Coherence(
        {k: _similarity(c) for k, c in cosines.items()},
        _similarity(together),
        _similarity(anywhere),
    )


def segment_descriptor(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return v_i of a primitive: its frames' directions, weighted by their lengths, of length 1.

    Args:
        features: float32 (m, d), what an image encoder makes of some of its frames; m of 1 or more.
    """
    # A direction times its weight is the feature itself.
    pooled = features.astype(np.float64).sum(axis=0)
    length = float(np.linalg.norm(pooled))
    descriptor: NDArray[np.float32] = (pooled / (length or 1.0)).astype(np.float32)
    return descriptor


def _cosines(
    values: NDArray[np.float64], members: NDArray[np.int64], pairs: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the cosines of all pairs of members, or of so many that are drawn."""
    count = len(members)
    if count * (count - 1) // 2 <= pairs:
        first, second = np.triu_indices(count, 1)
    else:
        first = rng.integers(0, count, pairs)
        second = (first + rng.integers(1, count, pairs)) % count
    found: NDArray[np.float64] = (values[members[first]] * values[members[second]]).sum(axis=1)
    return found


def _similarity(cosines: NDArray[np.float64]) -> Similarity:
    return Similarity(float(cosines.mean()), float(cosines.std()), len(cosines))
