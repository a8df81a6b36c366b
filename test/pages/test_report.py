# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reports: whole, by themselves, and harmless whatever recordings and labels are called."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.layers import Provenance, write_layer
from m2r2_ros.bags.labels.sources import Rank, TruthSource
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.labels import FrameLabel, LabelSet, Segment
from m2r2_ros.core.palette import colour_of, hex_colour
from m2r2_ros.pages.index import write_index
from m2r2_ros.pages.report import Reported, write_report
from m2r2_ros.pages.shell import WEB, needed_by, review_html
from test.pages.containers import Unpacked, of_report
from test.replay.recordings import ACTIONS, START, robot, robot_bag, truth_of, write_mcap

STEP = 10**8
HOSTILE = '</script><script>alert(1)</script>'


def label_bag(path: Path, names: tuple[str, ...], labels: list[int]) -> Path:
    """Write a label for every tenth of a second."""
    label_set = LabelSet.of(names)
    with BagWriter(path) as bag:
        writer = LabelWriter(bag)
        writer.write_label_set(label_set, 'model-1', START)
        for k, label in enumerate(labels):
            shares = np.full(len(names), 0.2 / (len(names) - 1), np.float32)
            shares[label] = 0.8
            frame = FrameLabel(
                START + k * STEP, label, names[label], 0.8, shares, 0.0, 0, START, 0, 1
            )
            writer.write_label(frame, 'model-1', 0.0, START + k * STEP)
    return path


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return robot_bag(tmp_path / 'rec', 8.0)


def report(bag: Path, **options: object) -> tuple[Unpacked, Reported]:
    out = bag.parent / 'page.html'
    reported = write_report(out, bag, **options)  # type: ignore[arg-type]
    return of_report(out), reported


def test_a_report_has_truth_labels_and_scores(bag: Path) -> None:
    labels = label_bag(bag.parent / 'out' / 'rec_labels', ACTIONS, [0] * 40 + [1] * 40)
    found, reported = report(bag, labels=[labels])
    assert [lane['id'] for lane in found.page['lanes']] == ['truth', 'labels:0']
    truth, own = found.page['lanes']
    assert [s[:2] for s in truth['segments']] == [
        [s.start - START, s.end - START] for s in truth_of(8.0, 0)
    ]
    names = [label['name'] for label in found.page['labels']]
    assert [names[s[2]] for s in own['segments']] == [ACTIONS[0], ACTIONS[1]]
    assert [s[4] for s in own['segments']] == pytest.approx([0.7, 0.7])
    probabilities = own['probabilities']
    assert found.array(probabilities['values']).reshape(-1, 3)[0].tolist() == [204, 26, 26]
    (scores,) = found.page['scores']
    accuracy = dict(scores['metrics'])['accuracy, 0..1']
    assert accuracy == f'{reported.scores["labels"].accuracy:.4f}'
    total = sum(map(sum, scores['confusion']['rows']))
    assert total == reported.scores['labels'].frames


def test_the_margin_is_to_the_likeliest_other_label(bag: Path) -> None:
    names = (*ACTIONS, 'rest', 'wait')
    labels = label_bag(bag.parent / 'out' / 'rec_labels', names, [3] * 80)
    found, _ = report(bag, labels=[labels])
    assert found.page['lanes'][1]['segments'][0][4] == pytest.approx(0.75)


def test_samples_are_in_the_report_with_labels_and_without(bag: Path) -> None:
    assert len(report(bag)[0].samples('wrench.force', 0)[0]) == 400
    plain = write_mcap(bag.parent / 'plain.mcap', robot(8.0))
    assert len(report(plain)[0].samples('wrench.force', 0)[0]) == 400


def test_colours_are_those_of_the_label_set(bag: Path) -> None:
    found, _ = report(bag)
    colours = {label['name']: label['colour'] for label in found.page['labels']}
    assert colours == {name: hex_colour(colour_of(k)) for k, name in enumerate(ACTIONS)}


