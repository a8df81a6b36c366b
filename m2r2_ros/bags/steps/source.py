# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An episode as one source of a recording."""

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from m2r2_ros.bags.source import ALWAYS, FilePart, Span, Topic
from m2r2_ros.bags.steps.stream import StepStream


class StepSource:
    """An episode of a dataset; see Source."""

    def __init__(self, path: Path, streams: Sequence[StepStream], notes: Sequence[str]) -> None:
        """Join the streams of an episode.

        Args:
            path: The file that the steps are in.
            streams: Its topics.
            notes: What there is to say about it besides what they say.
        """
        self.path = path
        self.truncated = False
        self.unreadable: dict[str, str] = {}
        self._streams = streams
        self.topics: dict[str, Topic] = {t.name: t for s in streams for t in s.topics}
        filled = [s for s in streams if any(t.count for t in s.topics)]
        self.start = min((s.start for s in filled), default=0)
        self.end = max((s.end for s in filled), default=0)
        self.message_count = sum(t.count for t in self.topics.values())
        told = [*notes, *(note for s in streams for note in s.notes)]
        self.notes = tuple(dict.fromkeys(told))

    def parts(self, topics: Collection[str], span: Span = ALWAYS) -> Iterator[FilePart]:
        """Yield parts of the streams; see Source. Only what is asked for is decoded."""
        wanted = [s.parts(topics, span) for s in self._streams if _serves(s, topics)]
        for order, part in enumerate(heapq.merge(*wanted, key=lambda part: part.start)):
            if part.start >= span.until:
                return
            yield replace(part, order=order)


def _serves(stream: StepStream, topics: Collection[str]) -> bool:
    return any(topic.name in topics for topic in stream.topics)
