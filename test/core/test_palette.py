# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Colours of labels: told apart by all eyes, readable, the same wherever a label is shown."""

import colorsys
import re

import numpy as np
import pytest

from m2r2_ros.core.labels import MAX_LABELS, UNKNOWN_LABEL, LabelSet, colours_of
from m2r2_ros.core.palette import (
    PALETTE,
    UNKNOWN_COLOUR,
    Colour,
    colour_of,
    hex_colour,
    luminance,
    text_colour,
)
from tools.palette import EYES, Search, least_distance, seen

#: How far the closest of the first so many colours are apart at least, for a normal and for any
#: other eye; a distance of 2 is just seen between large neighbours.
LEAST = {8: (17.0, 11.0), 12: (11.5, 7.5), 16: (10.5, 7.0), len(PALETTE): (7.0, 4.5)}


def first(count: int) -> np.ndarray:
    return np.array([colour_of(k) for k in range(count)])


def contrast(one: Colour, other: Colour) -> float:
    lights = sorted((luminance(one) + 0.05, luminance(other) + 0.05))
    return lights[1] / lights[0]


@pytest.mark.parametrize('eye', EYES)
@pytest.mark.parametrize('count', LEAST)
def test_first_colours_are_told_apart(eye: str, count: int) -> None:
    least = LEAST[count][eye != 'normal']
    assert least_distance(first(count), eye) > least


def test_hues_at_even_distances_would_not_be() -> None:
    hues = [colorsys.hsv_to_rgb(k * 0.618034 % 1, 0.65, 0.9) for k in range(16)]
    for count in (8, 12, 16):
        assert least_distance(np.array(hues[:count]), 'deuteranopia') < LEAST[count][1] / 2


def test_no_colour_looks_like_that_of_the_unknown() -> None:
    every = np.vstack([first(16), [UNKNOWN_COLOUR]])
    for eye in EYES:
        assert least_distance(every, eye) > 7


def test_names_are_readable_on_every_colour() -> None:
    every = {colour_of(k) for k in range(MAX_LABELS)} | {UNKNOWN_COLOUR}
    assert min(contrast(colour, text_colour(colour)) for colour in every) >= 4.5


def test_known_colours() -> None:
    """As published: OKLab of white and red, contrast of black on white and of grey on white."""
    assert seen(np.ones(3), 'normal') == pytest.approx([100, 0, 0], abs=0.01)
    red = seen(np.array([1.0, 0, 0]), 'normal')
    assert red == pytest.approx([62.8, 22.49, 12.58], abs=0.02)
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((119 / 255,) * 3, (1, 1, 1)) == pytest.approx(4.48, abs=0.01)
    # Who lacks a kind of cone sees some greens and reds as one, and all greys as they are.
    for eye in EYES:
        assert np.ptp(seen(np.array([0.4] * 3), eye)[1:]) < 0.1


def test_the_table_is_what_the_tool_computes() -> None:
    search = Search()
    (number,) = np.flatnonzero((search.every == colour_of(0)).all(axis=1))
    made = search.farthest(int(number), len(PALETTE))
    assert [hex_colour((r, g, b)) for r, g, b in made.tolist()] == list(PALETTE)


def test_later_rounds_are_lighter_and_darker() -> None:
    rounds = len(PALETTE)
    for k in range(rounds):
        dark, own, light = (luminance(colour_of(k + r * rounds)) for r in (2, 0, 1))
        assert dark < own < light
    every = [colour_of(k) for k in range(MAX_LABELS)]
    assert len({hex_colour(colour) for colour in every[: 8 * rounds]}) == 8 * rounds
    assert all(0 <= part <= 1 for colour in every for part in colour)


def test_a_colour_is_that_of_the_place_in_the_set() -> None:
    labels = LabelSet.of(['b', 'a'])
    assert labels.colours == (colour_of(0), colour_of(1))
    found = colours_of(labels, {'z', 'c', 'a', UNKNOWN_LABEL})
    assert list(found) == ['b', 'a', 'c', 'z', UNKNOWN_LABEL]
    assert [found[name] for name in 'bacz'] == [colour_of(k) for k in range(4)]
    assert found[UNKNOWN_LABEL] == UNKNOWN_COLOUR
    assert list(colours_of(None, ['y', 'x'])) == ['x', 'y', UNKNOWN_LABEL]


def test_colours_as_text() -> None:
    assert hex_colour((1.0, 0.0, 0.5)) == '#ff0080'
    assert hex_colour(colour_of(3)) == PALETTE[3]
    assert hex_colour(UNKNOWN_COLOUR) == '#bfbfbf'
    assert all(re.fullmatch('#[0-9a-f]{6}', hex_colour(colour_of(k))) for k in range(300))
