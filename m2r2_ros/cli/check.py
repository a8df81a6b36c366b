# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 check`: what is wrong with recordings and their labels."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.labels.sources import TABLES, Rank, TruthSource, find_truths, label_bags
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.cli.check_output import Format, expect_place, tell
from m2r2_ros.cli.common import given_topics, recording_bars, source_recordings
from m2r2_ros.cli.fleet_options import (
    TRIES,
    Fleet,
    FleetOptions,
    Ray,
    RetryFailed,
    Tree,
    Tries,
    Workers,
    given_text,
)
from m2r2_ros.cli.fleet_run import FleetOutcome, fleet_items
from m2r2_ros.cli.options import Bags, Topics
from m2r2_ros.core.errors import BagError, ConfigError, LabelError
from m2r2_ros.core.text import listed

if TYPE_CHECKING:
    from m2r2_ros.checks.checked import Checked
    from m2r2_ros.checks.labels.reference import LabelReference
    from m2r2_ros.checks.looking import CheckOptions
    from m2r2_ros.fleet.items import Item

Progress = Callable[[Path, float], None]


def check_command(
    bags: Bags,
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            '--labels',
            parser=as_place,
            help='Labels to check: label bags, annotation layers, tables, or folders of them, '
            'matched by name; repeatable, and then compared. By default the newest annotation '
            'layer, or the truth in a recording.',
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            parser=as_place, help='A good recording, whose topics, rates and ranges are to be kept.'
        ),
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            parser=as_place,
            help='Labelled recordings that show what is usual; repeatable. By default each '
            'recording is judged by the others.',
        ),
    ] = None,
    taxonomy: Annotated[
        Path | None, typer.Option(help='YAML file with the labels that there may be.')
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help='Check or group to run, such as time.gap or value; repeatable.'),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            help='Check or group to leave out, or CHECK:TOPIC for one topic or label; repeatable.'
        ),
    ] = None,
    thresholds: Annotated[
        Path | None, typer.Option(help='YAML file with thresholds; others keep their defaults.')
    ] = None,
    topics: Topics = None,
    form: Annotated[
        Format, typer.Option('--format', help='table, json, html, sarif or junit.')
    ] = 'table',
    out: Annotated[
        Path | None, typer.Option(help='File to write instead of standard output.')
    ] = None,
    fail_on: Annotated[
        Literal['warning', 'error'],
        typer.Option(help='The least severity for which the exit code is 1.'),
    ] = 'warning',
    fleet: Fleet = False,
    overwrite: Annotated[
        bool,
        typer.Option('--overwrite', help='Replace --out; with --fleet, check again what is done.'),
    ] = False,
    workers: Workers = 0,
    ray: Ray = None,
    tree: Tree = None,
    retry_failed: RetryFailed = False,
    tries: Tries = TRIES,
) -> None:
    """Check recordings and their labels: files, times, values, and labels against what was sensed.

    Each finding says which check it is of, how bad it is, of which topic or label, when, what was
    measured and against which threshold. What could not be checked is told with the reason. The
    exit code is 0 where nothing was found, 1 where something was, 2 where nothing could be checked.

    With --fleet, --out is a folder for NAME_checks.json of each recording. Each is then judged by
    itself and by --reference, not beside the others.

    For example: m2r2 check recordings --labels labels --format html --out checks.html
    """
    on_fleet = FleetOptions(fleet, workers, ray, tree, retry_failed, tries)
    expect_place(out, fleet=fleet, overwrite=overwrite)
    from m2r2_ros.bags.labels.taxonomy_file import read_taxonomy
    from m2r2_ros.checks.catalogue import chosen_checks, ignored_topics
    from m2r2_ros.checks.looking import CheckOptions
    from m2r2_ros.checks.thresholds import Thresholds, read_thresholds

    options = CheckOptions(
        chosen_checks(only or [], ignore or []),
        read_thresholds(thresholds) if thresholds else Thresholds(),
        given_topics(topics),
        taxonomy=read_taxonomy(taxonomy) if taxonomy else None,
        ignored=ignored_topics(ignore or []),
    )
    given = Given(list(labels or []), list(reference or []), baseline)
    if fleet and out is not None:
        folder = given_text(out)
        items = fleet_items(bags, folder, on_fleet)
        checked, outcome = _check_on_fleet(
            items, folder, options, given, on_fleet, overwrite=overwrite
        )
        tell(checked, options, form, None)
        outcome.expect_none_failed('checked')
    else:
        checked = _check(source_recordings(bags), options, given)
        tell(checked, options, form, out)
    if not any(one.ran or one.findings for one in checked):
        first = next((f'{n.check}: {n.why}' for one in checked for n in one.not_run), 'no reason')
        msg = f'nothing could be checked ({first})'
        raise ConfigError(msg)
    if any(f.severity.value in ('error', fail_on) for one in checked for f in one.findings):
        raise typer.Exit(1)


