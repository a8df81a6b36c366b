# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics the visualizer reads."""

from collections.abc import Iterable, Mapping

from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.topics import TopicSpec


def choose_topics(
    available: Mapping[str, str], given: Mapping[str, str], namespace: str, own: Iterable[str]
) -> dict[str, TopicSpec]:
    """Return the topics that fit best at present.

    Args:
        available: Types of the topics that are published.
        given: Topic of each modality that is wanted, '' for one that is guessed.
        namespace: Outside of it nothing is guessed.
        own: Topics of the asker, which are never guessed.
    """
    inside = {
        topic: kind
        for topic, kind in available.items()
        if topic.startswith(namespace.rstrip('/') + '/') and topic not in own
    }
    named = {m: TopicSpec(m, topic) for m, topic in given.items() if topic}
    chosen = guess_topics(inside, {})
    chosen |= {m: guess_topics(available, {m: spec})[m] for m, spec in named.items()}
    return {modality: chosen[modality] for modality in given if modality in chosen}
