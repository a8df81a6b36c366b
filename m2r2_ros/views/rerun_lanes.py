# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Label lanes for the Rerun viewer, in a file that joins the recording that they are of."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.labels import LabelSet, Segment, colours_of
from m2r2_ros.core.palette import hex_colour
from m2r2_ros.views.rows import Labels, segments_in

#: Application id: files with the same one and the same recording id are shown as one recording.
APPLICATION: Final = 'm2r2'
#: Timelines that `rerun mcap convert` makes. Labels have the stamps of the recording's headers.
TIMELINES: Final = ('message_log_time', 'message_publish_time', 'ros2_timestamp')
#: Below which entity the lanes are.
ROOT: Final = 'labels'


def write_lanes(
    out: Path, name: str, lanes: Mapping[str, Labels], label_set: LabelSet | None
) -> None:
    """Write an .rrd with a lane for each row of labels; an older one is replaced.

    Args:
        out: File to write.
        name: Recording id.
        lanes: Labels by what their lane is called.
        label_set: Labels that have their colours in any case.

    Raises:
        ConfigError: The Rerun SDK is not installed, or too old.
    """
    rerun = _rerun()
    segments = {lane: segments_in(labels) for lane, labels in lanes.items()}
    used = {s.label for found in segments.values() for s in found}
    colours = {k: hex_colour(c) for k, c in colours_of(label_set, used).items() if k in used}
    # As numbers of 32 bits: a list of three or four would be taken for one colour.
    rgba = np.array([int(f'{colour[1:]}ff', 16) for colour in colours.values()], np.uint32)
    with atomic_write(out) as draft:
        stream = rerun.RecordingStream(APPLICATION, recording_id=name, send_properties=False)
        stream.save(draft)
        for lane, found in segments.items():
            path = rerun.new_entity_path([ROOT, lane])
            style = rerun.StateConfiguration(values=list(colours), colors=rgba)
            stream.log(path, style, static=True)
            changes = state_changes(found)
            stamps = np.array(list(changes), 'datetime64[ns]')
            stream.send_columns(
                path,
                indexes=[rerun.TimeColumn(timeline, timestamp=stamps) for timeline in TIMELINES],
                columns=rerun.StateChange.columns(state=list(changes.values())),
            )
        stream.flush()
        stream.disconnect()


def state_changes(segments: Sequence[Segment]) -> dict[int, str]:
    """Return the label that begins at each stamp, '' where one ends and none begins.

    Args:
        segments: In order of start; where two overlap, the later start wins.
    """
    changes: dict[int, str] = {}
    for k, segment in enumerate(segments):
        changes[segment.start] = segment.label
        if k + 1 == len(segments) or segment.end < segments[k + 1].start:
            changes[segment.end] = ''
    return changes


def _rerun() -> Any:  # noqa: ANN401 - not installed everywhere
    """Import the SDK.

    Raises:
        ConfigError: It is not installed, or too old.
    """
    msg = (
        'label lanes for Rerun need its SDK, 0.41 or newer, and Python 3.11 or newer: pip install '
        "'m2r2_ros[rerun]'"
    )
    try:
        rerun = import_module('rerun')
    except ImportError as error:
        raise ConfigError(msg) from error
    if not hasattr(rerun, 'StateConfiguration'):
        msg = f'{msg} (found {getattr(rerun, "__version__", "an older one")})'
        raise ConfigError(msg)
    return rerun
