# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bayesian online changepoint detection (Adams & MacKay 2007) on the forces at the wrist.

The probability that a run begins at the newest frame is the hazard whatever the data are. What
is asked instead is whether a run began `lag` frames ago, now that data have spoken for or against.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import DiscoveryError
from m2r2_ros.core.modalities import Modalities
from m2r2_ros.core.options import above, between, check_options, read_options
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.features import (
    Rows,
    Standard,
    check_vectors,
    usual_vectors,
    vectors_of,
)
from m2r2_ros.discovery.method import Calibration, Detector, Recordings, Setting
from m2r2_ros.discovery.peaks import PeakDetector
from m2r2_ros.discovery.signals import frame_means, like
from m2r2_ros.discovery.student_t import Prior, StudentRuns

#: Frames that calibration needs: a scale from fewer is a guess.
_LEAST: Final = 50
#: Channels at most: a run keeps a matrix of them.
_MOST_CHANNELS: Final = 64
#: What is used, the first kind that is there.
_KINDS: Final = ('wrench', 'twist', 'joints')


class RunPosterior(NamedTuple):
    """When the run that the newest frame belongs to began.

    Attributes:
        begun: int64 (K,), numbers of frames, in no order; the newest is of the next frame.
        probability: (K,), of each; their sum is 1.
    """

    begun: NDArray[np.int64]
    probability: NDArray[np.float64]


class Bocpd:
    """The recursion over run lengths, in constant time and memory per sample.

    Attributes:
        posterior: Where it stands.
    """

    def __init__(self, prior: Prior, hazard: float, runs: int, recent: int = 0) -> None:
        """Begin before the first frame.

        Args:
            prior: Of the samples of a run.
            hazard: Probability that a run ends at a frame.
            runs: K, run lengths that are kept: the most probable, and the most recent.
            recent: How many of the most recent are kept whatever their probability; below K.
        """
        self._log_hazard, self._log_stay = math.log(hazard), math.log1p(-hazard)
        self._recent = recent
        self._frames = 0
        self._runs = StudentRuns(prior, runs)
        self._begun = np.zeros(runs, np.int64)
        self._logs = np.zeros(runs)
        self._newest, self._size = 0, 1
        self._runs.begin(0)

    @property
    def posterior(self) -> RunPosterior:
        """Where it stands."""
        return RunPosterior(self._begun[: self._size].copy(), np.exp(self._logs[: self._size]))

    def step(self, sample: NDArray[np.float64]) -> RunPosterior:
        """Take the sample of the next frame.

        Args:
            sample: (D,); where it is not finite, nothing changes but that the newest run begins a
                frame later, with the data.
        """
        self._frames += 1
        if np.isfinite(sample).all():
            logs = self._logs[: self._size]
            logs += self._runs.observe(sample)
            logs += self._log_stay - _log_sum(logs)
            self._begin()
        elif self._size > 1:
            self._begun[self._newest] = self._frames
        return self.posterior

    def _begin(self) -> None:
        """Add the run that begins with the next frame; the least probable makes room for it."""
        slot = self._size
        full = slot == len(self._logs)
        if full:
            old = self._begun < self._frames - self._recent
            slot = int(np.argmin(np.where(old, self._logs, np.inf)))
        self._newest, self._size = slot, max(self._size, slot + 1)
        self._runs.begin(slot)
        self._begun[slot] = self._frames
        self._logs[slot] = self._log_hazard
        if full:
            self._logs -= _log_sum(self._logs)


def _log_sum(logs: NDArray[np.float64]) -> float:
    """Return the logarithm of a sum of exponentials."""
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum()))


@dataclass(frozen=True, slots=True)
class BocpdOptions:
    """Options of the method.

    Attributes:
        vectors: What is looked at.
        hazard_s: Expected length of a segment, s; 1 / (hazard * frame rate).
        threshold: Probability that a segment began, above which it did.
        lag_s: How long after the beginning this is asked, s.
        distance_s: Within this time only the surest beginning counts, s.
        tolerance_s: Beginnings this near, s, count as one, with weights that fall to 0.
        spread: Expected standard deviation in a segment, as a share of that of all frames.
        strength: How many samples the prior mean counts for.
        freedom: How many samples the prior spread counts for.
        runs: Run lengths that are kept.
    """

    vectors: list[str] = field(default_factory=list)
    hazard_s: float = above(4.0, 0, 3600)
    threshold: float = between(0.3, 0, 1)
    lag_s: float = between(0.5, 0, 60)
    distance_s: float = between(0.7, 0, 60)
    tolerance_s: float = between(0.3, 0, 60)
    spread: float = above(0.5, 0, 100)
    strength: float = above(0.1, 0, 1e6)
    freedom: float = above(2.0, 0, 1e6)
    runs: int = between(100, 2, 100_000)

    def __post_init__(self) -> None:
        check_options(self, 'bocpd')


