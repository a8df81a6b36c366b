# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far scores would lie apart with other recordings of the same kind."""

from typing import Final

import numpy as np

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.evaluation.score import Pool

#: Share of the resamples that an interval holds.
LEVEL: Final = 0.95

Interval = tuple[float, float]


def bootstrap(pool: Pool, resamples: int, seed: int = 0) -> dict[str, Interval]:
    """Return the percentile bootstrap interval of every score (Efron and Tibshirani, 1993, ch. 13).

    Whole recordings are drawn with replacement, since frames and segments of one recording depend
    on each other. It tells the spread over recordings, not over trainings.

    Args:
        pool: The recordings, two or more.
        resamples: How often as many recordings are drawn as there are.
        seed: Of the draws.

    Returns:
        Lower and upper end by the score's name in `Scores.to_dict`, over the resamples in which
        it is defined; counts and scores that never are defined have none.

    Raises:
        ConfigError: There are fewer than two recordings.
    """
    if len(pool) < 2:
        msg = f'an interval needs two recordings or more, found {len(pool)}: leave out --bootstrap'
        raise ConfigError(msg)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(pool), np.full(len(pool), 1 / len(pool)), resamples)
    rows = [pool.scores(weights.astype(np.int64)).to_dict() for weights in drawn]
    tails = 100 * np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    intervals = {}
    for name, value in pool.scores().to_dict().items():
        found = [v for row in rows if (v := row[name]) is not None]
        if isinstance(value, float) and found and name != 'frame_rate_hz':
            low, high = np.percentile(found, tails)
            intervals[name] = (float(low), float(high))
    return intervals
