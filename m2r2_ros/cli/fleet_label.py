# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 label --fleet`: the work on each recording, and what is told of all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from m2r2_ros.bags.remote.places import as_place, is_remote
from m2r2_ros.bags.remote.stores import open_store
from m2r2_ros.cli.console import console, stdout
from m2r2_ros.cli.fleet_run import FleetOutcome
from m2r2_ros.core.errors import BagError, BundleError, M2R2Error
from m2r2_ros.fleet.files_job import files_in
from m2r2_ros.fleet.items import Did, Item, State
from m2r2_ros.fleet.job import Work
from m2r2_ros.fleet.worklist import is_result
from m2r2_ros.readers.topics import TopicSpec

if TYPE_CHECKING:  # reading recordings and models takes a while to import
    from m2r2_ros.replay.labeller import Summary
    from m2r2_ros.replay.outputs import Outputs
    from m2r2_ros.segmenters import Model

#: Recordings that are shown, those with the least certain labels.
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class LabelJob:
    """Labels of each recording, as `m2r2 label` gives them.

    Attributes:
        out: Folder or URL for the outputs.
        bundle: Folder of the model, on each machine.
        model_id: Of the model that the run was started with.
        decoding: Options of the decoder that replace the bundle's own.
        as_live: Labels that a live robot would have given.
        device: Where the network runs.
        topics: Topics that are not to be guessed, by modality.
        merge: Also write copies of the recordings with labels.
        overwrite: Replace outputs that exist.
    """

    out: str
    bundle: str
    model_id: str
    decoding: Mapping[str, float] = field(default_factory=dict)
    as_live: bool = False
    device: str = 'cpu'
    topics: Mapping[str, TopicSpec] = field(default_factory=dict)
    merge: bool = False
    overwrite: bool = False

    @property
    def name(self) -> str:
        """Of the command."""
        return 'label'

    def made_with(self) -> dict[str, Any]:
        """Return what labels depend on."""
        topics = {name: asdict(spec) for name, spec in self.topics.items()}
        return {
            'command': self.name,
            'model': self.model_id,
            'decoding': dict(self.decoding),
            'topics': topics,
            'merge': self.merge,
        }

    def done(self, items: list[Item]) -> set[str]:
        """Return the keys of the items that this very model has labelled."""
        place = as_place(self.out)
        if is_remote(place):
            return {item.key for item in items} & open_store(place).done()
        there = {folder: _names(place / folder) for folder in {item.folder for item in items}}
        return {
            item.key
            for item in items
            if _outputs(place, item).summary.name in there[item.folder]
            and self._is_ours(_outputs(place, item))
        }

    def open_model(self) -> 'Model':
        """Open the model, for one core."""
        from m2r2_ros.model.devices import Placement
        from m2r2_ros.segmenters import open_model

        placement = Placement(self.device, threads=1)
        return open_model(Path(self.bundle), self.decoding, placement=placement, live=self.as_live)

    def open(self) -> Work:
        """Return what labels, with a model of its own.

        Raises:
            BundleError: The model here is another one.
        """
        model = self.open_model()
        if model.id != self.model_id:
            msg = (
                f'{self.bundle} is model {model.id} here, not {self.model_id} as where the run was '
                'started: give a folder that all machines share'
            )
            raise BundleError(msg)
        return partial(_label, self, model)

    def _is_ours(self, outputs: 'Outputs') -> bool:
        try:
            return outputs.labelled_by() == self.model_id
        except M2R2Error:  # told by the worker that comes upon it
            return False


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _outputs(out: Path, item: Item) -> 'Outputs':
    from m2r2_ros.replay.outputs import Outputs

    return Outputs.of(out / item.folder, item.name)


def _label(job: LabelJob, model: 'Model', item: Item) -> Did:
    """Label a recording; those in folders that hold labels of ours are passed over."""
    path, out = item.place, as_place(job.out)
    if is_result(item):
        return Did(State.PASSED)
    if is_remote(out):
        return _label_remote(job, model, item, path)
    return _label_into(job, model, path, out / item.folder)


def _label_into(job: LabelJob, model: 'Model', path: Path, folder: Path) -> Did:
    from m2r2_ros.replay.batch import BatchOptions, label_recordings

    options = BatchOptions(job.topics, job.merge, job.overwrite, resume=not job.overwrite)
    (outcome,) = label_recordings([path], model, folder, options)
    if outcome.error:
        raise BagError(*outcome.error.split('\n  '))
    if outcome.summary is None:
        return Did(State.KEPT)
    return Did(State.DONE, outcome.summary.duration_s, asdict(outcome.summary))


def _label_remote(job: LabelJob, model: 'Model', item: Item, path: Path) -> Did:
    """Label a recording into a folder of this machine, and put what is there as one result."""
    store = open_store(as_place(job.out))
    if not job.overwrite and store.files(item.key):
        return Did(State.KEPT)
    with TemporaryDirectory(prefix='m2r2_') as folder:
        did = _label_into(job, model, path, Path(folder))
        if job.overwrite:
            store.withdraw(item.key)
        ours = store.put_once(item.key, files_in(Path(folder)))
    return did if ours else Did(State.KEPT)


def tell_labels(outcome: FleetOutcome) -> bool:
    """Print the recordings with the least certain labels; return whether anything has labels."""
    from m2r2_ros.replay.labeller import Summary

    done = [(e, Summary(**e.facts)) for e in outcome.ended if e.state is State.DONE]
    done.sort(key=lambda one: (-one[1].unknown, one[1].confidence))
    if done:
        _warn([summary for _, summary in done])
        table = Table('recording', 'frames', 'segments', 'sure', 'unknown', 'speed')
        for ended, s in done[:_SHOWN]:
            name = '/'.join(filter(None, (ended.item.folder, s.recording)))
            row = (f'{s.confidence:.2f}', f'{s.unknown:.1%}', f'{s.speed:.0f}x')
            table.add_row(name, str(s.frames), str(s.segments), *row)
        stdout.print(table)
        if len(done) > _SHOWN:
            stdout.print(f'and {len(done) - _SHOWN} more, whose labels are surer')
    kept = outcome.kept or any(e.state is State.KEPT for e in outcome.ended)
    return bool(kept) or any(summary.segments for _, summary in done)


def _warn(summaries: list['Summary']) -> None:
    """Say what does not fit the training set, of so many recordings; all summaries have it."""
    lines = [f'{s.recording}: {warning}' for s in summaries for warning in s.warnings]
    lines += [f'{s.recording}: nothing was labelled' for s in summaries if not s.segments]
    for line in lines[:_SHOWN]:
        console.print(f'warning: {line}', soft_wrap=True)
    if len(lines) > _SHOWN:
        console.print(f'and {len(lines) - _SHOWN} more warnings, in the summaries')
