# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.training.pretraining.prompts import (
    ORDINALS,
    SUBJECTS,
    VERB_FORMS,
    Prompts,
    gerund_phrase,
    tokens,
)

NAMES = ('pick_usb', 'Insert BNC.', 'no_action')


@pytest.mark.parametrize(
    ('name', 'phrase'),
    [
        ('pick_round_peg_small', 'picking round peg small'),
        ('Pick USB.', 'picking USB'),
        ('no_action', 'doing nothing'),
        ('No action', 'doing nothing'),
        ('place', 'placing'),
        ('grip', 'gripping'),
        ('cut-wire', 'cutting wire'),
        ('insert', 'inserting'),
        ('screw in', 'screwing in'),
        ('push', 'pushing'),
        ('free', 'freeing'),
        ('untie knot', 'untying knot'),
        ('moving', 'moving'),
        ('G1', 'doing G1'),
    ],
)
def test_names_become_phrases(name: str, phrase: str) -> None:
    assert gerund_phrase(name) == phrase


def test_a_window_tells_its_actions_in_order() -> None:
    prompts, rng = Prompts(NAMES), np.random.default_rng(0)
    seen: set[object] = set()
    for _ in range(100):
        sentence = prompts.window((1, 0, 1), rng)
        assert sentence.labels == (1, 0, 1)
        parts = sentence.text.removesuffix('.').split('. ')
        family = tuple(part.split(',')[0] for part in parts)
        assert family in ORDINALS
        for part, doing in zip(
            parts, ('inserting BNC', 'picking usb', 'inserting BNC'), strict=True
        ):
            rest = part.partition(', ')[2]
            assert rest in {f'{s} {v} {doing}' for s in SUBJECTS for v in VERB_FORMS}
            seen.add(rest)
        seen.add(family)
    assert len(seen) == len(ORDINALS) + 2 * len(SUBJECTS) * len(VERB_FORMS)


def test_shorter_windows_say_nothing_of_the_rest() -> None:
    sentence = Prompts(NAMES).window((2,), np.random.default_rng(0))
    assert sentence.labels == (2, UNKNOWN, UNKNOWN)
    assert sentence.text.count('.') == 1
    assert 'doing nothing' in sentence.text


def test_one_action_has_the_word_of_its_place() -> None:
    sentence = Prompts(NAMES).action(1, 0, np.random.default_rng(3))
    assert sentence.labels == (UNKNOWN, 0, UNKNOWN)
    assert sentence.text.split(',')[0] in {family[1] for family in ORDINALS}
    assert sentence.text.endswith('picking usb.')


def test_the_seed_chooses_the_words() -> None:
    prompts = Prompts(NAMES)
    texts = [prompts.window((0, 1, 2), np.random.default_rng(k)).text for k in (4, 4, 5)]
    assert texts[0] == texts[1] != texts[2]


def test_the_vocabulary_has_every_word_and_no_sentence_is_longer_than_said() -> None:
    prompts, rng = Prompts(NAMES), np.random.default_rng(0)
    words = prompts.vocabulary()
    assert len(words) == len(set(words))
    for _ in range(300):
        found = tokens(prompts.window(rng.integers(0, 3, 3).tolist(), rng).text)
        assert set(found) <= set(words)
        assert len(found) <= prompts.longest()
