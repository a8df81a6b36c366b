# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features of frames in common units, which several methods look at."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import BundleError, ConfigError, DiscoveryError
from m2r2_ros.core.modalities import IMAGE, VECTOR, Modalities, of_kind
from m2r2_ros.core.options import shown
from m2r2_ros.core.reading import naming
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.discovery.image_features import WIDTH, expect_encoder, image_features
from m2r2_ros.discovery.laps.appearance import packaged_encoder
from m2r2_ros.discovery.method import Recordings, Tensors

#: A channel that varies by less than this share of its mean is constant but for rounding.
_CONSTANT: Final = 1e-6

#: Makes rows of windows, float64 (n, D), NaN where something is masked.
Rows = Callable[[FrameWindows], NDArray[np.float64]]


def usual_vectors(recordings: Recordings, names: Sequence[str]) -> list[str]:
    """Return those of some vectors that at least half of all frames have."""
    frames, having = 0, np.zeros(len(names))
    for windows in (w for recording in recordings for w in recording):
        frames += len(windows)
        having += [windows.has(name).sum() for name in names]
    return [n for n, h in zip(names, having.tolist(), strict=True) if h > 0 and 2 * h >= frames]


def vectors_of(recordings: Recordings, modalities: Modalities, method: str) -> list[str]:
    """Return all vectors that at least half of all frames have.

    Raises:
        DiscoveryError: There are none.
    """
    declared = of_kind(modalities, VECTOR)
    if found := usual_vectors(recordings, declared):
        return found
    names = ', '.join(declared) or 'none'
    msg = f'{method}: expected a vector in at least half of all frames; declared: {names}'
    raise DiscoveryError(msg)


def sources_of(recordings: Recordings, modalities: Modalities, method: str) -> list[str]:
    """Return what features are made of: vectors, or cameras where no vector is declared.

    Raises:
        DiscoveryError: At least half of all frames have none of them.
    """
    cameras = of_kind(modalities, IMAGE)
    if of_kind(modalities, VECTOR) or not (found := usual_vectors(recordings, cameras)):
        return vectors_of(recordings, modalities, method)
    return found


def encoder_of(names: Iterable[str], modalities: Modalities) -> str:
    """Return the name of the image encoder that features are made with; '' without a camera."""
    return packaged_encoder()[0] if set(names) & set(of_kind(modalities, IMAGE)) else ''


def check_sources(
    names: object, modalities: Modalities, method: str, encoder: str
) -> tuple[str, ...]:
    """Return the names of vectors and cameras in an option of a method.

    Raises:
        ConfigError: They are no list of these, or the image encoder cannot be had here.
    """
    cameras = of_kind(modalities, IMAGE)
    found = _check(names, [*of_kind(modalities, VECTOR), *cameras], method)
    if set(found) & set(cameras):
        with naming(method, ConfigError):
            expect_encoder(encoder)
    return found


def check_vectors(
    names: object, modalities: Modalities, method: str, option: str = 'vectors', kind: str = ''
) -> tuple[str, ...]:
    """Return the names of vectors in an option of a method.

    Raises:
        ConfigError: They are no list of vectors, like the built-in one `kind` where it is given.
    """
    known = [n for n in of_kind(modalities, VECTOR) if kind in ('', modalities[n].like)]
    return _check(names, known, method, option)


def _check(
    names: object, known: list[str], method: str, option: str = 'vectors'
) -> tuple[str, ...]:
    fit = isinstance(names, list) and names and all(n in known for n in names)
    if not isinstance(names, list) or not fit:
        msg = (
            f'{method}.{option}: expected a list of some of {", ".join(known)}, '
            f'found {shown(names)}'
        )
        raise ConfigError(msg)
    return tuple(names)


