# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A browser to look at pages with: that of the machine, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

#: What Chromium is called on different systems.
_NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
#: Without them it talks to servers of its maker, and waits where there is no network.
_OPTIONS = (
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update',
)  # fmt: skip


def chromium() -> str:
    """Return the browser; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip('no browser on this machine: install chromium to test the pages')
    return found


@contextmanager
def open_page(url: str, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """Open a page; it may log no error, raise none, and ask for nothing but itself and its server.

    Dialogs, which only a script that was smuggled in would open, count as errors.
    """
    errors: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=list(_OPTIONS))
        try:
            page = browser.new_page(viewport={'width': width, 'height': height})
            page.on('pageerror', lambda error: errors.append(str(error)))
            page.on('console', lambda m: errors.append(m.text) if m.type == 'error' else None)
            page.goto(url)
            page.wait_for_function('window.m2r2 !== undefined')
            yield page
        finally:
            browser.close()
    assert errors == []
