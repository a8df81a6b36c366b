# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels to the nanosecond, with outcomes, that `m2r2 export` keeps beside those of steps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from m2r2_ros.bags.steps.truth import StepLabels
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import LabelSet, Segment, label_at
from m2r2_ros.core.numbers import LATEST
from m2r2_ros.core.reading import read_text, reading

_EPISODES: Final = Path('meta', 'm2r2_episodes.jsonl')
_EXPECTED: Final = 'a line of JSON for each episode that was exported'
_MOST_BYTES: Final = 1 << 26

#: Segments by the first and the last stamp of an episode, then by its number.
Kept = Mapping[tuple[int, int], Mapping[int, tuple[Segment, ...]]]


def refined(
    dataset: Path, labels: StepLabels, stamps: NDArray[np.int64], number: int
) -> StepLabels:
    """Return the labels as they were before they were exported, where these are still the same.

    Parents are those that were kept in any case: all episodes have the same.

    Args:
        dataset: The folder of the dataset.
        labels: What its steps say.
        stamps: int64 (n,), of the steps, nanoseconds.
        number: Of the episode, which tells those apart that have the same stamps.

    Raises:
        BagError: What was kept cannot be read.
    """
    path = dataset / _EPISODES
    if not path.is_file():
        return labels
    status = path.stat()
    found, parents = _read(path, status.st_mtime_ns, status.st_size)
    alike = found.get((int(stamps[0]), int(stamps[-1])), {})
    # Numbers are others where episodes were taken out since then.
    segments = alike.get(number, next(iter(alike.values())) if len(alike) == 1 else ())
    # Whoever changed the labels of the steps since then knows better.
    if not segments or label_at(segments, stamps) != label_at(labels.segments, stamps):
        segments = labels.segments
    names = tuple(dict.fromkeys([*labels.label_set.names, *(s.label for s in segments)]))
    known = dict(zip(labels.label_set.names, labels.label_set.parents, strict=True))
    above = tuple(parents.get(name) or known.get(name, '') for name in names)
    return replace(labels, segments=segments, label_set=LabelSet(names, above))


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> tuple[Kept, Mapping[str, str]]:
    """Read what was kept anew when it has changed: segments, and parents by label."""
    text = read_text(path, _EXPECTED, BagError, most=_MOST_BYTES)
    found: dict[tuple[int, int], dict[int, tuple[Segment, ...]]] = {}
    above: dict[str, str] = {}
    with reading(path, _EXPECTED, BagError):
        # Not splitlines: labels hold what else ends lines, such as U+2028, as it is.
        for number, line in enumerate(filter(str.strip, text.split('\n'))):
            entry = json.loads(line)
            rows: Sequence[dict[str, Any]] = entry['segments']
            segments = tuple(sorted(map(_segment, rows), key=lambda s: (s.start, s.end)))
            times = int(entry['first_stamp_ns']), int(entry['last_stamp_ns'])
            found.setdefault(times, {})[entry.get('episode_index', number)] = segments
            above |= {str(row['label']): str(row.get('parent') or '') for row in rows}
    return found, above


def _segment(row: Mapping[str, Any]) -> Segment:
    """Return a segment as it was kept."""
    start, end = row['start_ns'], row['end_ns']
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end < LATEST):
        msg = f'a segment from {start!r:.40} to {end!r:.40}'
        raise ValueError(msg)
    success = row.get('success')
    confidence = float(row.get('confidence', 1.0))
    return Segment(
        start,
        end,
        str(row['label']),
        confidence if 0 <= confidence <= 1 else 1.0,
        success if isinstance(success, bool) else None,
    )
