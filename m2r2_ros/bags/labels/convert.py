# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels in another taxonomy: a new layer beside the recording, or a bag or table of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from m2r2_ros import __version__
from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.held import HeldLabels
from m2r2_ros.bags.labels.layers import Provenance, read_layer, write_layer
from m2r2_ros.bags.labels.mapping import KEPT, LabelMapping, MappingReport, apply_mapping
from m2r2_ros.bags.labels.origin_marks import origin_columns, origin_entries
from m2r2_ros.bags.labels.sources import Rank
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.overlap import refuse_same
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import ConfigError, LabelError
from m2r2_ros.core.files import atomic_write
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.origin import LayerFacts, Origin
from m2r2_ros.core.taxonomy import Taxonomy
from m2r2_ros.core.text import listed

TOOL = f'm2r2 labels convert {__version__}'


@dataclass(frozen=True, slots=True)
class ConvertedLabels:
    """Labels of a recording after a mapping.

    Attributes:
        held: Those before it.
        segments: In order of start.
        label_set: Of which set they are.
        report: What was done.
        changed: Whether any label is another one.
    """

    held: HeldLabels
    segments: list[Segment]
    label_set: LabelSet
    report: MappingReport
    changed: bool


def expect_fits(mapping: LabelMapping, taxonomy: Taxonomy) -> None:
    """Refuse a mapping to labels that a taxonomy lacks.

    Raises:
        ConfigError: There are such labels.
    """
    if missing := [name for name in mapping.targets if name not in taxonomy.names]:
        msg = (
            f'{mapping.name} maps to {listed(missing, 12)}, which the taxonomy {taxonomy} does not '
            f'have, but {listed(taxonomy.names, 12)}'
        )
        raise ConfigError(msg)


def convert(held: HeldLabels, mapping: LabelMapping, taxonomy: Taxonomy | None) -> ConvertedLabels:
    """Map the labels of a recording; nothing is written.

    Args:
        held: The labels.
        mapping: What becomes of them.
        taxonomy: Whose ids and parents they get; None keeps the parents of labels that are kept.

    Raises:
        LabelError: The mapping refuses a label, none is left, or one is not in the taxonomy.
        M2R2Error: They cannot be read.
    """
    truth = held.read()
    known = truth.label_set or LabelSet.of(())
    parents = {n: p for n, p in zip(known.names, known.parents, strict=True) if p}
    start = held.span(truth.segments)[0]
    try:
        segments, report = apply_mapping(mapping, truth.segments, parents, start)
    except LabelError as error:
        msg = f'{held.path}: {error}'
        raise LabelError(msg) from error
    if not segments:
        msg = f'{held.path}: {mapping.name} drops all of its labels'
        raise LabelError(msg)
    used = dict.fromkeys(s.label for s in segments)
    if taxonomy is None:
        label_set = _label_set(mapping, known, used)
    elif missing := [name for name in used if name not in taxonomy.names]:
        msg = f'{held.path}: {listed(missing, 12)} are kept, but not in the taxonomy {taxonomy}'
        raise LabelError(msg)
    else:
        label_set = taxonomy.label_set
    changed = segments != truth.segments or (taxonomy is not None and label_set != known)
    return ConvertedLabels(held, segments, label_set, report, changed)


def write_as_layer(done: ConvertedLabels) -> Path:
    """Write the labels as a new annotation layer of their recording; return where it is.

    Raises:
        LabelError: It is not known where the recording is.
        M2R2Error: It cannot be written.
    """
    recording = done.held.recording
    if recording is None:
        msg = (
            f'{done.held.path}: its recording {done.held.name} is not there, beside which a layer '
            'would be written: give --recordings, or --out to write elsewhere'
        )
        raise LabelError(msg)
    facts = _facts(done.held)
    finished = done.held.source.rank == Rank.LAYER and read_layer(done.held.path).provenance.done
    provenance = Provenance(
        facts.by, '', TOOL, facts.started_from, done=finished, origin=facts.origin
    )
    return write_layer(recording, done.segments, done.label_set, provenance).path


def write_as_bag(done: ConvertedLabels, folder: Path, *, overwrite: bool = False) -> Path:
    """Write the labels as ground truth into a bag NAME_truth; return where it is.

    Raises:
        M2R2Error: It is there already, or cannot be written.
    """
    path = folder / f'{done.held.name}_truth'
    refuse_same(path, *done.held.inputs)
    start = _start(done)
    with BagWriter(path, overwrite=overwrite, discard_failed=True) as bag:
        bag.custom |= origin_entries(_facts(done.held))
        writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
        writer.write_label_set(done.label_set, '', start)
        for index, segment in enumerate(done.segments):
            writer.write_segment(segment, done.label_set.id_of(segment.label), index, '')
    return path


def write_as_table(done: ConvertedLabels, folder: Path, *, overwrite: bool = False) -> Path:
    """Write the labels into a table NAME.csv, which does not say outcomes; return where it is.

    Raises:
        M2R2Error: It is there already, or cannot be written.
    """
    path = folder / f'{done.held.name}.csv'
    refuse_same(path, *done.held.inputs)
    if path.exists() and not overwrite:
        msg = f'{path}: exists already; --overwrite replaces it'
        raise ConfigError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    columns = origin_columns(_facts(done.held))
    start = _start(done) if done.held.recording else 0  # else times since 1970
    with atomic_write(path) as draft:
        write_segments_csv(draft, done.segments, start, columns)
    return path


def _facts(held: HeldLabels) -> LayerFacts:
    """Return where converted labels come from: whoever made them, through a mapping."""
    before = held.facts
    kind = 'layer' if held.source.rank == Rank.LAYER else 'labels'
    return replace(
        before,
        origin=before.origin or Origin.IMPORTED,
        tool=TOOL,
        started_from=f'{kind} {held.path.name}',
    )


def _start(done: ConvertedLabels) -> int:
    recording = done.held.recording
    if recording is None:
        return done.segments[0].start
    return clock_of(open_recording(recording)).start


def _label_set(
    mapping: LabelMapping, known: LabelSet, used: Sequence[str] | dict[str, None]
) -> LabelSet:
    """Return the labels that a mapping gives, then those that it leaves as they are."""
    kept = [n for n in known.names if n not in mapping.rules] if mapping.unmapped == KEPT else []
    names = tuple(dict.fromkeys([*mapping.targets, *kept, *used]))
    parents = dict(zip(known.names, known.parents, strict=True))
    return LabelSet(names, tuple(parents.get(name, '') for name in names))
