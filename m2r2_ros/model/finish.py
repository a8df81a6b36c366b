# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the outputs of a head's graph to what the model says."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.model.backend import Prediction
from m2r2_ros.model.head_config import ASRFConfig, CausalTCNConfig, DiffActConfig, HeadConfig
from m2r2_ros.model.median import median_filtered
from m2r2_ros.model.refinement import pieces_between, vote

#: DiffAct starts from the same noise in every run.
SEED: Final = 0


def noise_for(config: HeadConfig, classes: int, frames: int) -> NDArray[np.float32] | None:
    """Return the noise that a head makes labels of, None for a head that takes none.

    Args:
        config: Options of the head.
        classes: C.
        frames: N.

    Returns:
        Standard normal, float32 (draws, C, N): where sampling starts, and what each of its steps
        but the last adds.
    """
    draws = draws_of(config)
    if not draws:
        return None
    generator = np.random.default_rng(SEED)
    return generator.standard_normal((draws, classes, frames), np.float32)


def draws_of(config: HeadConfig) -> int:
    """Return how many arrays of noise a head takes."""
    return min(config.sampling_steps, config.steps) if isinstance(config, DiffActConfig) else 0


def finish(
    config: HeadConfig, logits: NDArray[np.float32], boundaries: NDArray[np.float32]
) -> Prediction:
    """Return what a head says about N frames; all of a recording, if it is offline.

    Args:
        config: Options of the head.
        logits: float32 (N, K, C) by lag of an online head, (N, C) of an offline one.
        boundaries: Boundary probabilities, float32 (N,); not asked of offline heads that have no
            output for them.
    """
    probabilities = softmax(logits)
    if config.online:
        lags = config.lags if isinstance(config, CausalTCNConfig) else (0,)
        revised = {lag: probabilities[:, k] for k, lag in enumerate(lags) if lag}
        return Prediction(probabilities[:, 0], boundaries, revised)
    if isinstance(config, ASRFConfig):
        pieces = pieces_between(boundaries, config.threshold)
        return Prediction(vote(probabilities, pieces), boundaries)
    if isinstance(config, DiffActConfig):
        probabilities = median_filtered(probabilities, config.median)
    return Prediction(probabilities, change_scores(probabilities))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities of logits, float32 (..., C)."""
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: NDArray[np.float32] = shares / shares.sum(axis=-1, keepdims=True)
    return found


def change_scores(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 - p_t . p_(t-1), how likely two frames differ, for heads without boundary output.

    Args:
        probabilities: float32 (N, C).

    Returns:
        float32 (N,), 0 at the first frame.
    """
    changes = np.zeros(len(probabilities), np.float32)
    changes[1:] = 1 - (probabilities[1:] * probabilities[:-1]).sum(axis=1)
    return changes.clip(0, 1)
