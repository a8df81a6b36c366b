# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a model that was just trained knows of its training set."""

from collections.abc import Sequence

from m2r2_ros.model.familiarity import Familiarity
from m2r2_ros.segmenters.calibration import calibrated
from m2r2_ros.training.cache import CachedRecording
from m2r2_ros.training.config import TrainConfig
from m2r2_ros.training.data import TrainingData
from m2r2_ros.training.described import Described, describe_recording
from m2r2_ros.training.extract import features_of
from m2r2_ros.training.familiarity import KnownFold, fit_familiarity
from m2r2_ros.training.judge import Judged
from m2r2_ros.training.search import TrainedFold


def measure(
    final: TrainedFold,
    folds: Sequence[TrainedFold],
    live: Judged,
    data: TrainingData,
    config: TrainConfig,
    frame_rate: float,
) -> Familiarity:
    """Measure what a model knows, with thresholds from what its folds hold out.

    Args:
        final: The model's extractor and what it was trained on.
        folds: Extractors that have not seen some recordings; may be none.
        live: What the online heads say of these recordings.
        data: All recordings.
        config: How the extractor was trained.
        frame_rate: Frames per second.
    """
    learnt = _described(final, final.data.recordings, config)
    known = [
        KnownFold(
            learnt if fold is final else _described(fold, fold.data.recordings, config),
            _described(fold, [data.recordings[k] for k in fold.fold.held_out], config),
        )
        for fold in folds
    ]
    temperature = live.rules.decoding.rule.temperature
    confidences = [(calibrated(p.probabilities, temperature), p.targets) for p in live.posteriors]
    return fit_familiarity(
        learnt, frame_rate, folds=known, confidences=confidences, rates=data.rates
    )


def _described(
    fold: TrainedFold, recordings: Sequence[CachedRecording], config: TrainConfig
) -> list[Described]:
    features = features_of(fold.network)
    return [
        describe_recording(
            r, fold.data.normalisation, features, offset=config.offset, gain=config.gain, seed=seed
        )
        for seed, r in enumerate(recordings)
    ]
