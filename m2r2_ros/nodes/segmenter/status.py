# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of the segmenter node: every stream, every stage, every loss by its reason."""

from collections import Counter, deque
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from m2r2_ros.core.modalities import BUILTIN
from m2r2_ros.nodes.common.status import ERROR, OK, WARN, Status
from m2r2_ros.nodes.segmenter.health import StreamHealth
from m2r2_ros.nodes.segmenter.labelling import STAGES, Labelling
from m2r2_ros.readers.topics import TRANSFORMS
from m2r2_ros.segmenters.tally import LabelTally

if TYPE_CHECKING:  # need ROS
    from m2r2_ros.nodes.common.intake import Inlet
    from m2r2_ros.nodes.segmenter.streams import Streams

#: Share of a second's frames without a label that is worth a warning.
_MOST_UNKNOWN: Final = 0.5
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
        for modality, inlet in streams.serving.items():
            counters[f'{modality}.lost'] = inlet.lost
        recent = counters - self._past[0]
        self._past.append(counters)
        self._labels.append(labelling.labels)
        return [
            self._labelling(labelling, recent, counters),
            *(
                _stream(m, labelling, streams, recent, counters, now)
                for m in streams.serving
                if m in labelling.windows.health
            ),
            *_misfits(labelling),
            *failings(labelling),
            *unserved(streams, labelling.windows.driver.derived),
        ]

    def _labelling(
        self, labelling: Labelling, recent: Counter[str], counters: Counter[str]
    ) -> Status:
        new = self._labels[-1] - self._labels[0]
        tally, labelling.tally = labelling.tally, LabelTally()
        level, message = _verdict(labelling, recent, new, tally)
        values = {
            'model': labelling.model.id,
            'labels': str(labelling.labels),
            'windows': str(counters['windows']),
            'windows skipped': str(counters['windows.skipped']),
            'unknown': f'{tally.unknown:.0%}',
            'confidence': f'{tally.confidence:.2f}',
            'steps failed': str(counters['steps.failed']),
            'labels refused': str(counters['labels.non_finite']),
            'queue': f'{labelling.queue} messages',
            'clock resets': str(counters['clock.resets']),
            'latency p50': f'{labelling.latencies.percentile(50):.4f} s',
            'latency p99': f'{labelling.latencies.percentile(99):.4f} s',
            'latency slowest': f'{labelling.slowest:.4f} s',
        }
        labelling.queue, labelling.slowest, labelling.fastest = 0, 0.0, 0.0
        for stage in STAGES:
            took = labelling.durations[stage]
            p50, p99 = took.percentile(50) * 1e3, took.percentile(99) * 1e3
            values[f'{stage} p50'] = f'{p50:.2f} ms'
            values[f'{stage} p99'] = f'{p99:.2f} ms'
        return Status('labels', level, message, values)


def failings(labelling: Labelling) -> list[Status]:
    """Return what the segmenter does otherwise than it was asked to."""
    return [Status('device', WARN, warning) for warning in labelling.model.segmenter.warnings]


def _misfits(labelling: Labelling) -> list[Status]:
    """Return what of the inputs does not fit the training set; nothing where all does."""
    found = labelling.fit.warnings()
    return [Status('inputs', WARN, '; '.join(found))] if found else []