class Given(NamedTuple):
    """What recordings are checked against, as it was given.

    Attributes:
        labels: Labels, or folders of them.
        reference: Labelled recordings that show what is usual.
        baseline: A good recording.
    """

    labels: list[Path]
    reference: list[Path]
    baseline: Path | None


def _check(paths: list[Path], options: 'CheckOptions', given: Given) -> 'list[Checked]':
    """Check recordings one after another, and then beside each other."""
    from m2r2_ros.checks.run import check_recordings

    sources = _sources(given.labels, paths)
    with recording_bars() as show:
        usual = _reference(given.reference, options, show)
        compared = _with_baseline(options, given.baseline, show)
        return check_recordings(paths, compared, sources, usual, show)


def _check_on_fleet(
    items: 'list[Item]',
    out: str,
    options: 'CheckOptions',
    given: Given,
    fleet: FleetOptions,
    *,
    overwrite: bool,
) -> 'tuple[list[Checked], FleetOutcome]':
    """Check many recordings at a time, each by itself."""
    from m2r2_ros.checks.labels.reference import LabelReference
    from m2r2_ros.cli.fleet_check import CheckSources, checks_on_fleet

    places = [item.place for item in items]
    labels = _sources(given.labels, places)
    with recording_bars() as show:
        usual = _reference(given.reference, options, show) or LabelReference([])
        compared = _with_baseline(options, given.baseline, show)
    sources = CheckSources(
        compared, {i.key: labels[p] for i, p in zip(items, places, strict=True)}, usual
    )
    return checks_on_fleet(items, out, sources, fleet, overwrite=overwrite)


def _sources(given: Sequence[Path], recordings: Sequence[Path]) -> dict[Path, list[TruthSource]]:
    """Return where the labels of each recording are, in the order in which they were given.

    Raises:
        LabelError: Labels were given, but none of a recording.
    """
    if given:  # which are matched by name
        expect_distinct_names(recordings)
    names = [recording_name(path) for path in recordings]
    found: dict[Path, list[TruthSource]] = {path: [] for path in recordings}
    others: set[str] = set()
    for place in given:
        tables = find_truths([place], names)
        bags = _label_bags(place, names, others=bool(tables))
        others |= {*bags, *tables}
        for path, name in zip(recordings, names, strict=True):
            if name in bags:
                found[path] += [
                    TruthSource(bag, path, given=True, rank=Rank.LABEL_BAG) for bag in bags[name]
                ]
            elif name in tables:
                found[path].append(replace(tables[name], recording=path))
    if given and not any(found.values()):
        msg = (
            f'{", ".join(map(str, given))}: no labels of {listed(names)} there, but of '
            f'{listed(sorted(others)) or "none"}; label first (m2r2 label)'
        )
        raise LabelError(msg)
    return found


def _label_bags(place: Path, names: Sequence[str], *, others: bool) -> dict[str, list[Path]]:
    """Return the label bags in a place; a folder that holds `others` need not have any."""
    if place.is_file() and place.suffix in TABLES:
        return {}
    try:
        return label_bags([place], names)
    except BagError:
        if not others:
            raise
        return {}


def _with_baseline(options: 'CheckOptions', path: Path | None, show: Progress) -> 'CheckOptions':
    """Return the options with what a good recording is like."""
    if path is None:
        return options
    from m2r2_ros.checks.recording.baseline import baseline_of

    measured = baseline_of(open_recording(path), options.topics, lambda share: show(path, share))
    return replace(options, baseline=measured)


def _reference(
    given: Sequence[Path], options: 'CheckOptions', show: Progress
) -> 'LabelReference | None':
    """Return what is usual by the recordings that were given; None where none were."""
    from m2r2_ros.checks.run import reference_of

    return reference_of(source_recordings(list(given)), options, show) if given else None
