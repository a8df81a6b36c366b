# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 name`: clusters to labels, as ground truth that m2r2 train takes."""

from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.table import Table

from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.options import Annotator, Truths, TruthTopic
from m2r2_ros.cli.truths import truth_options
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import new_folder, write_text

LABELS, NAMES = 'labels', 'names.yaml'


def name_command(
    found: Annotated[Path, typer.Argument(help='Folder that m2r2 discover wrote.')],
    out: Annotated[
        Path, typer.Option(help='Folder for the named segments; it must not exist yet.')
    ],
    names: Annotated[
        Path | None,
        typer.Option(help="YAML: the name of each cluster, '' to leave it unlabelled."),
    ] = None,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    annotator: Annotator = None,
) -> None:
    """Name the clusters that m2r2 discover found: ground truth for m2r2 train and m2r2 evaluate.

    Each recording NAME becomes NAME_truth, a bag of the segments with their names. Instead of
    --names, --truth names each cluster as most of its time is called there: labels of a few
    recordings then name all.

    For example: m2r2 name found --names names.yaml --out named
    """
    from m2r2_ros.training.naming import (
        clusters_of,
        majority_names,
        read_clustered,
        read_names,
        write_named,
    )

    if (names is None) == (truth is None):
        msg = 'expected either --names or --truth'
        raise ConfigError(msg)
    folder = found / LABELS
    recordings = read_clustered(folder if folder.is_dir() else found)
    clusters = clusters_of(recordings)
    if names is not None:
        given = read_names(names, clusters)
    else:
        options = truth_options(truth_topic, None, annotator)
        given = majority_names(recordings, truth or [], options)
    with new_folder(out) as draft:
        counts = {r.name: write_named(r, given, draft) for r in recordings}
        text = yaml.safe_dump(given, sort_keys=False, allow_unicode=True)
        write_text(draft / NAMES, text)
    _report(out, given, counts)


def _report(out: Path, names: dict[str, str], counts: dict[str, int]) -> None:
    table = Table('label', 'clusters')
    for label in dict.fromkeys(filter(None, names.values())):
        table.add_row(label, ', '.join(c for c, name in names.items() if name == label))
    if unnamed := [cluster for cluster, name in names.items() if not name]:
        table.add_row('(unlabelled)', ', '.join(unnamed))
    stdout.print(table)
    stdout.print(
        f'{out}: {sum(counts.values())} named segments in {len(counts)} recordings; '
        f'm2r2 train RECORDINGS --truth {out} takes them',
        soft_wrap=True,
    )
