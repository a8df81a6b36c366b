# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The global perception of OTAS (Li et al., WACV 2024): boundaries where the future surprises.

A predictor learns what follows on the near past; where it fails, something new begins. OTAS adds
features of how people and objects interact and of where objects are to each other, which need an
object detector; here are none. Its predictor is a network on images, this one is linear and works
on the signals of the robot, or on image features where there are none.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import DiscoveryError
from m2r2_ros.core.options import between, check_options, read_options
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.features import (
    Holding,
    Rows,
    Standard,
    check_sources,
    encoder_of,
    feature_dims,
    frame_features,
    read_tensor,
    sources_of,
)
from m2r2_ros.discovery.method import Calibration, Detector, Recordings, Setting, Tensors
from m2r2_ros.discovery.peaks import PeakDetector

#: Frames of calibration for each weight of a predicted feature: fewer are learnt by heart.
_FRAMES_PER_WEIGHT: Final = 3
#: Components that features are reduced to, at most.
_COMPONENTS: Final = 12
#: Features at most: their covariance has to fit into memory.
_MOST_FEATURES: Final = 2048
#: Means that a prediction is made of, of the near and of the nearest past.
_PARTS: Final = 2
#: Standardised features beyond are cut, so that a broken sensor is not all that is seen.
_LARGEST: Final = 10.0
#: Errors that are smaller than this are those of signals that stand still.
_STILL: Final = 0.01
#: Tensors of a calibration.
_NAMES: Final = ('basis', 'weights', 'usual')
#: Of the ridge, as a share of the number of frames.
_RIDGE: Final = 1e-2


@dataclass(frozen=True, slots=True)
class OtasOptions:
    """Options of the method.

    Attributes:
        vectors: What features are made of.
        past: Frames of each of the two means that a prediction is made from.
        future: Frames whose mean is predicted.
        threshold: Evidence e / (1 + e) of a boundary, with the error e of the prediction over the
            one that was usual in calibration: 0.5 where it is as large.
        smooth_s: Width of the mean of errors, s.
        distance_s: Within this time only the largest error counts, s.
        encoder: Name of the image encoder that features of cameras are made with.
    """

    vectors: list[str] = field(default_factory=list)
    past: int = between(5, 1, 10_000)
    future: int = between(5, 1, 10_000)
    threshold: float = between(0.5, 0, 1)
    smooth_s: float = between(0.3, 0, 60)
    distance_s: float = between(1.0, 0, 60)
    encoder: str = ''

    def __post_init__(self) -> None:
        check_options(self, 'otas')


@dataclass(frozen=True, slots=True)
class Predictor:
    """What follows on the past.

    Attributes:
        basis: (D, P), the principal components of standardised features.
        weights: (_PARTS * P + 1, P), of the means of the past and of 1.
        usual: (1,), root mean square of the errors in calibration, above 0.
    """

    basis: NDArray[np.float64]
    weights: NDArray[np.float64]
    usual: NDArray[np.float64]

    @classmethod
    def read(cls, tensors: Tensors, dims: int) -> 'Predictor':
        """Take it from where `tensors` put it.

        Raises:
            BundleError: Something is missing or of another shape.
        """
        parts = min(_COMPONENTS, dims)
        shapes = (dims, parts), (_PARTS * parts + 1, parts), (1,)
        return cls(*(read_tensor(tensors, n, s) for n, s in zip(_NAMES, shapes, strict=True)))

    @property
    def tensors(self) -> Tensors:
        """It, as a calibration keeps it."""
        return {name: getattr(self, name).astype(np.float32) for name in _NAMES}

    def error(self, past: NDArray[np.float64], future: NDArray[np.float64]) -> float:
        """Return the error of a prediction over the usual one.

        Args:
            past: (_PARTS * past, P), frames.
            future: (future, P), the frames after them.
        """
        wrong = future.mean(axis=0) - _inputs(past) @ self.weights
        return math.sqrt(wrong @ wrong / len(wrong)) / float(self.usual[0])


def _inputs(past: NDArray[np.float64]) -> NDArray[np.float64]:
    means = past.reshape(_PARTS, -1, past.shape[1]).mean(axis=1)
    return np.append(means.ravel(), 1.0)


