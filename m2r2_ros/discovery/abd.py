# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ABD (Du et al., CVPR 2022): boundaries where smoothed features turn, then bottom-up merging."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.options import above, check_options, read_options
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.features import (
    Holding,
    Standard,
    check_sources,
    encoder_of,
    feature_dims,
    frame_features,
    sources_of,
)
from m2r2_ros.discovery.method import Calibration, Detector, Recordings, Setting, Whole

#: Frames that calibration needs: a scale from fewer is a guess.
_LEAST: Final = 50
#: Similarities that differ by less are the same.
_SAME: Final = 1e-9


def abd(features: NDArray[np.float64], segments: int, alpha: float = 0.5) -> NDArray[np.int64]:
    """Return where segments begin, int64, ascending; the first, at 0, is left out.

    Args:
        features: (N, D), finite.
        segments: K, the number of segments; there may be fewer where features hardly change.
        alpha: Width of the moving average, as a share of the mean length of a segment, N / K.
    """
    width = max(int(alpha * len(features) / segments), 1)
    smooth = _moving_average(features, width)
    found = _minima(_similarity(smooth[:-1], smooth[1:]), width) + 1
    return _merge(features, found, segments)


def _moving_average(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return means of `width` rows around each, an odd number of them, fewer at the ends."""
    n, half = len(values), width // 2
    sums = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
    first = np.maximum(np.arange(n) - half, 0)
    end = np.minimum(np.arange(n) + half + 1, n)
    means: NDArray[np.float64] = (sums[end] - sums[first]) / (end - first)[:, None]
    return means


def _similarity(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine between rows; 1 between two rows of zeros, 0 between zeros and others."""
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    cosine = (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1.0)
    zeros = ~a.any(axis=1) & ~b.any(axis=1)
    similarity: NDArray[np.float64] = np.where(zeros, 1.0, cosine)
    return similarity


def _minima(similarity: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Return the local minima, ascending, the least of each that are within `width`."""
    edged = np.concatenate([[np.inf], similarity, [np.inf]])
    falls = (edged[1:-1] < edged[:-2]) & (edged[1:-1] <= edged[2:]) & (similarity < 1 - _SAME)
    kept = np.zeros(len(similarity), np.bool_)
    for k in sorted(np.flatnonzero(falls).tolist(), key=lambda k: float(similarity[k])):
        if not kept[max(k - width, 0) : k + width + 1].any():
            kept[k] = True
    return np.flatnonzero(kept)


def _merge(
    features: NDArray[np.float64], begins: NDArray[np.int64], segments: int
) -> NDArray[np.int64]:
    """Merge the most similar neighbours, by the means of their features, until so many are left."""
    begins = begins.copy()
    starts = np.concatenate([[0], begins])
    sizes = np.diff(np.concatenate([starts, [len(features)]]))
    sums = np.add.reduceat(features, starts, axis=0)
    while len(begins) >= segments and len(begins):
        means = sums / sizes[:, None]
        k = int(np.argmax(_similarity(means[:-1], means[1:])))
        sums[k] += sums[k + 1]
        sizes[k] += sizes[k + 1]
        sums, sizes = np.delete(sums, k + 1, axis=0), np.delete(sizes, k + 1)
        begins = np.delete(begins, k)
    return begins


@dataclass(frozen=True, slots=True)
class AbdOptions:
    """Options of the method.

    Attributes:
        vectors: What features are made of.
        segment_s: Expected length of a segment, s: a recording of T s has T / segment_s of them.
        alpha: Width of the moving average, as a share of it.
        encoder: Name of the image encoder that features of cameras are made with.
    """

    vectors: list[str] = field(default_factory=list)
    segment_s: float = above(4.0, 0, 3600)
    alpha: float = above(0.5, 0, 10)
    encoder: str = ''

    def __post_init__(self) -> None:
        check_options(self, 'abd')


class AbdDetector(Whole):
    """Finds the boundaries of a whole recording."""

    def __init__(self, options: AbdOptions, standard: Standard, frame_rate: float) -> None:
        """Begin before the first frame."""
        self._options, self._standard, self._frame_rate = options, standard, frame_rate
        super().__init__()

    def features(self, windows: FrameWindows) -> NDArray[np.float64]:
        """Return features in units of the calibration, (n, D), NaN where masked."""
        o = self._options
        return self._standard(frame_features(windows, o.vectors, o.encoder))

    def scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 1 where a segment begins."""
        seconds = len(features) / self._frame_rate
        segments = max(round(seconds / self._options.segment_s), 1)
        scores = np.zeros(len(features))
        scores[abd(Holding().fill(features), segments, self._options.alpha)] = 1.0
        return scores


class AbdMethod:
    """Boundaries of whole recordings by how features of all vectors turn."""

    causal: Final = False
    grid: Final[Mapping[str, Sequence[float]]] = {'segment_s': (0.5, 0.75, 1.5, 2.0, 3.0)}

    def calibrate(self, recordings: Recordings, setting: Setting) -> Calibration:
        """Find what vectors there are, and their scales.

        Raises:
            DiscoveryError: Neither vector nor camera is there often enough, or there are too few
                frames.
        """
        names = sources_of(recordings, setting.modalities, 'abd')
        encoder = encoder_of(names, setting.modalities)
        standard = Standard.of(
            recordings, lambda w: frame_features(w, names, encoder), _LEAST, names
        )
        return Calibration(asdict(AbdOptions(names, encoder=encoder)), standard.tensors)

    def open(self, calibration: Calibration, setting: Setting) -> Detector:
        """Return a detector.

        Raises:
            ConfigError: An option is unknown, of another kind or out of range.
            BundleError: A tensor is missing or of another shape.
        """
        options = read_options(AbdOptions, calibration.options, 'abd')
        names = check_sources(options.vectors, setting.modalities, 'abd', options.encoder)
        dims = feature_dims(setting.modalities, names)
        return AbdDetector(options, Standard.read(calibration.tensors, dims), setting.frame_rate)


METHOD: Final = AbdMethod()
