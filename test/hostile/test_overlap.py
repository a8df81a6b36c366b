# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs that would change an input: refused by every command, and nothing is touched."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from test.cli.run import digest, m2r2
from test.hostile.test_full_disk import (
    features,
    inputs,  # noqa: F401 - a fixture
    label,
    train,
    train_head,
    viewers,
)
from test.replay.recordings import robot_bag

Words = tuple[object, ...]


def into(words: Words, out: Path) -> Words:
    """Return a command with another output."""
    at = words.index('--out') + 1
    return (*words[:at], out, *words[at + 1 :])


def link(target: Path, path: Path) -> Path:
    path.symlink_to(target)
    return path


#: Ways to write into a folder: itself, below it, through a link, and around a corner.
WAYS: dict[str, Callable[[Path, Path], Path]] = {
    'below': lambda folder, tmp: folder / 'out',
    'deep': lambda folder, tmp: folder / 'x' / 'out',
    'link': lambda folder, tmp: link(folder, tmp / 'link') / 'out',
    'corner': lambda folder, tmp: folder.parent / 'x' / '..' / folder.name / 'out',
}


@pytest.mark.parametrize(
    ('act', 'way'),
    [*((viewers, way) for way in WAYS), *((act, 'link') for act in (label, features, train)),
     (train_head, 'link')],
)  # fmt: skip
def test_outputs_within_inputs_are_refused(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    act: Callable[[Path, Path], Words],
    way: str,
) -> None:
    source: Path = request.getfixturevalue('inputs')
    words = act(source, tmp_path)
    folder = source / ('features' if act is train_head else 'bundle' if act is viewers else 'a')
    before = digest(source)
    assert 'overlaps' in m2r2(*into(words, WAYS[way](folder, tmp_path))).error
    assert digest(source) == before


def test_the_folder_of_a_file_is_an_input_if_it_is_a_bag(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source: Path = request.getfixturevalue('inputs')
    bag = robot_bag(tmp_path / 'bag', 2.0)
    (file,) = bag.glob('*.mcap')
    plain = tmp_path / 'plain'
    plain.mkdir()
    shutil.copyfile(file, plain / 'robot.mcap')
    model = ('--model', source / 'bundle')
    before = digest(bag)
    assert 'overlaps' in m2r2('label', file, *model, '--out', bag).error
    assert 'overlaps' in m2r2('label', plain / 'robot.mcap', bag, *model, '--out', bag).error
    assert digest(bag) == before
    # A folder of recordings may hold their labels too.
    assert m2r2('label', plain / 'robot.mcap', *model, '--out', plain).code == 0
    assert m2r2('label', bag, *model, '--out', tmp_path).code == 0


def repairs(bag: Path, tmp: Path) -> list[tuple[Path, Path]]:
    """Return pairs of damaged recordings and outputs that would be the end of them."""
    (file,) = bag.glob('*.mcap')
    partial = Path(shutil.copytree(bag, tmp / 'rec.partial'))
    (tmp / 'links').mkdir()
    return [
        (bag, bag),
        (bag, tmp),
        (file, bag),
        (bag, link(bag, tmp / 'links' / 'bag')),
        # What is written lies under the name of the source meanwhile.
        (partial, tmp / 'rec'),
        (partial, link(tmp, tmp / 'links' / 'tmp') / 'rec'),
    ]


def test_repair_never_touches_its_source(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'bag', 1.0)
    pairs = repairs(bag, tmp_path)
    before = digest(tmp_path)
    for source, out in pairs:
        for flags in ((), ('--overwrite',)):
            assert m2r2('repair', source, '--out', out, *flags).code == 2
            assert digest(tmp_path) == before
    os.link(next(bag.glob('*.mcap')), tmp_path / 'hard.mcap')
    assert m2r2('repair', tmp_path / 'hard.mcap', '--out', bag, '--overwrite').code in (0, 2)
    assert {p: c for p, c in digest(tmp_path).items() if p.name == 'hard.mcap'}.popitem()[1] in (
        before.values()
    )
