# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How labels are decided: arg max, hold rules and the commit rule, for each lag.

Rules are learnt from what a bundle says of the recordings to validate on, and scored on those to
test on; the bundle should have been trained on neither. Prints a table in Markdown.

    python benchmarks/decoding.py MODEL --validate val/* --test test/*
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from m2r2_ros.core.labels import UNKNOWN, label_at
from m2r2_ros.core.time import SECOND
from m2r2_ros.evaluation.bootstrap import bootstrap
from m2r2_ros.evaluation.recording_counts import Rules, count_recording
from m2r2_ros.evaluation.score import Pool
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.model.relative_pose import RelativePoses
from m2r2_ros.network.bundle import Bundle, load_bundle
from m2r2_ros.network.torch_backend import TorchBackend
from m2r2_ros.replay.stream import WindowStream
from m2r2_ros.segmenters.network import CHUNK
from m2r2_ros.training.feature_set import FeatureTrack
from m2r2_ros.training.learn_decoding import compare_rules
from m2r2_ros.training.posteriors import Posterior, posteriors_of
from m2r2_ros.training.recordings import open_labelled
from m2r2_ros.training.rule_trials import RuleTrial, decide, track_of
from m2r2_ros.training.scoring import sequence_of

#: For intervals of 95 %.
RESAMPLES = 1000
COLUMNS = (
    'lag', 'probabilities', 'rule', 'accuracy %', 'F1@50 %', 'edit %', 'delay s, median / p90',
    'kept',
)  # fmt: skip


def main() -> None:
    """Learn, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('model', type=Path)
    parser.add_argument('--validate', type=Path, nargs='+', required=True)
    parser.add_argument('--test', type=Path, nargs='+', required=True)
    asked = parser.parse_args()
    bundle = load_bundle(asked.model)
    validation, test = (posteriors(bundle, bags) for bags in (asked.validate, asked.test))
    for line in table(bundle, validation, test):
        print(line)


def posteriors(bundle: Bundle, bags: Sequence[Path]) -> list[Posterior]:
    """Return what the heads of a bundle say of recordings."""
    console = Console(stderr=True)
    backend = TorchBackend(bundle.network)
    tracks = []
    for recording, truth in open_labelled(bags).pairs:
        console.print(recording.name)
        features, targets, relative = [], [], RelativePoses()
        for run in WindowStream(recording, bundle.windows, bundle.model.modalities, None):
            names = label_at(truth.segments, run.stamps)
            targets += [bundle.labels.id_of(name) if name else UNKNOWN for name in names]
            for lo in range(0, len(run), CHUNK):
                chunk = run[lo : lo + CHUNK]
                inputs = make_inputs(chunk, bundle.normalisation, bundle.model.modalities)
                inputs = relative(inputs)
                features.append(backend.encode(inputs).features)
        values = np.concatenate(features)
        tracks.append(FeatureTrack(recording.name, values, np.array(targets, np.int64)))
    network = bundle.network
    return posteriors_of(tracks, network.head, network.offline_head)


def table(bundle: Bundle, validation: Sequence[Posterior], test: Sequence[Posterior]) -> list[str]:
    """Return the lines of the table."""
    compared = compare_rules(validation, bundle.labels, bundle.windows.frame_rate)
    lines = [f'| {" | ".join(COLUMNS)} |', f'|{"---|" * len(COLUMNS)}']
    for trial in compared.trials:
        kept = 'yes' if compared.kept(trial) else ''
        lines.append(f'| {" | ".join([*cells(bundle, test, trial), kept])} |')
    return lines


def cells(bundle: Bundle, test: Sequence[Posterior], trial: RuleTrial) -> list[str]:
    """Return a row without its last cell."""
    rule, labels = trial.rule, bundle.labels
    period = SECOND / bundle.windows.frame_rate
    tracks = [track_of(p, rule) for p in test]
    found = [decide(track, rule, labels, period) for track in tracks]
    rules = Rules()
    pool = Pool(
        [
            count_recording(
                sequence_of(
                    p.name, p.targets, ids, labels.names, period, lag_s=rule.lag * period / SECOND
                ),
                rules,
            )
            for p, ids in zip(test, found, strict=True)
        ],
        rules,
    )
    scores, spread = pool.scores(), bootstrap(pool, RESAMPLES)
    delays = (scores.boundary_delay_median_s, scores.boundary_delay_p90_s)
    return [
        str(rule.lag),
        trial.probabilities,
        trial.sort,
        interval(100 * (scores.accuracy or 0.0), 100 * np.array(spread['accuracy'])),
        interval(scores.f1[50] or 0.0, np.array(spread['f1@50'])),
        '-' if scores.edit is None else f'{scores.edit:.1f}',
        ' / '.join('-' if delay is None else f'{delay:.2f}' for delay in delays),
    ]


def interval(value: float, ends: NDArray[np.float64]) -> str:
    """Return a measure and its interval."""
    return f'{value:.1f} ({ends[0]:.1f} to {ends[1]:.1f})'


if __name__ == '__main__':
    main()
