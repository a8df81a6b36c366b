# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as plain lists, to be compared."""

from pathlib import Path

from m2r2_ros.bags.recording import open_recording

#: For each topic the log time and the bytes of each message.
Messages = dict[str, list[tuple[int, bytes]]]


def messages(path: Path) -> Messages:
    found: Messages = {}
    recording = open_recording(path)
    for blocks in recording.blocks(list(recording.topics)):
        for block in blocks:
            rows = found.setdefault(block.topic, [])
            for k in range(len(block)):
                rows.append((int(block.log_times[k]), block.message(k).tobytes()))
    return found
