# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many faults the checks of recordings find, and how many they see where there is none.

Each fault is given to a simulated episode of its own, on several seeds; recordings that are there
already are kept, so that a run goes on where another one stopped. A fault counts as found where its
check says so of the topic that is broken, or of the sensor that is held against it.
"""

import argparse
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.checks.finding import Finding
from m2r2_ros.checks.recording.files import file_results
from m2r2_ros.checks.recording.options import FileOptions
from m2r2_ros.checks.recording.passing import Pass, read_once
from m2r2_ros.checks.recording.watch import RecordingOptions, recording_observers
from m2r2_ros.core.files import write_text
from m2r2_ros.simulation.config import episode_name
from m2r2_ros.simulation.faults import CAMERAS, Fault, parse_fault

SECONDS, CAMERA_SECONDS = 40, 30
FIRST, FIRST_CLEAN = 9100, 9000

TOPICS: Final = {
    'wrench': '/ft_sensor/wrench',
    'pose': '/current_pose',
    'twist': '/current_twist',
    'gripper': '/gripper/joint_states',
    'joints': '/joint_states',
    'microphone': '/microphone/audio',
    **{name: f'/{name}/image_raw/compressed' for name in CAMERAS},
}
#: Faults, and the check that has to find each.
FAULTS: Final = {
    'time.gap': (
        'wrench-dropout@20s+3s', 'microphone-dropout@20s+3s', 'gripper-dropout@20s+3s',
        'pose-dropout@20s+3s', 'camera-dropout@15s+3s',
    ),
    'time.loss': (
        'wrench-lost=0.2@10s+20s', 'twist-lost=0.2@10s+20s', 'gripper-lost=0.3@10s+20s',
        'microphone-lost=0.2@10s+20s',
    ),
    'time.order': (
        'wrench-late=0.3@20s+5s', 'twist-late=0.3@20s+5s', 'gripper-late=0.3@20s+5s',
        'microphone-late=0.3@20s+5s',
    ),
    'time.header_skew': (
        'microphone-offset=0.15@0s', 'wrench-offset=-0.1@0s+end', 'pose-offset=0.2@20s+5s',
        'gripper-offset=0.08@0s+end',
    ),
    'time.content_offset': (
        'microphone-shift=0.15@0s', 'microphone-shift=-0.08@0s', 'wrench-shift=0.25@0s+end',
        'pose-shift=0.1@0s+end', 'twist-shift=-0.06@0s+end', 'gripper-shift=0.2@0s+end',
    ),
    'value.finite': (
        'wrench-nan@20s+1s', 'pose-nan@20s+1s', 'gripper-nan@20s+1s', 'joints-nan@20s+1s',
    ),
    'value.clip': ('wrench-saturate=10@0s+end', 'wrench-saturate=5@10s+20s'),
    'value.frozen': (
        'wrench-freeze@20s+3s', 'pose-freeze@20s+3s', 'twist-freeze@20s+3s',
        'gripper-freeze@20s+3s', 'microphone-freeze@20s+3s', 'camera-freeze@15s+3s',
    ),
    'file.cut': ('file-truncate=0.8',),
    'file.chunk': ('file-flip@20s',),
}  # fmt: skip
#: What a finding measures of a fault of its kind, as a factor of the fault's value or duration.
_SIGNS: Final = {'offset': -1.0, 'shift': 1.0}


@dataclass(slots=True)
class Score:
    """What became of the faults of one check.

    Attributes:
        tried: Recordings with a fault.
        found: How many of them the check told.
        missed: Those that it did not.
        errors: Estimate less what was injected, by unit.
    """

    tried: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    errors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def simulated(folder: Path, seed: int, seconds: int, *options: str) -> Path:
    """Return an episode, simulated unless it is there."""
    path = folder / episode_name(seed)
    if not path.exists():
        command = ['simulate', '--out', folder, '--seed', seed, '--seconds', seconds, '--jobs', 1]
        done = subprocess.run(
            [sys.executable, '-m', 'm2r2_ros.cli.main', *map(str, command), *options],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f'm2r2 simulate {" ".join(options)} failed: {done.stderr[-400:]}')
    return path


def found_in(path: Path) -> list[Finding]:
    """Return what all checks find in a recording."""
    results = file_results(path, FileOptions())
    recording, outcome = open_recording(path), Pass()
    observers = recording_observers(recording, RecordingOptions(), outcome=outcome)
    read_once(recording, observers, outcome=outcome)
    for observer in observers:
        results += observer.finish()
    return [result for result in results if isinstance(result, Finding)]


def judge(score: Score, check: str, fault: Fault, found: Sequence[Finding]) -> bool:
    """Take the findings of a recording with a fault; returns whether it was found."""
    devices = CAMERAS if fault.device == 'camera' else (fault.device,)
    own = [f for f in found if f.check == check and _is_of(f, devices)]
    score.tried += 1
    score.found += bool(own)
    for finding in own:
        if finding.measured is None:
            continue
        if fault.kind in _SIGNS and check in ('time.header_skew', 'time.content_offset'):
            # Of two alone, either may be named: the other is off the other way.
            blamed = finding.topic in {TOPICS[device] for device in devices}
            wanted = _SIGNS[fault.kind] * fault.value * (1 if blamed else -1)
            score.errors['ms'].append(1000 * (finding.measured - wanted))
        elif fault.kind in ('dropout', 'freeze'):
            score.errors['ms'].append(1000 * (finding.measured - fault.duration))
        elif fault.kind == 'lost' and finding.threshold:
            lost = 1 - finding.measured / (finding.threshold / 0.9)
            score.errors['% of messages'].append(100 * (lost - fault.value))
    return bool(own)


def _is_of(finding: Finding, devices: Sequence[str]) -> bool:
    topics = {TOPICS[device] for device in devices if device in TOPICS}
    if finding.check == 'time.content_offset' and 'wrench' in devices:
        topics.add(TOPICS['microphone'])  # the two that feel knocks, of which either may be off
    return not topics or finding.topic in topics


def measured(folder: Path, seeds: int) -> dict[str, Score]:
    """Return what became of all faults."""
    scores = {check: Score() for check in FAULTS}
    for check, texts in FAULTS.items():
        for text in texts:
            fault = parse_fault(text, of_file=True)
            seen = fault.device in ('camera', *CAMERAS)
            options = ['--fault', text, *([] if seen else ['--no-cameras'])]
            for seed in range(FIRST, FIRST + seeds):
                seconds = CAMERA_SECONDS if seen else SECONDS
                path = simulated(folder / text, seed, seconds, *options)
                if not judge(scores[check], check, fault, found_in(path)):
                    scores[check].missed.append(f'{text} on seed {seed}')
            print(f'{check}: {text}', flush=True)
    return scores


def false_alarms(folder: Path, clean: int) -> dict[str, int]:
    """Return how many healthy recordings each check finds something in."""
    counts: dict[str, int] = defaultdict(int)
    for seed in range(FIRST_CLEAN, FIRST_CLEAN + clean):
        options = () if seed % 5 == 0 else ('--no-cameras',)
        name = 'clean_cameras' if seed % 5 == 0 else 'clean'
        found = found_in(simulated(folder / name, seed, SECONDS, *options))
        for check in {f.check for f in found}:
            counts[check] += 1
        for finding in found:
            print(f'false alarm on seed {seed}: {finding}', flush=True)
    return counts


def table(scores: dict[str, Score], alarms: dict[str, int], seeds: int, clean: int) -> str:
    """Return the scores as a Markdown table."""
    lines = [
        f'| id | faults injected, on {seeds} seeds each | recall | false alarms on {clean} clean '
        'seeds | median error of its estimate |',
        '|---|---|---|---|---|',
    ]
    for check, score in scores.items():
        faults = ', '.join(f'`{text}`' for text in FAULTS[check])
        recall = f'{score.found} of {score.tried}'
        errors = '; '.join(
            f'{median(map(abs, values)):.2g} {unit}' for unit, values in score.errors.items()
        )
        lines.append(
            f'| {check} | {faults} | {recall} | {alarms.get(check, 0)} | {errors or "-"} |'
        )
    missed = [text for score in scores.values() for text in score.missed]
    if missed:
        lines += ['', f'Missed: {", ".join(missed)}.']
    return '\n'.join(lines) + '\n'


def main() -> None:
    """Simulate, check and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work', type=Path, required=True, help='where recordings are kept')
    parser.add_argument('--seeds', type=int, default=5, help='of each fault')
    parser.add_argument('--clean', type=int, default=20, help='seeds without a fault')
    parser.add_argument('--out', type=Path, help='Markdown file for the table')
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    alarms = false_alarms(given.work, given.clean)
    text = table(measured(given.work, given.seeds), alarms, given.seeds, given.clean)
    print(text)
    if given.out:
        write_text(given.out, text)


if __name__ == '__main__':
    main()
