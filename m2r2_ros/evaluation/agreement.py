# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far two or more layers of labels of the same recordings agree, exactly and not by frames.

Between two edges of any layer nothing changes, so that each such interval counts as often as it
lasts nanoseconds. Time that a layer does not label says nothing about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.agreement_edges import EdgeDistance, edge_distance
from m2r2_ros.evaluation.agreement_lanes import Lanes, join_lanes, lanes_of
from m2r2_ros.evaluation.agreement_segments import match_spans

#: How far the edges of two segments may lie apart to be the same one, seconds.
TOLERANCES: Final = (0.1, 0.2, 0.5, 1.0, 2.0)

Recording = tuple[Mapping[str, Sequence[Segment]], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How far two layers agree.

    Attributes:
        first: Name of a layer.
        second: Name of another.
        kappa: Cohen's kappa over the time that both label; None where there is no such time, or
            one label alone in it.
        same: Share of that time in which both have the same label; None without such time.
        both_s: That time, seconds.
        only_first_s: Time that the first layer alone labels, seconds.
        only_second_s: Time that the second layer alone labels, seconds.
        edges: How far their edges lie apart.
        f1: F1 of segments by tolerance in seconds, 0..1: of those with the same label and both
            edges within it; None without segments.
        only_first: Segments that the second layer does not have, under any label of the same name
            at that time.
        only_second: Segments that the first layer does not have.
    """

    first: str
    second: str
    kappa: float | None
    same: float | None
    both_s: float
    only_first_s: float
    only_second_s: float
    edges: EdgeDistance
    f1: dict[float, float | None]
    only_first: int
    only_second: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far layers agree.

    Attributes:
        alpha: Krippendorff's alpha of all layers, nominal; None where no time has two labels, or
            all of them are one label.
        pairs: Each layer with each later one.
    """

    alpha: float | None
    pairs: tuple[PairAgreement, ...]


def agreement(
    layers: Mapping[str, Sequence[Segment]],
    span: tuple[int, int],
    tolerances: Sequence[float] = TOLERANCES,
) -> Agreement:
    """Compare layers of one recording.

    Args:
        layers: Segments by the name of their layer, at least two; where two overlap, the later
            start wins. Those called '' or UNKNOWN_LABEL are no labels.
        span: What time of the recording counts, nanoseconds.
        tolerances: Of the F1, seconds.
    """
    return pooled_agreement([(layers, span)], tolerances)


def pooled_agreement(
    recordings: Sequence[Recording], tolerances: Sequence[float] = TOLERANCES
) -> Agreement:
    """Compare layers of several recordings, as if these followed on each other.

    A layer that a recording lacks has no labels there.

    Args:
        recordings: Layers and span of each, as of `agreement`.
        tolerances: Of the F1, seconds.

    Raises:
        LabelError: The recordings last longer than 64 bits of nanoseconds.
    """
    names = list(dict.fromkeys(name for layers, _ in recordings for name in layers))
    lanes = join_lanes([lanes_of(layers, span, names) for layers, span in recordings], names)
    values, weights = lanes.intervals()
    pairs = [
        _pair(lanes, a, b, values[[a, b]], weights, tolerances)
        for a, b in combinations(range(len(names)), 2)
    ]
    return Agreement(krippendorff_alpha(values, weights), tuple(pairs))


def cohen_kappa(
    first: NDArray[np.int64], second: NDArray[np.int64], weights: NDArray[np.int64]
) -> float | None:
    """Return Cohen's kappa; None where nothing is labelled twice, or chance alone would agree.

    Args:
        first: int64 (n,), label ids, -1 without a label.
        second: int64 (n,), label ids likewise.
        weights: int64 (n,), how often each pair counts.
    """
    both = (first >= 0) & (second >= 0)
    a, b, w = first[both], second[both], weights[both].astype(np.float64)
    total = float(w.sum())
    if total <= 0:
        return None
    size = int(max(a.max(), b.max())) + 1
    shares = [np.bincount(ids, w, size) / total for ids in (a, b)]
    chance = float(shares[0] @ shares[1])
    same = float(w[a == b].sum()) / total
    # Sums of shares are 1 but for rounding.
    return (same - chance) / (1 - chance) if chance < 1 - 1e-12 else None


def krippendorff_alpha(values: NDArray[np.int64], weights: NDArray[np.int64]) -> float | None:
    """Return Krippendorff's alpha of nominal values; None where it is not defined.

    The diagonal of the coincidence matrix and its sums by value are all that nominal values need,
    and both follow from how many raters agree in each unit (Krippendorff, Content Analysis, 2004,
    chapter 11).

    Args:
        values: int64 (raters, n), what each says of each unit, -1 where it says nothing.
        weights: int64 (n,), how many units of this kind there are.
    """
    raters = (values >= 0).sum(axis=0)
    paired = raters >= 2
    values, raters = values[:, paired], raters[paired]
    weight = weights[paired].astype(np.float64)
    if not weight.sum() > 0:
        return None
    given = values >= 0
    agreeing = np.zeros(len(raters))
    for own in range(len(values)):
        same = (values == values[own]) & given[own]
        agreeing += np.where(given[own], same.sum(axis=0) - 1, 0)
    total = float(weight @ raters)
    diagonal = float(weight @ (agreeing / (raters - 1)))
    spread = np.broadcast_to(weight, values.shape)[given]
    sums = np.bincount(values[given], spread)
    different = total * total - float(sums @ sums)
    if different <= 1e-12 * total * total:
        return None
    return 1 - (total - 1) * (total - diagonal) / different


def _pair(
    lanes: Lanes,
    a: int,
    b: int,
    values: NDArray[np.int64],
    weights: NDArray[np.int64],
    tolerances: Sequence[float],
) -> PairAgreement:
    first, second = values
    seconds = weights / SECOND
    both, same = (first >= 0) & (second >= 0), first == second
    shared = float(seconds[both].sum())
    steps = [round(s * SECOND) for s in tolerances]
    matches = match_spans(lanes.segments[a], lanes.segments[b], steps)
    return PairAgreement(
        first=lanes.names[a],
        second=lanes.names[b],
        kappa=cohen_kappa(first, second, weights),
        same=float(seconds[both & same].sum()) / shared if shared else None,
        both_s=shared,
        only_first_s=float(seconds[(first >= 0) & (second < 0)].sum()),
        only_second_s=float(seconds[(second >= 0) & (first < 0)].sum()),
        edges=edge_distance(lanes.edges[a], lanes.edges[b]),
        f1=dict(zip(tolerances, matches.f1, strict=True)),
        only_first=matches.only_first,
        only_second=matches.only_second,
    )
