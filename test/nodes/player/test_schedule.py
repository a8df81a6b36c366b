# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a recording is due when."""

from pathlib import Path

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.messages import in_order
from m2r2_ros.nodes.player.schedule import cut
from test.replay.recordings import robot, write_mcap


def test_messages_of_all_topics_come_in_the_order_in_which_they_were_recorded(
    tmp_path: Path,
) -> None:
    path = write_mcap(tmp_path / 'robot.mcap', robot(8.0), chunk=5_000)
    part = cut(open_recording(path), 1.0, 3.0)
    found = []
    for blocks in part.batches(list(part.recording.topics), set()):
        arrival = sorted(int(rank) for block in blocks for rank in block.arrival)
        ranks = {
            (b.topic, bytes(b.message(i))): int(b.arrival[i]) for b in blocks for i in range(len(b))
        }
        due = list(in_order(blocks))
        assert [ranks[topic, bytes(raw)] for _, topic, raw in due] == arrival
        found += [when for when, _, _ in due]
    assert found == sorted(found)
    assert len(found) > 500
    assert part.begin <= found[0] < found[-1] <= part.end == part.begin + 3 * 10**9
