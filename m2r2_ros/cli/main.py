# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of `m2r2`."""

import os
import sys

# Before torch is imported: idle OpenMP threads that spin make two cores slower than one.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

import typer

from m2r2_ros import __version__
from m2r2_ros.cli.benchmark import benchmark_command
from m2r2_ros.cli.common import console
from m2r2_ros.cli.demo import demo_command
from m2r2_ros.cli.evaluate import evaluate_command
from m2r2_ros.cli.features import features_command
from m2r2_ros.cli.import_table import import_app
from m2r2_ros.cli.inspect import inspect_command
from m2r2_ros.cli.label import label_command
from m2r2_ros.cli.models import models_command
from m2r2_ros.cli.pretrain import pretrain_command
from m2r2_ros.cli.renamed import Renaming
from m2r2_ros.cli.repair import repair_command
from m2r2_ros.cli.reproduce import reproduce_command
from m2r2_ros.cli.simulate import simulate_command
from m2r2_ros.cli.train import train_command
from m2r2_ros.cli.train_head import train_head_command
from m2r2_ros.cli.viewers import viewers_command
from m2r2_ros.core.errors import M2R2Error

app = typer.Typer(
    cls=Renaming,
    help='Temporal action segmentation of robot recordings with M2R2.',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={'help_option_names': ['-h', '--help']},
)
app.command('inspect')(inspect_command)
app.add_typer(import_app, name='import')
app.command('train')(train_command)
app.command('pretrain')(pretrain_command)
app.command('features')(features_command)
app.command('train-head')(train_head_command)
app.command('benchmark')(benchmark_command)
app.command('reproduce')(reproduce_command)
app.command('label')(label_command)
app.command('evaluate')(evaluate_command)
app.command('repair')(repair_command)
app.command('models')(models_command)
app.command('viewers')(viewers_command)
app.command('simulate')(simulate_command)
app.command('demo')(demo_command)


@app.callback(invoke_without_command=True)
def version_option(
    version: bool = typer.Option(False, '--version', help='Print the version and exit.'),
) -> None:
    """Hold the options of m2r2 itself."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; errors that the user can fix end with exit code 2."""
    try:
        app()
    except (M2R2Error, OSError) as error:
        console.print('error:', style='bold red', end=' ')
        console.print(str(error), soft_wrap=True)
        sys.exit(2)


if __name__ == '__main__':
    main()
