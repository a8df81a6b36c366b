# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of the recorder: the bag, the disk, every topic and every loss."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from m2r2_ros.bags.writing.snapshot import Snapshot
from m2r2_ros.nodes.common.status import ERROR, OK, WARN, Status

if TYPE_CHECKING:  # need ROS
    from m2r2_ros.nodes.recorder.inlets import Inlets
    from m2r2_ros.nodes.recorder.session import RecordingSession


@dataclass(slots=True)
class Intake:
    """How messages come in.

    Attributes:
        queue: Most messages that were taken in one step since the last diagnosis.
        waiting: There is no ROS time yet to record with.
        undated: Messages dropped because there never was one.
    """

    queue: int = 0
    waiting: bool = False
    undated: int = 0


def statuses(session: 'RecordingSession', inlets: 'Inlets', intake: Intake) -> list[Status]:
    """Return the state of recording, topics and snapshots; to be called once a second."""
    found = [_recording(session, intake), _topics(session, inlets)]
    if session.ring is not None:
        found.append(_snapshot(session.ring))
    return found


def _recording(session: 'RecordingSession', intake: Intake) -> Status:
    bag, latest = session.bag, session.latest
    level, message = OK, f'recording {bag.path}' if bag else 'stopped'
    if session.fault:
        level, message = ERROR, f'stopped: {session.fault}'
    elif bag and intake.waiting:
        level = WARN
        message = 'use_sim_time is set and nothing has come on /clock: messages wait for it'
    values = {
        'state': 'recording' if bag else 'stopped',
        'bag': str(latest.path) if latest else '',
        'messages': str(sum(latest.counts.values()) if latest else 0),
        'written': f'{latest.size / 1e6 if latest else 0.0:.3f} MB',
        'free': f'{session.free_mb:.0f} MB',
        'queue': f'{intake.queue} messages',
        'without time': f'{intake.undated} messages dropped',
    }
    intake.queue = 0
    return Status('recording', level, message, values)


def _topics(session: 'RecordingSession', inlets: 'Inlets') -> Status:
    counts = session.latest.counts if session.latest else {}
    lost = {topic: inlet.lost for topic, inlet in inlets.open.items() if inlet.lost}
    faults = [f'{topic} lost {count} messages' for topic, count in lost.items()]
    faults += inlets.skipped.values()
    faults += [f'{topic} is not published' for topic in inlets.missing if session.needed]
    if session.needed and not inlets.open and not faults:
        faults = ['no topic to record is published']
    values = {
        topic: f'{counts.get(topic, 0)} messages, {lost.get(topic, 0)} lost'
        for topic in inlets.open or counts
    }
    message = '; '.join(faults) or f'{len(values)} topics'
    return Status('topics', WARN if faults else OK, message, values)


def _snapshot(ring: Snapshot) -> Status:
    values = {'seconds': f'{ring.seconds:.3f}', 'memory': f'{ring.size / 1e6:.3f} MB'}
    return Status('snapshot', OK, f'holds the last {ring.seconds:.1f} s', values)
