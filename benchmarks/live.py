# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of a live robot: how late they are, what is lost, and what they cost.

A simulated episode is played at real time by the player, in a process of its own, with its stamps
moved to now; the segmenter labels it in another; a third listens. Then the usual way does the same,
with PyTorch. A label waits for the sound of its frame, which a sound card gives in chunks; the
usual way does not, so when that came is noted too. Ends with exit code 1 where a message or a
window was lost, where labels are later than wanted, or where they cost more.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from foxglove_msgs.msg import RawAudio
from m2r2_ros.msg import ActionLabel

from benchmarks._recordings import random_bundle
from m2r2_ros.bags.recording import open_recording

#: Seconds of the slowest labels but one in a hundred; None for those of the usual way.
WANTED_LATENCY = {'proprio': None, 'lite': 0.100}
#: Share of a core, and megabytes, of preset proprio.
WANTED_SHARE = 0.10
WANTED_MB = 300.0
#: Memory at the end over memory after the first tenth.
WANTED_GROWTH = 1.05
FRAME_RATE = 10
#: Seconds to go on listening: the last diagnosis comes up to a second later.
AFTER = 2.5
#: Seconds that the usual way is watched for at the most.
USUAL = 120.0
_SAMPLE_BYTES = 2
_ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Heard:
    """What a run gave.

    Attributes:
        latencies: Seconds from frame stamp to received label.
        stamps: Frame stamps, s.
        sounds: When each chunk of sound ended and when it was received, s.
        memory: Resident megabytes of the labelling process, once a second.
        cpu: Processor seconds that it has used, as often.
        seconds: From the first to the last of them.
        values: The newest diagnosis of each thing, by name.
    """

    latencies: list[float] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)
    sounds: list[tuple[float, float]] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    seconds: float = 0.0
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of a core that the labelling process used."""
        return (self.cpu[-1] - self.cpu[0]) / self.seconds if self.seconds else 0.0

    def late(self, percent: float) -> float:
        """Return a percentile of the latencies, ms."""
        return float(np.percentile(self.latencies, percent)) * 1e3

    def sound_late(self, percent: float) -> float:
        """Return a percentile of when the sound up to a frame stamp came after it, ms."""
        ends, received = np.array(sorted(self.sounds)).T
        row = np.searchsorted(ends, self.stamps)
        known = row < len(ends)
        late = received[row[known]] - np.array(self.stamps)[known]
        return float(np.percentile(late, percent)) * 1e3


def simulate(folder: Path, seconds: float, *, cameras: bool) -> Path:
    """Write an episode with 1 kHz of everything and 48 kHz of sound."""
    options = ['--seconds', f'{seconds:g}', '--motion-rate', '1000', '--gripper-rate', '1000']
    pictures = ['--image-size', '640', '--image-rate', '30'] if cameras else ['--no-cameras']
    command = ['m2r2', 'simulate', '--out', str(folder), '--audio-rate', '48000', '--jobs', '1']
    subprocess.run([*command, *options, *pictures], check=True)
    return folder / 'cell_0000'


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, and end it as Ctrl-C would."""
    running = subprocess.Popen([sys.executable, *command], cwd=_ROOT)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)


