# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ELAN files as pympi reads them."""

from dataclasses import replace
from pathlib import Path

import pytest
from pympi.Elan import Eaf

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.export.elan import write_elan
from m2r2_ros.export.labelled import Labelled
from m2r2_ros.export.timed import TimedLabels, timed
from test.export.workshop import SEGMENTS, segment
from test.replay.recordings import START

#: The segments of the workshop by whole milliseconds; those that would last none last one.
EXPECTED = [
    (0, 1200, 'reach'),
    (1200, 1251, '把持 grip'),
    (1251, 2500, 'push & "turn"'),
    (3000, 3001, 'reach'),
    (3500, 3501, 'wait'),
    (3700, 4000, '把持 grip'),
]
COARSE = [(0, 1200, 'move'), (1200, 2500, 'handle'), (3000, 3001, 'move'), (3500, 3501, 'wait')]


def annotations(file: Eaf, tier: str) -> list[tuple[int, int, str]]:
    return sorted(file.get_annotation_data_for_tier(tier))


def of_segments(labelled: Labelled, segments: list[Segment]) -> TimedLabels:
    return timed(replace(labelled, segments=tuple(segments)))


def test_every_segment_is_in_a_tier_below_that_of_its_parent(
    labelled: Labelled, tmp_path: Path
) -> None:
    assert labelled.segments == SEGMENTS
    write_elan(tmp_path / 'a.eaf', {'labels': timed(labelled)})
    file = Eaf(str(tmp_path / 'a.eaf'))
    assert annotations(file, 'labels') == EXPECTED
    assert annotations(file, 'labels coarse') == [*COARSE, (3700, 4000, 'handle')]
    assert file.get_parameters_for_tier('labels')['PARENT_REF'] == 'labels coarse'
    kind = file.get_parameters_for_tier('labels')['LINGUISTIC_TYPE_REF']
    parameters = file.get_parameters_for_linguistic_type(kind)
    assert parameters['CONSTRAINTS'] == 'Included_In'
    entries = file.get_cv_entries(parameters['CONTROLLED_VOCABULARY_REF'])
    assert [values[0][0] for values, _ in entries.values()] == list(labelled.label_set.names)
    assert [path.name for path in tmp_path.iterdir()] == ['a.eaf']


def test_a_file_is_replaced_without_leaving_another(labelled: Labelled, tmp_path: Path) -> None:
    for _ in range(2):
        write_elan(tmp_path / 'a.eaf', {'labels': timed(labelled)})
    assert [path.name for path in tmp_path.iterdir()] == ['a.eaf']


def test_several_layers_have_tiers_of_their_own(labelled: Labelled, tmp_path: Path) -> None:
    layers = {'anna': timed(labelled), 'bo': of_segments(labelled, [segment(5, 10, 'wait')])}
    write_elan(tmp_path / 'a.eaf', layers)
    file = Eaf(str(tmp_path / 'a.eaf'))
    assert set(file.get_tier_names()) == {'anna', 'anna coarse', 'bo'}
    assert annotations(file, 'bo') == [(5, 10, 'wait')]


def test_what_overlaps_is_in_further_tiers(labelled: Labelled, tmp_path: Path) -> None:
    within = [segment(0, 100, 'reach'), segment(50, 60, 'wait'), segment(55, 80, 'wait')]
    short = [segment(200.1, 200.2, 'wait'), segment(200.2, 200.3, 'wait')]
    write_elan(tmp_path / 'a.eaf', {'labels': of_segments(labelled, [*within, *short])})
    file = Eaf(str(tmp_path / 'a.eaf'))
    assert annotations(file, 'labels') == [(0, 100, 'reach'), (200, 201, 'wait')]
    assert annotations(file, 'labels 2') == [(50, 60, 'wait'), (200, 201, 'wait')]
    assert annotations(file, 'labels 3') == [(55, 80, 'wait')]


def test_what_begins_before_the_recording_begins_with_it(
    labelled: Labelled, tmp_path: Path
) -> None:
    early = Segment(START - 30_000_000, START + 10_000_000, 'wait')
    write_elan(tmp_path / 'a.eaf', {'labels': of_segments(labelled, [early])})
    assert annotations(Eaf(str(tmp_path / 'a.eaf')), 'labels') == [(0, 10, 'wait')]
    before = Segment(START - 10**9, START - 10**8, 'wait')
    with pytest.raises(LabelError, match=r'ends 0\.100 s before the recording begins'):
        write_elan(tmp_path / 'b.eaf', {'labels': of_segments(labelled, [before])})


def test_media_are_linked(labelled: Labelled, tmp_path: Path) -> None:
    media = ['film.mp4', '/data/film.mp4', 'https://host/film.webm']
    write_elan(tmp_path / 'a.eaf', {'labels': timed(labelled)}, media)
    found = Eaf(str(tmp_path / 'a.eaf')).media_descriptors
    places = [(m['MEDIA_URL'], m.get('RELATIVE_MEDIA_URL'), m['MIME_TYPE']) for m in found]
    assert places == [
        ('./film.mp4', './film.mp4', 'video/mp4'),
        ('file:///data/film.mp4', None, 'video/mp4'),
        ('https://host/film.webm', None, 'video/webm'),
    ]


def test_labels_that_xml_cannot_hold_are_refused(labelled: Labelled, tmp_path: Path) -> None:
    label_set = replace(labelled.label_set, names=('a\x01b', *labelled.label_set.names[1:]))
    odd = replace(labelled, label_set=label_set, segments=())
    with pytest.raises(LabelError, match=rf'{odd.source.name}.*a\\x01b.*control characters'):
        write_elan(tmp_path / 'a.eaf', {'labels': timed(odd)})
    assert not list(tmp_path.iterdir())
