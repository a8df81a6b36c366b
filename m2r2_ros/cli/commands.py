# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of `m2r2`, each imported when it is asked for: most need more than others."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
import typer.main
from typer.core import TyperCommand

from m2r2_ros.cli.renamed import Renaming


class Listed(NamedTuple):
    """What is known of a command before it is imported.

    Attributes:
        place: Where it lies in m2r2_ros.cli, as module:attribute.
        help: The first sentence of its own help.
    """

    place: str
    help: str


#: The commands by name, in the order of `m2r2 --help`.
COMMANDS: Final = {
    'inspect': Listed(
        'inspect:inspect_command',
        'Show the topics of a recording, their rates and gaps, and what each serves or could '
        'serve.',
    ),
    'topics': Listed(
        'topics:topics_command',
        'Write a topic map of a recording: what is guessed, and in comments what else could serve.',
    ),
    'import': Listed('import_table:import_app', "Turn other people's data into bags."),
    'train': Listed(
        'train:train_command',
        'Train the M2R2 extractor, then an online and an offline head on its features.',
    ),
    'pretrain': Listed(
        'pretrain:pretrain_command',
        'Pretrain the M2R2 extractor on windows of three actions and sentences that describe them.',
    ),
    'features': Listed(
        'features:features_command',
        "Write features and labels in the layout that the field's segmentation heads read.",
    ),
    'train-head': Listed(
        'train_head:train_head_command',
        'Train a head on features and put it behind the extractor that made them.',
    ),
    'benchmark': Listed(
        'benchmark:benchmark_command',
        'Train heads on the same features and print mean and spread of their scores.',
    ),
    'reproduce': Listed(
        'reproduce:reproduce_command',
        'Reproduce tables I and II of the paper: pretrain, features, heads, scores, row by row.',
    ),
    'label': Listed(
        'label:label_command',
        'Label recordings: with the whole recording in view, or --as-live.',
    ),
    'evaluate': Listed(
        'evaluate:evaluate_command', 'Score label bags; recordings are matched by name.'
    ),
    'timeline': Listed(
        'timeline:timeline_command',
        'Draw a recording: ground truth, labels and mistakes above camera, force, gripper and '
        'sound.',
    ),
    'report': Listed(
        'report:report_command',
        'Make a page of each recording: its labels, truth, scores, cameras, sound and signals.',
    ),
    'review': Listed(
        'review:review_command', 'Look at recordings in the browser, and correct their labels.'
    ),
    'discover': Listed(
        'discover:discover_command',
        'Cut recordings into segments without any label, and put those together that look alike.',
    ),
    'name': Listed(
        'name:name_command',
        'Name the clusters that m2r2 discover found: ground truth for m2r2 train and m2r2 '
        'evaluate.',
    ),
    'compare': Listed(
        'compare:compare_command',
        'Score methods that find segments without labels against ground truth.',
    ),
    'repair': Listed(
        'repair:repair_command',
        'Recover what can be read of a truncated or corrupt MCAP recording into a new bag.',
    ),
    'compress': Listed(
        'compress:compress_command',
        'Write a smaller and faster bundle, unless it labels recordings otherwise.',
    ),
    'models': Listed('models:models_command', 'List presets and heads, and describe bundles.'),
    'live': Listed(
        'live:live_command', 'Label what a robot is doing, record it and show it, until Ctrl-C.'
    ),
    'replay': Listed(
        'replay:replay_command',
        'Play a recording, label it as if it were live and show it; ends with the recording.',
    ),
    'sim': Listed(
        'sim:sim_command',
        'Run the simulated cell as a live robot: labelled, recorded and shown, until Ctrl-C.',
    ),
    'viewers': Listed(
        'viewers:viewers_command',
        'Write layouts for Foxglove and a configuration for rviz; or lanes of labels for Rerun.',
    ),
    'simulate': Listed(
        'simulate:simulate_command',
        'Simulate a robot that picks, inserts, removes and places parts, and record its sensors.',
    ),
    'demo': Listed(
        'demo:demo_command',
        'Simulate an episode, label it with the shipped model, draw and score the labels.',
    ),
}


class Commands(Renaming):
    """The group of all commands."""

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(**attrs)
        self.commands = Imported()

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's
        """Show the help, for which no command is imported."""
        with self._listed():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401 - click's
        """Return the commands that begin so, for which none is imported either."""
        with self._listed():
            found: list[Any] = super().shell_complete(ctx, incomplete)
            return found

    @contextmanager
    def _listed(self) -> Iterator[None]:
        """Have for a while commands that are no more than their names and sentences."""
        imported = self.commands
        self.commands = {n: TyperCommand(n, help=listed.help) for n, listed in COMMANDS.items()}
        try:
            yield
        finally:
            self.commands = imported


class Imported(dict[str, Any]):
    """Commands by name; the value of a name is imported when it is looked up."""

    def __init__(self) -> None:
        """Know all names."""
        super().__init__(COMMANDS)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - click's
        module, attribute = COMMANDS[name].place.split(':')
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
