# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of the segmenter node: every stream, every stage, every loss by its reason."""

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from m2r2_ros.nodes.common.status import ERROR, OK, WARN, Status
from m2r2_ros.nodes.segmenter.labelling import STAGES, Labelling

if TYPE_CHECKING:  # needs ROS
    from m2r2_ros.nodes.segmenter.streams import Streams

#: Diagnoses in which a loss is reported.
_REMEMBERED: Final = 5


class LiveStatus:
    """Turns counters into diagnoses; keeps some of the past, to know what is new."""

    def __init__(self) -> None:
        """Begin without a past."""
        self._past: deque[Counter[str]] = deque([Counter()], maxlen=_REMEMBERED)
        self._labels: deque[int] = deque([0], maxlen=2)

    def collect(self, labelling: Labelling, streams: 'Streams', now: int) -> list[Status]:
        """Return the state of the labels and of each stream; to be called once a second.

        Args:
            labelling: The work.
            streams: The subscriptions.
            now: The ROS time, nanoseconds.
        """
        counters = labelling.counters
        for modality, inlet in streams.inlets.items():
            counters[f'{modality}.lost'] = inlet.lost
        recent = counters - self._past[0]
        self._past.append(counters)
        self._labels.append(labelling.labels)
        return [
            self._labelling(labelling, recent, counters),
            *(
                _stream(m, labelling, streams, recent, counters, now)
                for m in streams.inlets
                if m in labelling.windows.health
            ),
            *unserved(streams),
        ]

    def _labelling(
        self, labelling: Labelling, recent: Counter[str], counters: Counter[str]
    ) -> Status:
        new = self._labels[-1] - self._labels[0]
        level, message = OK, f'{new} labels/s'
        if labelling.last is not None:
            message = f'{labelling.last.label}; {message}'
        if failed := recent['steps.failed']:
            level, message = ERROR, f'labelling failed {failed} times: the log says why'
        elif resets := recent['clock.resets']:
            level, message = WARN, f'the clock of the data jumped {resets} times: started again'
        elif skipped := recent['windows.skipped']:
            level = WARN
            message = f'{skipped} windows skipped: labelling takes longer than frames come'
        elif labelling.slowest > labelling.period:
            level = WARN
            message = (
                f'labels are up to {labelling.slowest:.3f} s late, more than the frame period of '
                f'{labelling.period:g} s: see the ages of the streams and the stages'
            )
        elif not new:
            level, message = WARN, 'no labels: no stream has data'
        values = {
            'model': labelling.model.id,
            'labels': str(labelling.labels),
            'windows': str(counters['windows']),
            'windows skipped': str(counters['windows.skipped']),
            'steps failed': str(counters['steps.failed']),
            'queue': f'{labelling.queue} messages',
            'clock resets': str(counters['clock.resets']),
            'latency p50': f'{labelling.latencies.percentile(50):.4f} s',
            'latency p99': f'{labelling.latencies.percentile(99):.4f} s',
            'latency slowest': f'{labelling.slowest:.4f} s',
        }
        labelling.queue, labelling.slowest = 0, 0.0
        for stage in STAGES:
            took = labelling.durations[stage]
            p50, p99 = took.percentile(50) * 1e3, took.percentile(99) * 1e3
            values[f'{stage} p50'] = f'{p50:.2f} ms'
            values[f'{stage} p99'] = f'{p99:.2f} ms'
        return Status('labels', level, message, values)


def _stream(
    modality: str,
    labelling: Labelling,
    streams: 'Streams',
    recent: Counter[str],
    counters: Counter[str],
    now: int,
) -> Status:
    inlet, health = streams.inlets[modality], labelling.windows.health[modality]
    health.update()
    reasons = {k.partition('.')[2]: n for k, n in recent.items() if k.startswith(f'{modality}.')}
    max_age = labelling.model.windows.max_age[modality]
    age, publishers = health.age(now), len(inlet.publishers)
    level, message = OK, f'{health.rate:.1f} Hz'
    if not publishers:
        level, message = WARN, f'{inlet.topic} has no publisher: masked'
    elif not health.count:
        level, message = WARN, f'no usable message has come on {inlet.topic}'
    elif age > max_age:
        level, message = WARN, f'silent for {age:.2f} s: masked after {max_age:g} s'
    elif reasons:
        level = WARN
        message = ', '.join(f'{reason} {n}' for reason, n in sorted(reasons.items()))
    elif publishers > 1:
        level, message = WARN, f'{publishers} publishers on {inlet.topic}: expected one'
    drops = {
        k.partition('.')[2]: n for k, n in sorted(counters.items()) if k.startswith(f'{modality}.')
    }
    values = {
        'topic': inlet.topic,
        'type': inlet.type_name,
        'chosen': streams.discovery.origin.get(modality, ''),
        'publishers': str(publishers),
        'reliability': 'reliable' if inlet.reliable else 'best effort',
        'messages': str(health.count),
        'rate': f'{health.rate:.2f} Hz',
        'jitter': f'{health.jitter * 1e3:.3f} ms',
        'age': f'{age:.3f} s',
        'gaps': str(health.gaps),
        'longest gap': f'{health.longest_gap:.3f} s',
        **{reason: str(n) for reason, n in drops.items()},
    }
    return Status(modality, level, message, values)


def unserved(streams: 'Streams') -> list[Status]:
    """Return the state of the modalities without a topic, and why topics cannot be used."""
    refused = [Status('topics', ERROR, reason) for reason in streams.refused]
    return refused + [_missing(m, topic) for m, topic in streams.discovery.missing.items()]


def _missing(modality: str, topic: str) -> Status:
    where = f'{topic} is not published' if topic else 'no topic fits; name one in the topic map'
    return Status(modality, WARN, f'{where}: masked', {'topic': topic})
