# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of a recording on disk, which training reads in every epoch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import disk_errors
from m2r2_ros.core.labels import UNKNOWN, LabelSet, Segment, label_at
from m2r2_ros.core.modalities import SOUND, VECTOR, Modalities, Modality
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.model.inputs import IMAGE_SIZE, Inputs, decode_images
from m2r2_ros.model.relative_pose import first_poses, relative_to
from m2r2_ros.network.image import ImageEncoder
from m2r2_ros.windows.config import WindowConfig
from m2r2_ros.windows.logmel import MEL_BINS, log_mel, mel_frames
from m2r2_ros.windows.normalisation import Normalisation

#: In the folder of a recording, once all of it is written.
DONE: Final = 'done'
#: In front of the names of modalities in names of files.
_OF: Final = 'of_'


@dataclass(frozen=True, slots=True)
class CachedRecording:
    """Frames of one recording, mapped into memory.

    Attributes:
        name: Name of the recording.
        stamps: int64 (n,), frame stamps.
        targets: int64 (n,), label ids; UNKNOWN outside every segment.
        restarts: bool (n,), frames that do not directly follow the one before.
        arrays: By modality: vectors float32 (n, T, D_s) in their units, sound float16
            (n, 64, frames) in dB, images float16 (n, feature_dim), a frozen backbone's features, or
            uint8 (n, 224, 224, 3), pixels for a backbone that learns.
        present: bool (n, M).
        modalities: What the columns of `present` stand for.
        origins: By pose, float32 (n, 9), the one that each frame's run began with, SI units.
    """

    name: str
    stamps: NDArray[np.int64]
    targets: NDArray[np.int64]
    restarts: NDArray[np.bool_]
    arrays: Mapping[str, NDArray[np.generic]]
    present: NDArray[np.bool_]
    modalities: Modalities
    origins: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.stamps)

    def inputs(self, lo: int, hi: int, normalisation: Normalisation) -> Inputs:
        """Return normalised frames lo .. hi - 1; what is masked is zero."""
        present = np.array(self.present[lo:hi])
        data = {}
        for k, (name, modality) in enumerate(self.modalities.items()):
            if name not in self.arrays:
                continue
            array = self.arrays[name]
            # Pixels stay bytes, by which an image encoder tells them from features.
            dtype = array.dtype if array.dtype == np.uint8 else np.float32
            rows = np.array(array[lo:hi], dtype)
            if modality.kind == VECTOR:
                rows = normalisation.scale(name, rows)
            elif modality.kind == SOUND:
                rows = normalisation.sounds[name](rows)
            rows[~present[:, k]] = 0
            data[name] = rows
        origins = {n: normalisation.scale(n, first[lo:hi]) for n, first in self.origins.items()}
        return relative_to(origins, Inputs(data, present, self.modalities))


