# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of the decoder: from probabilities to labels, by rules that are given or learnt."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.options import (
    Section,
    between,
    check_options,
    expect_known,
    is_kind,
    read_options,
    shown,
)
from m2r2_ros.segmenters.commit import Commit, weight_vector
from m2r2_ros.segmenters.hold import Hold
from m2r2_ros.segmenters.lags import Late, Revised, Smoother

MAX_LAG = 10_000
#: Rules that a bundle may hold: one for each lag that was asked for in training.
MAX_RULES = 32
#: Largest weight of a feature of the commit rule.
MAX_WEIGHT = 1e6


@dataclass(frozen=True, slots=True)
class Rule:
    """How labels of one lag are decided, as validation recordings showed it.

    Without weights it is the hold rule; with zeros there, arg max.

    Attributes:
        lag: Frames that labels wait for.
        temperature: Of the probabilities: p ** (1 / temperature), scaled to a sum of 1.
        own_output: Whether the head's output for this lag is used, not a mean around the frame.
        min_confidence, min_duration: Of the hold rule; see Decoding.
        threshold: Probability that a rival is true from which the commit rule takes it up.
        weights: Of the commit rule, by feature (segmenters.commit).
        delay_s: Median time from a boundary to when its label was known on these recordings, with
            the lag; -1 where no boundary was found.
        doubtful_below: Mean confidence of the labels of a whole recording below which they are
            doubtful; 0 where it is not known.
    """

    lag: int = between(0, 0, MAX_LAG)
    temperature: float = between(1.0, 0.01, 100)
    own_output: bool = False
    min_confidence: float = between(0.0, 0, 1)
    min_duration: float = between(0.0, 0, 3600)
    threshold: float = between(0.5, 0.01, 0.99)
    weights: Mapping[str, float] = field(default_factory=dict)
    delay_s: float = between(-1.0, -3600, 36_000)
    doubtful_below: float = between(0.0, 0, 1)

    def __post_init__(self) -> None:
        check_options(self, 'decoding.learnt')
        if not isinstance(self.weights, Mapping):
            msg = f'decoding.learnt.weights: expected a mapping, found {shown(self.weights)}'
            raise ConfigError(msg)
        for name, weight in self.weights.items():
            if not is_kind(weight, float) or abs(weight) > MAX_WEIGHT:
                msg = (
                    f'decoding.learnt.weights: expected numbers up to {MAX_WEIGHT:g}, '
                    f'found {shown(weight)} for {shown(name)}'
                )
                raise ConfigError(msg)

    def decider(self, labels: LabelSet) -> Hold | Commit:
        """Return what decides the labels of a run of frames.

        Raises:
            ConfigError: The weights are not for these labels.
        """
        if self.weights:
            return Commit(weight_vector(self.weights, labels), self.threshold, labels)
        return Hold(self.min_confidence, round(self.min_duration * 1e9))

    def late(self) -> Late:
        """Return what delays the probabilities of a run of frames."""
        return Revised(self.lag) if self.own_output else Smoother(self.lag)

    def added_delay(self, period: float) -> dict[str, float]:
        """Return the seconds that hold rule and lag add to a label that is not refused.

        Args:
            period: Seconds between frames.
        """
        held = max(0.0, math.ceil(self.min_duration / period - 1e-9) - 1) * period
        return {'hold_s': held, 'lag_s': self.lag * period}


