# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The HTML around pages: one file that needs no other, or one whose modules are served."""

import base64
import gzip
import html
import json
from pathlib import Path
from typing import Final

#: Modules and styles of the pages, by name.
WEB: Final = {
    path.name: path
    for path in sorted(Path(__file__).with_name('web').glob('*'))
    if path.suffix in {'.js', '.css'}
}
#: Styles that all pages share.
PAGE_STYLE: Final = WEB['page.css'].read_text(encoding='utf-8')
#: What a page that was opened from a disk may do: nothing with any network.
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; "
    'img-src data: blob:; connect-src data: blob:'
)
_HEAD: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="data:,">'  # or browsers ask the server for one
)
#: Modules of reviewing alone are not put into reports.
_ENTRY: Final = 'report.js'


def report_html(container: bytes, title: str) -> str:
    """Return a page as one file.

    Args:
        container: What it shows.
        title: Of the window.
    """
    packed = base64.b64encode(gzip.compress(container, 6)).decode()
    modules = {name: WEB[name].read_text(encoding='utf-8') for name in needed_by(_ENTRY)}
    urls = {
        f'm2r2/{name}': 'data:text/javascript;base64,' + base64.b64encode(text.encode()).decode()
        for name, text in modules.items()
    }
    return (
        f'{_HEAD}<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<title>{html.escape(title)}</title>'
        f'<style>{PAGE_STYLE}</style>'
        f'<script type="importmap">{_import_map(urls)}</script></head>'
        '<body><main id="app"></main>'
        f'<script type="text/plain" id="container">{packed}</script>'
        '<script type="module">import {openReport} from \'m2r2/report.js\';'
        "openReport(document.getElementById('app'), "
        "document.getElementById('container').textContent);</script></body></html>\n"
    )


def review_html(nonce: str) -> str:
    """Return the page to correct labels with, whose modules are below web/.

    Args:
        nonce: Of the scripts that the server's policy admits.
    """
    urls = {f'm2r2/{name}': f'./web/{name}' for name in WEB if name.endswith('.js')}
    styles = ''.join(
        f'<link rel="stylesheet" href="web/{name}">' for name in ('page.css', 'review.css')
    )
    return (
        f'{_HEAD}<title>m2r2 review</title>{styles}'
        f'<script type="importmap" nonce="{nonce}">{_import_map(urls)}</script></head>'
        f'<body><main id="app"></main><script type="module" nonce="{nonce}">'
        "import {openReview} from 'm2r2/review.js';"
        "openReview(document.getElementById('app'));</script></body></html>\n"
    )


def needed_by(entry: str) -> list[str]:
    """Return a module and all that it imports, by name."""
    found = [entry]
    for name in found:
        text = WEB[name].read_text(encoding='utf-8')
        imported = [part.partition("'")[0] for part in text.split("from 'm2r2/")[1:]]
        found += [other for other in dict.fromkeys(imported) if other not in found]
    return found


def _import_map(urls: dict[str, str]) -> str:
    return json.dumps({'imports': urls}).replace('<', '\\u003c')
