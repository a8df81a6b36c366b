# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Student's t predictive densities of many runs of samples at once (Murphy 2007, section 9)."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Counts whose normalisers are kept; those of longer runs come from a series.
_TABLED: Final = 1024


@dataclass(frozen=True, slots=True)
class Prior:
    """A normal-inverse-Wishart prior of zero mean and the same scale for all channels.

    Attributes:
        dims: D.
        spread: Expected standard deviation in a run.
        strength: kappa_0, how many samples the prior mean counts for.
        freedom: nu_0 - D - 1, how many samples the prior spread counts for; above 0.
    """

    dims: int
    spread: float = 1.0
    strength: float = 1.0
    freedom: float = 1.0

    @property
    def nu(self) -> float:
        """nu_0, degrees of freedom."""
        return self.freedom + self.dims + 1

    @property
    def psi(self) -> float:
        """psi_0 of the scale matrix Psi_0 = psi_0 I."""
        return self.freedom * self.spread**2


class StudentRuns:
    """What is known of K runs of samples; each update takes O(K D^2).

    Instead of Psi it keeps W with W W' = Psi^-1, updated by Potter's square root formula: unlike
    the inverse itself, W W' stays positive definite whatever is rounded.
    """

    def __init__(self, prior: Prior, capacity: int) -> None:
        """Begin without runs; there may be up to `capacity`."""
        d = prior.dims
        self._prior = prior
        self._size = 0
        self._counts = np.zeros(capacity, np.int64)
        self._means = np.zeros((d, capacity))
        self._roots = np.zeros((d, d, capacity))
        self._log_dets = np.zeros(capacity)
        self._table = np.array([self._normaliser(n) for n in range(_TABLED)])

    def begin(self, slot: int) -> None:
        """Put a run without samples in a slot, a used one or the next."""
        d = self._prior.dims
        self._size = max(self._size, slot + 1)
        self._counts[slot] = 0
        self._means[:, slot] = 0.0
        self._roots[:, :, slot] = np.eye(d) / math.sqrt(self._prior.psi)
        self._log_dets[slot] = d * math.log(self._prior.psi)

    def observe(self, sample: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log density of a sample in each run, (K,), then add it to all of them.

        Args:
            sample: (D,), finite.
        """
        used = slice(self._size)
        counts, log_dets = self._counts[used], self._log_dets[used]
        means, roots = self._means[:, used], self._roots[:, :, used]
        kappa = counts + self._prior.strength
        apart = sample[:, None] - means
        turned = (roots * apart[:, None]).sum(axis=0)
        share = kappa / (kappa + 1)
        ratio = 1 + share * (turned * turned).sum(axis=0)
        growth = np.log(ratio)
        weight = 0.5 * (counts + (self._prior.nu + 1))
        density: NDArray[np.float64] = self._normalisers(counts) - 0.5 * log_dets - weight * growth

        root = np.sqrt(ratio)
        gain = (roots * turned).sum(axis=1) * (share / (root * (1 + root)))
        roots -= gain[:, None] * turned
        means += apart / (kappa + 1)
        log_dets += growth
        counts += 1
        return density

    def _normalisers(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._table[np.minimum(counts, _TABLED - 1)]
        long = np.flatnonzero(counts >= _TABLED)
        if len(long):
            found[long] = self._approximate(counts[long])
        return found

    def _approximate(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what `_normaliser` does, to 1e-12, by Stirling's series; for long runs."""
        half, kappa = 0.5 * self._prior.dims, self._prior.strength + counts
        x = 0.5 * (self._prior.nu + 1 + counts) - half
        gammas = (x - 0.5) * np.log1p(half / x) + half * (np.log(x + half) - 1)
        gammas -= half / (12 * x * (x + half))
        normalisers: NDArray[np.float64] = gammas - half * np.log(np.pi * (kappa + 1) / kappa)
        return normalisers

    def _normaliser(self, count: int) -> float:
        """Return what of the log density depends on the number of samples alone."""
        d, kappa = self._prior.dims, self._prior.strength + count
        freedom = self._prior.nu + count - d + 1
        gammas = math.lgamma(0.5 * (freedom + d)) - math.lgamma(0.5 * freedom)
        return gammas - 0.5 * d * math.log(math.pi * (kappa + 1) / kappa)