@dataclass(frozen=True, slots=True)
class Decoding:
    """Options of the decoder; with none of them, each frame gets its own arg max.

    Attributes:
        min_confidence: A new label is taken up once its probability reaches this.
        min_duration: A new label is taken up once it was the likeliest for so long, s.
        lag: Frames to look ahead: labels wait for them.
        whole_temperature: Temperature of an offline head's probabilities.
        whole_doubtful_below: As that of a rule, for an offline head's labels.
        learnt: Rules that were learnt, one for a lag; that of `lag` holds in place of the hold
            rule above. For a lag without one, probabilities are smoothed over as many frames
            before as behind.
    """

    min_confidence: float = between(0.0, 0, 1)
    min_duration: float = between(0.0, 0, 3600)
    lag: int = between(0, 0, MAX_LAG)
    whole_temperature: float = between(1.0, 0.01, 100)
    whole_doubtful_below: float = between(0.0, 0, 1)
    learnt: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        check_options(self, 'decoding')
        lags = [rule.lag for rule in self.learnt]
        if len(set(lags)) != len(lags) or len(lags) > MAX_RULES:
            msg = f'decoding.learnt: expected up to {MAX_RULES} rules of different lags, '
            raise ConfigError(msg + f'found lags {shown(lags)}')

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> 'Decoding':
        """Read the `decoding` section of bundle.yaml.

        Raises:
            ConfigError: An entry is unknown or out of range.
        """
        section = Section(entries, 'decoding')
        rules = section.get('learnt', (list,), [], expected='a list of rules')
        learnt = tuple(
            read_options(Rule, rule, 'decoding.learnt') for rule in rules[: MAX_RULES + 1]
        )
        return read_options(cls, {**section.entries, 'learnt': learnt}, 'decoding')

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        options = asdict(self)
        return {**options, 'learnt': list(options['learnt'])}

    @property
    def rule(self) -> Rule:
        """The rule of an online head's labels: the learnt one for the lag, or the hold rule."""
        rules = {rule.lag: rule for rule in self.learnt}
        if self.lag in rules:
            return rules[self.lag]
        return self._hold(rules[0].temperature if 0 in rules else 1.0)

    @property
    def whole_rule(self) -> Rule:
        """The rule of an offline head's labels."""
        rule = self._hold(self.whole_temperature)
        return replace(rule, doubtful_below=self.whole_doubtful_below)

    def _hold(self, temperature: float) -> Rule:
        return Rule(
            lag=self.lag,
            temperature=temperature,
            min_confidence=self.min_confidence,
            min_duration=self.min_duration,
        )

    def asked(self, entries: Mapping[str, Any]) -> 'Decoding':
        """Return these options with some of `min_confidence`, `min_duration` and `lag` replaced.

        Raises:
            ConfigError: An entry is unknown or out of range.
        """
        expect_known(entries, ('min_confidence', 'min_duration', 'lag'), 'decoding')
        lag = {name: value for name, value in entries.items() if name == 'lag'}
        hold = {name: value for name, value in entries.items() if name != 'lag'}
        return replace(self, **lag).held(**hold)

    def held(
        self, min_confidence: float | None = None, min_duration: float | None = None
    ) -> 'Decoding':
        """Return these options with the hold rule in place of learnt ones, where one is given.

        Raises:
            ConfigError: A value is out of range.
        """
        given = {'min_confidence': min_confidence, 'min_duration': min_duration}
        asked: dict[str, Any] = {k: value for k, value in given.items() if value is not None}
        if not asked:
            return self
        unmeasured: dict[str, Any] = {'weights': {}, 'delay_s': -1.0, 'doubtful_below': 0.0}
        rules = tuple(replace(r, **unmeasured, **asked) for r in self.learnt)
        return replace(self, learnt=rules, **asked)

    def expect_fits(self, labels: LabelSet, lags: Collection[int]) -> None:
        """Refuse rules that are not for a head's outputs.

        Args:
            labels: Labels of the head.
            lags: Lags that it has outputs for.

        Raises:
            ConfigError: A rule is for other labels, or uses an output that is not there.
        """
        for rule in self.learnt:
            rule.decider(labels)
            if rule.own_output and rule.lag not in lags:
                msg = (
                    f'decoding.learnt: the rule for lag {rule.lag} uses an output of its own, but '
                    f'the head has outputs for lags {", ".join(map(str, lags))}'
                )
                raise ConfigError(msg)
