# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one way from serialised messages to frame windows, live and from a recording."""

from collections import Counter
from collections.abc import Callable, Collection, Container, Sequence

import numpy as np

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.modalities import BUILTIN, Modalities, declared
from m2r2_ros.core.samples import Samples
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.readers.registry import Reader, decode_all
from m2r2_ros.readers.topics import TopicSpec, topics_of
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig


def derived_twists(
    modalities: Modalities, given: Container[str], served: Container[str]
) -> dict[str, str]:
    """Return the twists that no topic has, and the poses that stand in for them, where there are.

    A twist whose topic is given is waited for, and one that is switched off stays off.

    Args:
        modalities: What the windows hold.
        given: Modalities whose topic is given, or that are switched off.
        served: Modalities that have a topic.
    """
    return {
        name: m.derived_from
        for name, m in modalities.items()
        if (m.derived_from in modalities or m.derived_from in BUILTIN)
        and name not in given
        and name not in served
    }


def modalities_to_read(
    modalities: Modalities, given: Container[str], served: Container[str]
) -> Modalities:
    """Return the modalities whose topics are read: more where twists need poses."""
    poses = derived_twists(modalities, given, served).values()
    return {**modalities, **{p: BUILTIN[p] for p in poses if p not in modalities}}


class WindowDriver:
    """Reads messages and assembles windows; topics may be added at any time.

    A robot and its recording differ only in who brings the messages, so both give the same windows.

    Attributes:
        assembler: Makes the windows.
        topics: Those that were added, by modality.
        log_offset: Log time less stamp of the first sample, nanoseconds; 0 where it is under a
            second.
    """

    def __init__(
        self,
        config: WindowConfig,
        modalities: Modalities | Collection[str],
        given: Container[str] = (),
        on_samples: Callable[[str, Samples], None] = lambda modality, samples: None,
    ) -> None:
        """Begin without topics.

        Args:
            config: Shape of the windows.
            modalities: What the windows hold.
            given: Modalities whose topic is given, or that are switched off.
            on_samples: Called with each modality and the samples that were read of it.
        """
        self._modalities, self._given, self._on_samples = declared(modalities), given, on_samples
        self.assembler = WindowAssembler(config, self._modalities)
        self.topics: dict[str, TopicSpec] = {}
        self.log_offset = 0
        self._readers: dict[str, Reader] = {}
        self._served: dict[str, list[str]] = {}
        self._begun = False
        self._first = np.iinfo(np.int64).max

    @property
    def modalities(self) -> list[str]:
        """The modalities that are read at present, in the order in which they were added."""
        return list(self._readers)

    @property
    def derived(self) -> tuple[str, ...]:
        """The twists that are made from poses, since no topic has them."""
        return self.assembler.derived

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks and drops by '<modality>.<reason>'."""
        return self.assembler.counters

    def add(self, spec: TopicSpec, reader: Reader) -> None:
        """Read a topic from now on."""
        self.topics[spec.modality] = spec
        twists = derived_twists(self._modalities, self._given, self.topics)
        self.assembler.derived = [twist for twist, pose in twists.items() if pose in self.topics]
        self._readers[spec.modality] = reader
        # A pose may have stood in for a twist that has come now: it would go on moving the clock.
        read = modalities_to_read(self._modalities, self._given, self.topics)
        self._readers = {name: r for name, r in self._readers.items() if name in read}
        self._served = {}
        for name in self._readers:
            for topic in topics_of(self.topics[name]):
                self._served.setdefault(topic, []).append(name)

    def push(self, blocks: Sequence[MessageBlock]) -> FrameWindows:
        """Take messages that came after all before, and return the windows that they complete.

        Args:
            blocks: One of each topic at most; topics that are not read are ignored.
        """
        own: dict[str, list[MessageBlock]] = {}
        for block in blocks:
            for name in self._served.get(block.topic, ()):
                own.setdefault(name, []).append(block)
        samples: dict[str, Samples] = {}
        for name, parts in own.items():
            samples[name] = decode_all(self._readers[name], parts)
            self._on_samples(name, samples[name])
            if not self._begun:
                self._note_offset(parts, samples[name])
        self._begun = self._begun or any(len(found.stamps) for found in samples.values())
        return self.assembler.push(samples)

    def flush(self) -> FrameWindows:
        """Return the windows up to the newest sample without waiting for any topic."""
        return self.assembler.flush()

    def _note_offset(self, blocks: Sequence[MessageBlock], found: Samples) -> None:
        """Compare log time and stamp of the first message that holds a sample."""
        for block in blocks if len(found.stamps) else ():
            row = int(np.searchsorted(block.arrival, found.arrival[0]))
            if row < len(block) and block.arrival[row] == found.arrival[0]:
                offset = int(block.log_times[row] - found.stamps[0])
                first = int(found.arrival[0])
                if first < self._first:
                    self._first = first
                    self.log_offset = offset if abs(offset) >= SECOND else 0
