# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a model says of recordings, and how well that tells frames that are unlike its training."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.evaluation.auroc import auroc
from m2r2_ros.model.familiarity import TRUST, Watch
from m2r2_ros.model.inputs import make_inputs, with_images
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.bundle import Bundle
from m2r2_ros.network.torch_backend import TorchBackend
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters.kinds import open_model
from m2r2_ros.training.segmenter import segmenter_of
from m2r2_ros.windows.fit import InputFit

Values = NDArray[np.float32]
Change = Callable[[dict[str, Values]], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What a model says of some frames.

    Attributes:
        stamps: int64 (n,).
        scores: float64 (n,), the level in units of what still gets a label.
        unknown: bool (n,).
        confidences: float64 (n,).
        labels: n labels, those withheld included.
        warnings: Of their recordings.
    """

    stamps: NDArray[np.int64]
    scores: NDArray[np.float64]
    unknown: NDArray[np.bool_]
    confidences: NDArray[np.float64]
    labels: list[str]
    warnings: list[str]


def label(bundle: Bundle, bundle_path: Path, bag: Path, change: Change | None = None) -> Found:
    """Label a recording, changed."""
    assert bundle.familiarity is not None
    model = open_model(bundle_path, live=True)
    stream = WindowStream(open_recording(bag), bundle.windows, model.modalities)
    windows = FrameWindows.join(list(stream))
    if change is not None:
        sensors = {name: values.copy() for name, values in windows.sensors.items()}
        change(sensors)
        windows = replace(windows, sensors=sensors)
    plain = segmenter_of(replace(bundle, familiarity=None), live=True).segment(windows)
    inputs = make_inputs(windows, bundle.normalisation, model.modalities)
    backend = TorchBackend(bundle.network)
    inputs = RelativePoses()(inputs)
    encoded = backend.encode(inputs)
    doubts = Watch(bundle.familiarity, bundle.windows.frame_rate).step(
        with_images(inputs, encoded.images), encoded.features
    )
    least = bundle.familiarity.least_confidence
    fit = InputFit(model.expectations)
    fit.add(windows)
    return Found(
        windows.stamps,
        np.array(
            [d.level / (1 + TRUST * x.confidence) for d, x in zip(doubts, plain, strict=True)]
        ),
        np.array([bool(d.reason(x.confidence, least)) for d, x in zip(doubts, plain, strict=True)]),
        np.array([x.confidence for x in plain]),
        [x.label for x in plain],
        fit.warnings(),
    )


def separation(scores: NDArray[np.float64], usual: NDArray[np.float64]) -> float:
    """Return how well scores tell frames from the usual ones, 0..1."""
    both = np.concatenate([scores, usual])
    return auroc(both, np.arange(len(both)) < len(scores)) or 0.0
