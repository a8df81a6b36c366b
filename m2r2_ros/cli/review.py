# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 review`: a page on which labels are corrected."""

import getpass
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from m2r2_ros.bags.labels.taxonomy_file import read_taxonomy
from m2r2_ros.cli.common import given_topics, say_passed_over
from m2r2_ros.cli.console import console, stdout
from m2r2_ros.cli.options import LabelBags, LocalBags, Topics
from m2r2_ros.core.errors import ConfigError

#: What the server needs, which `pip install` brings with an extra.
_NEEDED = ('starlette', 'uvicorn')


def review_command(
    bags: LocalBags,
    labels: LabelBags = None,
    label_set: Annotated[
        Path | None,
        typer.Option('--label-set', help='YAML with the labels to choose from, and their parents.'),
    ] = None,
    annotator: Annotated[
        str, typer.Option('--annotator', help='Who saves; the user of this machine by default.')
    ] = '',
    min_segment: Annotated[
        float | None,
        typer.Option(
            '--min-segment',
            help='Seconds that a suggestion lasts at least: what is shorter is given to the '
            'likelier neighbour. By default half as long as the segments that people make here.',
            min=0.0,
        ),
    ] = None,
    topics: Topics = None,
    host: Annotated[
        str,
        typer.Option(
            '--host', help='Address to listen on; whoever can reach it and has the URL can save.'
        ),
    ] = '127.0.0.1',
    port: Annotated[
        int, typer.Option('--port', help='Port; 0 takes any that is free.', min=0, max=65535)
    ] = 8710,
    no_browser: Annotated[
        bool, typer.Option('--no-browser', help='Do not open the page in the browser.')
    ] = False,
) -> None:
    """Look at recordings in the browser, and correct their labels.

    What is saved goes to NAME_annotations beside each recording NAME, a new layer each time. The
    recordings themselves and other labels are never changed. Ctrl-C ends the server.

    For example: m2r2 review recordings --labels out
    """
    _expect_extra()
    from m2r2_ros.review.app import ReviewApp, ReviewOptions
    from m2r2_ros.review.finding import find_reviewed
    from m2r2_ros.review.folder import ReviewFolder
    from m2r2_ros.review.server import ReviewServer

    given = given_topics(topics)
    offered = None if label_set is None else read_taxonomy(label_set).label_set
    reviewed = find_reviewed(bags, labels or [], say_passed_over)
    folder = ReviewFolder(reviewed, bags[0].absolute().name, offered)
    options = ReviewOptions(annotator or _user(), given, offered, _say, min_segment)
    server = ReviewServer(ReviewApp(folder, options), host, port)
    folder.look()
    stdout.print(server.url, soft_wrap=True)
    console.print(f'{len(reviewed)} recordings; Ctrl-C ends the server')
    if not no_browser:
        # Some browsers run in the terminal until they are closed.
        Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
    server.run()


def _expect_extra() -> None:
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        msg = f"m2r2 review needs {' and '.join(missing)}: pip install 'm2r2_ros[review]'"
        raise ConfigError(msg)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in a container
        return ''


def _say(line: str) -> None:
    console.print(line, soft_wrap=True)
