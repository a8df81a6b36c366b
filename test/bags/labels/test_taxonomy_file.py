# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taxonomies in YAML: read strictly, and refused with the place of what is wrong."""

from pathlib import Path

import pytest

from m2r2_ros.bags.labels.convert import expect_fits
from m2r2_ros.bags.labels.mapping_file import read_mapping
from m2r2_ros.bags.labels.taxonomy_file import read_taxonomy
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.share import share_path
from m2r2_ros.core.taxonomy import LabelClass, LabelParent
from m2r2_ros.simulation.parts import action_labels

HEAD = "name: t\nversion: '2'\n"


def written(folder: Path, text: str) -> Path:
    path = folder / 'my labels.yaml'
    path.write_text(text, encoding='utf-8')
    return path


def test_every_entry_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEAD
        + """
about: for people
parents:
  holen: {definition: etwas greifen, colour: '#102030'}
  none:
classes:
  物を取る:
    parent: holen
    definition: fingers close on a part
    begins: the hand moves towards it
    ends: it has left the tray
    colour: '#ff00aa'
    expects: [closing, contact]
  rest:
""",
    )
    made = read_taxonomy(path)
    assert (made.name, made.version) == ('t', '2')
    assert made.groups == (LabelParent('holen', 'etwas greifen', '#102030'), LabelParent('none'))
    first = LabelClass(
        '物を取る',
        'holen',
        'fingers close on a part',
        'the hand moves towards it',
        'it has left the tray',
        '#ff00aa',
        ('closing', 'contact'),
    )
    assert made.classes == (first, LabelClass('rest'))


def test_plain_lists_of_labels_are_taxonomies(tmp_path: Path) -> None:
    flat = read_taxonomy(written(tmp_path, 'labels: [reach, lift]\n'))
    assert flat.label_set == LabelSet.of(['reach', 'lift'])
    assert (flat.name, flat.version) == ('my labels', '')
    levels = read_taxonomy(written(tmp_path, 'labels:\n  move: [reach, lift]\n  work: [push]\n'))
    assert levels.label_set == LabelSet(('reach', 'lift', 'push'), ('move', 'move', 'work'))


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('', 'name: expected a name'),
        ('[]', 'expected a mapping'),
        ('labels: []', 'labels: expected a list'),
        ('labels: [a, a]', 'labels: expected a list of different names'),
        ('labels: {x: [a], y: [a]}', 'must differ'),
        ('labels: [a]\ncolour: x', 'unknown entries colour'),
        ('labels: [1]', 'labels: expected'),
        (HEAD, 'classes'),
        (HEAD + 'classes: {}', '1 to 4096 classes'),
        (HEAD + 'classes: [a]', 'classes: expected a mapping'),
        (HEAD + 'classes: {a: , a: }', 'second time'),
        (HEAD + 'classes: {yes: }', 'put it in quotes'),
        (HEAD + 'classes: {a: {color: x}}', 'classes.a: unknown entries color'),
        (HEAD + 'classes: {a: {colour: red}}', "a: colour is 'red', expected #rrggbb"),
        (HEAD + 'classes: {a: {colour: 123456}}', 'classes.a.colour: expected text'),
        (HEAD + 'classes: {a: 3}', 'classes.a: expected a mapping'),
        (HEAD + 'classes: {a: {expects: [bang]}}', 'found bang'),
        (HEAD + 'classes: {a: {expects: [rest, rest]}}', 'classes.a.expects: expected'),
        (HEAD + 'parents: {p: }\nclasses: {a: {parent: q}}', 'classes.a.parent: expected one of'),
        (HEAD + 'parents: {p: {color: x}}\nclasses: {a: }', 'parents.p: unknown entries color'),
        (HEAD + f'classes: {{a: {{definition: {"x" * 4001}}}}}', 'classes.a.definition: expected'),
        (HEAD + 'classes: {"a\\e[31m": }', 'that can be seen'),
        ('name: t\nversion: 1.10\nclasses: {a: }', 'version: expected text, in quotes'),
        ('name: t\nclasses: {a: }', 'but it is missing'),
        (HEAD + 'classes: {a: &x {}, b: *x}', 'alias'),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=r'my labels\.yaml') as caught:
        read_taxonomy(path)
    assert says in str(caught.value)
    assert '\x1b' not in str(caught.value)


def test_the_shipped_taxonomies_are_those_of_the_data() -> None:
    cell = read_taxonomy(share_path('config', 'taxonomies', 'cell.yaml'))
    assert cell.label_set == action_labels()
    assert all(one.definition and one.begins and one.ends for one in cell.classes)
    hiro = read_taxonomy(share_path('config', 'taxonomies', 'hiro_snap_assembly.yaml'))
    assert hiro.names == ('approach', 'rotation', 'insertion', 'mating')


def test_the_shipped_mapping_leads_to_its_taxonomy() -> None:
    steps = read_taxonomy(share_path('config', 'taxonomies', 'cell_steps.yaml'))
    mapping = read_mapping(share_path('config', 'mappings', 'cell_to_steps.yaml'))
    expect_fits(mapping, steps)
    other = read_taxonomy(share_path('config', 'taxonomies', 'hiro_snap_assembly.yaml'))
    with pytest.raises(ConfigError, match='hiro'):
        expect_fits(mapping, other)
