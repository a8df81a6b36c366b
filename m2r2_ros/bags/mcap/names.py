# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topic the messages of a channel go to, where an MCAP file is damaged."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from mcap.records import Channel, Schema

from m2r2_ros.bags.mcap.definitions import Definitions
from m2r2_ros.bags.mcap.records import CHANNELS
from m2r2_ros.bags.mcap.summary import FileSummary
from m2r2_ros.bags.writing.metadata import qos_profiles
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError

#: Topics that an MCAP file can hold.
_MAX_TOPICS: Final = CHANNELS - 1


class Names:
    """Adds topics to a bag as the channels of a file are described.

    A channel is what was last said of it before the message. What the summary says counts as long
    as nothing has been said.

    Attributes:
        unsure: Channels that were described in different ways.
    """

    def __init__(
        self, bag: BagWriter, summary: FileSummary, conflict: Callable[[str, bool], None]
    ) -> None:
        """Begin a file.

        Args:
            bag: The bag.
            summary: What the summary says.
            conflict: Called where descriptions differ, with what is to be said and whether it is
                only the summary that is wrong.
        """
        self.unsure: set[int] = set()
        self._bag, self._conflict = bag, conflict
        self._summary, self._trusted = summary.definitions, summary.valid
        self._seen = Definitions()
        self._topics: dict[int, str] = {}
        self._called: dict[int, list[str]] = {}
        # Topics without messages are part of a recording, too.
        for key in self._summary.channels if summary.valid else ():
            self.topic(key)

    @property
    def all(self) -> dict[int, str]:
        """All names that each channel has had."""
        names = {key: [channel.topic] for key, channel in self._summary.channels.items()}
        return {key: ' or '.join(called) for key, called in (names | self._called).items()}

    def take(self, opcode: int, body: bytes, *, checked: bool) -> bool:
        """Note a schema or channel; return whether nothing else describes it so far.

        Args:
            opcode: Which of them it is.
            body: Its record.
            checked: A checksum says that it is as it was written.

        Raises:
            ValueError: (or another of UNREADABLE) It is invalid.
        """
        new = self._seen.take(opcode, body)
        if isinstance(new, Channel):
            self._take_channel(new, checked=checked)
            return not self._trusted or new.id not in self._summary.channels
        if isinstance(new, Schema):
            self._take_schema(new, checked=checked)
            return not self._trusted or new.id not in self._summary.schemas
        return False

    def topic(self, key: int) -> str | None:
        """Return the topic of a channel; None if it has none that can be written."""
        if key not in self._topics:
            channel = self._seen.channels.get(key) or self._summary.channels.get(key)
            topic = self._added(channel) if channel else None
            if topic is None:
                return None
            if key not in self._seen.channels and not self._trusted:
                self.unsure.add(key)
            self._topics[key] = topic
        return self._topics[key]

    def _take_channel(self, channel: Channel, *, checked: bool) -> None:
        called = self._called.setdefault(channel.id, [])
        if channel.topic not in called and len(called) < 4:
            called.append(channel.topic)
        self._topics.pop(channel.id, None)
        if channel.id in self._seen.ambiguous:
            self.unsure.add(channel.id)
            known = sorted(self._seen.ambiguous[channel.id])
            self._conflict(
                f'channel {channel.id} is described in different ways '
                f'({", ".join(known[:4])}): its messages went by the description before them',
                False,
            )
        elif (other := self._summary.channels.get(channel.id)) is not None and (
            (other.topic, other.schema_id, other.message_encoding)
            != (channel.topic, channel.schema_id, channel.message_encoding)
        ):
            if not checked:
                self.unsure.add(channel.id)
            self._conflict(
                f'channel {channel.id} is {channel.topic} where it is used and {other.topic} in '
                f'the summary, or of another type: its messages went to {channel.topic}',
                checked,
            )
        self.topic(channel.id)

    def _take_schema(self, schema: Schema, *, checked: bool) -> None:
        other = self._summary.schemas.get(schema.id)
        ambiguous = schema.id in self._seen.ambiguous_schemas
        if ambiguous or (other is not None and other != schema):
            self._conflict(
                f'schema {schema.id} ({schema.name}) is described in different ways: the type of '
                'its topics may be wrong',
                checked and not ambiguous,
            )

    def _added(self, channel: Channel) -> str | None:
        """Add the topic of a channel to the bag; returns its name if messages can go there."""
        schema = self._seen.schemas.get(channel.schema_id)
        text = self._seen.texts.get(channel.schema_id)
        if schema is None:
            schema = self._summary.schemas.get(channel.schema_id)
            text = self._summary.texts.get(channel.schema_id)
        if schema is None or text is None or channel.message_encoding != 'cdr':
            return None
        known = self._bag.topics.get(channel.topic)
        if known is not None:
            return channel.topic if known.type_name == schema.name else None
        if len(self._bag.topics) >= _MAX_TOPICS:
            return None
        self._bag.add_topic(
            channel.topic,
            schema.name,
            definition=text,
            type_hash=channel.metadata.get('topic_type_hash', ''),
            qos=_valid_qos(channel.metadata.get('offered_qos_profiles', '')),
        )
        return channel.topic


@lru_cache(maxsize=256)
def _valid_qos(text: str) -> str:
    """Return QoS text if rosbag2 can read it: a repair does not fail because of it."""
    try:
        qos_profiles(text)
    except BagError:
        return ''
    return text
