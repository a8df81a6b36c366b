# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of labels as annotation tools, scripts and spreadsheets write them."""

import random
from pathlib import Path

import pytest

from m2r2_ros.bags.labels import cells
from m2r2_ros.bags.labels.clock import RecordingClock
from m2r2_ros.bags.labels.csv import read_labels_csv, read_segments_csv, write_segments_csv
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from test.replay.recordings import SECOND, START

CLOCK = RecordingClock(START, START + 20 * SECOND)
SEGMENTS = [
    Segment(START + 123_456_789, START + 5 * SECOND, 'reach'),
    Segment(START + 5 * SECOND, START + 7_250_000_000, 'push'),
    Segment(START + 7_250_000_000, START + 11 * SECOND, 'grip'),
]
#: The table of segments as it was written when it still had nanoseconds, too.
OLD = 'start_ns,end_ns,start_s,end_s,label,confidence,reason'


def rows_of(text: str, folder: Path, clock: RecordingClock | None = CLOCK) -> list[Segment]:
    (folder / 'trial.csv').write_text(text, encoding='utf-8')
    return read_segments_csv(folder / 'trial.csv', clock)


def told(text: str, folder: Path, clock: RecordingClock | None = CLOCK) -> str:
    """Return the error of a table; it has to name the file."""
    with pytest.raises(LabelError) as error:
        rows_of(text, folder, clock)
    assert str(folder / 'trial.csv') in str(error.value)
    return str(error.value)


def seconds(segments: list[Segment]) -> list[tuple[float, float, str]]:
    return [((s.start - START) / SECOND, (s.end - START) / SECOND, s.label) for s in segments]


def old_table(segments: list[Segment] = SEGMENTS) -> list[list[str]]:
    origin = segments[0].start
    return [
        [str(s.start), str(s.end)]
        + [f'{(t - origin) // SECOND}.{(t - origin) % SECOND:09d}' for t in (s.start, s.end)]
        + [s.label, '1', '']
        for s in segments
    ]


def old_text(rows: list[list[str]]) -> str:
    return '\n'.join([OLD, *(','.join(row) for row in rows)]) + '\n'


@pytest.mark.parametrize(
    ('header', 'unit', 'since'),
    [
        ('start,end,label', 1, False),
        ('start,end,label', 1, True),
        ('start,end,label', 10**3, True),
        ('start,end,label', 10**6, True),
        ('start,end,label', 10**9, True),
        ('start_s,end_s,label', 1, False),
        ('Start [ms],End [ms],Label', 10**3, False),
        ('start_ms,end_ms,action', 10**3, True),
        ('begin_us,stop_us,phase', 10**6, True),
        ('start time (µs),end time (µs),label', 10**6, False),
        ('start_ns,end_ns,label', 10**9, True),
        ('start_ns,end_ns,label', 10**9, False),
    ],
)
def test_units_and_origins(header: str, unit: int, since: bool, tmp_path: Path) -> None:
    origin = START // SECOND if since else 0
    cells = [f'{(origin + a) * unit},{(origin + b) * unit}' for a, b in ((1, 3), (3, 9))]
    found = read_labels_csv_of(f'{header}\n{cells[0]},push\n{cells[1]},grip\n', tmp_path)
    assert seconds(found[0]) == [(1, 3, 'push'), (3, 9, 'grip')]
    expected = 'times since 1970' if since else 'times from the start of the recording'
    assert found[1] == expected


def read_labels_csv_of(text: str, folder: Path) -> tuple[list[Segment], str]:
    (folder / 'trial.csv').write_text(text, encoding='utf-8')
    found = read_labels_csv(folder / 'trial.csv', CLOCK)
    return found.segments, found.note


def test_what_is_written_is_read_to_the_nanosecond(tmp_path: Path) -> None:
    early = [Segment(START - 7, START + 1, 'push'), *SEGMENTS]  # stamps go before log times
    write_segments_csv(tmp_path / 'a.csv', early, START)
    assert (tmp_path / 'a.csv').read_text().splitlines()[0] == (
        'start_s,end_s,label,confidence,reason'
    )
    assert read_segments_csv(tmp_path / 'a.csv', CLOCK) == early


