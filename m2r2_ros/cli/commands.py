# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of `m2r2`, each imported when it is asked for: most need more than others."""

from importlib import import_module
from typing import Any, Final

import typer
import typer.main

from m2r2_ros.cli.renamed import Renaming

#: Where each command lies in m2r2_ros.cli, as module:attribute, in the order of `m2r2 --help`.
COMMANDS: Final = {
    'inspect': 'inspect:inspect_command',
    'topics': 'topics:topics_command',
    'import': 'import_table:import_app',
    'train': 'train:train_command',
    'pretrain': 'pretrain:pretrain_command',
    'features': 'features:features_command',
    'train-head': 'train_head:train_head_command',
    'benchmark': 'benchmark:benchmark_command',
    'reproduce': 'reproduce:reproduce_command',
    'label': 'label:label_command',
    'evaluate': 'evaluate:evaluate_command',
    'timeline': 'timeline:timeline_command',
    'report': 'report:report_command',
    'review': 'review:review_command',
    'discover': 'discover:discover_command',
    'name': 'name:name_command',
    'compare': 'compare:compare_command',
    'repair': 'repair:repair_command',
    'models': 'models:models_command',
    'live': 'live:live_command',
    'replay': 'replay:replay_command',
    'sim': 'sim:sim_command',
    'viewers': 'viewers:viewers_command',
    'simulate': 'simulate:simulate_command',
    'demo': 'demo:demo_command',
}


class Commands(Renaming):
    """The group of all commands."""

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(**attrs)
        self.commands = Imported()


class Imported(dict[str, Any]):
    """Commands by name; the value of a name is imported when it is looked up."""

    def __init__(self) -> None:
        """Know all names."""
        super().__init__(COMMANDS)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - click's
        module, attribute = COMMANDS[name].split(':')
        found = getattr(import_module(f'm2r2_ros.cli.{module}'), attribute)
        app = found
        if not isinstance(found, typer.Typer):
            app = typer.Typer(add_completion=False)
            app.command(name)(found)
        command = typer.main.get_command(app)
        command.name = name
        return command

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - click's
        """Return a command, or the default where there is none of this name."""
        return default if name not in COMMANDS else self[name]
