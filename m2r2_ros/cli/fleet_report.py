# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 report --fleet`: the page of each recording, and what their index needs to know."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.bags.remote.places import as_place, is_remote
from m2r2_ros.cli.console import stdout
from m2r2_ros.cli.fleet_options import FleetOptions
from m2r2_ros.cli.fleet_run import FleetOutcome, run_fleet
from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.reading import reading
from m2r2_ros.fleet.files_job import FilesJob, facts_of
from m2r2_ros.fleet.items import Did, Item, State
from m2r2_ros.fleet.worklist import is_result
from m2r2_ros.readers.topics import TopicSpec

if TYPE_CHECKING:
    from m2r2_ros.evaluation.score import Scores
    from m2r2_ros.pages.report import Reported

#: What the index of a folder of pages is called.
INDEX: Final = 'index.html'
#: Lanes that it draws at most.
_LANES: Final = 4


@dataclass(frozen=True, slots=True)
class PageSources:
    """What pages are made of besides the recordings; it goes to the workers by pickle.

    Attributes:
        labels: Label bags by name of the recording.
        truths: Where the ground truth is, by name of the recording.
        topics: Topics that are not to be guessed, by modality.
        facts: Tables with what else there is to say.
    """

    labels: Mapping[str, Sequence[Path]]
    truths: Mapping[str, TruthSource]
    topics: Mapping[str, TopicSpec]
    facts: Sequence[dict[str, Any]]


def make_page(sources: PageSources, item: Item, folder: Path) -> Did:
    """Make the page of a recording in a folder; labels of ours have none.

    Raises:
        M2R2Error: The recording cannot be read, or the page not be written.
    """
    from m2r2_ros.pages.index import report_name
    from m2r2_ros.pages.report import write_report

    if is_result(item):
        return Did(State.PASSED)
    report = write_report(
        folder / report_name(item.name),
        item.place,
        labels=sources.labels.get(item.name, ()),
        truth=sources.truths.get(item.name),
        topics=sources.topics,
        facts=sources.facts,
    )
    return Did(State.DONE, (report.end - report.start) * 1e-9, _facts(report))


def pages_on_fleet(
    items: Sequence[Item],
    out: str,
    sources: PageSources,
    options: FleetOptions,
    *,
    overwrite: bool,
) -> None:
    """Make the pages of many recordings at a time, and their index in a local folder.

    Args:
        items: The recordings, each with a name of its own.
        out: Folder or URL for the pages.
        sources: What they are made of besides.
        options: Of the fleet.
        overwrite: Also those that are there.

    Raises:
        M2R2Error: Some have no page, or there can be none at all.
    """
    place = as_place(out)
    made_with = {
        'labels': {name: [str(bag) for bag in bags] for name, bags in sources.labels.items()},
        'facts': list(sources.facts),
    }
    digest = hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()[:16]
    make = partial(make_page, sources)
    job = FilesJob('report', out, make, {'options and inputs': digest}, overwrite=overwrite)
    outcome = run_fleet(job, items, options, overwrite=overwrite)
    if not is_remote(place):
        count = _write_index(place / INDEX, out, outcome)
        stdout.print(f'{count} pages: {place / INDEX}', soft_wrap=True, highlight=False)
    outcome.expect_none_failed('reported')


def _write_index(path: Path, out: str, outcome: FleetOutcome) -> int:
    """Write the index of all pages, also of those that earlier runs made; return how many."""
    from m2r2_ros.pages.index import write_index

    failed = [e.error for e in outcome.ended if e.state is State.FAILED]
    failed += [f'{item.source}: failed in an earlier run' for item in outcome.failed_before]
    here = {e.item.key: e.facts for e in outcome.ended if e.facts}
    told = [here.get(item.key) or facts_of(out, item) for item in outcome.items]
    expected = 'what m2r2 report told of a page: make it again with --overwrite'
    with reading(out, expected, OutputError):
        reports = [_reported(facts) for facts in told if facts]
    if reports:
        write_index(path, reports, failed)
    return len(reports)


def _facts(report: 'Reported') -> dict[str, Any]:
    """Return what an index says of a report, as JSON holds it."""
    lanes = [
        {
            'id': lane.id,
            'title': lane.title,
            'kind': lane.kind,
            'segments': [[s.start, s.end, s.label] for s in lane.segments],
        }
        for lane in report.lanes[:_LANES]
    ]
    labels = report.labels
    return {
        'name': report.name,
        'start': report.start,
        'end': report.end,
        'lanes': lanes,
        'labels': [list(labels.names), list(labels.parents), list(labels.chosen)],
        'scores': {title: asdict(scores) for title, scores in report.scores.items()},
        'problems': list(report.problems),
    }


def _reported(facts: Mapping[str, Any]) -> 'Reported':
    """Return a report of which these are the facts, with what an index needs of it."""
    from m2r2_ros.pages.lanes import LabelLane
    from m2r2_ros.pages.report import Reported

    lanes = [
        LabelLane(
            lane['id'], lane['title'], lane['kind'], [Segment(*s) for s in lane['segments']], None
        )
        for lane in facts['lanes']
    ]
    names, parents, chosen = (tuple(part) for part in facts['labels'])
    labels = LabelSet(names, parents, tuple((r, g, b) for r, g, b in chosen))
    scores = {title: _scores(found) for title, found in facts['scores'].items()}
    start, end = facts['start'], facts['end']
    return Reported(facts['name'], start, end, lanes, labels, scores, facts['problems'])


def _scores(found: Mapping[str, Any]) -> 'Scores':
    """Return scores; JSON makes texts of the numbers that name thresholds."""
    from m2r2_ros.evaluation.score import Scores

    numbers: dict[str, Callable[[str], float]] = {
        'f1': int,
        'boundary_f1': float,
        'accuracy_kept': int,
    }
    values = {field.name: found[field.name] for field in fields(Scores)}
    for name, number in numbers.items():
        values[name] = {number(key): value for key, value in values[name].items()}
    return Scores(**values)
