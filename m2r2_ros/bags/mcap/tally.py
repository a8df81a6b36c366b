# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a repair has lost: by topic and time, and where in the files."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.mcap.records import CHANNELS, END_OF_TIME, PREFIX

#: Ranges of bytes, and remarks, that are kept one by one.
MAX_LOSSES: Final = 1000
MAX_REMARKS: Final = 100
_NEVER: Final = END_OF_TIME - 1


@dataclass(frozen=True, slots=True)
class Loss:
    """A range of a file from which nothing, or not everything, was recovered as it was.

    Attributes:
        file: The damaged file.
        offset: Where the range begins, bytes.
        length: How long it is, bytes.
        reason: What is wrong with it.
        messages: Messages lost; None where their number is unknown.
        doubtful: Messages recovered whose bytes, time or topic may be wrong.
    """

    file: Path
    offset: int
    length: int
    reason: str
    messages: int | None = None
    doubtful: int = 0


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What became of a topic.

    Attributes:
        topic: Its name; where only the channel is known, that.
        recovered: Messages in the new bag.
        doubtful: How many of these may have wrong bytes, or a wrong time or topic.
        lost: Messages that are known to be lost.
        exact: No more than these are lost.
        start: Log time of the first message that is lost or doubtful, nanoseconds; None where
            there is none or its time is unknown.
        end: That of the last.
    """

    topic: str
    recovered: int
    doubtful: int = 0
    lost: int = 0
    exact: bool = True
    start: int | None = None
    end: int | None = None


class Notes:
    """Losses and remarks, of very many the first.

    Attributes:
        losses: The losses.
        more_losses: How many others there are.
        remarks: What else there is to say.
    """

    def __init__(self) -> None:
        self.losses: list[Loss] = []
        self.more_losses = 0
        self.remarks: list[str] = []

    def lose(self, loss: Loss) -> None:
        """Note a loss, as one with the last if that is of the same kind and directly before it."""
        last = self.losses[-1] if self.losses else None
        if last and last.file == loss.file and last.reason == loss.reason:
            gap = loss.offset - last.offset - last.length
            if (loss.offset, loss.length) == (last.offset, last.length):
                gap = -last.length
            if gap in (0, PREFIX.size, -last.length):
                both = (last.messages, loss.messages)
                self.losses[-1] = replace(
                    last,
                    length=last.length + gap + loss.length,
                    messages=None if None in both else sum(filter(None, both)),
                    doubtful=last.doubtful + loss.doubtful,
                )
                return
        if len(self.losses) < MAX_LOSSES:
            self.losses.append(loss)
        else:
            self.more_losses += 1

    def remark(self, text: str) -> None:
        """Note something that is no loss, once."""
        if len(self.remarks) < MAX_REMARKS and text not in self.remarks:
            self.remarks.append(text)


@dataclass(slots=True)
class FileTally:
    """Messages of one file, by channel; int64 (CHANNELS,) each.

    Attributes:
        found: Messages recovered.
        doubtful: Of these, those that may be wrong.
        lost: Messages of which an index or their head is all that is left.
        elsewhere: Messages in whose place one of another channel or time was found.
        first: Log time of the first that is lost or doubtful, nanoseconds.
        last: That of the last.
        open: Messages are lost whose number or channel is not known.
        open_start: Log time from which on these are missing, nanoseconds.
        open_end: Log time up to which they are.
        start: Log time of the first message recovered, nanoseconds.
        unchecked: Messages recovered that no checksum of a chunk covers.
        uncounted: Messages recovered that no index of a chunk lists.
        places: Chunks that are where the summary says.
        metadata: Metadata records.
    """

    found: NDArray[np.int64] = field(default_factory=lambda: np.zeros(CHANNELS, np.int64))
    doubtful: NDArray[np.int64] = field(default_factory=lambda: np.zeros(CHANNELS, np.int64))
    lost: NDArray[np.int64] = field(default_factory=lambda: np.zeros(CHANNELS, np.int64))
    elsewhere: NDArray[np.int64] = field(default_factory=lambda: np.zeros(CHANNELS, np.int64))
    first: NDArray[np.int64] = field(default_factory=lambda: np.full(CHANNELS, _NEVER))
    last: NDArray[np.int64] = field(default_factory=lambda: np.full(CHANNELS, -1))
    open: bool = False
    open_start: int = _NEVER
    open_end: int = -1
    start: int = _NEVER
    unchecked: int = 0
    uncounted: int = 0
    places: int = 0
    metadata: int = 0

    def add(
        self, kind: NDArray[np.int64], channels: NDArray[np.uint16], times: NDArray[np.uint64]
    ) -> None:
        """Count messages as lost, elsewhere or doubtful, with their times."""
        np.add.at(kind, channels, 1)
        known = times < np.uint64(END_OF_TIME)
        np.minimum.at(self.first, channels[known], times[known].astype(np.int64))
        np.maximum.at(self.last, channels[known], times[known].astype(np.int64))

    def leave_open(self, start: int = _NEVER, end: int = -1) -> None:
        """Note that more may be lost than is counted, between two log times if they are known."""
        self.open = True
        if 0 <= start <= end < END_OF_TIME:
            self.open_start = min(self.open_start, start)
            self.open_end = max(self.open_end, end)

    def missing(self, counts: Mapping[int, int] | None) -> NDArray[np.int64]:
        """Return how many messages of each channel are lost.

        Args:
            counts: Messages of each channel as the summary says; None without one to rely on.
        """
        if counts is None:
            return self.lost + self.elsewhere
        total = np.zeros(CHANNELS, np.int64)
        total[list(counts)] = [min(count, _NEVER) for count in counts.values()]
        missing: NDArray[np.int64] = np.maximum(total - self.found, self.lost)
        return missing


class Tally(Notes):
    """What a repair of one or several files has lost."""

    def __init__(self) -> None:
        super().__init__()
        self._topics: dict[str, TopicReport] = {}
        self._start = _NEVER

    @property
    def start(self) -> int:
        """Log time of the first message, recovered or lost, nanoseconds; 0 without any."""
        starts = [topic.start for topic in self._topics.values() if topic.start is not None]
        start = min([self._start, *starts])
        return start if start < _NEVER else 0

    def close_file(
        self, file: FileTally, counts: Mapping[int, int] | None, names: Mapping[int, str]
    ) -> None:
        """Add up what a file has lost.

        Args:
            file: Its messages.
            counts: Messages of each channel as its summary says; None without one to rely on.
            names: Topics of the channels.
        """
        self._start = min(self._start, file.start)
        missing = file.missing(counts)
        exact = counts is not None or not file.open
        for key in np.flatnonzero(missing + file.doubtful + file.found).tolist():
            first, last = int(file.first[key]), int(file.last[key])
            if file.open and (missing[key] > file.lost[key] or not exact):
                first, last = min(first, file.open_start), max(last, file.open_end)
            self._add(
                TopicReport(
                    names.get(key, f'channel {key}, of which the topic is lost'),
                    0,
                    int(file.doubtful[key]),
                    int(missing[key]),
                    exact,
                    first if first <= last else None,
                    last if first <= last else None,
                )
            )
        if not exact:
            known = 0 <= file.open_start <= file.open_end
            start = file.open_start if known else None
            end = file.open_end if known else None
            self._add(TopicReport('(unknown topics)', 0, 0, 0, False, start, end))

    def topics(self, recovered: Mapping[str, int]) -> tuple[TopicReport, ...]:
        """Return the topics, given how many messages of each are in the new bag."""
        names = Counter(recovered)
        names.update(dict.fromkeys(self._topics, 0))
        return tuple(
            replace(self._topics.get(name, TopicReport(name, 0)), recovered=count)
            for name, count in names.items()
        )

    def _add(self, new: TopicReport) -> None:
        old = self._topics.get(new.topic, new)
        if old is not new:
            starts = [time for time in (old.start, new.start) if time is not None]
            ends = [time for time in (old.end, new.end) if time is not None]
            new = TopicReport(
                new.topic,
                0,
                old.doubtful + new.doubtful,
                old.lost + new.lost,
                old.exact and new.exact,
                min(starts, default=None),
                max(ends, default=None),
            )
        self._topics[new.topic] = new
