# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from m2r2_ros.cli.export_ms_tcn import ms_tcn_command
from m2r2_ros.cli.fleet_export import with_fleet
from m2r2_ros.cli.fleet_run import FleetOutcome
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.fleet.items import Ended, Item, State
from test.cli.run import digest

NAMES = ('first', 'second', 'third')
#: The command as it is, whether or not it has the options already.
plain: Any = getattr(ms_tcn_command, '__wrapped__', ms_tcn_command)
on_fleet = with_fleet(dataset=True)(plain)


def defaults() -> dict[str, object]:
    """Return what a command line gives where nothing is said."""
    found = inspect.signature(plain).parameters.values()
    return {p.name: p.default for p in found if p.default is not p.empty}


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): text
        for path, text in digest(folder).items()
        if '.m2r2' not in path.parts
    }


def test_files_of_each_recording_are_those_of_one_command(robots: Path, tmp_path: Path) -> None:
    one, many = tmp_path / 'one', tmp_path / 'many'
    for name in NAMES:
        plain(bags=[robots / name], out=one / name, **defaults())
    with pytest.raises(BagError, match='1 of 4 recordings could not be exported'):
        on_fleet(bags=[robots], out=many, fleet=True, workers=1, **defaults())
    assert files(one)
    assert files(many) == files(one)
    notes = {path.name for path in (many / '.m2r2' / 'told').iterdir()}
    assert notes == {f'{name}.json' for name in NAMES}
    assert json.loads((many / '.m2r2' / 'told' / 'first.json').read_text())['told']


def test_options_of_a_fleet_are_beside_those_of_the_command(robots: Path, tmp_path: Path) -> None:
    names = list(inspect.signature(on_fleet).parameters)
    assert names[: len(names) - 6] == list(inspect.signature(plain).parameters)
    assert names[-6:] == ['fleet', 'workers', 'ray', 'tree', 'retry_failed', 'tries']
    with pytest.raises(ConfigError, match='add --fleet'):
        on_fleet(bags=[robots], out=tmp_path, workers=2, **defaults())


def test_a_failure_of_several_lines_is_told_in_one() -> None:
    item = Item('/bags/first', 'first')
    ended = Ended(item, State.FAILED, error=str(BagError('not exported', 'it has no labels')))
    with pytest.raises(BagError) as told:
        FleetOutcome([item], [], [], '/out/failed', [ended]).expect_none_failed('exported')
    assert told.value.args[1] == 'not exported: it has no labels'
