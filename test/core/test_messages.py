# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np

from m2r2_ros.core.messages import MessageBlock, in_order


def block(topic: str, *arrival: int) -> MessageBlock:
    """Return messages of one byte, their rank, logged at ten times it."""
    ranks = np.array(arrival, np.int64)
    n = len(ranks)
    return MessageBlock(
        topic, ranks.astype(np.uint8), np.arange(n), np.ones(n, np.int64), 10 * ranks, ranks
    )


def test_messages_of_all_blocks_come_in_order_of_arrival() -> None:
    blocks = [block('/a', 1, 4, 5), block('/b', 0, 7), block('/none'), block('/c', 2)]
    found = [(time, topic, raw.tolist()) for time, topic, raw in in_order(blocks)]
    expected = {0: '/b', 1: '/a', 2: '/c', 4: '/a', 5: '/a', 7: '/b'}
    assert found == [(10 * rank, topic, [rank]) for rank, topic in expected.items()]
