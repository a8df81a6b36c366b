# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may be declared as an input of a model, and what is said where it may not."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import (
    BUILTIN,
    MAX_AGE,
    MAX_DIMS,
    MAX_MODALITIES,
    MODALITIES,
    POSE_DIMS,
    Modalities,
    Modality,
    check_modalities,
    column,
    declared,
    from_entries,
    modality_names,
    of_kind,
    to_entries,
)
from m2r2_ros.core.options import Section
from test.bimanual import ARMS, BIMANUAL


def read(text: str) -> Modalities:
    return from_entries(Section(yaml.safe_load(text), 'modalities'))


def test_those_of_the_paper_come_first_and_in_their_order() -> None:
    assert tuple(BUILTIN)[:6] == MODALITIES
    assert list(declared(('gripper', 'image', 'pose'))) == ['image', 'pose', 'gripper']
    assert declared(BIMANUAL) is BIMANUAL
    with pytest.raises(ConfigError, match=r'smell, touch unknown; expected some of image, sound'):
        declared(('touch', 'wrench', 'smell'))


def test_what_a_declaration_leaves_out_is_as_in_what_it_is_like() -> None:
    assert BIMANUAL['left_wrench'] == replace(BUILTIN['wrench'], name='left_wrench')
    assert BIMANUAL['right_pose'].dims == POSE_DIMS
    assert BIMANUAL['right_pose'].is_pose
    assert not BIMANUAL['right_twist'].is_pose
    assert BIMANUAL['left_gripper'].is_steady
    assert BIMANUAL['left_gripper'].max_age == BUILTIN['gripper'].max_age
    assert (BIMANUAL['mic2'].max_age, BIMANUAL['sound'].max_age) == (0.4, 0.3)
    own = BIMANUAL['tactile']
    assert (own.kind, own.like, own.dims, own.unit) == ('vector', '', 16, 'N')
    assert (own.min_rate, own.max_rate, own.max_age) == (20, 50, 0.3)
    # No other twist than the built-in one is made of a pose that nobody named.
    assert read('wrist: {like: twist}')['wrist'].derived_from == ''
    # A built-in name alone says it all, but for an encoder, which is never shared by itself.
    assert read('twist: {}') == {'twist': BUILTIN['twist']}


@pytest.mark.parametrize('modalities', [BUILTIN, BIMANUAL, ARMS])
def test_declarations_survive_yaml(modalities: Modalities) -> None:
    assert read(yaml.safe_dump(to_entries(modalities), sort_keys=False)) == modalities
    assert list(read(yaml.safe_dump(to_entries(modalities), sort_keys=False))) == list(modalities)


def test_bits_stand_for_modalities_in_their_order() -> None:
    assert of_kind(BIMANUAL, 'image') == ('image', 'cam2')
    assert of_kind(BIMANUAL, 'sound') == ('sound', 'mic2')
    assert of_kind(BIMANUAL, 'vector') == tuple(ARMS)
    assert column(BIMANUAL, 'tactile') == 12
    assert modality_names(1 << 12 | 1 << 9 | 2, BIMANUAL) == ('cam2', 'right_twist', 'tactile')
    assert modality_names(0b100101) == ('image', 'wrench', 'gripper')


@pytest.mark.parametrize('name', ['', 'Left', '2nd', 'left-arm', 'a' * 41, 'features', 'a.b', 'é'])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ConfigError, match='expected a name of small letters, digits and under'):
        Modality(name)
    assert Modality('a' * 40).name


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('x: {kind: smell}', 'x.kind: expected one of image, sound, vector'),
        ('x: {like: smell}', 'x.like: expected one of image, sound, wrench'),
        ('x: {like: wrench, kind: image}', 'x.kind: expected vector, as wrench is'),
        ('x: {like: wrench, dims: 7}', 'x.dims: expected 6, as wrench has'),
        ('x: {like: image, dims: 3}', 'x.dims: expected nothing, since it is for vectors'),
        ('x: {kind: sound, dims: 3}', 'x.dims: expected nothing, since it is for vectors'),
        (f'x: {{dims: {MAX_DIMS + 1}}}', 'x.dims: expected a whole number, 0 to 4096'),
        ('x: {dims: -1}', 'x.dims: expected a whole number above 0'),
        ('x: {dims: 1.5}', 'x.dims: expected a whole number'),
        ('x: {dims: 3, max_age: 0}', 'x.max_age: expected 0.001 to 3600'),
        (f'x: {{dims: 3, max_age: {MAX_AGE + 1}}}', 'x.max_age: expected 0.001 to 3600'),
        ('x: {dims: 3, max_rate: -1}', 'x.max_rate: expected 0 to 100000'),
        ('x: {like: sound, max_rate: 5}', 'x.max_rate: expected nothing, since sound has no'),
        ('x: {dims: 3, min_rate: .inf}', 'x.min_rate: expected a number'),
        ('x: {dims: 3, unit: 5}', 'x.unit: expected text'),
        ('x: {dims: 3, colour: red}', 'x: unknown entries colour'),
        ('x: 5', 'x: expected a mapping'),
        ('X: {dims: 3}', "'X': expected a name"),
    ],
)
def test_wrong_entries_are_named(text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        read(text)


def many(n: int) -> Modalities:
    return {f'x{k}': Modality(f'x{k}', dims=1) for k in range(n)}


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        # No such owner, one of another size or kind, one that shares, itself.
        (lambda m: m.update(x=Modality('x', dims=6, encoder='wrist')), 'x.encoder: .*wrist'),
        (lambda m: m.update(x=Modality('x', dims=7, encoder='left_wrench')), 'x.encoder'),
        (lambda m: m.update(x=Modality('x', dims=9, encoder='left_pose')), 'x.encoder'),
        (lambda m: m.update(x=Modality('x', 'sound', encoder='image')), 'x.encoder'),
        (lambda m: m.update(x=Modality('x', 'image', encoder='cam2')), 'x.encoder'),
        (lambda m: m.update(x=Modality('x', dims=6, encoder='x')), 'x.encoder'),
        # A twist is made from a pose that there is, and nothing else is made.
        (lambda m: m.pop('left_pose'), r"left_twist.derived_from: .*found 'left_pose'"),
        (lambda m: m.update(x=Modality('x', dims=6, derived_from='left_pose')), 'x.derived_from'),
        (
            lambda m: m.update(x=Modality('x', like='twist', dims=6, derived_from='left_wrench')),
            'x.derived_from',
        ),
        (lambda m: m.clear(), '0 modalities, expected 1 to 32'),
        (lambda m: m.update(many(MAX_MODALITIES)), '45 modalities, expected 1 to 32'),
    ],
)
def test_what_does_not_fit_together_is_named(
    change: Callable[[dict[str, Modality]], object], expected: str
) -> None:
    changed = dict(BIMANUAL)
    change(changed)
    with pytest.raises(ConfigError, match=f'here: {expected}'):
        check_modalities(changed, 'here: ')


def test_as_many_as_a_mask_has_bits_fit() -> None:
    check_modalities(many(MAX_MODALITIES), '')
    check_modalities(BIMANUAL, '')
    # The built-in pose is read for the twist whether the model looks at it or not.
    check_modalities(declared(('twist',)), '')
