# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of model by name, and the one way to open a model."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol

from m2r2_ros.core.errors import BundleError, ConfigError
from m2r2_ros.core.text import excerpt
from m2r2_ros.model.facts import YAML, BundleFacts, read_facts
from m2r2_ros.segmenters.base import Segmenter
from m2r2_ros.segmenters.decoding import Decoding
from m2r2_ros.segmenters.model import Model


class Kind(Protocol):
    """What a kind of model can do with its bundle; what it cannot do it says itself."""

    def open(self, facts: BundleFacts, decoding: Decoding, device: str) -> Segmenter:
        """Return the segmenter.

        Args:
            facts: Of a bundle of this kind.
            decoding: Options of the decoder.
            device: 'auto', 'cpu' or 'cuda'.

        Raises:
            BundleError: The bundle does not hold what the kind needs.
            ConfigError: There is no such device.
        """

    def expect_live(self, facts: BundleFacts) -> None:
        """Refuse a model that cannot label frames as they come.

        Raises:
            BundleError: It cannot; the message says why and what to do instead.
        """


#: Where the kind of each name lies, as module:attribute. Imported when a model of it is opened:
#: PyTorch takes seconds.
KINDS: Final[dict[str, str]] = {'learned': 'm2r2_ros.segmenters.learned:KIND'}


def open_model(
    path: Path,
    decoding: Mapping[str, float] | None = None,
    *,
    device: str = 'cpu',
    live: bool = False,
) -> Model:
    """Open a bundle of any kind.

    Args:
        path: Folder of the bundle.
        decoding: Options of the decoder that replace the bundle's own, by name.
        device: 'auto', 'cpu' or 'cuda'; 'auto' takes a GPU where there is one.
        live: Refuse a model that cannot label frames as they come.

    Raises:
        BundleError: The bundle cannot be read, is of an unknown kind, or cannot label live.
        ConfigError: An option of the decoder is out of range, or there is no such device.
    """
    facts = read_facts(path)
    kind = find_kind(facts)
    if live:
        kind.expect_live(facts)
    own = _own_decoding(facts)
    options = Decoding.from_dict({**own.to_dict(), **(decoding or {})})
    return Model(
        segmenter=kind.open(facts, options, device),
        windows=facts.windows,
        modalities=facts.modalities,
        topics=facts.topics,
        decoding=own.to_dict(),
        id=facts.id,
        kind=facts.kind,
    )


def _own_decoding(facts: BundleFacts) -> Decoding:
    try:
        return Decoding.from_dict(facts.decoding)
    except ConfigError as error:
        msg = f'{facts.folder / YAML}: {error}'
        raise BundleError(msg) from error


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
