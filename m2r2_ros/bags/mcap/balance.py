# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a file was found to hold, held against what it says that it holds."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from m2r2_ros.bags.mcap.layout import FileLayout
from m2r2_ros.bags.mcap.tally import FileTally, Loss, Tally
from m2r2_ros.core.text import listed


def balance(
    path: Path,
    layout: FileLayout,
    end: int | None,
    found: FileTally,
    tally: Tally,
    names: Mapping[int, str],
) -> None:
    """Note what is missing or wrong and has not been noticed where it should be.

    Args:
        path: The file.
        layout: Its records.
        end: Where its data section was found to end; None if it has no end.
        found: What was found of it.
        tally: Takes the losses and remarks.
        names: Topics of the channels.
    """
    sheet = _Sheet(path, layout, end, found, tally)
    if layout.summary.counts is not None:
        sheet.compare_counts(layout.summary.counts, names)
    else:
        sheet.doubt_counts()
        sheet.compare_chunks()
    sheet.compare_checksum()
    sheet.remark_on_rest()


class _Sheet:
    """What one file was found to hold, and what it says."""

    def __init__(
        self, path: Path, layout: FileLayout, end: int | None, found: FileTally, tally: Tally
    ) -> None:
        self.summary = layout.summary
        self.end, self.found, self.tally, self.path = end, found, tally, path
        self.stop = layout.stop if end is None else end
        # Whether the data section has the checksum that it should; None without one.
        self.fits = None if end is None else layout.checksum_fits(end)

    def compare_counts(self, counts: Mapping[int, int], names: Mapping[int, str]) -> None:
        """Look for messages that the summary counts."""
        missing, lost = self.found.missing(counts), self.found.lost
        unexplained = np.where(missing > lost + self.found.elsewhere, missing, 0)
        if unexplained.any() and not self.found.open:
            keys = np.flatnonzero(unexplained).tolist()
            topics = listed([names.get(key, f'channel {key}') for key in keys])
            number = int((missing - lost)[keys].sum())
            self._lose(f'messages that the summary counts are nowhere: of {topics}', number)
        surplus = int(self.found.found.sum()) - sum(counts.values())
        if surplus > 0:
            self._remark(f'{surplus} messages more than its summary counts')

    def doubt_counts(self) -> None:
        """Say that neither a summary nor an index counts some of the messages."""
        uncounted = self.found.uncounted
        if not uncounted or self.end is None:
            return
        if self.summary.valid or self.fits:
            self._remark('nothing in it says how many messages it should hold')
            return
        self.found.leave_open()
        self._lose(
            'the summary is damaged or missing, and nothing else says how many messages there '
            f'were, of which {uncounted} were found'
        )

    def compare_chunks(self) -> None:
        """Look for chunks of a summary that does not count messages."""
        places = self.summary.places
        gone = len(places) - self.found.places if self.summary.valid else 0
        if gone > 0 and not self.fits:
            self.found.leave_open(min(p.start for p in places), max(p.end for p in places))
            self._lose(f'{gone} chunks are not where the summary says')

    def compare_checksum(self) -> None:
        """Say that bytes are wrong if the checksum of the data section says so."""
        unchecked = self.found.unchecked
        if self.fits is False and unchecked:
            if self.summary.counts is None:
                self.found.leave_open()
            self._lose(
                'the checksum of the data section is wrong: bytes are wrong somewhere, perhaps of '
                'messages that no other checksum covers',
                0,
                unchecked,
            )
        elif self.fits is False:
            self._remark('bytes outside of its messages are wrong')
        elif self.fits is None and unchecked:
            self._remark(
                f'no checksum covers {unchecked} of its messages: wrong bytes inside these cannot '
                'be found'
            )

    def remark_on_rest(self) -> None:
        """Say what is damaged or left out but no message."""
        if not self.summary.valid and self.summary.ended:
            self._remark('its summary is damaged')
        if self.found.metadata:
            self._remark(f'{self.found.metadata} metadata records are not copied')

    def _lose(self, reason: str, messages: int | None = None, doubtful: int = 0) -> None:
        self.tally.lose(Loss(self.path, self.stop, 0, reason, messages, doubtful))

    def _remark(self, text: str) -> None:
        self.tally.remark(f'{self.path}: {text}')
