# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Findings as SARIF 2.1.0, which code hosts and editors show."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from m2r2_ros import __version__
from m2r2_ros.checks.catalogue_entry import CheckFacts
from m2r2_ros.checks.checked import Checked
from m2r2_ros.checks.finding import Finding, NotRun

_SCHEMA: Final = 'https://json.schemastore.org/sarif-2.1.0.json'


def to_sarif(checked: Sequence[Checked], facts: Mapping[str, CheckFacts]) -> str:
    """Return a log of one run.

    Args:
        checked: The recordings.
        facts: What the checks are, by id.
    """
    ids = list(facts)
    notices = [_notice(one, not_run) for one in checked for not_run in one.not_run]
    run = {
        'tool': {
            'driver': {
                'name': 'm2r2 check',
                'semanticVersion': __version__,
                'rules': [
                    {'id': check, 'shortDescription': {'text': facts[check].what}} for check in ids
                ],
            }
        },
        'results': [
            _result(one, finding, ids.index(finding.check))
            for one in checked
            for finding in one.findings
        ],
        'invocations': [{'executionSuccessful': True, 'toolExecutionNotifications': notices}],
        'columnKind': 'utf16CodeUnits',
    }
    log = {'$schema': _SCHEMA, 'version': '2.1.0', 'runs': [run]}
    return json.dumps(log, indent=2, allow_nan=False)


def _result(one: Checked, finding: Finding, rule: int) -> dict[str, Any]:
    location = _location(one.recording)
    if finding.topic:
        location['logicalLocations'] = [{'name': finding.topic}]
    # The same finding has the same mark in the next run, wherever the recording lies.
    mark = repr((one.name, finding.check, finding.topic, finding.start, finding.end))
    properties = {
        'start': finding.start,
        'end': finding.end,
        'measured': finding.measured,
        'threshold': finding.threshold,
        'unit': finding.unit,
    }
    return {
        'ruleId': finding.check,
        'ruleIndex': rule,
        'level': finding.severity.value,
        'message': {'text': one.told(finding)},
        'locations': [location],
        'partialFingerprints': {'m2r2/v1': sha256(mark.encode()).hexdigest()[:16]},
        'properties': {k: v for k, v in properties.items() if v is not None},
    }


def _notice(one: Checked, not_run: NotRun) -> dict[str, Any]:
    of = f' of {not_run.topic}' if not_run.topic else ''
    return {
        'level': 'note',
        'message': {'text': f'not run{of}: {not_run.why}'},
        'associatedRule': {'id': not_run.check},
        'locations': [_location(one.recording)],
    }


def _location(recording: Path) -> dict[str, Any]:
    """Return where a recording is; relative paths stay relative, as code hosts want them."""
    uri = str(recording)
    if '://' not in uri:
        uri = recording.as_uri() if recording.is_absolute() else quote(recording.as_posix())
    return {'physicalLocation': {'artifactLocation': {'uri': uri}}}
