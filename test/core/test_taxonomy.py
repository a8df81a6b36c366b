# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taxonomies: label sets with meanings and colours."""

import pytest

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, chosen_colours, colours_of
from m2r2_ros.core.palette import colour_of, hex_colour
from m2r2_ros.core.taxonomy import LabelClass, LabelParent, Taxonomy


def test_a_class_has_its_own_colour_or_that_of_its_place() -> None:
    made = Taxonomy('t', '1', (LabelClass('a'), LabelClass('b', 'up', colour='#010203')))
    assert made.colours == (colour_of(0), (1 / 255, 2 / 255, 3 / 255))
    assert made.label_set == LabelSet(('a', 'b'), ('', 'up'))
    assert made.label_set.colours == made.colours
    assert not Taxonomy('t', '1', (LabelClass('a'),)).label_set.chosen
    assert colours_of(made.label_set, ['z'])['b'] == made.colours[1]
    assert colours_of(made.label_set, ['z'])['z'] == colour_of(2)
    assert UNKNOWN_LABEL in colours_of(None, [])


def test_parents_have_colours_too() -> None:
    classes = (LabelClass('a', 'one'), LabelClass('b', 'two'), LabelClass('c', 'one'))
    made = Taxonomy('t', '', classes, (LabelParent('two', colour='#aabbcc'),))
    assert made.parent_colours == {'one': hex_colour(colour_of(0)), 'two': '#aabbcc'}
    assert made.find('b') == classes[1]
    assert made.find('x') is None
    assert str(made) == 't'


def test_chosen_colours_pass_to_another_set() -> None:
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    one = LabelSet(('a', 'b'), ('', ''), (red, blue))
    other = LabelSet(('b', 'c'), ('', ''), (red, red))
    assert chosen_colours([None, one, other]) == {'a': red, 'b': blue, 'c': red}
    assert LabelSet.of(['x', 'b']).coloured({'b': blue}).colours == (colour_of(0), blue)
    plain = LabelSet.of(['x'])
    assert plain.coloured({'b': blue}) is plain
    with pytest.raises(LabelError, match='2 labels need as many colours, not 1'):
        LabelSet(('a', 'b'), ('', ''), (red,))


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        ({'name': ''}, 'expected 1 to 256 characters'),
        ({'name': ' a'}, 'without spaces'),
        ({'name': 'a\nb'}, 'that can be seen'),
        ({'name': 'a\x1b[31m'}, 'that can be seen'),
        ({'name': 'a', 'colour': 'red'}, '#rrggbb'),
        ({'name': 'a', 'colour': '#12345'}, '#rrggbb'),
        ({'name': 'a', 'colour': '#1234567'}, '#rrggbb'),
        ({'name': 'a', 'definition': 'x' * 5000}, 'at most 4000'),
        ({'name': 'a', 'begins': '\0'}, 'begins'),
        ({'name': 'a', 'expects': ('bang',)}, 'closing, opening'),
    ],
)
def test_a_class_that_is_none_is_refused(options: dict[str, str], says: str) -> None:
    with pytest.raises(LabelError, match=says):
        LabelClass(**options)  # type: ignore[arg-type]


def test_a_taxonomy_has_classes_that_differ() -> None:
    with pytest.raises(LabelError, match='found none'):
        Taxonomy('t', '1', ())
    with pytest.raises(LabelError, match='must differ'):
        Taxonomy('t', '1', (LabelClass('a'), LabelClass('a')))
    with pytest.raises(LabelError, match='parents must differ'):
        Taxonomy('t', '1', (LabelClass('a'),), (LabelParent('p'), LabelParent('p')))
