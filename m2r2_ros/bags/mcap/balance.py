# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a file was found to hold, held against what it says that it holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from m2r2_ros.bags.mcap.layout import FileLayout
from m2r2_ros.bags.mcap.tally import FileTally, Loss, Tally

_NAMED: Final = 8


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
    summary = layout.summary
    counts = summary.counts
    fits = None if end is None else layout.checksum_fits(end)

    def lose(reason: str, messages: int | None = None, doubtful: int = 0) -> None:
        tally.lose(Loss(path, layout.stop if end is None else end, 0, reason, messages, doubtful))

    if counts is not None:
        missing = found.missing(counts)
        unexplained = np.where(missing > found.lost + found.elsewhere, missing, 0)
        if unexplained.any() and not found.open:
            lacking = missing - found.lost
            keys = np.flatnonzero(unexplained).tolist()
            listed = ', '.join(names.get(key, f'channel {key}') for key in keys[:_NAMED])
            more = f' and {len(keys) - _NAMED} more' if len(keys) > _NAMED else ''
            number = int(lacking[keys].sum())
            lose(f'messages that the summary counts are nowhere: of {listed}{more}', number)
        surplus = int(found.found.sum()) - sum(counts.values())
        if surplus > 0:
            tally.remark(f'{path}: {surplus} messages more than its summary counts')
    elif not summary.valid and found.uncounted and end is not None and fits is not True:
        found.leave_open()
        lose(
            'the summary is damaged or missing, and nothing else says how many messages there '
            f'were, of which {found.uncounted} were found'
        )
    elif found.uncounted and end is not None:
        tally.remark(f'{path}: nothing in it says how many messages it should hold')
    gone = len(summary.places) - found.places if summary.valid else 0
    if gone > 0 and counts is None and fits is not True:
        found.leave_open(
            min(place.start for place in summary.places), max(p.end for p in summary.places)
        )
        lose(f'{gone} chunks are not where the summary says')
    if not summary.valid and summary.ended:
        tally.remark(f'{path}: its summary is damaged')
    if fits is False:
        if found.unchecked:
            if counts is None:
                found.leave_open()
            lose(
                'the checksum of the data section is wrong: bytes are wrong somewhere, perhaps of '
                'messages that no other checksum covers',
                0,
                found.unchecked,
            )
        else:
            tally.remark(f'{path}: bytes outside of its messages are wrong')
    if found.unchecked and fits is None:
        tally.remark(
            f'{path}: no checksum covers {found.unchecked} of its messages: wrong bytes inside '
            'these cannot be found'
        )
    if found.metadata:
        tally.remark(f'{path}: {found.metadata} metadata records are not copied')