class OtasDetector(PeakDetector):
    """Says of each frame how wrong the prediction from before it was."""

    def __init__(
        self, options: OtasOptions, standard: Standard, predictor: Predictor, frame_rate: float
    ) -> None:
        """Begin before the first frame."""
        self._options, self._standard, self._predictor = options, standard, predictor
        self._past = _PARTS * options.past
        self._radius = round(options.smooth_s * frame_rate / 2)
        delay = options.future - 1 + self._radius
        super().__init__(delay, round(options.distance_s * frame_rate), options.threshold)

    def restart(self) -> None:
        """Forget all frames."""
        self._holding = Holding()
        self._rows: deque[NDArray[np.float64]] = deque(maxlen=self._past + self._options.future)
        width = 2 * self._radius + 1
        self._errors = deque([0.0] * width, width)

    def rows(self, windows: FrameWindows) -> NDArray[np.float64]:
        """Return standardised features, held where masked."""
        features = frame_features(windows, self._options.vectors, self._options.encoder)
        return _rows(features, self._standard, self._holding)

    def step(self, row: NDArray[np.floating[Any]]) -> float:
        """Take a frame; return the evidence for the one `delay` before."""
        self._rows.append(row @ self._predictor.basis)
        error = 0.0
        if len(self._rows) == self._rows.maxlen:
            seen = np.array(self._rows)
            error = self._predictor.error(seen[: self._past], seen[self._past :])
        return self._smooth(error)

    def late(self, ahead: int) -> float:
        """Return the evidence for one of the last frames, whose future is not all known."""
        del ahead
        return self._smooth(0.0)

    def _smooth(self, error: float) -> float:
        self._errors.append(error)
        mean = sum(self._errors) / len(self._errors)
        return mean / (1 + mean)


def _rows(
    features: NDArray[np.float64], standard: Standard, holding: Holding
) -> NDArray[np.float64]:
    return np.clip(holding.fill(standard(features)), -_LARGEST, _LARGEST)


def fit(runs: Sequence[NDArray[np.float64]], past: int, future: int) -> Predictor:
    """Fit a predictor by ridge regression on standardised features of each recording, (n, D).

    Raises:
        DiscoveryError: There are too few frames.
    """
    _, vectors = np.linalg.eigh(sum(run.T @ run for run in runs))
    basis = vectors[:, ::-1][:, :_COMPONENTS]
    inputs, wanted = [], []
    for run in (run @ basis for run in runs):
        for k in range(past, len(run) - future + 1):
            inputs.append(_inputs(run[k - past : k]))
            wanted.append(run[k : k + future].mean(axis=0))
    least = _FRAMES_PER_WEIGHT * (_PARTS * basis.shape[1] + 1)
    if len(inputs) < least:
        frames = f'{least} frames that have {past} before and {future - 1} after them'
        msg = f'otas: expected at least {frames}, found {len(inputs)}'
        raise DiscoveryError(msg)
    x, y = np.array(inputs), np.array(wanted)
    weights = np.linalg.solve(x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1]), x.T @ y)
    usual = math.sqrt(((y - x @ weights) ** 2).mean())
    return Predictor(basis, weights, np.array([usual if usual > _STILL else 1.0]))


class OtasMethod:
    """Boundaries where the near future is not what the near past lets expect, live."""

    causal: Final = True
    grid: Final[Mapping[str, Sequence[float]]] = {
        'threshold': (0.8, 0.9, 1.1, 1.2),
        'distance_s': (0.5, 2.0),
    }

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Fit the predictor.

        Raises:
            DiscoveryError: Neither vector nor camera is there often enough, or there are too few
                frames.
        """
        names = sources_of(recordings, setting.modalities, 'otas')
        encoder = encoder_of(names, setting.modalities)

        def features(windows: FrameWindows) -> NDArray[np.float64]:
            return frame_features(windows, names, encoder)

        standard = Standard.of(recordings, features, 1, names)
        if len(standard.mean) > _MOST_FEATURES:
            found = f'{len(standard.mean)} in {", ".join(names)}'
            msg = f'otas: expected up to {_MOST_FEATURES} features, found {found}'
            raise DiscoveryError(msg)
        half = max(round(setting.frame_rate / 2), 1)  # half a second
        runs = [_run(recording, features, standard) for recording in recordings]
        predictor = fit(runs, _PARTS * half, half)
        tensors = {**standard.tensors, **predictor.tensors}
        options = OtasOptions(names, half, half, encoder=encoder)
        return Calibration(asdict(options), tensors)

    def open(self, calibration: Calibration, setting: Setting) -> Detector:
        """Return a detector.

        Raises:
            ConfigError: An option is unknown, of another kind or out of range.
            BundleError: A tensor is missing or of another shape.
        """
        options = read_options(OtasOptions, calibration.options, 'otas')
        names = check_sources(options.vectors, setting.modalities, 'otas', options.encoder)
        dims = feature_dims(setting.modalities, names)
        standard = Standard.read(calibration.tensors, dims)
        predictor = Predictor.read(calibration.tensors, dims)
        return OtasDetector(options, standard, predictor, setting.frame_rate)


def _run(
    recording: Iterable[FrameWindows], features: Rows, standard: Standard
) -> NDArray[np.float64]:
    holding = Holding()
    parts = [_rows(features(windows), standard, holding) for windows in recording if len(windows)]
    return np.concatenate(parts) if parts else np.zeros((0, len(standard.mean)))


METHOD: Final = OtasMethod()
