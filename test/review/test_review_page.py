# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The review page in a browser: a person corrects labels with keys and mouse, and saves them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from m2r2_ros.bags.labels.clock import clock_of
from m2r2_ros.bags.labels.layers import Provenance, layers_of, write_layer
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.labels import LabelSet, Segment
from test.browser import open_page, until
from test.pages.test_report import label_bag
from test.replay.recordings import SECOND, START
from test.review.recordings import write_session
from test.review.served import Client, served

NAMES = ('reach', '<script>alert(1)</script>', '=cmd()')
#: Labels of tenths of a second: 2 s, 1.5 s and 2.4 s.
GIVEN = [0] * 20 + [1] * 15 + [2] * 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ('one', 'two'):
        write_session(tmp_path / 'recordings' / name)
        label_bag(tmp_path / 'labels' / f'{name}_labels', NAMES, GIVEN)
    return tmp_path / 'recordings'


@pytest.fixture
def review(folder: Path) -> Iterator[tuple[Page, Client]]:
    with (
        served(folder, labels=[folder.parent / 'labels']) as client,
        open_page(f'{client.origin}{client.base}', 1440, 950) as page,
    ):
        until(page, "m2r2.session?.page.name === 'one' && m2r2.session.progress === 1")
        yield page, client


def segments(page: Page) -> list[tuple[int, int, str]]:
    """Return what is edited: start and end in ns, and label."""
    found = page.evaluate(
        'm2r2.draft.segments.map(s => [s.start, s.end, m2r2.session.page.labels[s.label].name])'
    )
    return [(start, end, label) for start, end, label in found]


def point(page: Page, seconds: float) -> tuple[float, float]:
    """Return where a time lies in the edited lane, in the window."""
    x, y = page.evaluate(
        """t => {
          const row = m2r2.view.lane('draft');
          const box = row.canvas.getBoundingClientRect();
          return [box.left + m2r2.view.time.toX(t), box.top + row.band.top + row.band.height / 2];
        }""",
        seconds,
    )
    return x, y


def origin(folder: Path) -> int:
    """Return by how much the labels begin after the recording, ns."""
    return START - clock_of(open_recording(folder / 'one')).start


def test_a_correction_is_saved_as_a_layer(review: tuple[Page, Client], folder: Path) -> None:
    page, _ = review
    zero = origin(folder)
    before = segments(page)
    assert [label for _, _, label in before] == list(NAMES)
    assert page.evaluate("m2r2.view.lane('labels:0').lane.probabilities.labels") == [0, 1, 2]
    assert before[0][:2] == (zero, zero + 2 * SECOND)
    # The first boundary half a second later, without snapping.
    x, y = point(page, (zero + 2 * SECOND) / 1e9)
    to, _ = point(page, (zero + 2.5 * SECOND) / 1e9)
    page.mouse.move(x, y)
    page.keyboard.down('Alt')
    page.mouse.down()
    page.mouse.move(to, y, steps=6)
    page.mouse.up()
    page.keyboard.up('Alt')
    moved = segments(page)
    assert moved[0][1] == moved[1][0] == pytest.approx(zero + 2.5 * SECOND, abs=0.02 * SECOND)
    assert moved[1][1] == before[1][1]
    # The last one is called as the first.
    page.mouse.click(*point(page, (zero + 5 * SECOND) / 1e9))
    page.keyboard.press('1')
    assert [label for _, _, label in segments(page)] == [NAMES[0], NAMES[1], NAMES[0]]
    assert page.evaluate('m2r2.draft.edits') == 2
    page.keyboard.press('Control+s')
    until(page, "!m2r2.draft.changed && document.querySelector('#message').textContent")
    (layer,) = layers_of(folder / 'one')
    saved = read_truth(layer.path)
    assert [(s.start - START + zero, s.end - START + zero, s.label) for s in saved.segments] == [
        tuple(s) for s in segments(page)
    ]
    p = layer.provenance
    assert (p.annotator, p.edits, p.done) == ('Someone', 2, False)
    assert 'model-1' in p.corrected_from or 'labels' in p.corrected_from
    # Nobody has looked at the one between them.
    assert [s.confidence == 1 for s in saved.segments] == [True, True, True]


def test_every_edit_can_be_undone(review: tuple[Page, Client], folder: Path) -> None:
    page, _ = review
    zero = origin(folder) / 1e9
    before = segments(page)
    page.mouse.click(*point(page, zero + 1.0))
    for key in ('s', '2', 'm', 'Shift+ArrowRight', 'x', 'Enter'):
        page.keyboard.press(key)
    assert segments(page) != before
    edits = page.evaluate('m2r2.draft.edits')
    assert edits >= 5
    for _ in range(10):
        page.keyboard.press('Control+z')
    assert segments(page) == before
    for _ in range(10):
        page.keyboard.press('Control+Shift+z')
    assert segments(page) != before


def test_the_doubtful_come_first_and_done_opens_the_next(
    review: tuple[Page, Client], folder: Path
) -> None:
    page, _ = review
    visited = []
    for _ in range(3):
        page.keyboard.press('n')
        visited.append(page.evaluate('m2r2.session.selected'))
        page.keyboard.press('Enter')
    assert set(visited) <= {0, 1, 2}
    assert page.evaluate('m2r2.draft.segments.every(s => s.accepted)')
    page.keyboard.press('Control+Enter')
    until(page, "m2r2.session?.page.name === 'two'")
    (layer,) = layers_of(folder / 'one')
    assert layer.provenance.done
    states = page.evaluate(
        "[...document.querySelectorAll('#recordings li')].map(li => li.dataset.state)"
    )
    assert states[0] == 'done'
    assert states[1] != 'done'