def test_several_labels_and_layers_are_lanes(bag: Path) -> None:
    for folder in ('one', 'two'):
        label_bag(bag.parent / folder / 'rec_labels', ACTIONS, [0] * 80)
    layer = write_layer(
        bag, truth_of(8.0, 0)[:2], LabelSet.of(ACTIONS), Provenance('Anna', '', 't')
    )
    truth = TruthSource(layer.path, bag, rank=Rank.LAYER)
    found, _ = report(
        bag, labels=[bag.parent / n / 'rec_labels' for n in ('one', 'two')], truth=truth
    )
    titles = [lane['title'] for lane in found.page['lanes']]
    assert [lane['kind'] for lane in found.page['lanes']] == ['truth', 'layer', 'labels', 'labels']
    assert titles[0].startswith('ground truth: Anna ')
    assert titles[1:] == ['truth in the recording', 'one', 'two']
    assert len(found.page['scores']) == 2


def test_labels_that_cannot_be_read_are_told(bag: Path) -> None:
    labels = label_bag(bag.parent / 'out' / 'rec_labels', ACTIONS, [0] * 40)
    file = next(labels.glob('*.mcap'))
    file.write_bytes(b'no recording' * 100)
    found, reported = report(bag, labels=[labels])
    assert len(reported.problems) == 1
    assert [lane['id'] for lane in found.page['lanes']] == ['truth']
    rows = next(t['rows'] for t in found.page['facts'] if t['title'] == 'recording')
    assert ['not shown', reported.problems[0]] in rows


def test_what_names_hold_is_text(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / HOSTILE.replace('/', '-'), 4.0)
    table = tmp_path / 'truth.csv'
    write_segments_csv(table, [Segment(START, START + 3 * 10**9, HOSTILE)], START)
    out = tmp_path / 'page.html'
    reported = write_report(out, bag, truth=TruthSource(table, bag))
    text = out.read_text()
    assert 'alert(1)' not in re.sub(r'<title>.*?</title>', '', text)
    assert '<script>alert' not in text
    assert of_report(out).page['labels'][0]['name'] == HOSTILE
    index = tmp_path / 'index.html'
    write_index(index, [reported], [HOSTILE])
    assert '<script>' not in index.read_text()


def test_a_report_needs_no_other_file(bag: Path) -> None:
    report(bag)
    text = (bag.parent / 'page.html').read_text()
    assert re.findall(r'(?:src|href)=["\']?([^"\'>]*)', text) == ['data:,']
    (imports,) = re.findall(r'<script type="importmap">(.*?)</script>', text)
    modules = json.loads(imports)['imports']
    assert set(modules) == {f'm2r2/{name}' for name in needed_by('report.js')}
    assert all(url.startswith('data:text/javascript;base64,') for url in modules.values())


def test_every_module_that_is_imported_is_there() -> None:
    for entry in ('report.js', 'review.js'):
        assert set(needed_by(entry)) <= WEB.keys()
    text = review_html('n0nce')
    assert text.count('nonce="n0nce"') == text.count('<script') == 2


def test_an_index_has_the_worst_first(bag: Path, tmp_path: Path) -> None:
    found = []
    for name, label in (('good', truth_of(8.0, 0)), ('bad', None)):
        folder = tmp_path / name
        if label is not None:
            names = [s.label for s in label for _ in range(round((s.end - s.start) / STEP))]
            ids = [ACTIONS.index(n) for n in names]
        else:
            ids = [0] * 80
        label_bag(folder / 'rec_labels', ACTIONS, ids)
        _, reported = report(bag, labels=[folder / 'rec_labels'])
        found.append(replace(reported, name=name))
    index = tmp_path / 'index.html'
    write_index(index, found, [])
    assert re.findall(r'href="(\w+)\.html"', index.read_text()) == ['bad', 'good']
