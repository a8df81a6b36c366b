# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A report in a browser, opened from the disk, as a person would use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Page

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.core.labels import Segment
from m2r2_ros.pages.report import write_report
from test.browser import open_page, until
from test.pages.test_report import HOSTILE, label_bag
from test.replay.recordings import ACTIONS, START, robot_bag, truth_of

SECONDS = 20.0


@pytest.fixture(scope='module')
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('report')
    bag = robot_bag(folder / 'rec', SECONDS)
    label_bag(folder / 'labels' / 'rec_labels', ACTIONS, [0] * 100 + [1] * 100)
    write_report(folder / 'page.html', bag, labels=[folder / 'labels' / 'rec_labels'])
    return folder / 'page.html'


@pytest.fixture
def page(report: Path) -> Iterator[Page]:
    with open_page(report.as_uri()) as page:
        yield page


def span(page: Page) -> list[float]:
    """Return the range of time that is shown, s."""
    found: list[float] = page.evaluate('[m2r2.view.time.start, m2r2.view.time.end]')
    return found


def track(page: Page, row: str) -> FloatRect:
    box = page.locator(f'[data-id="{row}"] canvas').first.bounding_box()
    assert box is not None
    return box


def test_everything_is_shown(page: Page) -> None:
    text = page.inner_text('main')
    for shown in ('rec', 'ground truth', 'labels', 'force', 'torque', 'position', 'gripper'):
        assert shown in text
    segments = len(truth_of(SECONDS, 0)) + 2
    assert page.evaluate("document.querySelectorAll('.seg-table tr[data-key]').length") >= segments
    assert 'model-1' in text
    assert 'accuracy' in text


def test_lanes_have_the_colours_of_their_labels(page: Page) -> None:
    truth = truth_of(SECONDS, 0)
    middle = (truth[1].start + truth[1].end) / 2 - START
    painted = page.evaluate(
        """seconds => {
          const row = m2r2.view.lane('truth');
          const canvas = row.element.querySelector('canvas');
          const x = Math.round(m2r2.view.time.toX(seconds) * m2r2.view.ratio);
          const y = Math.round((row.band.top + 3) * m2r2.view.ratio);
          const pixel = canvas.getContext('2d').getImageData(x, y, 1, 1).data;
          return '#' + [...pixel.slice(0, 3)].map(v => v.toString(16).padStart(2, '0')).join('');
        }""",
        middle / 1e9,
    )
    labels = page.evaluate('m2r2.view.page.labels')
    assert painted == next(la['colour'] for la in labels if la['name'] == truth[1].label)


def test_wheel_and_keys_zoom_and_pan_everything_in_step(page: Page) -> None:
    box = track(page, 'truth')
    page.mouse.move(box['x'] + box['width'] / 4, box['y'] + box['height'] / 2)
    at = page.evaluate('m2r2.view.cursor')
    page.mouse.wheel(0, -300)
    until(page, 'm2r2.view.time.end - m2r2.view.time.start < 19')
    start, end = span(page)
    # The time under the pointer stays there.
    assert (at - start) / (end - start) == pytest.approx(0.25, abs=0.02)
    page.locator('.rv-body').focus()
    page.keyboard.press('ArrowRight')
    until(page, f'm2r2.view.time.start > {start}')
    page.keyboard.press('0')
    until(page, 'm2r2.view.time.start <= 0')
    assert span(page)[1] >= SECONDS


def test_a_drag_pans(page: Page) -> None:
    page.keyboard.press('0')
    page.evaluate('m2r2.view.time.set(5, 10)')
    box = track(page, 'signal:wrench.force')
    page.mouse.move(box['x'] + 400, box['y'] + 10)
    page.mouse.down()
    page.mouse.move(box['x'] + 200, box['y'] + 10, steps=5)
    page.mouse.up()
    start, end = span(page)
    assert start == pytest.approx(5 + 5 * 200 / box['width'], abs=0.1)
    assert end - start == pytest.approx(5, abs=1e-6)


def test_values_are_shown_under_the_pointer(page: Page) -> None:
    box = track(page, 'truth')
    truth = truth_of(SECONDS, 0)
    seconds = ((truth[2].start + truth[2].end) / 2 - START) / 1e9
    page.mouse.move(box['x'] + box['width'] * seconds / SECONDS, box['y'] + 5)
    until(page, 'm2r2.view.cursor !== null')
    page.wait_for_timeout(100)
    assert truth[2].label in page.inner_text('[data-id="truth"]')
    assert page.evaluate('m2r2.view.cursor') == pytest.approx(seconds, abs=0.05)


def test_the_table_jumps_sorts_and_filters(page: Page) -> None:
    page.evaluate('m2r2.view.time.set(0, 2)')
    rows = page.locator('.seg-table tr[data-key]')
    page.get_by_role('button', name='length (s)').click()
    lengths = [float(text) for text in rows.locator('td:nth-child(6)').all_inner_texts()]
    assert lengths == sorted(lengths)
    page.get_by_label('filter by text').fill('push')
    until(page, "document.querySelector('.seg-count').textContent.includes('of')")
    assert all('push' in text for text in rows.all_inner_texts())
    page.get_by_label('filter by text').fill('')
    page.get_by_role('button', name='start').click()
    rows.last.click()
    until(page, 'm2r2.view.time.start > 2')
    start, end = span(page)
    last = truth_of(SECONDS, 0)[-1]
    assert start <= (last.start - START) / 1e9 <= end


def test_names_of_others_are_text(tmp_path: Path) -> None:
    bag = robot_bag(tmp_path / 'rec', 4.0)
    table = tmp_path / 'rec.csv'
    write_segments_csv(table, [Segment(START, START + 3 * 10**9, HOSTILE)], START)
    write_report(tmp_path / 'page.html', bag, truth=TruthSource(table, bag))
    with open_page((tmp_path / 'page.html').as_uri()) as page:
        page.on('dialog', lambda dialog: pytest.fail(f'a script ran: {dialog.message}'))
        assert page.locator('.seg-table tbody td', has_text=HOSTILE).count() == 1
        assert page.evaluate("document.querySelectorAll('main script').length") == 0


def test_a_recording_without_labels_has_a_page(tmp_path: Path) -> None:
    from test.replay.recordings import robot, write_mcap

    write_report(tmp_path / 'page.html', write_mcap(tmp_path / 'a.mcap', robot(4.0)))
    with open_page((tmp_path / 'page.html').as_uri()) as page:
        assert 'force' in page.inner_text('main')
