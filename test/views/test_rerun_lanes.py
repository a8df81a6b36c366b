# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Label lanes for Rerun, read back with its own SDK, beside what it makes of the recording."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.labels import UNKNOWN_LABEL, LabelSet, Segment, colours_of
from m2r2_ros.core.palette import hex_colour
from m2r2_ros.views.rerun_lanes import APPLICATION, TIMELINES, state_changes, write_lanes
from test.replay.recordings import SECOND, START, robot, truth_of, write_mcap

LABELS = LabelSet.of(['reach', 'push', 'grip'])
needs_rerun = pytest.mark.skipif(
    find_spec('rerun') is None, reason="needs pip install 'm2r2_ros[rerun]'"
)


def lanes() -> dict[str, list[Segment]]:
    """Segments with a gap, one of no label, and a label that the set does not have."""
    found = [(0, 2, 'reach'), (2, 4, UNKNOWN_LABEL), (5, 6, 'wave')]
    given = [Segment(START + a * SECOND, START + b * SECOND, name) for a, b, name in found]
    return {'ground_truth': truth_of(6.0, 1), 'a b/c': given}


def read(path: Path) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Return the ids of a file, its state changes and its styles by entity, as Arrow tables."""
    reader = import_module('rerun.chunk').RrdReader(path)
    (entry,) = reader.recordings()
    changes, styles = {}, {}
    for chunk in reader.stream():
        names = chunk.to_record_batch().schema.names
        if 'StateChange:state' in names:
            changes[chunk.entity_path] = chunk.to_record_batch()
        elif 'StateConfiguration:values' in names:
            styles[chunk.entity_path] = chunk.to_record_batch()
    return entry, changes, styles


def stamps_of(column: Any) -> list[int]:
    return np.asarray(column.cast('int64')).tolist()


@needs_rerun
def test_lanes_are_read_back_as_they_were(tmp_path: Path) -> None:
    out = tmp_path / 'labels.rrd'
    write_lanes(out, 'first', lanes(), LABELS)
    entry, changes, styles = read(out)
    assert (entry.application_id, entry.recording_id) == (APPLICATION, 'first')
    assert len(changes) == len(styles) == 2
    for (path, table), segments in zip(
        sorted(changes.items()), [[*lanes().values()][k] for k in (1, 0)], strict=True
    ):
        expected = state_changes(segments)
        assert [state for (state,) in table['StateChange:state'].to_pylist()] == [
            *expected.values()
        ]
        for timeline in TIMELINES:
            assert stamps_of(table[timeline]) == list(expected)
        (names,) = styles[path]['StateConfiguration:values'].to_pylist()
        (colours,) = styles[path]['StateConfiguration:colors'].to_pylist()
        wanted = colours_of(LABELS, names)
        assert {*names} == {'reach', 'push', 'grip', 'wave', UNKNOWN_LABEL}
        assert [f'#{c:08x}' for c in colours] == [f'{hex_colour(wanted[n])}ff' for n in names]


@needs_rerun
def test_lanes_join_what_rerun_makes_of_the_recording(tmp_path: Path) -> None:
    recording = write_mcap(tmp_path / 'first.mcap', robot(6.0))
    lanes_file, converted, both = (tmp_path / f'{name}.rrd' for name in ('a', 'b', 'both'))
    write_lanes(lanes_file, 'first', {'truth': truth_of(6.0, 0)}, LABELS)
    ids = ['--application-id', APPLICATION, '--recording-id', 'first']
    rerun_cli('mcap', 'convert', recording, *ids, '-o', converted)
    rerun_cli('rrd', 'merge', lanes_file, converted, '-o', both)
    read(both)  # one recording, or this fails
    reader = import_module('rerun.chunk').RrdReader(converted)
    (entry,) = reader.recordings()
    assert (entry.application_id, entry.recording_id) == (APPLICATION, 'first')
    tables = [c.to_record_batch() for c in reader.stream() if set(TIMELINES) <= {*c.timeline_names}]
    assert tables, 'rerun mcap convert calls its timelines otherwise'
    for timeline in TIMELINES:
        stamps = [stamp for table in tables for stamp in stamps_of(table[timeline])]
        assert min(stamps) == truth_of(6.0, 0)[0].start == START
        assert max(stamps) <= truth_of(6.0, 0)[-1].end


def rerun_cli(*arguments: object) -> None:
    command = [sys.executable, '-m', 'rerun_cli', *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_states_end_where_a_gap_begins() -> None:
    a, b, c = Segment(0, 10, 'a'), Segment(10, 20, 'b'), Segment(25, 30, 'c')
    assert state_changes([a, b, c]) == {0: 'a', 10: 'b', 20: '', 25: 'c', 30: ''}
    assert state_changes([a, Segment(5, 20, 'b')]) == {0: 'a', 5: 'b', 20: ''}
    assert state_changes([]) == {}


def test_without_rerun_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'rerun', None)
    with pytest.raises(ConfigError, match=r"0\.41 or newer.*pip install 'm2r2_ros\[rerun\]'"):
        write_lanes(tmp_path / 'a.rrd', 'a', lanes(), LABELS)
    monkeypatch.setitem(sys.modules, 'rerun', sys)
    with pytest.raises(ConfigError, match='found an older one'):
        write_lanes(tmp_path / 'a.rrd', 'a', lanes(), LABELS)
    assert not list(tmp_path.iterdir())