def _verdict(
    labelling: Labelling, recent: Counter[str], new: int, tally: LabelTally
) -> tuple[int, str]:
    """Return level and message for the labels, the worst first."""
    if failed := recent['steps.failed']:
        return ERROR, f'labelling failed {failed} times: the log and the callbacks say why'
    if refused := recent['labels.non_finite']:
        return ERROR, f'{refused} labels refused: NaN or infinite, look at what the sensors send'
    if resets := recent['clock.resets']:
        return WARN, f'the clock of the data jumped {resets} times: started again'
    if skipped := recent['windows.skipped']:
        return WARN, f'{skipped} windows skipped: labelling takes longer than frames come'
    if labelling.slowest > labelling.period:
        return WARN, (
            f'labels are up to {labelling.slowest:.3f} s late, more than the frame period of '
            f'{labelling.period:g} s: see the ages of the streams and the stages'
        )
    if labelling.fastest < -labelling.period:
        return WARN, (
            f'labels are up to {-labelling.fastest:.3f} s ahead of the clock, more than the frame '
            f'period of {labelling.period:g} s: see the ages of the streams'
        )
    if not new:
        return WARN, 'no labels: no stream has data'
    if tally.unknown > _MOST_UNKNOWN:
        reason, count = tally.reasons.most_common(1)[0]
        return WARN, f'{reason} in {count} of {tally.frames} frames, which get no label'
    name = f'{labelling.last.label}; ' if labelling.last is not None else ''
    return OK, f'{name}{new} labels/s'


def _stream(
    modality: str,
    labelling: Labelling,
    streams: 'Streams',
    recent: Counter[str],
    counters: Counter[str],
    now: int,
) -> Status:
    inlet, health = streams.serving[modality], labelling.windows.health[modality]
    health.update()
    modalities = labelling.model.modalities
    max_age = (modalities.get(modality) or BUILTIN[modality]).max_age
    level, message = _stream_verdict(inlet, health, health.age(now), max_age, _of(modality, recent))
    values = {
        'topic': inlet.topic,
        'type': inlet.type_name,
        'chosen': streams.discovery.origin.get(modality, ''),
        'publishers': str(len(inlet.publishers)),
        'reliability': 'reliable' if inlet.reliable else 'best effort',
        'messages': str(health.count),
        'rate': f'{health.rate:.2f} Hz',
        'jitter': f'{health.jitter * 1e3:.3f} ms',
        'age': f'{health.age(now):.3f} s',
        'gaps': str(health.gaps),
        'longest gap': f'{health.longest_gap:.3f} s',
        **{reason: str(n) for reason, n in _of(modality, counters).items()},
    }
    return Status(modality, level, message, values)


def _stream_verdict(
    inlet: 'Inlet', health: StreamHealth, age: float, max_age: float, recent: Mapping[str, int]
) -> tuple[int, str]:
    """Return level and message for a stream, the worst first."""
    publishers = len(inlet.publishers)
    if not publishers:
        return WARN, f'{inlet.topic} has no publisher: masked'
    if not health.count:
        return WARN, f'no usable message has come on {inlet.topic}'
    if age > max_age:
        return WARN, f'silent for {age:.2f} s: masked after {max_age:g} s'
    if age < -max_age:
        return WARN, f'stamps are {-age:.2f} s ahead of the clock: is that of the driver off?'
    if recent:
        return WARN, ', '.join(f'{reason} {n}' for reason, n in recent.items())
    if publishers > 1 and inlet.type_name != TRANSFORMS:
        return WARN, f'{publishers} publishers on {inlet.topic}: expected one'
    return OK, f'{health.rate:.1f} Hz'


def _of(modality: str, counters: Mapping[str, int]) -> dict[str, int]:
    """Return the counters of a modality by reason, in alphabetical order."""
    prefix = f'{modality}.'
    return {k.removeprefix(prefix): n for k, n in sorted(counters.items()) if k.startswith(prefix)}


def unserved(streams: 'Streams', derived: Collection[str] = ()) -> list[Status]:
    """Return the state of the modalities without a topic, and why topics cannot be used.

    Args:
        streams: The subscriptions.
        derived: Twists that are made from poses.
    """
    refused = [Status('topics', ERROR, reason) for reason in streams.refused]
    made = [Status(twist, OK, 'made from the pose') for twist in derived]
    missing = {m: t for m, t in streams.discovery.missing.items() if m not in derived}
    return [*refused, *made, *(_missing(m, topic) for m, topic in missing.items())]


def _missing(modality: str, topic: str) -> Status:
    where = f'{topic} is not published' if topic else 'no topic fits; name one in the topic map'
    return Status(modality, WARN, f'{where}: masked', {'topic': topic})
