# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder loses and what it costs: a robot's sensors, published by another process.

Ends with exit code 1 where a message was lost. `recording.py SECONDS` takes another time than 60.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import rclpy
from domain_coordinator import domain_id
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, JointState

from m2r2_ros.bags.recording import open_recording
from m2r2_ros.nodes.common.graph import message_class

SECONDS = 60.0
#: A picture of 640x480 as JPEG, and 32 ms of 48 kHz sound, bytes.
PICTURE, SOUND = 60_000, 2 * 1536
#: Different pictures; a chunk of the file holds fewer.
PICTURES = 50
JOINTS = [f'fr3_joint{k}' for k in range(1, 8)]


def sensors() -> dict[str, tuple[list[Any], float]]:
    """Return examples of every topic's messages, and its period in seconds."""
    noise = random.Random(0).randbytes  # as little to be compressed as a JPEG
    cameras = [
        [CompressedImage(format='jpeg', data=noise(PICTURE)) for _ in range(PICTURES)]
        for _ in range(2)
    ]
    joints = JointState(name=JOINTS, position=[0.1] * 7, velocity=[0.1] * 7, effort=[0.1] * 7)
    raw_audio = message_class('foxglove_msgs/msg/RawAudio')
    sound = raw_audio(format='pcm-s16', sample_rate=48_000, number_of_channels=1, data=noise(SOUND))
    return {
        '/wrench': ([WrenchStamped()], 1e-3),
        '/pose': ([PoseStamped()], 1e-3),
        '/twist': ([TwistStamped()], 1e-3),
        '/joint_states': ([joints], 1e-3),
        '/cam1/compressed': (cameras[0], 1 / 30),
        '/cam2/compressed': (cameras[1], 1 / 30),
        '/audio': ([sound], SOUND / 2 / 48_000),
    }


def publish(seconds: float) -> None:
    """Publish all sensors once something subscribes, and print how many messages of each."""
    rclpy.init()
    node = rclpy.create_node('robot')
    table = [
        (
            node.create_publisher(type(messages[0]), topic, 10),
            [serialize_message(message) for message in messages],
            period,
        )
        for topic, (messages, period) in sensors().items()
    ]
    while not all(publisher.get_subscription_count() for publisher, _, _ in table):
        time.sleep(0.01)
    sent = [0] * len(table)
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        for k, (publisher, raws, period) in enumerate(table):
            while sent[k] * period <= now:
                publisher.publish(raws[sent[k] % len(raws)])
                sent[k] += 1
        time.sleep(5e-4)
    for publisher, _, _ in table:
        publisher.wait_for_all_acked()
    print(json.dumps({table[k][0].topic_name: sent[k] for k in range(len(table))}))
    rclpy.shutdown()


def processor_seconds(process: 'subprocess.Popen[Any]') -> float:
    """Return what a process has taken so far."""
    fields = Path(f'/proc/{process.pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def main() -> None:
    """Record, and print a table of what was sent and what was recorded."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with domain_id() as domain, tempfile.TemporaryDirectory() as folder:
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        parameters = ['--ros-args', '-p', f'path:={folder}', '-p', f'topics:={[*sensors()]}']
        command = [sys.executable, '-m', 'm2r2_ros.nodes.recorder.node', *parameters]
        recorder = subprocess.Popen(command)
        robot = subprocess.Popen(
            [sys.executable, __file__, 'publish', str(seconds)], stdout=subprocess.PIPE, text=True
        )
        # The recorder has started up by now; the robot waits for it.
        time.sleep(5.0)
        began, before = time.monotonic(), processor_seconds(recorder)
        counts, _ = robot.communicate()
        load = (processor_seconds(recorder) - before) / (time.monotonic() - began)
        recorder.send_signal(signal.SIGINT)
        if recorder.wait():
            sys.exit('the recorder failed')
        [bag] = Path(folder).iterdir()
        size = sum(file.stat().st_size for file in bag.iterdir())
        lost = report(json.loads(counts), bag)
    print(f'recorder {load:.1%} of a core, {size / 1e6:.1f} MB')
    sys.exit(lost > 0)


def report(sent: dict[str, int], bag: Path) -> int:
    """Print what was sent and what is in the bag; returns how many messages are missing."""
    topics = open_recording(bag).topics
    lost = 0
    for topic, count in sent.items():
        missing = count - topics[topic].count
        lost += missing
        print(f'{topic:20} {count:8} sent {missing:8} lost')
    return lost


if __name__ == '__main__':
    if sys.argv[1:2] == ['publish']:
        publish(float(sys.argv[2]))
    else:
        main()
