# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commit rule: when to give up a label for its rival, learnt from recordings.

Frame t has the label y of the frame before until a rival c = arg max p_t other than y is probably
true: sigma(w . phi) >= theta. phi says how likely the rival is and was, how long it has been the
likeliest, how long y has not been, and whether a boundary was seen; docs/online.md has it in full.
"""

import math
from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.options import expect_known
from m2r2_ros.segmenters.frame import Frame

#: Frames of the short and of the long mean of the rival's probability.
SHORT, LONG = 3, 6
#: Probabilities are kept off 0 and 1 by this much in logits, and off 0 by this much in logarithms.
EDGE, LEAST = 1e-4, 1e-3
#: Features that are numbers; behind them come those of the parents of both labels.
NUMBERS = (
    'bias',
    'rival',
    'rival_short_mean',
    'rival_long_mean',
    'rival_parent',
    'own',
    'second',
    'rival_frames',
    'frames_since_own',
    'boundary',
    'boundary_long_max',
)


def parents_of(labels: LabelSet) -> tuple[str, ...]:
    """Return the parent of each label; a label without one is its own."""
    return tuple(p or n for n, p in zip(labels.names, labels.parents, strict=True))


def feature_names(labels: LabelSet) -> tuple[str, ...]:
    """Return what phi holds, in order: D names."""
    parents = dict.fromkeys(parents_of(labels))
    kinds = ('to {}', 'frames to {}', 'from {}')
    return (*NUMBERS, *(kind.format(parent) for kind in kinds for parent in parents))


def weight_vector(weights: Mapping[str, float], labels: LabelSet) -> NDArray[np.float64]:
    """Return weights in the order of the features, float64 (D,).

    Raises:
        ConfigError: A feature has no weight, or a weight no feature.
    """
    names = feature_names(labels)
    expect_known(weights, names, 'decoding.learnt.weights')
    if missing := [name for name in names if name not in weights]:
        msg = f'decoding.learnt.weights: expected a weight of {missing[0]!r}, but it is missing'
        raise ConfigError(msg)
    return np.array([weights[name] for name in names], np.float64)


class Evidence:
    """What the frames so far say about labels and their rivals, in constant time and memory.

    Attributes:
        best: The likeliest label of the newest frame.
        run: Frames in a row that it was the likeliest.
    """

    def __init__(self, labels: LabelSet) -> None:
        """Begin before the first frame."""
        parents = parents_of(labels)
        distinct = list(dict.fromkeys(parents))
        self._parent = [distinct.index(p) for p in parents]
        self._siblings = [np.flatnonzero(np.array(self._parent) == k) for k in range(len(distinct))]
        self._parents = len(distinct)
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=LONG)
        self._boundaries: deque[float] = deque(maxlen=LONG)
        self._likeliest_at = [0] * len(parents)
        self._frame = self.run = 0
        self.best = -1

    def add(self, probabilities: NDArray[np.float32], boundary: float) -> None:
        """Take the next frame: probabilities (C,) and how likely a segment begins there."""
        best = int(np.argmax(probabilities))
        self._frame += 1
        self.run = self.run + 1 if best == self.best else 1
        self.best = best
        self._likeliest_at[best] = self._frame
        self._recent.append(probabilities)
        self._boundaries.append(boundary)

    def features(self, own: int) -> NDArray[np.float64]:
        """Return phi of the newest frame for label `own` and the rival `best`, float64 (D,)."""
        rival, parent = self.best, self._parent[self.best]
        now = self._recent[-1]
        past = [float(p[rival]) for p in self._recent]
        frames = math.log(self.run)
        phi = np.zeros(len(NUMBERS) + 3 * self._parents)
        phi[: len(NUMBERS)] = (
            1.0,
            _logit(past[-1]),
            _logit(sum(past[-SHORT:]) / len(past[-SHORT:])),
            _logit(sum(past) / len(past)),
            _logit(float(now[self._siblings[parent]].sum())),
            math.log(float(now[own]) + LEAST),
            math.log(_second(now) + LEAST),
            frames,
            math.log(max(1, self._frame - self._likeliest_at[own])),
            _logit(self._boundaries[-1]),
            _logit(max(self._boundaries)),
        )
        kinds = phi[len(NUMBERS) :].reshape(3, self._parents)
        kinds[0, parent], kinds[1, parent], kinds[2, self._parent[own]] = 1.0, frames, 1.0
        return phi


class Commit:
    """Keeps a label until its rival is probably true.

    Attributes:
        label: The label of the newest frame, None before the first.
    """

    def __init__(self, weights: NDArray[np.float64], threshold: float, labels: LabelSet) -> None:
        """Make a rule from weights (D,) and a probability."""
        self._weights = weights
        self._least = math.log(threshold / (1 - threshold))
        self._evidence = Evidence(labels)
        self.label: int | None = None

    def step(self, probabilities: NDArray[np.float32], frame: Frame) -> int:
        """Return the label of a frame with these calibrated probabilities (C,)."""
        self._evidence.add(probabilities, frame.boundary_score)
        best = self._evidence.best
        if self.label is None:
            self.label = best
        if best != self.label:
            phi = self._evidence.features(self.label)
            if float(self._weights @ phi) >= self._least:
                self.label = best
        return self.label


def _logit(p: float) -> float:
    p = min(max(p, EDGE), 1 - EDGE)
    return math.log(p / (1 - p))


def _second(probabilities: NDArray[np.float32]) -> float:
    """Return the second-largest probability; 0 where there is one label alone."""
    return float(np.partition(probabilities, -2)[-2]) if len(probabilities) > 1 else 0.0