class CacheWriter:
    """Writes windows to disk run by run, so that memory does not grow with recordings."""

    def __init__(
        self,
        folder: Path,
        config: WindowConfig,
        modalities: Modalities,
        image_encoders: Mapping[str, ImageEncoder],
    ) -> None:
        """Make a writer.

        Args:
            folder: Folder for the files.
            config: Shape of the windows.
            modalities: What they hold.
            image_encoders: The model's, by camera; images of others are left out. What a backbone
                makes of images is written if it is frozen by now, otherwise their pixels.
        """
        self._folder = folder
        self._columns = mel_frames(round(config.audio_context * config.audio_rate))
        self._points = config.points
        self._modalities, self._image_encoders = modalities, image_encoders
        self._count = 0

    def write(
        self,
        name: str,
        runs: Iterable[FrameWindows],
        segments: list[Segment],
        labels: LabelSet,
        key: str = '',
    ) -> CachedRecording:
        """Write a recording's windows and targets, and map them.

        Args:
            name: Of the recording.
            runs: Its windows.
            segments: Its ground truth.
            labels: What ids mean.
            key: Files that were written to their end under this key are taken as they are, without
                reading the recording; '' writes them anew.

        Raises:
            BagError: There is no window.
            OutputError: The files cannot be written.
        """
        # Numbered, since recordings of several folders may have one name.
        folder = self._folder / f'{self._count:04d}'
        self._count += 1
        done = folder / DONE
        if key and done.is_file() and done.read_text(encoding='utf-8') == key:
            return self._open(folder, name)
        _empty(folder)
        for windows in runs:
            arrays = self._arrays(windows, segments, labels)
            with disk_errors(folder):
                for column, rows in arrays.items():
                    with (folder / f'{column}.bin').open('ab') as file:
                        file.write(np.ascontiguousarray(rows).tobytes())
        if not (folder / 'stamps.bin').is_file():
            msg = (
                f'{name}: it is too short for a single window, or its topics hold no usable '
                'message: leave it out (m2r2 inspect shows what is in it)'
            )
            raise BagError(msg)
        with disk_errors(folder):
            done.write_text(key, encoding='utf-8')
        return self._open(folder, name)

    def _open(self, folder: Path, name: str) -> CachedRecording:
        found: dict[str, NDArray[Any]] = {
            key: np.memmap(folder / f'{key}.bin', dtype, 'r').reshape(-1, *shape)
            for key, (dtype, shape) in self._shapes().items()
            if (folder / f'{key}.bin').is_file()
        }
        stamps, targets, restarts, present = (
            found.pop(k) for k in ('stamps', 'targets', 'restarts', 'present')
        )
        arrays = {key.removeprefix(_OF): array for key, array in found.items()}
        origins = {
            n: first_poses(arrays[n], present[:, k], restarts)
            for k, (n, m) in enumerate(self._modalities.items())
            if m.is_pose and n in arrays
        }
        return CachedRecording(
            name, stamps, targets, restarts, arrays, present, self._modalities, origins
        )

    def _shapes(self) -> dict[str, tuple[type[np.generic], tuple[int, ...]]]:
        return {
            'stamps': (np.int64, ()),
            'targets': (np.int64, ()),
            'restarts': (np.bool_, ()),
            'present': (np.bool_, (len(self._modalities),)),
            **{_OF + name: self._shape(m) for name, m in self._modalities.items()},
        }

    def _shape(self, modality: Modality) -> tuple[type[np.generic], tuple[int, ...]]:
        if modality.kind == VECTOR:
            return np.float32, (self._points, modality.dims)
        if modality.kind == SOUND:
            return np.float16, (MEL_BINS, self._columns)
        encoder = self._image_encoders.get(modality.name)
        if encoder is not None and encoder.frozen:
            return np.float16, (encoder.feature_dim,)
        return np.uint8, (IMAGE_SIZE, IMAGE_SIZE, 3)

    def _arrays(
        self, windows: FrameWindows, segments: list[Segment], labels: LabelSet
    ) -> dict[str, NDArray[np.generic]]:
        names = label_at(segments, windows.stamps)
        ids = [labels.id_of(n) if n else UNKNOWN for n in names]
        present = windows.present.copy()
        arrays: dict[str, NDArray[np.generic]] = {
            'stamps': windows.stamps,
            'targets': np.array(ids, np.int64),
            'restarts': windows.restarts,
            'present': present,
        }
        for k, (name, modality) in enumerate(self._modalities.items()):
            if modality.kind == VECTOR:
                arrays[_OF + name] = windows.sensors[name]
            elif modality.kind == SOUND:
                arrays[_OF + name] = log_mel(windows.sounds[name]).astype(np.float16)
            elif name in self._image_encoders:
                pixels, present[:, k] = decode_images(windows.images[name])
                arrays[_OF + name] = _features(self._image_encoders[name], pixels)
        return arrays


def _empty(folder: Path) -> None:
    """Make a folder, or remove what is in it: first of all that it is complete."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DONE).unlink(missing_ok=True)
        for old in folder.iterdir():
            old.unlink()


def _features(encoder: ImageEncoder, pixels: NDArray[np.uint8]) -> NDArray[np.generic]:
    """Return what a frozen backbone makes of pixels, float16; of one that learns, the pixels."""
    if not encoder.frozen:
        return pixels
    device = next(encoder.trunk.parameters()).device
    features: NDArray[np.float32] = (
        encoder.features(torch.from_numpy(pixels).to(device)).cpu().numpy()
    )
    return features.astype(np.float16)
