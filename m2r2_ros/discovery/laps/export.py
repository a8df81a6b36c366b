# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Primitives on the disk, for pretraining of vision-language-action models.

The folder of a recording holds tables and arrays that any program can read, and nothing that runs
code when it is read; README.md in it says what is what.
"""

import csv
import io
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.errors import DiscoveryError, OutputError
from m2r2_ros.core.files import Claim, disk_errors, partial_path
from m2r2_ros.core.options import shown
from m2r2_ros.core.reading import check_file, read_text, reading

FORMAT: Final = 1
#: Bytes of a table, at most.
_MOST_BYTES: Final = 64 << 20
COLUMNS: Final = ('index', 'start_ns', 'end_ns', 'cluster', 'n_codes')
_README: Final = """# Action primitives of a recording
- `primitives.csv`: a line for each primitive: index, start and end (nanoseconds, the end is no part
  of it), cluster (-1: none), number of codes.
- `codes.npy`: int32 (M,), the codes of all primitives, one after the other.
- `latents.npy`: float32 (M, d), the quantised vectors of these codes.
- `offsets.npy`: int64 (n + 1,): primitive k has the rows offsets[k] to offsets[k + 1] - 1.
- `clip_0000.mp4`, ...: the images of each primitive, where there are any.
- `meta.json`: the format's number, the recording, images per second, codes in the codebook.
"""


@dataclass(frozen=True, slots=True)
class Primitive:
    """An action primitive A_i.

    Attributes:
        start: Where it begins, nanoseconds.
        end: Where it ends, not part of it, nanoseconds.
        cluster: Number of its cluster, -1 for none.
        codes: int32 (m,), S_i, the codes of its motion.
        latents: float32 (m, d), S_q,i, their quantised vectors.
        frames: Its images, uint8 (h, w, 3), RGB, all of one size; read once, and empty when it
            comes from the disk.
        clip: The video of its images on the disk; None without one.
    """

    start: int
    end: int
    cluster: int
    codes: NDArray[np.int32]
    latents: NDArray[np.float32]
    frames: Iterable[NDArray[np.uint8]] = field(default=(), compare=False)
    clip: Path | None = None


def write_primitives(
    folder: Path,
    primitives: Sequence[Primitive],
    *,
    recording: str,
    frame_rate: float,
    codebook: int,
) -> None:
    """Write the primitives of a recording; the folder is complete or not there at all.

    Args:
        folder: Where; it is made.
        primitives: In order of start, with latents of one width.
        recording: What they are from, for meta.json.
        frame_rate: Images per second.
        codebook: How many different codes there are.

    Raises:
        OutputError: The folder holds something, or cannot be written.
    """
    meta = {
        'format': FORMAT, 'recording': recording, 'frame_rate': frame_rate, 'codebook': codebook,
    }  # fmt: skip
    with disk_errors(folder), Claim(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            msg = f'{folder} is there already and is never overwritten: write elsewhere'
            raise OutputError(msg)
        draft = partial_path(folder)
        try:
            draft.mkdir(parents=True)
        except FileExistsError as error:
            msg = f'{draft} is what an interrupted run left: remove it'
            raise OutputError(msg) from error
        try:
            _write_all(draft, primitives, meta)
            draft.replace(folder)
        except BaseException:
            shutil.rmtree(draft)
            raise


def read_primitives(folder: Path) -> list[Primitive]:
    """Return the primitives that were written to a folder.

    Raises:
        DiscoveryError: It holds none, or its files do not fit each other.
    """
    expected = 'the primitives of a recording'
    texts = [
        read_text(folder / name, expected, DiscoveryError, most=_MOST_BYTES)
        for name in ('meta.json', 'primitives.csv')
    ]
    for name in ('codes', 'latents', 'offsets'):
        check_file(folder / f'{name}.npy', expected, DiscoveryError)
    with reading(folder, expected, DiscoveryError):
        meta = json.loads(texts[0])
        table = list(csv.DictReader(io.StringIO(texts[1], newline='')))
        codes, latents, offsets = (_load(folder, n) for n in ('codes', 'latents', 'offsets'))
        if meta['format'] != FORMAT:
            msg = f'{folder}: expected format {FORMAT}, found {shown(meta["format"])}'
            raise DiscoveryError(msg)
        whole = len(offsets) == len(table) + 1 and len(codes) == len(latents) == offsets[-1]
        if not whole or offsets[0] != 0 or (np.diff(offsets) < 0).any():
            msg = f'{folder}: primitives.csv and the arrays do not fit each other'
            raise DiscoveryError(msg)
        return [
            Primitive(
                int(row['start_ns']),
                int(row['end_ns']),
                int(row['cluster']),
                codes[lo:hi],
                latents[lo:hi],
                clip=clip if (clip := folder / _clip_name(k)).is_file() else None,
            )
            for k, (row, lo, hi) in enumerate(zip(table, offsets, offsets[1:], strict=False))
        ]


def _write_all(folder: Path, primitives: Sequence[Primitive], meta: dict[str, Any]) -> None:
    _write_arrays(folder, primitives)
    _write_table(folder / 'primitives.csv', primitives)
    for k, primitive in enumerate(primitives):
        _write_clip(folder / _clip_name(k), primitive.frames, meta['frame_rate'])
    (folder / 'meta.json').write_text(json.dumps(meta, indent=2) + '\n', encoding='utf-8')
    (folder / 'README.md').write_text(_README, encoding='utf-8')


def _load(folder: Path, name: str) -> NDArray[Any]:
    # Mapped, so that no more is ever set aside than the file is long.
    loaded = np.lib.format.open_memmap(folder / f'{name}.npy', mode='r')
    kinds = {'codes': ('i4', 1), 'latents': ('f4', 2), 'offsets': ('i8', 1)}
    if (loaded.dtype.str[1:], loaded.ndim) != kinds[name]:
        msg = f'{name}.npy: expected {kinds[name]}, found {loaded.dtype.str} of {loaded.ndim} axes'
        raise ValueError(msg)
    found: NDArray[Any] = np.array(loaded)
    return found


def _write_arrays(folder: Path, primitives: Sequence[Primitive]) -> None:
    counts = [len(p.codes) for p in primitives]
    width = primitives[0].latents.shape[1] if primitives else 0
    codes = [np.zeros(0, np.int32), *(p.codes for p in primitives)]
    latents = [np.zeros((0, width), np.float32), *(p.latents for p in primitives)]
    offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    np.save(folder / 'codes.npy', np.concatenate(codes).astype(np.int32))
    np.save(folder / 'latents.npy', np.concatenate(latents).astype(np.float32))
    np.save(folder / 'offsets.npy', offsets.astype(np.int64))


def _write_table(path: Path, primitives: Sequence[Primitive]) -> None:
    with path.open('w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(COLUMNS)
        for k, p in enumerate(primitives):
            writer.writerow([k, p.start, p.end, p.cluster, len(p.codes)])


def _clip_name(k: int) -> str:
    return f'clip_{k:04}.mp4'


def _write_clip(path: Path, frames: Iterable[NDArray[np.uint8]], frame_rate: float) -> None:
    images = iter(frames)
    first = next(images, None)
    if first is None:
        return
    size = (first.shape[1], first.shape[0])
    code = cv2.VideoWriter.fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(path), code, frame_rate, size)
    try:
        if not writer.isOpened():
            msg = f'{path}: OpenCV cannot write videos (mp4v) of {size[0]} x {size[1]} here'
            raise OutputError(msg)
        for image in chain([first], images):
            if image.shape != first.shape:
                msg = f'{path}: images of one clip must have one size'
                raise OutputError(msg)
            writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()
