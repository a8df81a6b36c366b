# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A browser to look at pages with: that of the machine, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

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


def until(page: Page, expression: str, seconds: float = 20.0) -> Any:
    """Wait for an expression to become true, and return it; a page's policy may forbid `eval`."""
    end = monotonic() + seconds
    while not (found := page.evaluate(expression)):
        assert monotonic() < end, f'{expression} has not become true'
        page.wait_for_timeout(30)
    return found


@contextmanager
def open_page(
    url: str, width: int = 1280, height: int = 900, *, errors: bool = True
) -> Iterator[Page]:
    """Open a page.

    Args:
        url: Of it.
        width: Of the window, pixels.
        height: Likewise.
        errors: Whether errors that it raises or logs, as of a request that fails, fail the test.
    """
    found: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=list(_OPTIONS))
        try:
            page = browser.new_page(viewport={'width': width, 'height': height})
            page.on('pageerror', lambda error: found.append(str(error)))
            page.on('console', lambda m: found.append(m.text) if m.type == 'error' else None)
            page.goto(url)
            until(page, 'window.m2r2 !== undefined')
            yield page
        finally:
            browser.close()
    if errors:
        assert found == []
