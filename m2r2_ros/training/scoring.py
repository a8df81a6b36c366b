# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of a head on features: the same metrics as of label bags, and what matters on a robot."""

from collections.abc import Sequence
from itertools import pairwise
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.core.labels import UNKNOWN, LabelSet, Segment
from m2r2_ros.core.time import SECOND, to_ns
from m2r2_ros.evaluation.runs import runs_of
from m2r2_ros.evaluation.score import Scores, score
from m2r2_ros.evaluation.sequence import ScoredSequence
from m2r2_ros.network.heads.base import Head, OnlineHead
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.frame import Frame
from m2r2_ros.segmenters.hold import Hold
from m2r2_ros.training.feature_set import FeatureTrack

#: Prefixes of a recording that a head labels, to see which labels it revises.
PREFIXES = 20
#: Frames that the time of a step is measured on, after as many for warming up.
TIMED = 200

Labelling = Sequence[tuple[FeatureTrack, NDArray[np.float32]]]


@torch.no_grad()
def probabilities_of(head: Head, tracks: Sequence[FeatureTrack]) -> Labelling:
    """Return recordings and the probabilities of their frames, float32 (T, C)."""
    head.eval()
    return [(t, head.predict(t.features).probabilities.numpy()) for t in tracks]


def score_labelling(
    labelling: Labelling,
    labels: LabelSet,
    frame_rate: float,
    decoding: Decoding | None = None,
    *,
    coarse: bool = False,
) -> Scores:
    """Score probabilities as labels.

    Args:
        labelling: Recordings and their probabilities.
        labels: What the ids mean.
        frame_rate: Frames per second.
        decoding: The hold rule; arg max by default.
        coarse: Score the labels' parents.
    """
    hold = Decoding() if decoding is None else decoding
    names = list(labels.names)
    if coarse:
        names = [p or n for n, p in zip(labels.names, labels.parents, strict=True)]
    period = SECOND / frame_rate
    return score([_sequence(track, p, names, hold, period) for track, p in labelling])


def _sequence(
    track: FeatureTrack,
    probabilities: NDArray[np.float32],
    names: Sequence[str],
    hold: Decoding,
    period: float,
) -> ScoredSequence:
    stamps = np.round(np.arange(1, len(track) + 1) * period).astype(np.int64)
    rule = Hold(hold.min_confidence, to_ns(hold.min_duration))
    starts = stamps - round(period)
    predicted = [
        rule.step(p, Frame(int(start), int(stamp), 0, 0.0, 0))
        for p, start, stamp in zip(probabilities, starts, stamps, strict=True)
    ]
    ids = np.array(predicted, np.int64)
    return sequence_of(track.name, track.targets, ids, names, period)


def sequence_of(
    name: str,
    targets: NDArray[np.int64],
    predicted: NDArray[np.int64],
    names: Sequence[str],
    period: float,
    lag_s: float = 0.0,
) -> ScoredSequence:
    """Return labels beside the truth as the metrics see them.

    Args:
        name: Name of the recording.
        targets: int64 (T,), true label ids, UNKNOWN where a frame has none.
        predicted: int64 (T,), label ids.
        names: What they mean.
        period: Nanoseconds between frames.
        lag_s: How much later than its stamp each frame was labelled.
    """
    edges = np.round(np.arange(1, len(targets) + 2) * period).astype(np.int64)
    runs = runs_of(targets, [UNKNOWN])
    truth = [
        Segment(int(edges[lo]), int(edges[hi]), names[k])
        for lo, hi, k in zip(runs.starts, runs.ends, runs.ids, strict=True)
    ]
    return ScoredSequence(name, edges[:-1], [names[k] for k in predicted], truth, lag_s)


@torch.no_grad()
def revised_share(head: Head, tracks: Sequence[FeatureTrack]) -> float:
    """Return the share of frames whose label is revised as the recording continues.

    A head labels ever longer prefixes of a recording. A frame's first label is the one it gets from
    the first prefix that holds it; it is revised if the last one differs. 0 is strictly online.
    """
    head.eval()
    revised, frames = 0, 0
    for track in tracks:
        features = track.features
        ends = np.unique(np.linspace(0, len(track), PREFIXES + 1).astype(int)).tolist()
        first = [
            head.predict(features[:end]).probabilities[start:].argmax(dim=1)
            for start, end in pairwise(ends)
        ]
        last = head.predict(features).probabilities.argmax(dim=1)
        revised += int((torch.cat(first) != last).sum())
        frames += len(track)
    return revised / max(frames, 1)


@torch.no_grad()
def milliseconds_per_frame(head: Head, track: FeatureTrack) -> float:
    """Return what a frame takes on one core: its step online, its part of a recording offline."""
    head.eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        features = track.features
        if isinstance(head, OnlineHead):
            return _time_steps(head, features)
        head.predict(features)
        began = perf_counter()
        head.predict(features)
        return (perf_counter() - began) * 1e3 / len(track)
    finally:
        torch.set_num_threads(threads)


def _time_steps(head: OnlineHead, features: torch.Tensor) -> float:
    state = head.initial_state()
    took = []
    for k in range(2 * TIMED):
        frame = features[k % len(features)][None]
        began = perf_counter()
        _, state = head.advance(frame, state)
        took.append((perf_counter() - began) * 1e3)
    return float(np.median(took[TIMED:]))
