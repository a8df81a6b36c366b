# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The check of recordings that are there twice, in whatever format and at whatever time."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from m2r2_ros.bags.recording import Recording, open_recording, recording_name
from m2r2_ros.checks.catalogue_entry import CheckFacts
from m2r2_ros.checks.finding import Finding, NotRun, Result, Severity
from m2r2_ros.checks.recording.passing import Pass, blocks_of, stamp_places
from m2r2_ros.checks.recording.stamp_place import SIZE, StampPlace
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.text import listed
from m2r2_ros.readers.guessing import never_guessed

DUPLICATE: Final = 'set.duplicate'
DUPLICATE_FACTS: Final = CheckFacts(
    DUPLICATE, 'Two recordings have the same content.', (Severity.WARNING,)
)
#: Messages of one length are taken together up to so many bytes each.
_SHORT: Final = 4096
_NO_STAMP: Final = bytes(SIZE)

#: Type and messages by topic: what differs in these differs in content.
_Outline = frozenset[tuple[str, str, int]]


def duplicate_results(
    paths: Sequence[Path], progress: Callable[[Path, float], None] = lambda path, share: None
) -> list[Result]:
    """Return which recordings have the same messages, in the same order.

    Labels are left out, and neither the format of files counts nor when the recording was made:
    log times are not compared, and stamps are taken out of messages. Only recordings that could be
    the same, by their topics and counts, are read.

    Args:
        paths: Recordings.
        progress: Called with a recording that is read and the share of it that is done.
    """
    results: list[Result] = []
    alike: dict[_Outline, list[Recording]] = defaultdict(list)
    for path in paths:
        try:
            recording = open_recording(path)
        except M2R2Error as error:
            results.append(NotRun(DUPLICATE, f'{recording_name(path)} cannot be opened: {error}'))
            continue
        if outline := _outline(recording):
            alike[outline].append(recording)
    for group in alike.values():
        if len(group) > 1:
            results += _same(group, progress)
    return results


def content_of(
    recording: Recording, progress: Callable[[float], None] = lambda share: None
) -> dict[str, bytes] | None:
    """Return a digest of the messages of each topic, whatever stores them and whenever they are of.

    Topics of transforms are left out, whose messages hold as many stamps as they like, unless there
    is nothing else.

    Returns:
        None where not all of it can be read.
    """
    names = [n for n in recording.readable if _counts(n) and recording.topics[n].count]
    places = stamp_places(recording, names)
    several = {name for name, place in places.items() if not place.single}
    names = [name for name in names if name not in several] or names
    digests: dict[str, blake2b] = {name: blake2b(digest_size=16) for name in names}
    outcome = Pass()
    length = max(recording.end - recording.start, 1)
    for blocks in blocks_of(recording, names, outcome):
        for block in blocks:
            _take(digests[block.topic], block, places.get(block.topic))
        newest = max(int(block.log_times[-1]) for block in blocks)
        progress(min((newest - recording.start) / length, 1.0))
    if outcome.unread or outcome.stopped:
        return None
    return {name: digest.digest() for name, digest in digests.items()}


def _same(group: Sequence[Recording], progress: Callable[[Path, float], None]) -> list[Result]:
    """Compare recordings that are alike."""
    results: list[Result] = []
    same: dict[frozenset[tuple[str, bytes]], list[str]] = defaultdict(list)
    for recording in group:
        content = content_of(recording, lambda share, at=recording.path: progress(at, share))  # type: ignore[misc]
        if content is None:
            results.append(NotRun(DUPLICATE, f'{recording.name} cannot be read as a whole'))
        else:
            same[frozenset(content.items())].append(_called(recording, group))
    for names in same.values():
        if len(names) > 1:
            text = f'{listed(names)} have the same content'
            results.append(
                Finding(
                    DUPLICATE, Severity.WARNING, text, measured=float(len(names)), threshold=1.0
                )
            )
    return results


def _called(recording: Recording, group: Sequence[Recording]) -> str:
    """Return the name of a recording, and where it is if others are called so, too."""
    alone = sum(other.name == recording.name for other in group) == 1
    return recording.name if alone else str(recording.path)


def _outline(recording: Recording) -> _Outline:
    return frozenset(
        (name, topic.type_name, topic.count)
        for name, topic in recording.topics.items()
        if topic.count and _counts(name)
    )


def _counts(topic: str) -> bool:
    """Return whether a topic is content: labels may be added to a copy."""
    return never_guessed(topic) != 'labels'


def _take(digest: blake2b, block: MessageBlock, place: StampPlace | None) -> None:
    """Add messages to a digest, which does not depend on how they are cut into blocks."""
    size = int(block.lengths[0])
    fits = place is None or size >= place.at + SIZE
    if size <= _SHORT and fits and bool((block.lengths == size).all()):
        rows = block.data[block.offsets[:, None] + np.arange(size)]
        if place:
            rows[:, place.at : place.at + SIZE] = 0
        digest.update(rows.tobytes())
        return
    for k in range(len(block)):
        raw = block.message(k)
        if place and len(raw) >= place.at + SIZE:
            digest.update(raw[: place.at].data)
            digest.update(_NO_STAMP)
            raw = raw[place.at + SIZE :]
        digest.update(raw.data)