def frame_features(
    windows: FrameWindows, names: Sequence[str], encoder: str = ''
) -> NDArray[np.float64]:
    """Return features of vectors and images in each window, (n, D), NaN where masked.

    Of a vector they are means and standard deviations; of a camera see image_features, which
    `encoder` is for.
    """
    parts = []
    for name in names:
        if name in windows.images:
            parts.append(image_features(windows.images[name], encoder))
            continue
        values = windows.sensors[name].astype(np.float64)
        moments = np.concatenate([values.mean(axis=1), values.std(axis=1)], axis=1)
        moments[~windows.has(name)] = np.nan
        parts.append(moments)
    return np.concatenate(parts, axis=1)


def feature_dims(modalities: Modalities, names: Sequence[str]) -> int:
    """Return D of `frame_features`."""
    kinds = [modalities[name] for name in names]
    return sum(WIDTH if m.kind == IMAGE else 2 * m.dims for m in kinds)


@dataclass(frozen=True, slots=True)
class Standard:
    """Units of features: their mean and standard deviation in the calibration recordings.

    Attributes:
        mean: (D,).
        scale: (D,), above 0; 1 for constant channels.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, recordings: Recordings, rows: Rows, least: int, names: Iterable[str]) -> 'Standard':
        """Find the units.

        Args:
            recordings: To calibrate on.
            rows: Makes features of windows.
            least: Frames that every channel must have.
            names: What the features are made of, for messages.

        Raises:
            DiscoveryError: There are too few frames.
        """
        count, mean, squares = np.zeros(1), np.zeros(1), np.zeros(1)
        for windows in (w for recording in recordings for w in recording if len(w)):
            values = rows(windows)
            there = np.isfinite(values)
            n = there.sum(axis=0)
            here = np.where(there, values, 0.0).sum(axis=0) / np.maximum(n, 1)
            apart, total = here - mean, np.maximum(count + n, 1)
            spread = np.where(there, values - here, 0.0) ** 2
            squares = squares + spread.sum(axis=0) + apart**2 * count * n / total
            mean = mean + apart * n / total
            count = count + n
        found = int(np.min(count))
        if found < least:
            msg = f'expected at least {least} frames with {", ".join(names)}, found {found}'
            raise DiscoveryError(msg)
        scale = np.sqrt(squares / count)
        return cls(mean, np.where(scale <= _CONSTANT * np.abs(mean), 1.0, scale))

    @classmethod
    def read(cls, tensors: Tensors, dims: int) -> 'Standard':
        """Take the units from where `tensors` put them.

        Raises:
            BundleError: They are missing or of another shape.
        """
        mean = read_tensor(tensors, 'mean', (dims,))
        scale = read_tensor(tensors, 'scale', (dims,))
        return cls(mean, np.where(scale > 0, scale, 1.0))

    @property
    def tensors(self) -> Tensors:
        """The units, as a calibration keeps them."""
        return {'mean': self.mean.astype(np.float32), 'scale': self.scale.astype(np.float32)}

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return features in these units, (n, D)."""
        return (values - self.mean) / self.scale


def read_tensor(tensors: Tensors, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return a tensor, float64.

    Raises:
        BundleError: It is missing, of another shape or not finite.
    """
    tensor = tensors.get(name)
    if tensor is None or tensor.shape != shape or not np.isfinite(tensor).all():
        found = 'but it is missing' if tensor is None else f'found shape {tensor.shape}'
        msg = f'tensor {name!r}: expected finite numbers of shape {shape}, {found}'
        raise BundleError(msg)
    return tensor.astype(np.float64)


class Holding:
    """Holds the last value of each channel where it is masked; 0 where there was none yet."""

    def __init__(self) -> None:
        self._last: NDArray[np.float64] | None = None

    def fill(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the next rows, (n, D), without NaN."""
        if self._last is None:
            self._last = np.zeros(values.shape[1])
        rows = np.concatenate([self._last[None], values])
        there = np.isfinite(rows)
        last = np.maximum.accumulate(np.where(there, np.arange(len(rows))[:, None], 0), axis=0)
        filled: NDArray[np.float64] = np.take_along_axis(rows, last, axis=0)[1:]
        if len(filled):
            self._last = filled[-1].copy()
        return filled
