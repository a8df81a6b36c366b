# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which live topic gives which modality."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.modalities import BUILTIN, Modalities
from m2r2_ros.readers.guessing import MODALITY_TYPES, guess_topics, with_type
from m2r2_ros.readers.topics import TopicSpec, as_trained, expected_topic, fitted
from m2r2_ros.replay.driver import modalities_to_read

#: Why a topic was taken, as diagnostics and the log say it.
GIVEN: Final = 'given'
MODEL: Final = 'as the model was trained on'
GUESSED: Final = 'guessed'


class Discovery:
    """Resolves modalities to topics as these appear; what is resolved stays so.

    A topic that the user gave is waited for. Otherwise the topic that the model was trained on is
    taken, in the node's namespace or as it was; where it does not appear in time, one whose type
    and name fit, as for a recording.

    Attributes:
        resolved: Topics by modality.
        origin: Why each of them was taken, GIVEN, MODEL or GUESSED.
        refused: Why a given topic cannot be taken, by modality.
    """

    def __init__(
        self,
        modalities: Modalities,
        given: Mapping[str, TopicSpec],
        expected: Mapping[str, Mapping[str, Any]],
        namespace: str,
        resolve: Callable[[str], str] = str,
    ) -> None:
        """Begin without topics.

        Args:
            modalities: What the windows hold.
            given: Specs that the user gave, with full topic names; without topic where it is off.
            expected: Topics of the bundle, by modality.
            namespace: Of the node; outside of it nothing is guessed.
            resolve: From a topic name to what it is remapped to.
        """
        self._given = given
        self.refused: dict[str, str] = {}
        self.want(modalities, expected)
        self._prefix, self._resolve = namespace.rstrip('/'), resolve
        self.resolved: dict[str, TopicSpec] = {}
        self.origin: dict[str, str] = {}

    def want(self, modalities: Modalities, expected: Mapping[str, Mapping[str, Any]]) -> None:
        """Look for other modalities from now on, as another model wants them."""
        self._modalities, self._expected = modalities, expected

    def forget(self) -> None:
        """Forget all topics and look for them again."""
        self.resolved.clear()
        self.refused.clear()
        self.origin.clear()

    @property
    def missing(self) -> dict[str, str]:
        """The modalities without a topic, and the topic that is waited for or ''."""
        expected = {m: self._expected.get(m, {}).get('topic', '') for m in self._unresolved}
        return {m: self._given[m].topic if m in self._given else t for m, t in expected.items()}

    @property
    def _unresolved(self) -> list[str]:
        """The modalities that a topic is looked for."""
        wanted = modalities_to_read(self._modalities, self._given, self.resolved)
        found = [m for m in wanted if m not in self.resolved and m not in self.off]
        # A twist of one's own that was made from a pose in training has no topic to look for.
        return [
            m
            for m in found
            if m in BUILTIN or m in self._given or m in self._expected or not wanted[m].derived_from
        ]

    @property
    def expected(self) -> set[str]:
        """The topics that the model was trained on, as they may be called here."""
        names = {entry['topic'] for entry in self._expected.values()}
        return {self._resolve(prefix + name) for name in names for prefix in ('', self._prefix)}

    @property
    def off(self) -> set[str]:
        """The modalities that the user switched off."""
        return {m for m, spec in self._given.items() if not spec.topic}

    def look(self, available: Mapping[str, str], *, guess: bool) -> list[TopicSpec]:
        """Return what can be resolved now.

        Args:
            available: Types of the topics that are published.
            guess: Whether those that the model expects were waited for long enough.
        """
        found = self._known(available)
        if guess:
            found |= self._guessed(available, found)
        # A pose that is only to stand in for the twist is of no use beside one.
        read = modalities_to_read(self._modalities, self._given, {*self.resolved, *found})
        found = {m: topic for m, topic in found.items() if m in read}
        taken = []
        for modality, (spec, origin) in found.items():
            spec = as_trained(spec, self._expected.get(modality, {}))
            try:
                spec = fitted(spec, read[modality])
            except ConfigError as error:  # the other modalities must not wait for this one
                self.refused[modality] = str(error)
                continue
            self.resolved[modality], self.origin[modality] = spec, origin
            taken.append(spec)
        return taken

    def _known(self, available: Mapping[str, str]) -> dict[str, tuple[TopicSpec, str]]:
        found = {}
        for modality in self._unresolved:
            if modality in self._given:
                try:
                    spec = with_type(self._given[modality], available)
                except ConfigError as error:  # the other modalities must not wait for this one
                    self.refused[modality] = str(error)
                    continue
                if spec.topic in available:
                    found[modality] = (spec, GIVEN)
                continue
            if modality not in self._expected:
                continue
            usual = expected_topic(modality, self._expected[modality])
            types = (usual.type, *MODALITY_TYPES.get(usual.convention, ()))
            for name in dict.fromkeys((self._prefix + usual.topic, usual.topic)):
                topic = self._resolve(name)
                if (kind := available.get(topic)) in types:
                    # What else was said is of the type that the model was trained on.
                    spec = usual if kind == usual.type else TopicSpec(modality, '')
                    found[modality] = (replace(spec, topic=topic, type=kind), MODEL)
                    break
        return found

    def _guessed(
        self, available: Mapping[str, str], found: Mapping[str, tuple[TopicSpec, str]]
    ) -> dict[str, tuple[TopicSpec, str]]:
        inside = {
            topic: kind for topic, kind in available.items() if topic.startswith(f'{self._prefix}/')
        }
        wanted = [m for m in self._unresolved if m not in self._given and m not in found]
        taken = {**self.resolved, **{m: spec for m, (spec, _) in found.items()}}
        guesses = guess_topics(inside, taken, wanted)
        return {m: (guesses[m], GUESSED) for m in wanted if m in guesses}