class BocpdDetector(PeakDetector):
    """Says of each frame how probably a run began there, as seen `lag_s` later."""

    def __init__(self, options: BocpdOptions, standard: Standard, frame_rate: float) -> None:
        """Begin before the first frame."""
        self._options, self._standard = options, standard
        delay = round(options.lag_s * frame_rate)
        self._reach = 1 + round(options.tolerance_s * frame_rate)
        recent = delay + self._reach + 1
        self._hazard = min(1 / (options.hazard_s * frame_rate), 0.5)
        self._kept = max(options.runs, recent + 2), recent
        super().__init__(delay, round(options.distance_s * frame_rate), options.threshold)

    def restart(self) -> None:
        """Forget all frames."""
        o = self._options
        prior = Prior(len(self._standard.mean), o.spread, o.strength, o.freedom)
        runs, recent = self._kept
        self._core = Bocpd(prior, self._hazard, runs, recent)
        self._last = -1
        self._posterior = self._core.posterior

    def rows(self, windows: FrameWindows) -> NDArray[np.float64]:
        """Return frame means in units of the calibration."""
        return self._standard(_means(self._options.vectors)(windows))

    def step(self, row: NDArray[np.floating[Any]]) -> float:
        """Take a frame; return the probability that a run began `lag_s` ago."""
        self._posterior = self._core.step(row.astype(np.float64))
        self._last += 1
        return self.late(self._delay)

    def late(self, ahead: int) -> float:
        """Return the probability that a run began at a frame with `ahead` frames after it."""
        begun, probability = self._posterior
        apart = np.abs(begun - (self._last - ahead))
        # The first run is no change.
        near = (apart < self._reach) & (begun > 0)
        weights = 1 - apart[near] / self._reach
        return min(float(weights @ probability[near]), 1.0)


class BocpdMethod:
    """Changepoints of contact forces, live; of speeds, joints or anything where there are none."""

    causal: Final = True
    grid: Final[Mapping[str, Sequence[float]]] = {
        'hazard_s': (0.5, 2.0),
        'threshold': (0.33, 1.67, 2.33),
        'spread': (0.5, 2.0),
    }

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Find what to look at, and its scale.

        Raises:
            DiscoveryError: No vector is there often enough, or there are too few frames.
        """
        names = _chosen(recordings, setting.modalities)
        standard = Standard.of(recordings, _means(names), _LEAST, names)
        if len(standard.mean) > _MOST_CHANNELS:
            msg = (
                f'bocpd: expected up to {_MOST_CHANNELS} channels, found {len(standard.mean)} in '
                f'{", ".join(names)}'
            )
            raise DiscoveryError(msg)
        return Calibration(asdict(BocpdOptions(names)), standard.tensors)

    def open(self, calibration: Calibration, setting: Setting) -> Detector:
        """Return a detector.

        Raises:
            ConfigError: An option is unknown, of another kind or out of range.
            BundleError: A tensor is missing or of another shape.
        """
        options = read_options(BocpdOptions, calibration.options, 'bocpd')
        names = check_vectors(options.vectors, setting.modalities, 'bocpd')
        dims = sum(setting.modalities[name].dims for name in names)
        standard = Standard.read(calibration.tensors, dims)
        return BocpdDetector(options, standard, setting.frame_rate)


def _chosen(recordings: Recordings, modalities: Modalities) -> list[str]:
    for kind in _KINDS:
        if found := usual_vectors(recordings, like(modalities, kind)):
            return found
    return vectors_of(recordings, modalities, 'bocpd')


def _means(names: Sequence[str]) -> Rows:
    return lambda windows: np.concatenate([frame_means(windows, name) for name in names], axis=1)


METHOD: Final = BocpdMethod()