def listen(labeller: list[str], player: list[str]) -> Heard:
    """Play to a labelling process to the end, and note what comes."""
    heard = Heard()
    node = rclpy.create_node('listener')

    def note(label: ActionLabel, info: dict[str, Any]) -> None:
        stamp = label.header.stamp.sec + label.header.stamp.nanosec * 1e-9
        heard.stamps.append(stamp)
        heard.latencies.append(info['received_timestamp'] * 1e-9 - stamp)

    def diagnose(array: DiagnosticArray) -> None:
        for status in array.status:
            name = status.name.rpartition(': ')[2]
            if status.name.startswith('segmenter'):
                heard.values[name] = {v.key: v.value for v in status.values}

    def hear(audio: RawAudio, info: dict[str, Any]) -> None:
        begin = audio.timestamp.sec + audio.timestamp.nanosec * 1e-9
        end = begin + len(audio.data) / _SAMPLE_BYTES / audio.sample_rate
        heard.sounds.append((end, info['received_timestamp'] * 1e-9))

    node.create_subscription(ActionLabel, 'action_label', note, 1000)
    node.create_subscription(RawAudio, '/microphone/audio', hear, 1000)
    node.create_subscription(DiagnosticArray, '/diagnostics', diagnose, 10)
    with process(*labeller) as labels, process(*player) as plays:
        told = began = time.monotonic()
        until = None
        while until is None or time.monotonic() < until:
            rclpy.spin_once(node, timeout_sec=0.2)
            if heard.latencies and time.monotonic() - told > 1:
                told = time.monotonic()
                began = began if heard.cpu else told
                heard.memory.append(resident_mb(labels.pid))
                heard.cpu.append(processor_seconds(labels.pid))
                heard.seconds = told - began
            if until is None and plays.poll() is not None:
                until = time.monotonic() + AFTER
    node.destroy_node()
    return heard


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def processor_seconds(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def report(name: str, heard: Heard, expected: float) -> None:
    """Print latency, labels, memory and processor of a run."""
    if len(heard.cpu) < 2:
        print(f'{name}: no labels')
        return
    stages = heard.values.get('labels', {})
    for stage in ('window', 'label', 'publish'):
        if f'{stage} p50' in stages:
            print(f'  {stage}: median {stages[f"{stage} p50"]}, p99 {stages[f"{stage} p99"]}')
    tenth = heard.memory[len(heard.memory) // 10 :]
    print(
        f'{name}: {len(heard.latencies)} labels of about {expected:.0f} frames, '
        f'latency median {heard.late(50):.1f} ms, p99 {heard.late(99):.1f} ms '
        f'(sound up to the frame had come after {heard.sound_late(50):.1f} and '
        f'{heard.sound_late(99):.1f} ms), '
        f'memory {tenth[0]:.0f} MB after a tenth, {tenth[-1]:.0f} MB at the end, '
        f'{heard.share:.1%} of a core, load of the machine {os.getloadavg()[0]:.1f}',
        flush=True,
    )


def failures(preset: str, heard: Heard, recording: Path) -> list[str]:
    """Return what is worse than wanted."""
    if not heard.latencies:
        return ['no labels']
    counts = {name: topic.count for name, topic in open_recording(recording).topics.items()}
    found = []
    for name, values in heard.values.items():
        if 'messages' in values and values['topic'] in counts:
            missing = counts[values['topic']] - int(values['messages'])
            if missing or values['lost'] != '0':
                found.append(f'{name}: {missing} messages missing, {values["lost"]} lost')
            if values.get('masked', '0') != '0':
                found.append(f'{name}: masked in {values["masked"]} windows')
    labels = heard.values.get('labels', {})
    skipped = int(labels.get('windows skipped', 0))
    windows, sent = int(labels.get('windows', 0)), int(labels.get('labels', 0))
    gaps = int((np.diff(heard.stamps) > 1.5 / FRAME_RATE).sum())
    if windows != sent + skipped or gaps:  # the listener may come upon the labels a little late
        found.append(f'{windows} windows, {sent} labels sent, {gaps} gaps between those heard')
    if skipped:
        found.append(f'{skipped} windows skipped')
    wanted = WANTED_LATENCY[preset]
    if wanted is not None and heard.late(99) > wanted * 1e3:
        found.append(f'p99 {heard.late(99):.1f} ms; under {wanted * 1e3:.0f} ms wanted')
    if heard.memory[-1] > WANTED_GROWTH * heard.memory[len(heard.memory) // 10]:
        found.append('memory grows')
    return found


def worse(heard: Heard, usual: Heard) -> list[str]:
    """Return what is worse than the usual way, or costs more than wanted."""
    found = []
    for percent in (50, 99) if heard.latencies and usual.latencies else ():
        own, other = heard.late(percent), usual.late(percent)
        if own > other:
            found.append(f'p{percent} {own:.1f} ms, later than {other:.1f} ms of the usual way')
    if heard.share > WANTED_SHARE:
        found.append(f'{heard.share:.1%} of a core; under {WANTED_SHARE:.0%} wanted')
    if heard.memory and max(heard.memory) > WANTED_MB:
        found.append(f'{max(heard.memory):.0f} MB; under {WANTED_MB:.0f} MB wanted')
    return found


def compare(folder: Path, seconds: float, preset: str) -> list[str]:
    """Play an episode to the segmenter, and without cameras to the usual way."""
    recording = simulate(folder / preset, seconds, cameras=preset == 'lite')
    bundle = folder / f'{preset}_bundle'
    random_bundle(bundle, preset)
    player = ['-m', 'm2r2_ros.nodes.player.node', '--ros-args', '-p', f'path:={recording}']
    player += ['-p', 'restamp:=true', '-p', 'wait_for_subscribers:=30.0']
    sensors = ['/ft_sensor/wrench', '/current_pose', '/current_twist', '/gripper/joint_states']
    topics = [*sensors, '/microphone/audio']
    if preset == 'lite':
        topics += ['/external_camera/image_raw/compressed', '/hand_camera/image_raw/compressed']
    player += ['-p', f'topics:=[{", ".join(topics)}]']
    segmenter = ['-m', 'm2r2_ros.nodes.segmenter.node', '--ros-args', '-p', f'model:={bundle}']
    heard = listen(segmenter, player)
    report(f'{preset}, m2r2_ros', heard, seconds * FRAME_RATE)
    found = failures(preset, heard, recording)
    if preset == 'proprio':
        usual_s = min(seconds, USUAL)
        player += ['-p', f'duration:={usual_s}']
        usual = listen(['-m', 'benchmarks._usual_way', str(bundle)], player)
        report(f'{preset}, the usual way', usual, usual_s * FRAME_RATE)
        found += worse(heard, usual)
    return [f'{preset}: {text}' for text in found]


def main() -> None:
    """Print the measurements, and what is worse than wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=2.0)
    parser.add_argument('--presets', nargs='*', default=['proprio', 'lite'])
    options = parser.parse_args()
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    found = []
    with domain_id() as domain, tempfile.TemporaryDirectory() as folder:
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        rclpy.init()
        for preset in options.presets:
            found += compare(Path(folder), options.minutes * 60, preset)
        rclpy.shutdown()
    print('\n'.join(found) or 'nothing lost, nothing late')
    sys.exit(bool(found))


if __name__ == '__main__':
    main()
