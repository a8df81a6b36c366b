# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a report takes to make and to open, and a review to show its first frame.

The recording is an episode of the simulated cell with a camera, again and again: signals at 1 kHz,
sound, two cameras at 30 Hz. Pages are opened in Chromium, where there is one.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from urllib.request import urlopen

import numpy as np

from benchmarks._measure import measure
from benchmarks._repeat import repeat

_M2R2 = [sys.executable, '-m', 'm2r2_ros.cli.main']
#: How often a page is opened.
_OPENED = 5
_CHROMIUM = ('--no-sandbox', '--disable-gpu', '--disable-background-networking')
#: Pans over a tenth of a recording, a frame at a time; returns how long each redraw took, ms.
_PAN = """async () => {
  const { view } = window.m2r2;
  const took = [];
  view.addEventListener('drawn', ({ detail }) => took.push(detail.ms));
  const next = () => new Promise(requestAnimationFrame);
  for (const share of [0.5, 0.1, 0.01]) {
    const span = view.time.whole * share;
    for (let k = 0; k < 100; k += 1) {
      view.time.set(k * span / 200, k * span / 200 + span);
      await next();
    }
  }
  return took;
}"""


def report(recording: Path, truth: Path, page: Path) -> None:
    """Make a report, and print what it took."""
    command = [*_M2R2, 'report', str(recording), '--truth', str(truth), '--out', str(page)]
    usage = measure(command)
    size = page.stat().st_size / 1e6
    print(f'report: {usage.wall_s:.1f} s, {usage.peak_mb:.0f} MB of memory, page of {size:.1f} MB')


def opened(page: Path, chromium: str) -> None:
    """Open a report, pan, and print how long it took."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(_CHROMIUM))
        ready = []
        for _ in range(_OPENED):
            tab = browser.new_page(viewport={'width': 1280, 'height': 900})
            tab.goto(page.as_uri())
            # The page's policy forbids what waits for a function.
            while not tab.evaluate('window.m2r2 !== undefined'):
                tab.wait_for_timeout(20)
            ready.append(tab.evaluate('m2r2.ready_ms'))
            if len(ready) < _OPENED:
                tab.close()
        took = np.array(tab.evaluate(_PAN))
        browser.close()
    median, late = np.percentile(took, (50, 95))
    print(
        f'page ready after {min(ready):.0f} to {max(ready):.0f} ms; redraw while panning '
        f'{median:.1f} ms, p95 {late:.1f} ms'
    )


def reviewed(recording: Path) -> None:
    """Serve a review, and print how long its first frame takes."""
    began = perf_counter()
    command = [*_M2R2, 'review', str(recording), '--no-browser', '--port', '0']
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r'http\S+', server.stdout.readline())
        assert found is not None
        up = perf_counter()
        with urlopen(f'{found.group()}api/recordings/0') as answer:
            answer.read()
        with urlopen(f'{found.group()}api/recordings/0/frame?camera=image&t=60') as answer:
            answer.read()
        first = perf_counter()
        times = []
        for t in np.random.default_rng(0).uniform(0, 3000, 50):
            begun = perf_counter()
            with urlopen(f'{found.group()}api/recordings/0/frame?camera=image&t={t}') as answer:
                answer.read()
            times.append(1e3 * (perf_counter() - begun))
        server.terminate()
    size = sum(file.stat().st_size for file in recording.glob('*.mcap')) / 1e9
    print(
        f'review of {size:.1f} GB: server up after {up - began:.1f} s, first frame '
        f'{first - up:.2f} s later, a frame at random {np.median(times):.1f} ms'
    )


def main() -> None:
    """Make the recording, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=3600.0, help='Length of the recording.')
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        simulate = ['simulate', '--seconds', '60', '--image-rate', '30', '--motion-rate', '1000']
        command = [*_M2R2, *simulate, '--out', str(folder / 'episodes')]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (episode,) = (p.parent for p in (folder / 'episodes').glob('*/metadata.yaml'))
        recording = folder / 'long'
        truth = repeat(episode, recording, given.seconds)
        page = folder / 'page.html'
        report(recording, truth, page)
        chromium = shutil.which('chromium') or shutil.which('google-chrome')
        if chromium:
            opened(page, chromium)
        else:
            print('no Chromium here: the page is not opened')
        reviewed(recording)


if __name__ == '__main__':
    main()
