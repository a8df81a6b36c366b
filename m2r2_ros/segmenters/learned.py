# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kind `learned`: a network with M2R2 features and an online head, an offline one, or both."""

from typing import Final

from m2r2_ros.core.errors import BundleError
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import BundleFacts
from m2r2_ros.model.familiarity_file import read_familiarity
from m2r2_ros.model.graph_backend import GraphBackend
from m2r2_ros.model.head_config import NO_HEAD, NoHeadConfig
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.network import NetworkSegmenter
from m2r2_ros.segmenters.offline import OfflineSegmenter
from m2r2_ros.segmenters.online import OnlineSegmenter


class LearnedKind:
    """Opens the bundle of a network."""

    def open(
        self, facts: BundleFacts, decoding: Decoding, placement: Placement, *, live: bool
    ) -> NetworkSegmenter:
        """Return the segmenter; see Kind."""
        assert facts.network is not None
        if isinstance(facts.network.model.head, NoHeadConfig):
            raise BundleError(NO_HEAD)
        backend = GraphBackend(facts, placement, live=live)
        return (OnlineSegmenter if backend.online else OfflineSegmenter)(
            facts.labels,
            facts.modalities,
            facts.network.normalisation,
            backend,
            decoding,
            read_familiarity(facts),
            facts.windows.frame_rate,
        )

    def expect_live(self, facts: BundleFacts) -> None:
        """Refuse offline heads; see Kind."""
        assert facts.network is not None
        head = facts.network.model.head
        if not head.online and not isinstance(head, NoHeadConfig):  # which `open` refuses
            raise BundleError(head.refusal)


KIND: Final = LearnedKind()
