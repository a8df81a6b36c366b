# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks of Label Studio; test/consumers has its own library check them."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.palette import hex_colour
from m2r2_ros.export.label_studio import Shown, frames_of, task_of, write_config
from m2r2_ros.export.labelled import Labelled, labelled_recordings
from m2r2_ros.export.timed import timed
from test.export.workshop import LABELS, SEGMENTS, label_bag, segment
from test.replay.recordings import SECOND, START


@pytest.mark.parametrize('rate', [15.0, 30.0, 29.97, 30000 / 1001])
def test_neighbours_share_no_frame_and_leave_none_out(rate: float) -> None:
    period = SECOND / Fraction(rate).limit_denominator(1001)
    times = [START, START + 1, *(START + round(k * period) for k in (7, 8.4, 20)), START + SECOND]
    spans = [frames_of(Segment(start, end, 'a'), START, rate) for start, end in pairwise(times)]
    assert spans[0] == (1, 1)
    # The first of one nanosecond and the second share the first frame, or one had none.
    edges = [last for _, last in spans[1:]]
    assert [first for first, _ in spans[2:]] == [last + 1 for last in edges[:-1]]


def test_frames_are_those_that_show_the_segment() -> None:
    assert frames_of(segment(0, 100, 'a'), START, 30.0) == (1, 3)
    assert frames_of(segment(100, 200, 'a'), START, 30.0) == (4, 6)
    assert frames_of(segment(101, 102, 'a'), START, 30.0) == (5, 5)
    assert frames_of(segment(-50, -20, 'a'), START, 30.0) == (1, 1)


def test_what_people_said_is_an_annotation(labelled: Labelled) -> None:
    task = task_of(timed(labelled), Shown.VIDEO, 'https://host/a.mp4', 30.0)
    assert task['data']['video'] == 'https://host/a.mp4'
    assert 'predictions' not in task
    regions = task['annotations'][0]['result']
    assert len({region['id'] for region in regions}) == len(SEGMENTS)
    for region, one in zip(regions, SEGMENTS, strict=True):
        first, last = frames_of(one, START, 30.0)
        assert region['value'] == {
            'ranges': [{'start': first, 'end': last}],
            'timelinelabels': [one.label],
        }
        assert region['type'] == 'timelinelabels'
        assert (int(region['meta']['start_ns']), int(region['meta']['end_ns'])) == (
            one.start, one.end,
        )  # fmt: skip


def test_what_a_model_found_is_a_prediction(shop: Path, tmp_path: Path) -> None:
    found = label_bag(tmp_path / f'{shop.name}_labels', SEGMENTS[:3], 'model-7')
    (one,) = labelled_recordings([shop], [found])
    task = task_of(timed(one), Shown.SIGNALS, 'a.csv', 30.0)
    (prediction,) = task['predictions']
    assert prediction['model_version'] == 'model-7'
    mean = (1200.4 + 0.25 * 50.2 + 0.75 * 1249.523456) / 2500.123456
    assert prediction['score'] == pytest.approx(mean, abs=1e-6)
    for region, segment_ in zip(prediction['result'], SEGMENTS[:3], strict=True):
        assert region['score'] == segment_.confidence
        assert region['value']['timeserieslabels'] == [segment_.label]
        assert region['value']['start'] == (segment_.start - START) / SECOND
        assert region['value']['end'] == (segment_.end - START) / SECOND
        assert region['value']['instant'] is False


def test_the_page_has_the_labels_and_their_colours(tmp_path: Path) -> None:
    write_config(tmp_path / 'config.xml', LABELS, Shown.VIDEO, 29.97)
    view = Xml.parse(tmp_path / 'config.xml').getroot()
    control, video = view
    assert (control.tag, control.get('toName')) == ('TimelineLabels', video.get('name'))
    assert (video.tag, video.get('value'), video.get('frameRate')) == ('Video', '$video', '29.97')
    found = [(label.get('value'), label.get('background')) for label in control]
    assert found == [(n, hex_colour(c)) for n, c in zip(LABELS.names, LABELS.colours, strict=True)]
    write_config(tmp_path / 'config.xml', LABELS, Shown.SIGNALS, 30.0, ['wrench_force_x'])
    control, series = Xml.parse(tmp_path / 'config.xml').getroot()
    assert (control.tag, series.tag) == ('TimeSeriesLabels', 'TimeSeries')
    assert (series.get('timeColumn'), series.get('valueType')) == ('time', 'url')
    assert [channel.get('column') for channel in series] == ['wrench_force_x']


def test_labels_that_xml_cannot_hold_are_refused(labelled: Labelled) -> None:
    label_set = replace(labelled.label_set, names=('a\x01b', *labelled.label_set.names[1:]))
    odd = timed(replace(labelled, label_set=label_set, segments=()))
    with pytest.raises(LabelError, match=rf'{labelled.source.name}.*a\\x01b.*control characters'):
        task_of(odd, Shown.VIDEO, 'a.mp4', 30.0)


def test_empty_labels_are_an_empty_task(labelled: Labelled) -> None:
    task = task_of(timed(replace(labelled, segments=())), Shown.VIDEO, 'a.mp4', 30.0)
    assert task['annotations'] == [{'result': []}]
