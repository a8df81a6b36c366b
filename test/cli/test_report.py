# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from test.cli.run import m2r2
from test.pages.containers import of_report
from test.pages.test_report import label_bag
from test.replay.recordings import ACTIONS, robot_bag


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for k, name in enumerate(('one', 'two')):
        robot_bag(tmp_path / 'recordings' / name, 4.0, k)
        label_bag(tmp_path / 'labels' / f'{name}_labels', ACTIONS, [k] * 40)
    return tmp_path / 'recordings'


def test_a_page_of_one(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / 'pages' / 'a.html'
    labels = str(tmp_path / 'labels')
    done = m2r2('report', str(recordings / 'one'), '--labels', labels, '--out', str(out))
    assert done.code == 0, done.err
    assert [lane['title'] for lane in of_report(out).page['lanes']] == ['ground truth', 'labels']


def test_pages_of_a_folder_have_an_index(recordings: Path, tmp_path: Path) -> None:
    (recordings / 'broken.mcap').write_bytes(b'no recording' * 10)
    out = tmp_path / 'pages'
    done = m2r2('report', str(recordings), '--labels', str(tmp_path / 'labels'), '--out', str(out))
    assert '1 of 3 recordings have no page' in done.error
    assert sorted(path.name for path in out.glob('*.html')) == [
        'index.html',
        'one.html',
        'two.html',
    ]
    assert 'broken.mcap' in (out / 'index.html').read_text()


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (['.', '--out', 'a.html'], 'a page is of one recording'),
        (['one', '--out', 'one/a.html'], 'one'),
        (['one', '--labels', 'two', '--out', 'a.html'], 'no labels of one there'),
        (['one', '--truth', 'missing', '--out', 'a.html'], 'missing'),
    ],
)
def test_what_cannot_be_done_is_told(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(recordings)
    done = m2r2('report', *arguments)
    assert told in done.error
    assert not list(recordings.rglob('*.html'))
