# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of model by name, and the one way to open a model."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.text import excerpt
from m2r2_ros.model.devices import Placement
from m2r2_ros.model.facts import YAML, BundleFacts, read_facts
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.segmenters.base import WHOLE_RECORDING, Segmenter
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.model import Model
from m2r2_ros.windows.fit import Expectations


class Kind(Protocol):
    """What a kind of model can do with its bundle; what it cannot do it says itself."""

    def open(
        self, facts: BundleFacts, decoding: Decoding, placement: Placement, *, live: bool
    ) -> Segmenter:
        """Return the segmenter.

        Args:
            facts: Of a bundle of this kind.
            decoding: Options of the decoder.
            placement: Where it runs.
            live: For frames as they come; otherwise what labels recordings best.

        Raises:
            BundleError: The bundle does not hold what the kind needs.
            ConfigError: There is no such device.
        """

    def expect_live(self, facts: BundleFacts) -> None:
        """Refuse a model that cannot label frames as they come.

        Raises:
            BundleError: It cannot; the message says why and what to do instead.
        """


#: Behind the id of a bundle in labels from its offline head, which saw the whole recording.
OFFLINE: Final = '-offline'
#: Where the kind of each name lies, as module:attribute. Imported when a model of it is opened:
#: PyTorch takes seconds.
KINDS: Final[dict[str, str]] = {
    'learned': 'm2r2_ros.segmenters.learned:KIND',
    'discovered': 'm2r2_ros.segmenters.discovered:KIND',
}


def open_model(
    path: Path,
    decoding: Mapping[str, float] | None = None,
    *,
    placement: Placement | None = None,
    live: bool = False,
) -> Model:
    """Open a bundle of any kind.

    Args:
        path: Folder of the bundle.
        decoding: Options of the decoder that replace the bundle's own, by name.
        placement: Where it runs; the processor by default.
        live: Label as a live robot does, each frame as it comes; by default with the offline
            head where there is one.

    Raises:
        BundleError: The bundle cannot be read, is of an unknown kind, or cannot label live.
        ConfigError: An option of the decoder is out of range, or there is no such device.
    """
    facts = read_facts(path)
    kind = find_kind(facts)
    if live:
        kind.expect_live(facts)
    own = _own_decoding(facts)
    options = own.asked(decoding or {})
    segmenter = kind.open(facts, options, placement or Placement(), live=live)
    whole = segmenter.revision_lag == WHOLE_RECORDING
    return Model(
        segmenter=segmenter,
        windows=facts.windows,
        modalities=facts.modalities,
        topics=facts.topics,
        expectations=_expectations(facts),
        id=facts.id + OFFLINE if whole else facts.id,
        kind=facts.kind,
    )


def _expectations(facts: BundleFacts) -> Expectations:
    if facts.network is None:
        return Expectations()
    rates = (facts.familiarity or {}).get('rates', {})
    return Expectations(facts.modalities, facts.network.normalisation, rates)


def _own_decoding(facts: BundleFacts) -> Decoding:
    head = facts.network.model.head if facts.network else None
    lags = head.lags if isinstance(head, CausalTCNConfig) else (0,)
    try:
        decoding = Decoding.from_dict(facts.decoding)
        decoding.expect_fits(facts.labels, lags)
    except ConfigError as error:
        msg = f'{facts.folder / YAML}: {error}'
        raise BundleError(msg) from error
    return decoding


def find_kind(facts: BundleFacts) -> Kind:
    """Return what opens a bundle.

    Raises:
        BundleError: No kind has this name.
    """
    if facts.kind not in KINDS:
        msg = (
            f'{facts.folder}: is a model of kind {excerpt(facts.kind)!r}, which is unknown to this '
            f'm2r2_ros: expected {" or ".join(sorted(KINDS))}'
        )
        raise BundleError(msg)
    module, name = KINDS[facts.kind].split(':')
    kind: Kind = getattr(import_module(module), name)
    return kind
