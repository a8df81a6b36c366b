# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 report`: recordings and their labels as pages."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.labels.sources import TruthSource, label_bags
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.cli.common import given_topics, source_recordings
from m2r2_ros.cli.console import progress_bar, stdout
from m2r2_ros.cli.fleet_options import (
    TRIES,
    Again,
    Fleet,
    FleetOptions,
    Ray,
    RetryFailed,
    Tries,
    Workers,
    given_text,
)
from m2r2_ros.cli.fleet_run import fleet_items
from m2r2_ros.cli.options import (
    Annotator,
    Bags,
    LabelBags,
    Topics,
    TruthRate,
    Truths,
    TruthTopic,
)
from m2r2_ros.cli.truths import truth_options, truth_sources
from m2r2_ros.core.errors import BagError, ConfigError, LabelError, M2R2Error
from m2r2_ros.core.files import claim_folder
from m2r2_ros.core.text import listed
from m2r2_ros.readers.topics import TopicSpec

if TYPE_CHECKING:
    from m2r2_ros.pages.report import Reported

_INDEX = 'index.html'


def report_command(
    bags: Bags,
    out: Annotated[
        Path, typer.Option(help='The page, NAME.html, of one recording; a folder for several.')
    ],
    labels: LabelBags = None,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    truth_rate: TruthRate = None,
    annotator: Annotator = None,
    topics: Topics = None,
    model: Annotated[
        Path | None, typer.Option(help='Bundle of which the page is to tell the scores.')
    ] = None,
    fleet: Fleet = False,
    overwrite: Again = False,
    workers: Workers = 0,
    ray: Ray = None,
    retry_failed: RetryFailed = False,
    tries: Tries = TRIES,
) -> None:
    """Make a page of each recording: its labels, truth, scores, cameras, sound and signals.

    A page is one file that opens in any browser, without a network. Of several recordings there is
    an index, which shows those with the lowest scores first.

    For example: m2r2 report recordings --labels labels --out pages
    """
    on_fleet = FleetOptions(fleet, workers, ray, None, retry_failed, tries)
    items = fleet_items(bags, given_text(out), on_fleet) if fleet else []
    paths = [item.place for item in items] if fleet else source_recordings(bags)
    page = out.suffix == '.html'
    if page and (fleet or len(paths) > 1):
        msg = f'--out {out}: a page is of one recording, but there are {len(paths)}: give a folder'
        raise ConfigError(msg)
    expect_distinct_names(paths)
    if not fleet:
        refuse_inside(out, *paths)
    options = truth_options(truth_topic, truth_rate, annotator)
    truths = truth_sources(list(truth or []), paths, options)
    bags_of = _labels(list(labels or []), paths)
    facts = [_model(model)] if model else []
    specs = given_topics(topics)
    if fleet:
        from m2r2_ros.cli.fleet_report import PageSources, pages_on_fleet

        by_name = {recording_name(path): source for path, source in truths.items()}
        sources = PageSources(bags_of, by_name, specs, facts)
        pages_on_fleet(items, given_text(out), sources, on_fleet, overwrite=overwrite)
        return

    def write(path: Path, file: Path) -> 'Reported':
        return _write(file, path, bags_of.get(recording_name(path), []), truths[path], specs, facts)

    if page:
        out.parent.mkdir(parents=True, exist_ok=True)
        report = write(paths[0], out)
        for problem in report.problems:
            stdout.print(f'not shown: {problem}', soft_wrap=True, markup=False)
        stdout.print(f'page: {out}', soft_wrap=True, highlight=False)
        return
    _folder(out, paths, write)


def _labels(given: list[Path], recordings: list[Path]) -> dict[str, list[Path]]:
    """Return the label bags of each recording by its name.

    Raises:
        LabelError: Labels were given, but of none of them.
    """
    names = [recording_name(path) for path in recordings]
    bags = label_bags(given, names)
    if given and bags.keys().isdisjoint(names):
        msg = (
            f'{", ".join(map(str, given))}: no labels of {listed(names)} there, but of '
            f'{listed(sorted(bags)) or "none"}; label first (m2r2 label)'
        )
        raise LabelError(msg)
    return bags


def _folder(out: Path, paths: list[Path], write: Callable[[Path, Path], 'Reported']) -> None:
    """Write a page of each recording and their index, whatever is wrong with some."""
    from m2r2_ros.pages.index import report_name, write_index

    reports, failed = [], []
    with claim_folder(out):
        for path in paths:
            try:
                reports.append(write(path, out / report_name(recording_name(path))))
            except M2R2Error as error:
                failed.append(str(error))
        if reports:
            write_index(out / _INDEX, reports, failed)
    if reports:
        stdout.print(f'{len(reports)} pages: {out / _INDEX}', soft_wrap=True, highlight=False)
    if failed:
        msg = f'{len(failed)} of {len(paths)} recordings have no page'
        raise BagError(msg, *failed)


def _write(
    file: Path,
    recording: Path,
    labels: list[Path],
    truth: TruthSource,
    topics: Mapping[str, TopicSpec],
    facts: list[dict[str, Any]],
) -> 'Reported':
    from m2r2_ros.pages.report import write_report

    with progress_bar() as bar:
        task = bar.add_task(recording_name(recording), total=1.0)
        return write_report(
            file,
            recording,
            labels=labels,
            truth=truth,
            topics=topics,
            facts=facts,
            progress=lambda share: bar.update(task, completed=share),
        )


def _model(path: Path) -> dict[str, Any]:
    from m2r2_ros.model.facts import read_facts
    from m2r2_ros.pages.tables import model_facts

    facts = read_facts(path)
    return model_facts(facts.id, facts.scores, str(facts.training.get('note', '')))
