# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 check --fleet`: the findings of each recording, which is judged by itself."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.checks.checked import Checked
from m2r2_ros.checks.labels.reference import LabelReference
from m2r2_ros.checks.looking import CheckOptions
from m2r2_ros.checks.outputs.json_text import from_entries, to_entries, to_json
from m2r2_ros.checks.run import check_recordings
from m2r2_ros.cli.fleet_options import FleetOptions
from m2r2_ros.cli.fleet_run import FleetOutcome, run_fleet
from m2r2_ros.core.errors import BagError, OutputError
from m2r2_ros.core.files import write_text
from m2r2_ros.core.reading import reading
from m2r2_ros.fleet.files_job import FilesJob, facts_of
from m2r2_ros.fleet.items import Did, Item, State
from m2r2_ros.fleet.worklist import is_result

#: Behind the name of a recording, in that of the file with its findings.
SUFFIX: Final = '_checks.json'


@dataclass(frozen=True, slots=True)
class CheckSources:
    """What recordings are checked against; it goes to the workers by pickle.

    Attributes:
        options: How they are checked.
        labels: Where their labels are, by the key of the recording.
        reference: What is usual.
    """

    options: CheckOptions
    labels: Mapping[str, Sequence[TruthSource]]
    reference: LabelReference


def make_checks(sources: CheckSources, item: Item, folder: Path) -> Did:
    """Check a recording, and write what was found into a folder.

    Raises:
        M2R2Error: A topic that was given cannot be read.
    """
    if _is_result(item):
        return Did(State.PASSED)
    place = item.place
    labels = {place: sources.labels.get(item.key, ())}
    (one,) = check_recordings([place], sources.options, labels, sources.reference)
    write_text(folder / f'{item.name}{SUFFIX}', to_json([one]) + '\n')
    return Did(State.DONE, (one.end - one.start) * 1e-9, to_entries(one))


def checks_on_fleet(
    items: Sequence[Item],
    out: str,
    sources: CheckSources,
    options: FleetOptions,
    *,
    overwrite: bool,
) -> tuple[list[Checked], FleetOutcome]:
    """Check many recordings at a time, and return what was found in all, earlier runs included.

    Args:
        items: The recordings.
        out: Folder or URL for what was found in each.
        sources: What they are checked against.
        options: Of the fleet.
        overwrite: Also those that were checked before.

    Raises:
        M2R2Error: There can be no checks at all.
    """
    against = repr((sources.options, sources.labels, sources.reference.examples))
    digest = hashlib.sha256(against.encode()).hexdigest()[:16]
    make = partial(make_checks, sources)
    job = FilesJob('check', out, make, {'options and inputs': digest}, overwrite=overwrite)
    outcome = run_fleet(job, items, options, overwrite=overwrite)
    here = {ended.item.key: ended.facts for ended in outcome.ended if ended.facts}
    told = [here.get(item.key) or facts_of(out, item) for item in outcome.items]
    with reading(out, 'what m2r2 check told: make it again with --overwrite', OutputError):
        return [from_entries(facts) for facts in told if facts], outcome


def _is_result(item: Item) -> bool:
    """Return whether a recording holds labels of ours; one that is damaged is checked."""
    try:
        return is_result(item)
    except BagError:
        return False
