# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads on the same features, with several seeds: one row for each head and seed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import write_text
from m2r2_ros.core.reading import read_text, reading
from m2r2_ros.evaluation.score import Scores
from m2r2_ros.model.head_config import HeadConfig, NoHeadConfig, head_from_dict
from m2r2_ros.network.heads.base import Head, Recipe
from m2r2_ros.network.heads.registry import recipe_of
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.training.feature_set import FeatureSet
from m2r2_ros.training.scoring import (
    Labelling,
    milliseconds_per_frame,
    probabilities_of,
    revised_share,
    score_labelling,
)
from m2r2_ros.training.train_head import digest, train_head

Level = Literal['fine', 'coarse']
#: Hold rules that are tried on the validation recordings: every pair of these.
CONFIDENCES = (0.0, 0.6, 0.8, 0.9)
DURATIONS = (0.0, 0.2, 0.3, 0.5, 0.8, 1.2)
#: Of a file of rows.
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """One training and its scores.

    Attributes:
        head: The head.
        recipe: How it is trained.
        seed: Of the training.
        level: Labels that it is trained on.
    """

    head: HeadConfig
    recipe: Recipe
    seed: int
    level: Level

    @property
    def title(self) -> str:
        """The head's name and the options that differ from the defaults."""
        usual = type(self.head)().to_dict()
        given = [f'{k}={json.dumps(v)}' for k, v in self.head.to_dict().items() if usual[k] != v]
        return ':'.join([self.head.name, *given])

    @property
    def file(self) -> str:
        """Name of its files, without a suffix."""
        return f'{self.title.replace(":", "-")}_{self.level}_seed{self.seed}'


def parse_head(text: str) -> HeadConfig:
    """Read a head such as 'ms_tcn' or 'protas:task_graph=true'.

    Raises:
        ConfigError: The head or an option is unknown.
    """
    name, *options = text.split(':')
    entries: dict[str, Any] = {'name': name}
    for option in options:
        key, equals, value = option.partition('=')
        if not equals:
            msg = f'head {text!r}: expected name:option=value, found {option!r}'
            raise ConfigError(msg)
        try:
            entries[key] = json.loads(value)
        except ValueError as error:
            msg = f'head {text!r}: {key}: expected a number, true or false, found {value!r}'
            raise ConfigError(msg) from error
    config = head_from_dict(entries)
    if isinstance(config, NoHeadConfig):
        msg = f'head {text!r}: it has nothing to train'
        raise ConfigError(msg)
    return config


def plan(
    heads: Sequence[HeadConfig], seeds: int, levels: Sequence[Level], epochs: int | None
) -> list[Job]:
    """Return the jobs of a benchmark; `epochs` replaces the published number where given."""
    jobs = []
    for head in heads:
        recipe = recipe_of(head)
        recipe = recipe if epochs is None else replace(recipe, epochs=epochs)
        jobs += [Job(head, recipe, s, level) for level in levels for s in range(seeds)]
    return jobs


def run_job(
    job: Job,
    features: FeatureSet,
    folder: Path,
    progress: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
) -> list[dict[str, Any]]:
    """Train and score; return the rows, or those in the folder if it was done before.

    There is a row for the last epoch and one for the epoch that was best on the validation
    recordings; online heads have each with the hold rule, too.
    """
    file = folder / f'{job.file}.json'
    facts = {
        'head': job.head.to_dict(),
        'recipe': asdict(job.recipe),
        'features': {part: digest(features, [part]) for part in features.parts},
    }
    if (rows := kept_rows(file, facts)) is not None:
        return rows
    folder.mkdir(parents=True, exist_ok=True)
    own = features if job.level == 'fine' else features.coarse()
    checkpoint = folder / f'{job.file}.safetensors'
    began = perf_counter()
    trained = train_head(
        job.head, own, recipe=job.recipe, seed=job.seed, checkpoint=checkpoint, progress=progress
    )
    common = {
        'head': job.title,
        'seed': job.seed,
        'level': job.level,
        'online': trained.head.online,
        'parameters': sum(p.numel() for p in trained.head.parameters()),
        'training_s': perf_counter() - began,
    }
    rows = []
    for epoch, weights in _weights(trained.head, trained.best, trained.best_epoch, own):
        trained.head.load_state_dict(weights)
        rows += [{**common, 'epoch': epoch, **row} for row in _rows(trained.head, own)]
    write_text(file, json.dumps({'facts': facts, 'rows': rows}, indent=1))
    checkpoint.unlink(missing_ok=True)
    return rows


def kept_rows(file: Path, facts: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a job that was done before; None where there are none, or damaged."""
    try:
        text = read_text(file, 'rows of a benchmark', ConfigError, most=_MOST_BYTES)
        with reading(file, 'rows of a benchmark', ConfigError):
            kept = json.loads(text)
            return list(kept['rows']) if kept['facts'] == facts else None
    except ConfigError:
        return None


def _weights(
    head: Head, best: Mapping[str, Any], best_epoch: int, features: FeatureSet
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield 'last', {n: t.clone() for n, t in head.state_dict().items()}
    if features.parts['val']:
        yield f'best ({best_epoch})', best


def _rows(head: Head, features: FeatureSet) -> Iterator[dict[str, Any]]:
    """Yield the scores of a trained head, plain and with the hold rule."""
    test = features.parts['test']
    found = probabilities_of(head, test)
    speed = {
        'ms_per_frame': milliseconds_per_frame(head, test[0]),
        'revised': revised_share(head, test),
    }
    yield {'hold': None, **speed, **_scores(found, features, None)}
    if head.online and features.parts['val']:
        rule = best_hold(probabilities_of(head, features.parts['val']), features)
        yield {'hold': rule.to_dict(), **speed, **_scores(found, features, rule)}


def best_hold(labelling: Labelling, features: FeatureSet) -> Decoding:
    """Return the hold rule with the best F1@50 plus accuracy on validation recordings."""

    def value(rule: Decoding) -> float:
        scores = score_labelling(labelling, features.labels, features.frame_rate, rule)
        return (scores.f1[50] or 0.0) + 100 * (scores.accuracy or 0.0)

    rules = [Decoding(c, d) for c in CONFIDENCES for d in DURATIONS]
    return max(rules, key=value)


def _scores(found: Labelling, features: FeatureSet, rule: Decoding | None) -> dict[str, Any]:
    def scores(*, coarse: bool) -> Scores:
        return score_labelling(found, features.labels, features.frame_rate, rule, coarse=coarse)

    both: dict[str, Any] = {'scores': scores(coarse=False).to_dict()}
    if any(features.labels.parents):
        both['coarse'] = scores(coarse=True).to_dict()
    return both