def test_unsaved_work_survives_a_reload(review: tuple[Page, Client], folder: Path) -> None:
    page, _ = review
    page.mouse.click(*point(page, origin(folder) / 1e9 + 1.0))
    page.keyboard.press('2')
    page.wait_for_timeout(1500)
    page.on('dialog', lambda dialog: dialog.accept())
    page.reload()
    until(page, "document.querySelector('dialog#restore')?.open")
    page.keyboard.press('Enter')
    until(page, 'm2r2.draft?.changed')
    assert segments(page)[0][2] == NAMES[1]
    assert layers_of(folder / 'one') == []


def test_a_server_that_is_gone_loses_nothing(folder: Path) -> None:
    with served(folder, labels=[folder.parent / 'labels']) as client:
        url = f'{client.origin}{client.base}'
        with open_page(url, errors=False) as page:
            until(page, 'm2r2.session?.progress === 1')
            page.mouse.click(*point(page, 1.0))
            page.keyboard.press('3')
            page.route('**/layers', lambda route: route.abort())
            page.keyboard.press('Control+s')
            until(page, "document.querySelector('#message.error')")
            assert page.evaluate('m2r2.draft.changed')
            page.unroute('**/layers')
            page.keyboard.press('Control+s')
            until(page, '!m2r2.draft.changed')
    assert len(layers_of(folder / 'one')) == 1


def test_labels_from_nothing(tmp_path: Path) -> None:
    bag = write_session(tmp_path / 'bag')
    with (
        served(bag) as client,
        open_page(f'{client.origin}{client.base}') as page,
    ):
        until(page, "document.querySelector('dialog#label-set')?.open")
        page.fill('#label-set textarea', 'move: reach, lift\npush')
        page.keyboard.press('Control+Enter')
        until(page, 'm2r2.session?.page.labels.length === 3 && m2r2.session.progress === 1')
        assert page.evaluate('m2r2.session.page.labels.map(l => [l.name, l.parent])') == [
            ['reach', 'move'], ['lift', 'move'], ['push', ''],
        ]  # fmt: skip
        x, y = point(page, 1.0)
        to, _ = point(page, 3.0)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(to, y, steps=5)
        page.mouse.up()
        page.keyboard.press('2')
        (found,) = segments(page)
        assert found[2] == 'lift'
        assert found[0] == pytest.approx(SECOND, abs=0.2 * SECOND)
        page.keyboard.press('Control+s')
        until(page, '!m2r2.draft.changed')
    (layer,) = layers_of(bag)
    truth = read_truth(layer.path)
    assert truth.label_set == LabelSet(('reach', 'lift', 'push'), ('move', 'move', ''))
    assert [s.label for s in truth.segments] == ['lift']
    assert layer.provenance.corrected_from == ''


def test_the_camera_follows_the_cursor_and_playback(review: tuple[Page, Client]) -> None:
    page, _ = review

    def caption() -> str:
        return str(page.inner_text('.camera figcaption >> nth=0'))

    def shown() -> Any:
        return page.evaluate('m2r2.playback.time')

    until(page, "document.querySelector('.camera canvas').width === 32")
    page.keyboard.press('End')
    first = caption()
    begun = shown()
    page.locator('button[data-rate="4"]').click()
    page.keyboard.press('Space')
    until(page, f'm2r2.playback.time > {begun} + 2')
    page.keyboard.press('Space')
    stopped = shown()
    page.wait_for_timeout(200)
    assert shown() == stopped
    until(page, f"document.querySelector('.camera figcaption').textContent !== {first!r}")


def test_two_browsers_get_two_layers(review: tuple[Page, Client], folder: Path) -> None:
    page, client = review
    assert page.context.browser is not None
    other = page.context.browser.new_page(viewport=page.viewport_size)
    other.goto(f'{client.origin}{client.base}')
    until(other, "window.m2r2?.session?.page.name === 'one'")
    for one in (page, other):
        one.mouse.click(*point(one, origin(folder) / 1e9 + 1.0))
        one.keyboard.press('3' if one is page else '2')
        one.keyboard.press('Control+s')
        until(one, '!m2r2.draft.changed')
    found = [read_truth(layer.path).segments[0].label for layer in layers_of(folder / 'one')]
    assert found == [NAMES[2], NAMES[1]]


def test_a_recording_that_is_left_is_let_go(review: tuple[Page, Client]) -> None:
    page, _ = review
    page.evaluate('window.left = new WeakRef(m2r2.view)')
    page.locator('#recordings li').nth(1).click()
    until(page, "m2r2.session?.page.name === 'two' && m2r2.session.progress === 1")
    console = page.context.new_cdp_session(page)
    for _ in range(50):
        console.send('HeapProfiler.collectGarbage')
        if page.evaluate('left.deref() === undefined'):
            return
        page.wait_for_timeout(100)
    pytest.fail('the view of the recording before is still there')


def test_what_was_saved_is_the_base_of_the_next_time(folder: Path) -> None:
    own = [
        Segment(START, START + SECOND, 'reach', 0.5),
        Segment(START + SECOND, START + 3 * SECOND, 'lift'),
    ]
    write_layer(folder / 'one', own, LabelSet.of(['reach', 'lift']), Provenance('Ada', '', 'test'))
    with (
        served(folder, labels=[folder.parent / 'labels']) as client,
        open_page(f'{client.origin}{client.base}') as page,
    ):
        until(page, 'm2r2.session')
        assert [label for _, _, label in segments(page)] == ['reach', 'lift']
        assert page.evaluate('m2r2.draft.segments.map(s => s.accepted)') == [False, True]
