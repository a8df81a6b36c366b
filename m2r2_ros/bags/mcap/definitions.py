# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The schemas and channels of an MCAP file, which may only be described again as they were."""

from mcap.opcode import Opcode
from mcap.records import Channel, Schema

from m2r2_ros.bags.mcap.records import MAX_RECORD, parse


class Definitions:
    """The schemas and channels of a file, by id; the newest of each id.

    Attributes:
        schemas: Schema records.
        texts: The definitions in them, decoded.
        channels: Channel records.
        ambiguous: By id of a channel that was described in different ways: the topics.
        ambiguous_schemas: Ids of the schemas that were described in different ways.
    """

    def __init__(self) -> None:
        self.schemas: dict[int, Schema] = {}
        self.texts: dict[int, str] = {}
        self.channels: dict[int, Channel] = {}
        self.ambiguous: dict[int, set[str]] = {}
        self.ambiguous_schemas: set[int] = set()
        self._bodies: dict[tuple[int, bytes], bytes] = {}
        self._size = 0

    def knows(self, opcode: int, body: bytes) -> bool:
        """Return whether the schema or channel is described so already."""
        return self._bodies.get((opcode, body[:2])) == body

    def take(self, opcode: int, body: bytes) -> Channel | Schema | None:
        """Keep the record if it is a schema or a channel; returns it if it is new or different.

        Raises:
            ValueError: (or another of UNREADABLE) It is invalid, or they are too large in all.
        """
        if opcode not in (Opcode.SCHEMA, Opcode.CHANNEL) or self.knows(opcode, body):
            return None
        # Recorders repeat definitions in every chunk: only what is new counts.
        self._size += len(body)
        if self._size > MAX_RECORD:
            msg = f'more than {MAX_RECORD} bytes of schemas and channels'
            raise ValueError(msg)
        taken = self._schema(body) if opcode == Opcode.SCHEMA else self._channel(body)
        self._bodies[opcode, body[:2]] = body
        return taken

    def check(self, opcode: int, body: bytes) -> None:
        """Raise ValueError if a schema or channel is described otherwise than before."""
        if self.knows(opcode, body):
            return
        if opcode == Opcode.CHANNEL:
            channel: Channel = parse(Channel, body)
            known = self.channels.get(channel.id)
            if known is not None and _way(known) != _way(channel):
                msg = (
                    f'channel {channel.id} is described as {channel.topic!r}, elsewhere as '
                    f'{known.topic!r}'
                )
                raise ValueError(msg)
        elif opcode == Opcode.SCHEMA:
            schema: Schema = parse(Schema, body)
            before = self.schemas.get(schema.id)
            if before is not None and before != schema:
                msg = f'schema {schema.id} ({schema.name!r}) is described in two ways'
                raise ValueError(msg)

    def _schema(self, body: bytes) -> Schema:
        schema: Schema = parse(Schema, body)
        before = self.schemas.get(schema.id)
        if before is not None and before != schema:
            self.ambiguous_schemas.add(schema.id)
        self.schemas[schema.id] = schema
        self.texts[schema.id] = schema.data.decode(errors='replace')
        return schema

    def _channel(self, body: bytes) -> Channel:
        channel: Channel = parse(Channel, body)
        before = self.channels.get(channel.id)
        if before is not None and _way(before) != _way(channel):
            self.ambiguous.setdefault(channel.id, {before.topic}).add(channel.topic)
        self.channels[channel.id] = channel
        return channel


def _way(channel: Channel) -> tuple[str, int, str]:
    """Return what decides where a message goes, and how it is read."""
    return channel.topic, channel.schema_id, channel.message_encoding
