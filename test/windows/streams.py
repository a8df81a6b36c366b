# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams for window tests: made at will, delivered in any order and grouping."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.core.modalities import BUILTIN, Modality
from m2r2_ros.core.samples import EncodedImage, ImageSamples, Samples, SoundSamples, VectorSamples
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig

ORIGIN = 1_700_000_000 * SECOND


@dataclass
class Message:
    """One sample on its way."""

    modality: str
    stamp: int
    arrival: float
    payload: Any = field(repr=False)


def sensor_messages(
    modality: str | Modality, rate: float, seconds: float, seed: int, delay: float = 0.0
) -> list[Message]:
    """Make smooth signals with jittering stamps that arrive `delay` plus some jitter later."""
    declaration = BUILTIN[modality] if isinstance(modality, str) else modality
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    times = (np.arange(n) + rng.uniform(0, 0.4, n) + rng.uniform()) / rate
    dims = 7 if declaration.is_pose else declaration.dims
    phases, speeds = rng.uniform(0, 6, dims), rng.uniform(0.5, 9, dims)
    values = np.sin(times[:, None] * speeds + phases)
    late = np.maximum.accumulate(times + delay + rng.uniform(0, 0.02, n))
    return [
        Message(declaration.name, ORIGIN + round(t * SECOND), a, v)
        for t, a, v in zip(times.tolist(), late.tolist(), values, strict=True)
    ]


def pack(messages: Sequence[Message], first: int, rate: int = 16_000) -> dict[str, Samples]:
    """Group messages that arrived with ranks first, first + 1, ... by modality.

    Bytes are images, and single precision is sound.
    """
    out: dict[str, Samples] = {}
    for modality in dict.fromkeys(m.modality for m in messages):
        rows = [(first + i, m) for i, m in enumerate(messages) if m.modality == modality]
        stamps = np.array([m.stamp for _, m in rows], np.int64)
        arrival = np.array([i for i, _ in rows], np.int64)
        payload = [m.payload for _, m in rows]
        if all(isinstance(p, bytes) for p in payload):
            frames = [EncodedImage(bytes(p), _pixels) for p in payload]
            out[modality] = ImageSamples(stamps, arrival, frames)
        elif all(isinstance(p, np.ndarray) and p.dtype == np.float32 for p in payload):
            out[modality] = SoundSamples(stamps, arrival, payload, rate)
        else:
            out[modality] = VectorSamples(stamps, arrival, np.array(payload, np.float64))
    return out


def deriving(config: WindowConfig, modalities: Collection[str]) -> WindowAssembler:
    """Return an assembler that makes the twist from the pose."""
    assembler = WindowAssembler(config, modalities)
    assembler.derived = ['twist']
    return assembler


def _pixels(payload: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(payload, np.uint8).reshape(1, -1, 1).repeat(3, axis=2)


def in_order(*streams: Sequence[Message]) -> list[Message]:
    """Merge streams by arrival."""
    return sorted((m for s in streams for m in s), key=lambda m: m.arrival)


def deliver(
    assembler: WindowAssembler,
    messages: Sequence[Message],
    cuts: Sequence[int] = (),
    *,
    rate: int = 16_000,
    flush: bool = True,
) -> FrameWindows:
    """Push messages in groups cut at the given positions and return all windows."""
    edges = sorted({0, *cuts, len(messages)})
    parts = [assembler.push(pack(messages[lo:hi], lo, rate)) for lo, hi in pairwise(edges)]
    if flush:
        parts.append(assembler.flush())
    return FrameWindows.join(parts)


def same(a: FrameWindows, b: FrameWindows) -> bool:
    """Return whether two runs of windows are equal bit for bit, restarts aside."""
    arrays: list[tuple[NDArray[np.generic], NDArray[np.generic]]] = [
        (a.starts, b.starts),
        (a.stamps, b.stamps),
        (a.present, b.present),
        *((a.sensors[name], b.sensors[name]) for name in a.sensors),
    ]
    arrays += [(a.sounds[name], b.sounds[name]) for name in a.sounds if name in b.sounds]
    payloads = [[[i and i.payload for i in x] for x in w.images.values()] for w in (a, b)]
    return all(np.array_equal(x, y) for x, y in arrays) and payloads[0] == payloads[1]


def by_stamp(windows: FrameWindows) -> Mapping[int, FrameWindows]:
    """Return the windows by t(i)."""
    return {int(t): windows[i : i + 1] for i, t in enumerate(windows.stamps)}
