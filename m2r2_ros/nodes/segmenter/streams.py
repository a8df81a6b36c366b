# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The subscriptions of the segmenter node: found, read and followed."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from rclpy.node import Node

from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.common.checks import topic_name
from m2r2_ros.nodes.common.graph import installed_definition
from m2r2_ros.nodes.common.intake import Inlet
from m2r2_ros.nodes.common.received import Received
from m2r2_ros.nodes.segmenter.discovery import Discovery
from m2r2_ros.readers.registry import Reader, make_reader
from m2r2_ros.readers.topics import STRING, TopicSpec, topics_of
from m2r2_ros.segmenters.model import Model


class Streams:
    """A reader for each modality that has a topic, and an inlet for each topic.

    Attributes:
        given: Topics that the user named, by modality, with full names; '' where it is off.
        discovery: Which topic gives which modality.
        sources: Topic and reader by modality; replaced, never changed, so that another thread may
            read it.
        inlets: Subscriptions by topic; replaced as well.
        refused: Why topics cannot be used.
    """

    def __init__(self, node: Node, given: Mapping[str, TopicSpec], model: Model) -> None:
        """Begin without subscriptions.

        Args:
            node: Subscribes.
            given: Topics that the user named; relative ones are in the node's namespace.
            model: What wants them.

        Raises:
            ConfigError: The user named what cannot be a topic.
        """
        self._node = node
        self.given = {
            m: replace(spec, topic=topic_name(node, spec.topic, m)) if spec.topic else spec
            for m, spec in given.items()
        }
        self.inlets: Mapping[str, Inlet] = {}
        self.sources: Mapping[str, tuple[TopicSpec, Reader]] = {}
        self.refused: tuple[str, ...] = ()
        self.discovery = Discovery(
            model.modalities,
            self.given,
            model.topics,
            node.get_namespace(),
            node.resolve_topic_name,
        )

    @property
    def complete(self) -> bool:
        """Whether every modality that is not switched off has a topic."""
        return not self.discovery.missing

    @property
    def serving(self) -> dict[str, Inlet]:
        """The inlet of each modality's own topic."""
        return {name: self.inlets[spec.topic] for name, (spec, _) in self.sources.items()}

    @property
    def named(self) -> set[str]:
        """Full names of the topics that the user gave, and of those that the model expects."""
        return {spec.topic for spec in self.given.values()} | self.discovery.expected

    def want(self, model: Model) -> None:
        """Look for what another model wants; what is subscribed to stays."""
        self.discovery.want(model.modalities, model.topics)

    def look(self, available: Mapping[str, str], *, guess: bool) -> None:
        """Subscribe to what has appeared, and follow the publishers of the rest.

        Args:
            available: Types by topic name.
            guess: Whether topics may be guessed by now.
        """
        logger = self._node.get_logger()
        for inlet in self.inlets.values():
            if inlet.refresh():
                logger.warning(f'{inlet.topic}: publishers offer another QoS; resubscribed')
        found = self.discovery.look(available, guess=guess)
        for reason in self.discovery.refused.values():
            self._refuse(reason)
        for spec in found:
            try:
                reader = make_reader(spec, spec.type, installed_definition(spec.type))
                self._subscribe(spec)
            except (M2R2Error, RuntimeError) as error:  # the latter from the middleware
                self._refuse(f'{spec.topic}: {error}')
                continue
            self.sources = {**self.sources, spec.modality: (spec, reader)}
            origin = self.discovery.origin[spec.modality]
            logger.info(f'{spec.modality}: {spec.topic} ({spec.type}), {origin}')

    def _subscribe(self, spec: TopicSpec) -> None:
        """Subscribe to all topics that a modality is read from, and that no other one is.

        Raises:
            M2R2Error: A type is not installed.
            RuntimeError: The middleware refuses.
        """
        for topic in topics_of(spec):
            if topic not in self.inlets:
                kind = STRING if topic == spec.urdf else spec.type
                self.inlets = {**self.inlets, topic: Inlet(self._node, topic, kind)}

    def take(self, topics: Collection[str] | None = None) -> dict[str, list[Received]]:
        """Return what has come, by topic; of all that are subscribed to, or of some of them."""
        return {
            topic: inlet.take()
            for topic, inlet in self.inlets.items()
            if topics is None or topic in topics
        }

    def close(self) -> None:
        """Unsubscribe from everything."""
        for inlet in self.inlets.values():
            inlet.close()
        self.inlets, self.sources, self.refused = {}, {}, ()
        self.discovery.forget()

    def _refuse(self, reason: str) -> None:
        """Say once why a topic cannot be used."""
        if reason not in self.refused:
            self.refused = (*self.refused, reason)
            self._node.get_logger().error(reason)
