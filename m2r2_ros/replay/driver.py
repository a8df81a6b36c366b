# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one way from serialised messages to frame windows, live and from a recording."""

from collections import Counter
from collections.abc import Callable, Collection, Container, Sequence

import numpy as np

from m2r2_ros.core.messages import MessageBlock
from m2r2_ros.core.samples import Samples
from m2r2_ros.core.time import SECOND
from m2r2_ros.core.windows import FrameWindows
from m2r2_ros.readers.registry import Reader
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.windows.assembler import WindowAssembler
from m2r2_ros.windows.config import WindowConfig


def lacks_twist(modalities: Collection[str], given: Container[str], served: Container[str]) -> bool:
    """Return whether the pose, where there is one, stands in for a twist that no topic has.

    A twist whose topic is given is waited for, and one that is switched off stays off.

    Args:
        modalities: What the windows hold.
        given: Modalities whose topic is given, or that are switched off.
        served: Modalities that have a topic.
    """
    return 'twist' in modalities and 'twist' not in given and 'twist' not in served


def modalities_to_read(
    modalities: Collection[str], given: Container[str], served: Container[str]
) -> tuple[str, ...]:
    """Return the modalities whose topics are read: one more where the twist needs the pose."""
    needs_pose = lacks_twist(modalities, given, served) and 'pose' not in modalities
    return (*modalities, 'pose') if needs_pose else tuple(modalities)


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
        modalities: Collection[str],
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
        self._modalities, self._given, self._on_samples = modalities, given, on_samples
        self.assembler = WindowAssembler(config, modalities)
        self.topics: dict[str, TopicSpec] = {}
        self.log_offset = 0
        self._readers: dict[str, tuple[str, Reader]] = {}
        self._begun = False

    @property
    def modalities(self) -> list[str]:
        """The modalities that are read at present, in the order in which they were added."""
        return [modality for modality, _ in self._readers.values()]

    @property
    def derives_twist(self) -> bool:
        """Whether the twist is made from the pose, since no topic has one."""
        return self.assembler.derives_twist

    @property
    def counters(self) -> Counter[str]:
        """Windows, masks and drops by '<modality>.<reason>'."""
        return self.assembler.counters

    def add(self, spec: TopicSpec, reader: Reader) -> None:
        """Read a topic from now on."""
        self.topics[spec.modality] = spec
        lacking = lacks_twist(self._modalities, self._given, self.topics)
        self.assembler.derives_twist = lacking and 'pose' in self.topics
        self._readers[spec.topic] = (spec.modality, reader)
        # The pose may have stood in for a twist that has come now: it would go on moving the clock.
        read = modalities_to_read(self._modalities, self._given, self.topics)
        self._readers = {t: r for t, r in self._readers.items() if r[0] in read}

    def awaits(self, topics: Collection[str]) -> bool:
        """Return whether messages of these topics may complete a window."""
        awaited = self.assembler.awaited
        return any(self._readers[t][0] in awaited for t in topics if t in self._readers)

    def push(self, blocks: Sequence[MessageBlock]) -> FrameWindows:
        """Take messages that came after all before, and return the windows that they complete.

        Args:
            blocks: One of each topic at most; topics that are not read are ignored.
        """
        blocks = [block for block in blocks if block.topic in self._readers]
        samples: dict[str, Samples] = {}
        for block in blocks:
            modality, reader = self._readers[block.topic]
            samples[modality] = reader.decode(block)
            self._on_samples(modality, samples[modality])
        if not self._begun:
            self._note_offset(blocks, list(samples.values()))
        return self.assembler.push(samples)

    def flush(self) -> FrameWindows:
        """Return the windows up to the newest sample without waiting for any topic."""
        return self.assembler.flush()

    def _note_offset(self, blocks: Sequence[MessageBlock], samples: Sequence[Samples]) -> None:
        """Compare log time and stamp of the first message that holds a sample."""
        firsts = []
        for block, found in zip(blocks, samples, strict=True):
            if len(found.stamps):
                row = int(np.searchsorted(block.arrival, found.arrival[0]))
                offset = int(block.log_times[row] - found.stamps[0])
                firsts.append((int(found.arrival[0]), offset))
        if firsts:
            self._begun = True
            _, offset = min(firsts)
            self.log_offset = offset if abs(offset) >= SECOND else 0
