# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a layer of labels comes from, as its bag, its metadata or its table says.

A bag says it in custom_data of its metadata. One from before, or from others, is told by what is in
it: labels with the id of a model, or ground truth, which came with the recording.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

from m2r2_ros.bags.labels.cells import SUFFIXES, open_table
from m2r2_ros.bags.labels.foreign import FOREIGN
from m2r2_ros.bags.labels.layers import Layer, layers_in, read_layer
from m2r2_ros.bags.labels.origin_marks import facts_of_entries, facts_of_row
from m2r2_ros.bags.labels.reader import read_model_id
from m2r2_ros.bags.labels.sources import LABELS
from m2r2_ros.bags.labels.topics import GROUND_TRUTH, LABEL_TOPIC, SEGMENT_TOPIC
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.rosbag2 import ANNOTATIONS, INFORMATION, METADATA
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.core.options import Section
from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.text import excerpt

__all__ = ['LayerFacts', 'Origin', 'facts_of_labels', 'facts_of_layer']

#: What ends the name of the table that lies beside a label bag.
_SEGMENTS: Final = '_segments'


def facts_of_labels(path: Path) -> LayerFacts:
    """Return where labels come from.

    Args:
        path: What holds them: a label bag, an annotation layer or a folder of those, of which the
            newest counts, a recording with ground truth, or a table.

    Raises:
        BagError: A bag cannot be read.
        LabelError: A table cannot be read, or labels are damaged.
    """
    if path.suffix in SUFFIXES:
        return _of_table(path)
    if path.suffix in FOREIGN:
        return LayerFacts(Origin.IMPORTED)
    if layer := _layer(path.absolute()):
        return facts_of_layer(layer)
    return _of_metadata(path) or _of_topics(path)


def facts_of_layer(layer: Layer) -> LayerFacts:
    """Return where an annotation layer comes from."""
    made = layer.provenance
    return LayerFacts(made.origin, made.annotator, made.time, made.tool, made.corrected_from)


def _layer(path: Path) -> Layer | None:
    if path.name.endswith(ANNOTATIONS):
        return next(reversed(layers_in(path)), None)
    if path.parent.name.endswith(ANNOTATIONS):
        with suppress(M2R2Error):
            return read_layer(path)
    return None


def _of_table(path: Path) -> LayerFacts:
    """Return what the first row of a table says, or the bag that was written with it."""
    with open_table(path) as table:
        first = next(iter(table.rows), (0, []))[1]
        said = facts_of_row(dict(zip(table.names, first, strict=False)))
    if said is not None:
        return said
    if layer := _layer(path.absolute().with_suffix('')):
        return facts_of_layer(layer)
    name = path.stem.removesuffix(_SEGMENTS)
    bag = path.with_name(name + LABELS[0])
    if name != path.stem and bag.is_dir():
        with suppress(M2R2Error):
            return facts_of_labels(bag)
    return LayerFacts(Origin.IMPORTED)


def _of_metadata(path: Path) -> LayerFacts | None:
    """Return what the metadata of a bag says; None where it says nothing."""
    if not path.is_dir():
        return None
    with suppress(M2R2Error):  # of others, who write there what they like
        content = Section.read(path / METADATA, 'the metadata of a bag')
        return facts_of_entries(content.section(INFORMATION).get('custom_data', (dict,), {}))
    return None


def _of_topics(path: Path) -> LayerFacts:
    topics = open_recording(path).topics
    if {LABEL_TOPIC, SEGMENT_TOPIC} & topics.keys():
        model = excerpt(read_model_id(path), 256)
        return LayerFacts(Origin.AUTOMATIC if model else None, model)
    truth = GROUND_TRUTH + SEGMENT_TOPIC in topics
    return LayerFacts(Origin.IMPORTED if truth else None)
