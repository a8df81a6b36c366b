# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What labelling a recording leaves: files that belong together, and are replaced together."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from m2r2_ros.bags.labels.topics import LABEL_TOPIC
from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.replacing import (
    check_replaceable,
    forget,
    make_way,
    publish,
    recover,
    replaced_path,
)
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.files import Claim, disk_errors, names_of, partial_path
from m2r2_ros.core.reading import read_text, reading

#: Of a summary; those that are written have some kB.
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Outputs:
    """What labelling a recording leaves in the output folder.

    They are written under the same names into a folder of drafts, the summary last, and moved to
    their places together. Drafts with a summary are therefore whole: where a run was killed while
    it moved them, the next one moves the rest. Drafts without one are of no use to anyone.
    """

    labels: Path
    segments: Path
    summary: Path
    merged: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> 'Outputs':
        """Name the outputs of a recording."""
        return cls(
            folder / f'{name}_labels',
            folder / f'{name}_segments.csv',
            folder / f'{name}_summary.json',
            folder / f'{name}_labelled',
        )

    @property
    def drafts(self) -> 'Outputs':
        """Where the outputs are written before they are complete."""
        folder = partial_path(self.labels.with_name(f'{self.labels.name[:-1]}ling'))
        return Outputs(*(folder / path.name for path in astuple(self)))

    @property
    def _bags(self) -> tuple[Path, Path]:
        return self.labels, self.merged

    def labelled_by(self) -> str:
        """Return the id of the model that labelled the recording to its end, '' where none did.

        The summary is written last: where it exists, all other outputs do.

        Raises:
            BagError: The summary is not one that labelling wrote.
        """
        if not self.summary.is_file():
            return ''
        expected = 'a summary that m2r2 label wrote: remove it to label again'
        text = read_text(self.summary, expected, BagError, most=_MOST_BYTES)
        with reading(self.summary, expected, BagError):
            return str(json.loads(text)['model_id'])

    def check(self, *, overwrite: bool) -> None:
        """Refuse to replace existing outputs unless told to.

        Raises:
            BagError: An output exists and is not to be overwritten, or is not a label bag.
        """
        for path in (self.segments, self.summary):
            if path.exists() and not overwrite:
                msg = (
                    f'{path}: exists already; --overwrite replaces it, --resume labels only what '
                    'is not labelled yet'
                )
                raise BagError(msg)
        for bag in self._bags:
            check_replaceable(bag, overwrite=overwrite)
            if bag.exists() and LABEL_TOPIC not in open_recording(bag).topics:
                msg = (
                    f'{bag}: is a recording, not labels of one, and is not replaced: write to '
                    'another folder'
                )
                raise BagError(msg)

    def refuse_same(self, recording: Path) -> None:
        """Refuse outputs that would change the recording.

        Raises:
            BagError: One of them is the recording, lies in it or holds it.
        """
        for path in astuple(self):
            refuse_same(path, recording)

    def finish(self) -> None:
        """Move what a killed run had begun to move, and remove what it had not completed.

        Raises:
            M2R2Error: Another run is writing the outputs, or they cannot be moved.
        """
        moved = map(replaced_path, self._bags)
        if any(path.exists() for path in (self.drafts.summary.parent, *moved)):
            with self._claim():
                self._finish()

    @contextmanager
    def replaced(self, *, overwrite: bool) -> Iterator['Outputs']:
        """Yield the drafts to write; what there is is replaced when they are complete.

        After an exception everything is what it was before.

        Args:
            overwrite: Replace outputs that exist.

        Raises:
            M2R2Error: Another run is writing the outputs, one exists and is not to be
                overwritten, or they cannot be written.
        """
        with self._claim():
            self._finish()
            self.check(overwrite=overwrite)
            drafts = self.drafts
            folder = drafts.summary.parent
            with disk_errors(folder):
                for bag in self._bags:
                    make_way(partial_path(bag), bag, overwrite=overwrite)
                folder.mkdir()
            try:
                yield drafts
                self.check(overwrite=overwrite)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._publish()

    @contextmanager
    def _claim(self) -> Iterator[None]:
        with ExitStack() as claims:
            for bag in self._bags:
                claims.enter_context(Claim(bag))
            yield

    def _finish(self) -> None:
        folder = self.drafts.summary.parent
        if self.drafts.summary.is_file():
            self._publish()
        elif folder.exists():
            _expect_drafts(self.drafts)
            with disk_errors(folder):
                shutil.rmtree(folder)
        with disk_errors(self.labels):
            for bag in self._bags:
                recover(bag)

    def _publish(self) -> None:
        """Move the drafts to their places; goes on where a killed run stopped."""
        drafts, folder = self.drafts, self.drafts.summary.parent
        _expect_drafts(drafts)
        with disk_errors(folder):
            # No summary stands beside outputs that it does not belong to.
            self.summary.unlink(missing_ok=True)
            for draft, bag in ((drafts.labels, self.labels), (drafts.merged, self.merged)):
                if draft.exists():
                    publish(draft, bag, overwrite=True)
                forget(bag)
            if drafts.segments.exists():
                drafts.segments.replace(self.segments)
            drafts.summary.replace(self.summary)
            shutil.rmtree(folder)


def _expect_drafts(drafts: Outputs) -> None:
    """Refuse to touch a folder of drafts that holds anything else.

    Raises:
        BagError: It does.
    """
    names = {name for path in astuple(drafts) for name in names_of(path)}
    folder = drafts.summary.parent
    others = sorted({path.name for path in folder.iterdir()} - names)
    if others:
        msg = (
            f'{folder} is needed for labelling and removed afterwards, but holds '
            f'{", ".join(others[:3])}: move it, or write to another folder'
        )
        raise BagError(msg)
