# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where messages go: a bag, or the publishers of a live robot."""

from typing import Protocol

from m2r2_ros.bags.writing.metadata import reliable_qos

RELIABLE = reliable_qos('volatile')
LATCHED = reliable_qos('transient_local')


class MessageSink(Protocol):
    """Takes topics, and then their messages."""

    def add_topic(
        self,
        name: str,
        type_name: str,
        *,
        definition: str | None = None,
        type_hash: str | None = None,
        qos: str = RELIABLE,
    ) -> None:
        """Announce a topic; see BagWriter."""

    def write(self, topic: str, raw: bytes, log_time: int) -> None:
        """Append one CDR message; see BagWriter."""
