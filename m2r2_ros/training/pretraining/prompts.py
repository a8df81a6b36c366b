# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sentences that describe the ordered actions of a window (paper section III-D)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.training.pretraining.sections import ACTIONS

SUBJECTS = ('the robot', 'the machine', 'the arm')
ORDINALS = (
    ('First', 'Second', 'Third'),
    ('First', 'Next', 'Finally'),
    ('First', 'Then', 'Last'),
    ('At first', 'After that', 'In the end'),
    ('To begin with', 'Afterwards', 'At last'),
)
VERB_FORMS = ('is', 'starts', 'goes about', 'can be seen')
#: Labels that mean that nothing is done.
IDLE = ('no action', 'none', 'nothing', 'background')


@dataclass(frozen=True, slots=True)
class Sentence:
    """A description of ordered actions.

    Attributes:
        text: English.
        labels: What it means: the label of the first, second and third action, UNKNOWN where it
            does not mention one. Two sentences of the same labels mean the same.
    """

    text: str
    labels: tuple[int, ...]


class Prompts:
    """Writes sentences from templates."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of labels 0, 1, ..."""
        self._phrases = [gerund_phrase(name) for name in names]

    def window(self, labels: Sequence[int], rng: np.random.Generator) -> Sentence:
        """Describe all actions of a window: 'First, the robot is picking USB. Next, the arm ...'.

        Args:
            labels: One to three labels in order.
            rng: Source of the choice of words.
        """
        ordinals = ORDINALS[rng.integers(len(ORDINALS))]
        parts = [self._part(ordinals[k], label, rng) for k, label in enumerate(labels)]
        rest = (UNKNOWN,) * (ACTIONS - len(labels))
        return Sentence(' '.join(parts), (*labels, *rest))

    def action(self, place: int, label: int, rng: np.random.Generator) -> Sentence:
        """Describe one action of a window: 'Second, the machine is inserting USB.'.

        Args:
            place: 0, 1 or 2: which action of the window it is.
            label: Its label.
            rng: Source of the choice of words.
        """
        ordinals = ORDINALS[rng.integers(len(ORDINALS))]
        labels = tuple(label if k == place else UNKNOWN for k in range(ACTIONS))
        return Sentence(self._part(ordinals[place], label, rng), labels)

    def vocabulary(self) -> list[str]:
        """Return every word and mark that a sentence can hold, sorted."""
        ordinals = [word for family in ORDINALS for word in family]
        pieces = (*SUBJECTS, *ordinals, *VERB_FORMS, *self._phrases, '., ')
        return sorted({token for piece in pieces for token in tokens(piece)})

    def longest(self) -> int:
        """Return the number of words and marks that no sentence exceeds."""
        ordinals = [word for family in ORDINALS for word in family]
        kinds = (ordinals, SUBJECTS, VERB_FORMS, self._phrases)
        return ACTIONS * (2 + sum(max(len(tokens(piece)) for piece in kind) for kind in kinds))

    def _part(self, ordinal: str, label: int, rng: np.random.Generator) -> str:
        subject = SUBJECTS[rng.integers(len(SUBJECTS))]
        form = VERB_FORMS[rng.integers(len(VERB_FORMS))]
        return f'{ordinal}, {subject} {form} {self._phrases[label]}.'


def tokens(text: str) -> list[str]:
    """Return the words and marks of a text in lower case."""
    return re.findall(r'\w+|[.,]', text.lower())


def gerund_phrase(name: str) -> str:
    """Return what is being done: 'pick_round_peg_small' is 'picking round peg small'.

    The first word is taken as the verb if it can be one.
    """
    words = re.sub(r'[\W_]+', ' ', name).split()
    if not words or ' '.join(words).lower() in IDLE:
        return 'doing nothing'
    if not re.fullmatch('[A-Za-z]{2,}', words[0]):
        return ' '.join(('doing', *words))
    return ' '.join((_gerund(words[0].lower()), *words[1:]))


def _gerund(verb: str) -> str:
    if verb.endswith('ing') and len(verb) > len('bring'):
        return verb
    if verb.endswith('ie'):
        return verb[:-2] + 'ying'
    if re.search('[^eoy]e$', verb):
        return verb[:-1] + 'ing'
    # A short verb that ends in one vowel and one consonant doubles it: grip, cut, tap.
    if re.fullmatch('[^aeiou]*[aeiou][^aeiouwxy]', verb):
        return verb + verb[-1] + 'ing'
    return verb + 'ing'
