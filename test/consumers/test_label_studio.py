# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks of Label Studio, checked by its own library in an environment of its own."""

import json
import subprocess
from pathlib import Path
from typing import Any

from m2r2_ros.core.time import SECOND
from test.cli.run import done
from test.consumers.environments import interpreter
from test.export.workshop import SEGMENTS, label_bag, workshop
from test.replay.recordings import START

#: Checks a folder, and prints what the library understood of each region.
CHECK = """
import json, sys
from pathlib import Path
from label_studio_sdk.label_interface import LabelInterface

def check(folder):
    interface = LabelInterface((folder / 'config.xml').read_text(encoding='utf-8'))
    interface.validate()
    regions = []
    for task in json.loads((folder / 'tasks.json').read_text(encoding='utf-8')):
        assert interface.validate_task({'data': task['data']})
        for annotation in task.get('annotations', ()):
            assert interface.validate_annotation(annotation)
            regions += annotation['result']
        for prediction in task.get('predictions', ()):
            errors = interface.validate_prediction(prediction, return_errors=True)
            assert not errors, errors
            regions += prediction['result']
    found = []
    for region in regions:
        control = interface.get_control(region['from_name'])
        assert control.validate_value(region['value'])
        found.append(control._value_class(**region['value']).model_dump())
    wrong = dict(regions[0]['value'], **{regions[0]['type']: ['nothing']})
    assert not interface.validate_region(dict(regions[0], value=wrong))
    return {'labels': list(interface.get_control('action').labels), 'values': found}

print(json.dumps([check(Path(folder)) for folder in sys.argv[1:]]))
"""


def checked(*folders: Path) -> list[dict[str, Any]]:
    """Have the library check what was exported; returns what it understood."""
    command = [str(interpreter('label-studio')), '-c', CHECK, *map(str, folders)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_the_library_finds_nothing_wrong(tmp_path: Path) -> None:
    """With videos and with signals, with annotations and with predictions."""
    interpreter('label-studio')
    bag = workshop(tmp_path / 'bags' / 'one')
    label_bag(tmp_path / 'labels' / 'one_labels', SEGMENTS, 'model-7')
    model = ['--labels', tmp_path / 'labels']
    videos, signals = [tmp_path / 'v', tmp_path / 'vm'], [tmp_path / 's', tmp_path / 'sm']
    for options, (own, made) in ((['--fps', 20], videos), (['--signals'], signals)):
        done('export', 'label-studio', bag, '--out', own, *options)
        done('export', 'label-studio', bag, '--out', made, *options, *model)
        for folder, kind in ((own, 'annotations'), (made, 'predictions')):
            (task,) = json.loads((folder / 'tasks.json').read_text(encoding='utf-8'))
            assert set(task) == {'data', kind}
    for k, found in enumerate(checked(*videos, *signals)):
        assert set(found['labels']) >= {one.label for one in SEGMENTS}
        assert len(found['values']) == len(SEGMENTS)
        for value, one in zip(found['values'], SEGMENTS, strict=True):
            times = [(time - START) / SECOND for time in (one.start, one.end)]
            if k < 2:
                assert value['timelinelabels'] == [one.label]
                (span,) = value['ranges']
                # A frame is a twentieth of a second, and a segment has one at least.
                assert abs((span['start'] - 1) / 20 - times[0]) <= 0.05
                assert abs(span['end'] / 20 - times[1]) <= 0.1
            else:
                assert value['timeserieslabels'] == [one.label]
                assert [value['start'], value['end']] == times
