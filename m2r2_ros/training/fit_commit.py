# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fit the commit rule: logistic regression on what rules of several kinds would have met.

Which rivals a rule meets depends on when it took up labels before. So the first fit learns from
what four simple rules meet, and the second one from what the first meets, too (as DAgger does, Ross
et al., AISTATS 2011).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, LabelSet
from m2r2_ros.segmenters.commit import Evidence

#: Weight of the squared weights of standardised features, against the sum of log losses.
L2 = 10.0
#: A feature that varies by less never varies; its mean is not exact.
LEAST_SCALE = 1e-6
#: Thresholds at which the first fit is tried out.
TRIED = (0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Track:
    """A recording as decoders see it.

    Attributes:
        probabilities: float32 (T, C), calibrated.
        boundaries: float32 (T,).
        targets: int64 (T,), label ids, UNKNOWN where a frame has none.
    """

    probabilities: NDArray[np.float32]
    boundaries: NDArray[np.float32]
    targets: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame at which a rule has to decide between its label and a rival.

    Attributes:
        phi: Features, float64 (D,).
        confidence: Probability of the rival.
        run: Frames in a row that the rival was the likeliest label.
        true: Whether the rival is the true label.
    """

    phi: NDArray[np.float64]
    confidence: float
    run: int
    true: bool


#: Whether a rule takes up the rival.
Policy = Callable[[Moment], bool]

#: Rules that learning begins with: by confidence, by patience, and one that knows the truth.
POLICIES: tuple[Policy, ...] = (
    lambda moment: moment.confidence >= 0.5,
    lambda moment: moment.confidence >= 0.5 and moment.run >= 2,
    lambda moment: moment.run >= 4,
    lambda moment: moment.true,
)


@dataclass(frozen=True, slots=True)
class Samples:
    """What a rule met.

    Attributes:
        phi: float64 (N, D).
        true: bool (N,), whether the rival was the true label.
    """

    phi: NDArray[np.float64]
    true: NDArray[np.bool_]


def roll_out(track: Track, labels: LabelSet, policy: Policy) -> Samples:
    """Return what a rule meets in a recording; frames without a true label teach nothing."""
    evidence = Evidence(labels)
    own = -1
    met: list[Moment] = []
    for p, boundary, target in zip(
        track.probabilities, track.boundaries.tolist(), track.targets.tolist(), strict=True
    ):
        evidence.add(p, boundary)
        rival = evidence.best
        if own < 0:
            own = rival
        if rival == own:
            continue
        moment = Moment(evidence.features(own), float(p[rival]), evidence.run, target == rival)
        if target != UNKNOWN:
            met.append(moment)
        if policy(moment):
            own = rival
    phi = np.array([moment.phi for moment in met]).reshape(len(met), -1)
    return Samples(phi, np.array([moment.true for moment in met], np.bool_))


def by_weights(weights: NDArray[np.float64], threshold: float) -> Policy:
    """Return the commit rule with these weights (D,)."""
    least = np.log(threshold / (1 - threshold))
    return lambda moment: float(weights @ moment.phi) >= least


def first_samples(track: Track, labels: LabelSet) -> list[Samples]:
    """Return what the rules that learning begins with meet in a recording."""
    return [roll_out(track, labels, policy) for policy in POLICIES]


def fit_commit(
    tracks: Sequence[Track], first: Sequence[Sequence[Samples]], labels: LabelSet
) -> NDArray[np.float64] | None:
    """Return the weights of the commit rule, float64 (D,); None where there is nothing to learn.

    Args:
        tracks: Recordings to learn from.
        first: Of each of them, what `first_samples` returns.
        labels: What their ids mean.
    """
    samples = [s for found in first for s in found]
    weights = logistic_regression(samples)
    if weights is None:
        return None
    policies = [by_weights(weights, threshold) for threshold in TRIED]
    met = [roll_out(track, labels, policy) for policy in policies for track in tracks]
    return logistic_regression([*samples, *met])


def logistic_regression(samples: Sequence[Samples]) -> NDArray[np.float64] | None:
    """Return weights (D,), of which the first is the bias; None without examples of both kinds.

    Features are standardised, and their weights but not the bias kept small by `L2`; weights of
    features that never vary are 0.
    """
    some = [s for s in samples if len(s.true)]
    true = np.concatenate([s.true for s in some]) if some else np.zeros(0, np.bool_)
    if not true.any() or true.all():
        return None
    phi = np.concatenate([s.phi for s in some])
    mean, scale = phi.mean(axis=0), phi.std(axis=0)
    mean[0], scale[0] = 0.0, 1.0
    varies = scale > LEAST_SCALE
    z = torch.from_numpy((phi[:, varies] - mean[varies]) / scale[varies])
    w = _minimise(z, torch.from_numpy(true.astype(np.float64)))
    weights = np.zeros(phi.shape[1])
    weights[varies] = w / scale[varies]
    weights[0] -= float(weights[1:] @ mean[1:])
    return weights


def _minimise(z: torch.Tensor, true: torch.Tensor) -> NDArray[np.float64]:
    """Return the weights of least regularised log loss; the first column is that of the bias."""
    w = torch.zeros(z.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=200, line_search_fn='strong_wolfe')

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        losses = torch.nn.functional.binary_cross_entropy_with_logits(z @ w, true, reduction='sum')
        value = losses + L2 / 2 * w[1:].square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    found: NDArray[np.float64] = w.detach().numpy()
    return found
