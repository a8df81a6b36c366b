# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What checks found, written in each format and read back."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from m2r2_ros.checks.catalogue_entry import CheckFacts
from m2r2_ros.checks.checked import Checked
from m2r2_ros.checks.finding import Finding, NotRun, Severity
from m2r2_ros.checks.outputs.json_text import from_json, to_json
from m2r2_ros.checks.outputs.junit import to_junit
from m2r2_ros.checks.outputs.page import to_page
from m2r2_ros.checks.outputs.sarif import to_sarif
from m2r2_ros.checks.outputs.table import to_lines
from m2r2_ros.core.errors import BagError

START = 1_760_000_000_000_000_001
SECOND = 1_000_000_000
GAP = Finding(
    'time.gap',
    Severity.ERROR,
    'nothing for 2 s <here>',
    '/wrench',
    START + 12 * SECOND,
    START + 14 * SECOND,
    2.0,
    0.2,
    's',
)
LOSS = Finding('time.loss', Severity.WARNING, 'messages are missing\0\x1b[31m', measured=0.5)
FACTS = {
    name: CheckFacts(name, f'{name} & more', (Severity.ERROR, Severity.WARNING))
    for name in ('time.gap', 'time.loss', 'time.order', 'label.grammar')
}
ONE = Checked(
    Path('some folder/first'),
    'first',
    START,
    START + 60 * SECOND,
    ('time.gap', 'time.loss', 'time.order'),
    (GAP, LOSS),
    (NotRun('label.grammar', 'no labels'), NotRun('time.order', 'no stamp', '/sound')),
    0.25,
)
CLEAN = Checked(Path('/data/second'), 'second', 0, 0, ('time.gap',), (), (), 0.1)


def test_a_table_says_what_was_found_where_and_what_was_not_run() -> None:
    lines = list(to_lines([ONE, CLEAN]))
    assert lines[0] == 'first: 1 error, 1 warning (3 checks run)'
    assert lines[1].split() == (
        [
            'error',
            'time.gap',
            '/wrench',
            '12.00-14.00',
            's',
            '2',
            's',
            '(0.2',
            's)',
            'nothing',
            'for',
            '2',
            's',
            '<here>',
        ]
    )
    assert lines[2].split()[:2] == ['warning', 'time.loss']
    assert lines[3] == 'second: nothing found (1 check run)'
    assert lines[4] == '1 error and 1 warning in all; nothing found in 1 of 2 recordings'
    assert lines[5:] == [
        'not run: label.grammar (first): no labels',
        'not run: time.order of /sound (first): no stamp',
    ]


def test_a_reason_is_told_once_for_all_recordings() -> None:
    several = [Checked(Path(n), n, 0, 1, (), (), (NotRun('a.b', 'why'),)) for n in 'abcd']
    assert list(to_lines(several))[-1] == 'not run: a.b (a, b, c and 1 more): why'


def test_json_is_read_back_to_the_nanosecond() -> None:
    assert from_json(to_json([ONE, CLEAN]), 'it') == [ONE, CLEAN]


@pytest.mark.parametrize('text', ['', '{"name": 1}', '[1]', '[{"recording": 1}]', '7'])
def test_what_is_no_json_of_checks_is_refused_by_name(text: str) -> None:
    with pytest.raises(BagError, match=r'findings\.json'):
        from_json(text, 'findings.json')


def test_junit_has_a_case_for_each_check() -> None:
    suites = ElementTree.fromstring(to_junit([ONE, CLEAN]))
    first = suites[0]
    assert (first.get('tests'), first.get('failures'), first.get('skipped')) == ('4', '1', '1')
    cases = {case.get('name'): case for case in first}
    failure = cases['time.gap'].find('failure')
    assert failure is not None
    assert '12.00-14.00 s: nothing for 2 s <here> [2 s (0.2 s)]' in (failure.text or '')
    assert cases['time.loss'].find('failure') is None
    output = cases['time.loss'].find('system-out')
    assert output is not None
    assert (output.text or '').startswith('warning: messages are missing\ufffd')
    skipped = cases['label.grammar'].find('skipped')
    assert skipped is not None
    assert skipped.get('message') == 'no labels'
    assert len(cases['time.order']) == 0, 'it was run, of other topics'


def test_sarif_names_rules_places_and_what_was_not_run() -> None:
    log = json.loads(to_sarif([ONE, CLEAN], FACTS))
    assert log['version'] == '2.1.0'
    run = log['runs'][0]
    rules = [rule['id'] for rule in run['tool']['driver']['rules']]
    assert [rules[r['ruleIndex']] for r in run['results']] == ['time.gap', 'time.loss']
    gap, loss = run['results']
    assert gap['level'] == 'error'
    assert gap['properties'] == {
        'start': GAP.start, 'end': GAP.end, 'measured': 2.0, 'threshold': 0.2, 'unit': 's',
    }  # fmt: skip
    place = gap['locations'][0]
    assert place['physicalLocation']['artifactLocation']['uri'] == 'some%20folder/first'
    assert place['logicalLocations'] == [{'name': '/wrench'}]
    assert gap['partialFingerprints'] != loss['partialFingerprints']
    notices = run['invocations'][0]['toolExecutionNotifications']
    assert [n['associatedRule']['id'] for n in notices] == ['label.grammar', 'time.order']


def test_sarif_of_an_absolute_path_is_a_uri() -> None:
    one = Checked(Path('/data/a b'), 'a b', 0, 1, (), (LOSS,), ())
    result = json.loads(to_sarif([one], FACTS))['runs'][0]['results'][0]
    assert result['locations'][0]['physicalLocation']['artifactLocation']['uri'] == (
        'file:///data/a%20b'
    )


def test_a_page_shows_the_worst_first_and_escapes_names() -> None:
    bad = Checked(Path('x'), '<b>third</b>', START, START, ('time.gap',), (GAP, GAP), ())
    page = to_page([CLEAN, ONE, bad], FACTS)
    assert page.index('&lt;b&gt;third') < page.index('>first<') < page.index('>second<')
    assert '<b>' not in page
    assert 'nothing for 2 s &lt;here&gt;' in page
    assert 'time.gap &amp; more' in page
    assert '<li>label.grammar: no labels</li>' in page


def test_a_page_of_clean_recordings_says_so() -> None:
    assert 'Nothing was found.' in to_page([CLEAN], FACTS)
