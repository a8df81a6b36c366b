# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 labels`: what labels hold, how layers of them differ, and other taxonomies for them."""

import typer

from m2r2_ros.cli.labels_convert import convert_command
from m2r2_ros.cli.labels_diff import diff_command
from m2r2_ros.cli.labels_stats import stats_command

labels_app = typer.Typer(
    help='Compare layers of labels, count what is in them, or map them to another taxonomy.',
    no_args_is_help=True,
    add_completion=False,
)

labels_app.command('stats')(stats_command)
labels_app.command('diff')(diff_command)
labels_app.command('convert')(convert_command)
