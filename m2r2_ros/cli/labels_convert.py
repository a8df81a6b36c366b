# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 labels convert`: labels in another taxonomy."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from m2r2_ros.bags.labels.convert import (
    ConvertedLabels,
    convert,
    expect_fits,
    write_as_bag,
    write_as_layer,
    write_as_table,
)
from m2r2_ros.bags.labels.held import held_labels
from m2r2_ros.bags.labels.mapping import KEPT, LabelMapping, MappingReport
from m2r2_ros.bags.labels.mapping_file import read_mapping
from m2r2_ros.bags.labels.taxonomy_file import read_taxonomy
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.console import PlainConsole, progress_bar, stdout
from m2r2_ros.cli.labels_stats import HeldPaths, Recordings, say_without
from m2r2_ros.cli.options import AsJson, Overwrite
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.taxonomy import Taxonomy


def convert_command(
    labels: HeldPaths,
    mapping: Annotated[Path, typer.Option(help='YAML: what becomes of each label.')],
    to: Annotated[
        Path | None,
        typer.Option(
            '--to', help='YAML: the taxonomy that the labels are to be of, for ids and parents.'
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help='Folder for the labels; by default each recording gets a new annotation layer.'
        ),
    ] = None,
    form: Annotated[
        Literal['bags', 'tables'],
        typer.Option('--as', help='What --out gets: bags NAME_truth, or tables NAME.csv.'),
    ] = 'bags',
    recordings: Recordings = None,
    dry_run: Annotated[
        bool, typer.Option('--dry-run', help='Write nothing; tell what would become of labels.')
    ] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Rename, merge, split and drop labels by a mapping; what there is stays as it is.

    Each recording gets a new annotation layer, which counts as its newest from then on; or the
    labels go to --out.

    For example: m2r2 labels convert recordings --mapping map.yaml --to taxonomy.yaml --out mapped
    """
    rules = read_mapping(mapping)
    taxonomy = None if to is None else read_taxonomy(to)
    if taxonomy is not None:
        expect_fits(rules, taxonomy)
    write = _writer(out, form, overwrite=overwrite)
    held = held_labels(labels, recordings or [], say_without)
    if out is not None:
        refuse_inside(out, *(path for one in held.values() for path in one.inputs))
    report, written, same, failed = MappingReport(), dict[str, str](), list[str](), list[str]()
    with progress_bar() as bar:
        for name, one in bar.track(held.items(), description='labels'):
            try:
                done = convert(one, rules, taxonomy)
                if out is None and not done.changed:
                    same.append(name)
                elif not dry_run:
                    written[name] = str(write(done))
                report.add(done.report)
            except M2R2Error as error:
                failed.append(str(error))
    if as_json:
        typer.echo(json.dumps(_as_json(report, rules, written, same, failed), indent=2))
    else:
        if len(failed) < len(held):
            _print(report, rules, taxonomy, every=not failed)
        for path in written.values():
            stdout.print(f'written: {path}', soft_wrap=True)
        if same:
            stay = 'recording stays as it is' if len(same) == 1 else 'recordings stay as they are'
            stdout.print(f'{len(same)} {stay}', soft_wrap=True)
    if failed:
        msg = f'{len(failed)} of {len(held)} recordings are not converted'
        raise LabelError(msg, *failed)


def _writer(out: Path | None, form: str, *, overwrite: bool) -> Callable[[ConvertedLabels], Path]:
    if out is None:
        return write_as_layer
    write = write_as_bag if form == 'bags' else write_as_table
    return partial(write, folder=out, overwrite=overwrite)


def _as_json(
    report: MappingReport,
    mapping: LabelMapping,
    written: dict[str, str],
    same: list[str],
    failed: list[str],
) -> dict[str, Any]:
    return {
        'mapped': [
            {'from': old, 'to': new, 'rule': rule, 'segments': count}
            for (old, new, rule), count in sorted(report.mapped.items())
        ],
        'dropped': [
            {'from': old, 'rule': rule, 'segments': count}
            for (old, rule), count in sorted(report.dropped.items())
        ],
        'unmapped': dict(sorted(report.unmapped.items())),
        'unmapped_are': mapping.unmapped,
        'rules_without_a_match': report.unused(mapping),
        'joined': report.joined,
        'written': written,
        'unchanged': same,
        'failed': failed,
    }


def _print(
    report: MappingReport, mapping: LabelMapping, taxonomy: Taxonomy | None, *, every: bool
) -> None:
    """Print what became of labels, and of rules where `every` recording was converted."""
    title = f'{mapping.name} to {taxonomy}' if taxonomy else mapping.name
    table = Table('label', 'becomes', 'segments', 'rule', title=title)
    for (old, new, rule), count in sorted(report.mapped.items()):
        table.add_row(old, new, str(count), rule)
    for (old, rule), count in sorted(report.dropped.items()):
        table.add_row(old, '(dropped)', str(count), rule)
    for old, count in sorted(report.unmapped.items()):
        same = old if mapping.unmapped == KEPT else '(dropped)'
        table.add_row(old, same, str(count), '(none holds)')
    PlainConsole(width=max(stdout.width, 120)).print(table)
    if every and (unused := report.unused(mapping)):
        stdout.print(f'rules that no segment matched: {", ".join(unused)}', soft_wrap=True)
    if report.joined:
        stdout.print(f'{report.joined} segments became part of the one before them')
