# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments that look alike: clusters of their descriptions, and the nearest one of another."""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError, DiscoveryError
from m2r2_ros.discovery.laps.quality import clustering_library
from m2r2_ros.discovery.method import Tensors

#: Segments of a cluster, on average, and clusters at most, where their number is not given. Many
#: small clusters hold one label each, and so many a person still names in ten minutes; a few large
#: ones would mix labels, which no name puts right.
_PER_CLUSTER: Final = 5
MOST: Final = 60
#: How far the weight of a number may be from that of the others.
_WEIGHTS: Final = (0.2, 6.0)
_NAMES: Final = ('mean', 'scale', 'centres', 'spread')
PREFIX: Final = 'clusters.'


@dataclass(frozen=True, slots=True)
class Clusters:
    """K clusters of descriptions of D numbers.

    Attributes:
        mean: float32 (D,).
        scale: float32 (D,): a description is compared as (x - mean) * scale.
        centres: float32 (K, D), so scaled.
        spread: float32 (1,), typical distance of a description from its centre.
        cosine: Whether only the direction of a scaled description counts.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    centres: NDArray[np.float32]
    spread: NDArray[np.float32]
    cosine: bool = False

    def __len__(self) -> int:
        return len(self.centres)

    def scaled(self, descriptions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return descriptions (n, D) as they are compared; what is NaN is as usual."""
        return scaled(descriptions, self.mean, self.scale, cosine=self.cosine)

    def probabilities(self, descriptions: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return how likely each cluster is for descriptions (n, D), float32 (n, K)."""
        x = self.scaled(descriptions)
        distances = np.square(x[:, None] - self.centres).sum(axis=2) / float(self.spread[0]) ** 2
        odds = np.exp(-0.5 * (distances - distances.min(axis=1, keepdims=True)))
        found: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
        return found.astype(np.float32)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return what `from_tensors` reads."""
        return {PREFIX + name: getattr(self, name) for name in _NAMES}

    @classmethod
    def from_tensors(cls, tensors: Tensors, count: int, *, cosine: bool = False) -> 'Clusters':
        """Read clusters out of a bundle.

        Raises:
            BundleError: A tensor is missing, of another shape or not finite.
        """
        found = {}
        for name in _NAMES:
            if PREFIX + name not in tensors:
                msg = f'tensor {PREFIX}{name} is missing'
                raise BundleError(msg)
            found[name] = tensors[PREFIX + name]
        width = found['mean'].shape[0] if found['mean'].ndim == 1 else 0
        shapes = {'mean': (width,), 'scale': (width,), 'centres': (count, width), 'spread': (1,)}
        for name, shape in shapes.items():
            if found[name].shape != shape or not np.isfinite(found[name]).all():
                msg = (
                    f'tensor {PREFIX}{name}: expected finite numbers {shape}, '
                    f'found {found[name].shape}'
                )
                raise BundleError(msg)
        if not found['spread'][0] > 0:
            msg = f'tensor {PREFIX}spread: expected a number above 0'
            raise BundleError(msg)
        return cls(**found, cosine=cosine)


def scaled(
    descriptions: NDArray[np.float64],
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
    *,
    cosine: bool,
) -> NDArray[np.float64]:
    """Return (x - mean) * scale of descriptions (n, D), 0 for NaN; of length 1 where asked."""
    found: NDArray[np.float64] = np.nan_to_num((descriptions - mean) * scale)
    if cosine:
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        found = found / np.where(lengths > 0, lengths, 1.0)
    return found


def find_clusters(
    descriptions: NDArray[np.float64],
    widths: NDArray[np.float64],
    count: int = 0,
    seed: int = 0,
    *,
    cosine: bool = False,
) -> tuple[Clusters, NDArray[np.int64]]:
    """Cluster segments.

    Numbers weigh more the more they fall into levels, as the widths of parts in a gripper do:
    each is divided by the usual distance to its neighbours among the segments, not by its
    deviation. k-means starts from the clusters of Ward's method.

    Args:
        descriptions: (n, D), NaN where no sensor shows a number.
        widths: (D,), how much a number counts beside others.
        cosine: Compare directions of standardised descriptions, as LAPS does (section 3.2.2): of
            embeddings, no number means anything by itself.
        count: K; 0 takes one for every five segments, 60 at most.
        seed: Of k-means.

    Returns:
        The clusters, by falling size, and the cluster of each segment, int64 (n,).

    Raises:
        DiscoveryError: There are fewer segments than clusters, or none.
        ConfigError: scikit-learn is not installed.
    """
    segments = len(descriptions)
    if not segments or count > segments:
        msg = (
            f'{segments} segments were found, expected at least {max(count, 1)}, one for each '
            'cluster: give more recordings, or a smaller --clusters'
        )
        raise DiscoveryError(msg)
    mean, scale = _scales(descriptions, widths, levels=not cosine)
    x = scaled(descriptions, mean, scale, cosine=cosine)
    usual = min(max(2, segments // _PER_CLUSTER), MOST, len(np.unique(x, axis=0)))
    labels = _ward(x, count or usual)
    labels, centres = _k_means(x, labels, seed)
    order = np.argsort(-np.bincount(labels), kind='stable')
    place = np.argsort(order)
    labels, centres = place[labels], centres[order]
    distances = np.linalg.norm(x - centres[labels], axis=1)
    spread = max(float(np.median(distances[distances > 0])) if distances.any() else 1.0, 1e-3)
    around = np.array([spread], np.float32)
    found = Clusters(mean, scale, centres.astype(np.float32), around, cosine)
    return found, labels.astype(np.int64)


def _scales(
    x: NDArray[np.float64], widths: NDArray[np.float64], *, levels: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and scale of each number; 0 of one that never changes."""
    mean, scale = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for k, column in enumerate(x.T):
        known = column[np.isfinite(column)]
        if len(known):
            mean[k] = known.mean()
        if len(known) > 1 and known.std() > 1e-9:
            scale[k] = 1 / known.std()
    near = np.array([_neighbours(column) for column in (x * scale).T])
    changes = scale > 0
    weights = np.ones(x.shape[1])
    if levels and changes.any():
        weights[changes] = 1 / np.maximum(near[changes], 1e-3)
        weights = np.clip(weights / np.median(weights[changes]), *_WEIGHTS)
    return mean.astype(np.float32), (scale * weights * widths).astype(np.float32)


def _neighbours(column: NDArray[np.float64]) -> float:
    """Return the usual distance to the next values of a number."""
    values = np.sort(column[np.isfinite(column)])
    k = max(3, len(values) // 40)
    if len(values) <= 2 * k:
        return 1.0
    return float(np.median(values[2 * k :] - values[: -2 * k])) / (2 * k)


def _ward(x: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    if count == 1 or len(x) == 1:
        return np.zeros(len(x), np.int64)
    labels: NDArray[np.int64] = learn('cluster').AgglomerativeClustering(count).fit_predict(x)
    return labels


def _k_means(
    x: NDArray[np.float64], labels: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Refine clusters, so that each segment is in the one with the nearest centre."""
    first = np.stack([x[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    if len(first) == 1:
        return labels, first
    k_means = learn('cluster').KMeans(len(first), init=first, n_init=1, random_state=seed)
    return k_means.fit_predict(x), k_means.cluster_centers_


def learn(module: str) -> ModuleType:
    """Return a module of scikit-learn.

    Raises:
        ConfigError: It is not installed.
    """
    with clustering_library():
        return importlib.import_module(f'sklearn.{module}')
