# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The gamma statistic of layers of labels, by pygamma-agreement where it is installed."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.labels import UNKNOWN_LABEL, Segment
from m2r2_ros.core.reading import reading
from m2r2_ros.core.time import SECOND

#: Segments of all layers of a recording: it takes minutes beyond.
MOST: Final = 2000


def gamma_statistic(layers: Mapping[str, Sequence[Segment]]) -> float:
    """Return gamma (Mathet, Widlöcher and Métivier 2015), which aligns segments and their labels.

    It is 1 for layers that are the same, and 0 for what chance would give; chance is sampled, so
    that it differs a little from run to run.

    Args:
        layers: Segments by the name of their layer, at least two.

    Raises:
        ConfigError: The library is not installed.
        LabelError: A layer has no segments or there are too many, or the library cannot align them.
    """
    if find_spec('pygamma_agreement') is None:
        msg = 'the gamma statistic needs pygamma-agreement: pip install pygamma-agreement'
        raise ConfigError(msg)
    pygamma, pyannote = import_module('pygamma_agreement'), import_module('pyannote.core')
    known = {n: [s for s in own if s.label not in ('', UNKNOWN_LABEL)] for n, own in layers.items()}
    count = sum(map(len, known.values()))
    if not all(known.values()) or count > MOST:
        msg = f'gamma needs segments in every layer, and at most {MOST} in all; found {count}'
        raise LabelError(msg)
    begin = min(s.start for own in known.values() for s in own)
    with reading('gamma', 'segments that can be aligned', LabelError):
        continuum = pygamma.Continuum()
        for name, own in known.items():
            for s in own:
                place = pyannote.Segment((s.start - begin) / SECOND, (s.end - begin) / SECOND)
                continuum.add(name, place, s.label)
        return float(continuum.compute_gamma(pygamma.CombinedCategoricalDissimilarity()).gamma)