@pytest.mark.parametrize(
    'text',
    [
        '\ufeffstart_s;end_s;label\n1,5;3,25;push\n',
        'sep=;\nstart_s;end_s;label\n1,5;3,25;push\n',
        'start_s\tend_s\tlabel\n1.5\t3.25\tpush\n',
        '"start_s","end_s","label"\r\n"1.5","3.25","push"\r\n',
        'start_s;end_s;label;;\n1.5;3.25;push;;\n;;;;\n',
        'label,end_s,note,start_s\npush,3.25,"a; b",1.5\n',
    ],
)
def test_spreadsheets_of_the_world(text: str, tmp_path: Path) -> None:
    assert seconds(rows_of(text, tmp_path)) == [(1.5, 3.25, 'push')]


def test_rows_may_be_added_deleted_and_moved(tmp_path: Path) -> None:
    rows = ['5,7.25,push', '0.5,5,reach', '7.25,9,new']
    random.Random(1).shuffle(rows)
    text = '\n'.join(['start_s,end_s,label', *rows])
    found = seconds(rows_of(text, tmp_path))
    assert found == [(0.5, 5, 'reach'), (5, 7.25, 'push'), (7.25, 9, 'new')]


def test_older_tables_are_read_as_before(tmp_path: Path) -> None:
    assert rows_of(old_text(old_table()), tmp_path) == SEGMENTS
    assert rows_of(old_text(old_table()[::-1][:2]), tmp_path) == SEGMENTS[1:]


def test_older_tables_are_read_as_edited_and_it_is_said(tmp_path: Path) -> None:
    rows = old_table()
    rows[1][2] = rows[0][3] = '5.5'  # from the first segment on
    rows.append(['', '', '12', '13', 'new', '', ''])
    found, note = read_labels_csv_of(old_text(rows), tmp_path)
    origin = SEGMENTS[0].start
    edge = origin + 5_500_000_000
    assert [s.end for s in found[:2]] == [edge, SEGMENTS[1].end]
    assert [s.start for s in found[:2]] == [origin, edge]
    assert (found[3].start, found[3].label) == (origin + 12 * SECOND, 'new')
    assert '2 times in seconds differ from those in nanoseconds and are taken' in note
    assert 'line 2: 5.5 s, not 4.87654 s' in note


def test_older_tables_whose_columns_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    rows = old_table()
    for k, row in enumerate(rows):
        row[2:4] = [str(7 * k * k), str(7 * k * k + 3)]
    assert 'delete the two columns that were not edited' in told(old_text(rows), tmp_path)


@pytest.mark.parametrize(
    ('text', 'column'),
    [
        ('start_ns,end_ns,label\n1.76E+18,1.76E+18,push\n', 'start_ns'),
        ('start_ns,end_ns,label\n1760000001000000007,1.76E+18,push\n', 'end_ns'),
        ('start,end,label\n1.76E+09,1.76E+09,push\n', 'start'),
        ('start_ms;end_ms;label\n1,76E+12;1,76E+12;push\n', 'start_ms'),
        ('time,label\n1.76E+09,push\n', 'time'),
        (
            'start_ns,end_ns,label\n1760000001123450000,1760000003000000000,push\n'
            '1760000003000000000,1760000004000000000,grip\n',
            'start_ns',
        ),
        (old_text(old_table()).replace(str(SEGMENTS[1].start), '1.76E+18'), 'end_ns'),
    ],
)
def test_stamps_that_a_spreadsheet_has_rounded_are_refused(
    text: str, column: str, tmp_path: Path
) -> None:
    error = told(text, tmp_path)
    assert 'a spreadsheet has' in error
    assert f'{column} ' in error
    assert 'start_s, end_s' in error


