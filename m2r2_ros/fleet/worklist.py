# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The list of work: which recordings there are, and where the results of each go."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.topics import LABEL_TOPIC
from m2r2_ros.bags.recording import open_recording, recording_name
from m2r2_ros.bags.remote.places import as_place, is_remote, real_name
from m2r2_ros.core.errors import BagError, ConfigError
from m2r2_ros.core.reading import read_text
from m2r2_ros.core.text import printable
from m2r2_ros.fleet.items import Item

#: Introduces a file with recordings, one a line.
LIST: Final = '@'
#: What the names of bags with labels of ours end in.
_OURS: Final = ('_labels', '_labelled')
#: Largest such file, bytes.
_MOST_BYTES: Final = 1 << 26


def work_list(
    given: Sequence[str],
    out: str,
    tree: str = '',
    passed_over: Callable[[str], None] = lambda what: None,
) -> list[Item]:
    """Return the recordings to work on, in the order of their paths.

    Args:
        given: Recordings, folders or URLs that hold some, and @FILE for a file that lists them.
        out: Folder or URL that results go to; recordings below it are results.
        tree: Folder or URL below which results keep the folders of their recordings; '' puts all
            results into one folder.
        passed_over: Called with what is in the way in a folder.

    Raises:
        BagError: A path holds no recording, or two have one name.
        ConfigError: A list cannot be read, or a recording does not lie below `tree`.
    """
    places = [as_place(text) for text in _expanded(given)]
    named = {str(place) for place in places}
    ours = real_name(as_place(out))
    items = []
    for path in find_recordings(places, passed_over):
        source = _absolute(path)
        if str(path) not in named and real_name(path).startswith(f'{ours}/'):
            continue
        folder = _folder(source, tree)
        items.append(Item(source, recording_name(path), folder, str(path) in named))
    if not items:
        msg = f'{", ".join(given)}: holds results alone; give the recordings that they are of'
        raise BagError(msg)
    expect_places(items)
    return items


def is_result(item: Item) -> bool:
    """Return whether a recording that was found in a folder holds labels of ours.

    In an object store the name tells: to look into each takes requests.

    Raises:
        BagError: It cannot be opened.
    """
    if item.named:
        return False
    if is_remote(item.place):
        return item.name.endswith(_OURS)
    return LABEL_TOPIC in open_recording(item.place).topics


def expect_places(items: Iterable[Item]) -> None:
    """Refuse recordings whose results would have one place.

    Raises:
        BagError: There are two.
    """
    found: dict[str, Item] = {}
    for item in items:
        other = found.setdefault(item.key, item)
        if other is not item:
            msg = (
                f'{item.source} and {other.source} have one name: --tree FOLDER, with a folder '
                'above both, keeps results in folders like theirs; make pages in runs of their own'
            )
            raise BagError(msg)


def _expanded(given: Sequence[str]) -> list[str]:
    """Return what was given, with the lines of lists in place of them.

    Raises:
        ConfigError: A list cannot be read, or has no line.
    """
    found: list[str] = []
    for text in given:
        if not text.startswith(LIST):
            found.append(text)
            continue
        file = Path(text.removeprefix(LIST))
        expected = 'a list of recordings, one a line'
        lines = read_text(file, expected, ConfigError, most=_MOST_BYTES).splitlines()
        wanted = [line.strip() for line in lines]
        wanted = [line for line in wanted if line and not line.startswith('#')]
        if not wanted:
            msg = f'{file}: has no line; expected {expected}'
            raise ConfigError(msg)
        found += wanted
    return found


def _folder(source: str, tree: str) -> str:
    """Return the folder below the output folder for a recording."""
    if not tree:
        return ''
    top = _absolute(as_place(tree)).rstrip('/')
    if not source.startswith(f'{top}/'):
        msg = f'{source} does not lie below --tree {printable(tree)}: give a folder above all'
        raise ConfigError(msg)
    return source[len(top) + 1 :].rpartition('/')[0]


def _absolute(place: Path) -> str:
    """Return a path that is the same on all machines; links stay, which may differ there."""
    return str(place if is_remote(place) else place.absolute())
