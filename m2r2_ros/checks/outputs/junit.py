# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Findings as JUnit XML, which build servers show: recordings are suites, and checks their cases.

Errors are failures. Warnings are told in the output of their case, which passes; checks that were
not run are skipped.
"""

import re
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from m2r2_ros.checks.checked import Checked
from m2r2_ros.checks.finding import Finding, Severity
from m2r2_ros.checks.outputs.numbers import compared

#: Characters that XML 1.0 cannot hold, not even escaped.
_NO_XML: Final = re.compile('[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def to_junit(checked: Sequence[Checked]) -> str:
    """Return the suites of all recordings."""
    root = Element('testsuites', name='m2r2 check')
    for one in checked:
        _add_suite(root, one)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding='unicode') + '\n'


def _add_suite(root: Element, one: Checked) -> None:
    skipped = {n.check: n for n in one.not_run if n.check not in one.ran}
    cases = sorted({*one.ran, *skipped, *(f.check for f in one.findings)})
    failed = {f.check for f in one.findings if f.severity is Severity.ERROR}
    suite = SubElement(
        root,
        'testsuite',
        name=_clean(one.name),
        tests=str(len(cases)),
        failures=str(len(failed)),
        errors='0',
        skipped=str(len(skipped)),
        time=f'{one.seconds:.3f}',
        file=_clean(str(one.recording)),
    )
    for check in cases:
        case = SubElement(suite, 'testcase', classname=_clean(one.name), name=check)
        lines = {
            severity: [
                _line(one, f) for f in one.findings if (f.check, f.severity) == (check, severity)
            ]
            for severity in Severity
        }
        if errors := lines[Severity.ERROR]:
            failure = SubElement(case, 'failure', type=check, message=_clean(errors[0]))
            failure.text = _clean('\n'.join(errors))
        if check in skipped:
            SubElement(case, 'skipped', message=_clean(skipped[check].why))
        if warnings := lines[Severity.WARNING]:
            SubElement(case, 'system-out').text = _clean(
                '\n'.join(f'warning: {w}' for w in warnings)
            )


def _line(one: Checked, finding: Finding) -> str:
    measured = compared(finding)
    return one.told(finding) + (f' [{measured}]' if measured else '')


def _clean(text: str) -> str:
    """Return text without what XML cannot hold."""
    return _NO_XML.sub('\ufffd', text)
