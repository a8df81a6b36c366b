# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""By what cached windows are recognised as those of a recording, and not made again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from m2r2_ros import __version__
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.modalities import Modalities, to_entries
from m2r2_ros.network.image import ImageEncoder
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.windows.config import WindowConfig


def encoder_key(encoders: Mapping[str, ImageEncoder]) -> str:
    """Return a hash of the frozen backbones, by camera, whose features are cached."""
    found = hashlib.sha256()
    for camera, encoder in encoders.items():
        found.update(camera.encode())
        for name, tensor in encoder.trunk.state_dict().items() if encoder.frozen else ():
            found.update(name.encode())
            found.update(
                tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
            )
    return found.hexdigest()


def cache_key(
    path: Path,
    segments: Sequence[Segment],
    labels: LabelSet,
    windows: WindowConfig,
    modalities: Modalities,
    topics: Mapping[str, TopicSpec],
    encoder: str,
) -> str:
    """Return a hash of everything that the windows of a recording depend on.

    Args:
        path: Recording; its files are known by name, size and time of change.
        segments: Its ground truth.
        labels: What ids mean.
        windows: Shape of the windows.
        modalities: What is read.
        topics: Topics that serve them.
        encoder: See `encoder_key`.
    """
    files = sorted(path.rglob('*')) if path.is_dir() else [path]
    if episode := not path.exists():  # of a data set, whose files it shares with others
        files = [source.path for source in open_recording(path).sources]
    stats = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file()]
    stats += [(str(path), 0, 0)] if episode else []
    truth = [(s.start, s.end, s.label) for s in segments]
    used = {modality: asdict(spec) for modality, spec in topics.items()}
    facts = (
        __version__, stats, truth, labels.names, windows.to_dict(), to_entries(modalities), used,
        encoder,
    )  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
