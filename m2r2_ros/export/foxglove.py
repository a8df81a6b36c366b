# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments as events of Foxglove: requests to its API, and messages that it shows as events."""

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.time import SECOND
from m2r2_ros.export.choosing import OutcomeKind
from m2r2_ros.export.labelled import Labelled
from m2r2_ros.readers.definitions import store_for, type_hash

EVENTS_TOPIC: Final = '/action_events'
_EVENT: Final = 'foxglove_msgs/msg/Event'
#: The fields of the schema that Foxglove knows by the name of its type.
_DEFINITION: Final = f"""\
builtin_interfaces/Time start_time
builtin_interfaces/Time end_time
foxglove_msgs/KeyValuePair[] metadata
{'=' * 80}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
{'=' * 80}
MSG: foxglove_msgs/KeyValuePair
string key
string value
"""


def write_events(path: Path, recordings: Sequence[Labelled], device: str) -> int:
    """Write a request body for each segment, one a line; returns how many there are.

    Args:
        path: File to write.
        recordings: With their labels.
        device: Name of the device, with {name} for that of the recording.

    Raises:
        LabelError: A time is no date.
        OutputError: The file cannot be written.
    """
    count = 0
    with atomic_write(path) as draft, draft.open('w', encoding='utf-8') as file:
        for one in recordings:
            for segment in one.segments:
                body = {
                    'deviceName': device.replace('{name}', one.name),
                    'start': _date(segment.start, one),
                    'end': _date(segment.end, one),
                    'metadata': _facts(segment, one),
                }
                file.write(json.dumps(body, ensure_ascii=False) + '\n')
                count += 1
    return count


def write_event_bag(path: Path, labelled: Labelled, *, overwrite: bool = False) -> None:
    """Write a bag with a foxglove_msgs/msg/Event for each segment, to be opened beside another.

    Raises:
        BagError: It cannot be written.
    """
    store = store_for(_EVENT, _DEFINITION)
    types = store.types
    with BagWriter(path, overwrite=overwrite, discard_failed=True) as bag:
        hashed = type_hash(_EVENT, _DEFINITION)
        bag.add_topic(EVENTS_TOPIC, _EVENT, definition=_DEFINITION, type_hash=hashed)
        for segment in labelled.segments:
            pair = types['foxglove_msgs/msg/KeyValuePair']
            facts = [pair(key=key, value=value) for key, value in _facts(segment, labelled).items()]
            times = [
                types['builtin_interfaces/msg/Time'](*divmod(time, SECOND))
                for time in (segment.start, segment.end)
            ]
            event: Any = types[_EVENT](*times, facts)
            bag.write(EVENTS_TOPIC, bytes(store.serialize_cdr(event, _EVENT)), segment.start)


def _facts(segment: Segment, labelled: Labelled) -> dict[str, str]:
    """Return the metadata of an event, which are texts."""
    parent = labelled.parent_of(segment.label)
    return {
        'label': segment.label,
        **({'parent': parent} if parent else {}),
        'confidence': f'{segment.confidence:.6g}',
        'outcome': OutcomeKind.of(segment).value,
        'recording': labelled.name,
        'start_ns': str(segment.start),
        'end_ns': str(segment.end),
    }


def _date(time: int, labelled: Labelled) -> str:
    """Return a time as RFC 3339 with all its nanoseconds, UTC."""
    seconds, rest = divmod(time, SECOND)
    try:
        date = datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, OSError, ValueError) as error:
        msg = f'{labelled.source}: {time} ns is no date: expected nanoseconds since 1970'
        raise LabelError(msg) from error
    return f'{date:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z'