def test_exponents_that_lose_nothing_and_whole_seconds_are_read(tmp_path: Path) -> None:
    text = 'start_ns,end_ns,label\n1.760000001000000000e+18,1760000003000000000,push\n'
    assert seconds(rows_of(text, tmp_path)) == [(1, 3, 'push')]


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('start_s,end_s,label\n100,200,push\n',
         ('100.000 s to 200.000 s (2025-10-09T08:55:00Z', '0.000 s to 20.000 s (2025-10-09T08:53')),
        ('start,end,label\n1750000000,1750000001,push\n', ('2025-06-15T15:06:40Z', 'unit')),
        ('start,end,label\n1,1760000003,push\n', ('line 2', 'all since 1970')),
        ('start,end,label\n50000000,50000001,push\n', ('neither', 'start_s or start_ns')),
        ('start_ms,end_ms,label\n1760000000,1760000001,push\n', ('start_ms is 1760000 s', 'unit')),
        ('start,end_s,label\n1,2,push\n', ('one start and one end, of one unit',)),
        ('start_s,end_s,start_ms,end_ms,label\n1,2,1,2,push\n', ('one start and one end',)),
        ('time,time_s,label\n1,2,push\n', ('one column of times', 'time, time_s')),
        ('label,label\npush,push\n', ('one column for the label',)),
        ('start,end\n1,2\n', ('expected a label',)),
        ('a;b\n1;2\n', ('a, b', 'start_s')),
        ('start_s,end_s,label\n1,2:30,push\n', ("end_s is '2:30'",)),
        ('start_s,end_s,label\n"1,5",2,push\n', ("start_s is '1,5'",)),
        ('start_s,end_s,label\n-1e9,2,push\n', ('neither',)),
        ('start_frame,end_frame,label\n1.5,2,push\n', ('the number of a frame',)),
        ('time_s,label\n2,push\n1,grip\n', ('line 3', 'sort')),
    ],
)  # fmt: skip
def test_hostile_tables_are_told(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    error = told(text, tmp_path)
    for word in words:
        assert word in error


def test_seconds_from_the_start_need_the_recording(tmp_path: Path) -> None:
    assert 'need the recording' in told('start,end,label\n1,2,push\n', tmp_path, None)
    assert 'need the recording' in told('frame,label\n1,push\n', tmp_path, None)


def test_a_simulated_clock(tmp_path: Path) -> None:
    clock = RecordingClock(1000 * SECOND, 1060 * SECOND)
    found = rows_of('start,end,label\n1003,1005,push\n', tmp_path, clock)
    assert [s.start for s in found] == [1003 * SECOND]
    found = rows_of('start,end,label\n3,5,push\n', tmp_path, clock)
    assert [s.start for s in found] == [1003 * SECOND]


@pytest.mark.parametrize('header', ['time,label', 'timestamp_s,action', 't [s];label'])
def test_a_label_for_each_sample(header: str, tmp_path: Path) -> None:
    labels = ['', 'push', 'push', 'none', 'grip', 'grip']
    mark = ';' if ';' in header else ','
    rows = [f'{0.5 * k}{mark}{label}' for k, label in enumerate(labels)]
    found = rows_of('\n'.join([header, *rows]), tmp_path)
    assert seconds(found) == [(0.5, 1.5, 'push'), (2, 3, 'grip')]


def test_labels_where_they_change(tmp_path: Path) -> None:
    found = rows_of('time,label\n0,reach\n7,push\n8,grip\n9.5,\n', tmp_path)
    assert seconds(found) == [(0, 7, 'reach'), (7, 8, 'push'), (8, 9.5, 'grip')]


@pytest.mark.parametrize(
    'text',
    [
        'frame,label\n0,\n1,\n2,push\n3,push\n4,\n',
        'label\nnone\nnone\npush\npush\nnone\n',
        'start_frame,end_frame,label\n2,4,push\n',
        'frame;time_ms;label\n0;0;\n2;200;push\n4;400;\n',
    ],
)
def test_frames_at_a_rate(text: str, tmp_path: Path) -> None:
    clock = RecordingClock(START, START + 20 * SECOND, rate=10.0)
    assert seconds(rows_of(text, tmp_path, clock)) == [(0.2, 0.4, 'push')]


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, 'MOST_ROWS', 10)
    assert 'more than 10 rows' in told('label\n' + 'a\n' * 11, tmp_path)
