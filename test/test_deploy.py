# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot is set up with: topic maps of known robots, the service, the container."""

import configparser
import os
import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

import pytest

from m2r2_ros.readers.guessing import guess_topics
from m2r2_ros.readers.topic_map import load_topics

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / 'deploy'
ROBOTS = sorted((ROOT / 'config' / 'robots').glob('*.yaml'))
DOCKERFILE = (DEPLOY / 'Dockerfile').read_text()
SERVICE = DEPLOY / 'm2r2.service'


@pytest.mark.parametrize('path', ROBOTS, ids=lambda p: p.stem)
def test_topic_map_is_valid(path: Path) -> None:
    topics = load_topics(path)
    given = {spec.topic for spec in topics.values() if spec.topic}
    assert all(topic.startswith('/') for topic in given)
    named = f'[config/robots/{path.name}](../config/robots/{path.name})'
    assert named in (ROOT / 'docs' / 'robots.md').read_text()


def test_twist_of_a_franka_is_derived_although_a_desired_one_is_published() -> None:
    broadcaster = '/franka_robot_state_broadcaster'
    published = {
        f'{broadcaster}/current_pose': 'geometry_msgs/msg/PoseStamped',
        f'{broadcaster}/last_desired_pose': 'geometry_msgs/msg/PoseStamped',
        f'{broadcaster}/desired_end_effector_twist': 'geometry_msgs/msg/TwistStamped',
        f'{broadcaster}/external_wrench_in_base_frame': 'geometry_msgs/msg/WrenchStamped',
        f'{broadcaster}/external_wrench_in_stiffness_frame': 'geometry_msgs/msg/WrenchStamped',
        f'{broadcaster}/measured_joint_states': 'sensor_msgs/msg/JointState',
        f'{broadcaster}/desired_joint_states': 'sensor_msgs/msg/JointState',
        '/franka_gripper/joint_states': 'sensor_msgs/msg/JointState',
    }
    guessed = guess_topics(published, load_topics(ROOT / 'config' / 'robots' / 'franka.yaml'))
    assert {m: s.topic for m, s in guessed.items()} == {
        'wrench': f'{broadcaster}/external_wrench_in_base_frame',
        'pose': f'{broadcaster}/current_pose',
        'joints': f'{broadcaster}/measured_joint_states',
        'gripper': '/franka_gripper/joint_states',
    }


def instructions(text: str) -> list[list[str]]:
    """Return the words of each instruction of a Dockerfile."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith('#')]
    joined = '\n'.join(lines).replace('\\\n', ' ')
    return [line.split() for line in joined.splitlines() if line.strip()]


def test_container_copies_what_there_is_and_what_its_context_has() -> None:
    kept = re.findall('^!(.+)$', (DEPLOY / 'Dockerfile.dockerignore').read_text(), re.MULTILINE)
    sources = [s for verb, *words in instructions(DOCKERFILE) if verb == 'COPY' for s in words[:-1]]
    assert all((ROOT / source).exists() for source in sources)
    assert sorted(sources) == sorted(kept)


def test_container_builds_from_all_that_cmake_installs() -> None:
    cmake = (ROOT / 'CMakeLists.txt').read_text()
    folders = re.search(r'foreach\(folder ([^)]+)\)', cmake)
    assert folders is not None
    wanted = {'package.xml', 'CMakeLists.txt', 'msg', 'srv', 'scripts', 'm2r2_ros'}
    copied = {s for verb, *words in instructions(DOCKERFILE) if verb == 'COPY' for s in words[:-1]}
    assert wanted | set(folders[1].split()) <= copied


def test_container_and_workspace_install_the_locked_versions_of_what_setup_demands() -> None:
    (pip,) = (w for w in instructions(DOCKERFILE) if any(word.endswith('/pip') for word in w))
    options = [word for word in pip[pip.index('install') + 1 :] if not word.startswith('--')]
    assert options == ['-c', 'lock.txt', '-r', 'runtime.txt']
    readme = (ROOT / 'README.md').read_text()
    (folder,) = re.findall(
        r'pip install -c (\S+)/requirements/lock.txt -r \1/requirements/runtime.txt', readme
    )
    assert folder == 'src/m2r2_ros'


def test_instructions_are_those_of_docker() -> None:
    verbs = [words[0] for words in instructions(DOCKERFILE)]
    assert verbs[:3] == ['ARG', 'ARG', 'FROM']
    known = {'ARG', 'FROM', 'RUN', 'WORKDIR', 'COPY', 'USER', 'ENV', 'ENTRYPOINT', 'CMD'}
    assert set(verbs) <= known
    assert (DEPLOY / 'entrypoint.bash').stat().st_mode & 0o111


def test_container_runs_as_a_user_who_cannot_change_its_code() -> None:
    steps = instructions(DOCKERFILE)
    (user,) = (k for k, words in enumerate(steps) if words[0] == 'USER')
    name = steps[user][1]
    assert name not in ('root', '0')
    assert any('useradd' in words and name in words for words in steps[:user])
    # All that is installed or built is done before, as root; afterwards nothing is run.
    assert not any(words[0] == 'RUN' for words in steps[user:])
    assert not any(word.startswith('--chown') for words in steps for word in words)


def test_container_is_built_on_an_exact_tag_that_a_digest_can_replace() -> None:
    given = dict(words[1].split('=', 1) for words in instructions(DOCKERFILE) if words[0] == 'ARG')
    assert [w for w in instructions(DOCKERFILE) if w[0] == 'FROM'] == [['FROM', '${BASE}']]
    assert re.fullmatch(r'ros:\$\{ROS_DISTRO\}-ros-base-[a-z]+', given['BASE'])
    assert '--build-arg BASE=ros@sha256:' in (ROOT / 'docs' / 'deployment.md').read_text()


def settings(path: Path = SERVICE) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path)
    return parser['Service']


def test_service_starts_the_live_launch_file_with_its_arguments() -> None:
    command = settings()['ExecStart']
    declared = {
        arg.attrib['name']
        for arg in ElementTree.parse(ROOT / 'launch' / 'live.launch.xml').iter('arg')
    }
    assert 'ros2 launch m2r2_ros live.launch.xml ' in command
    document = (ROOT / 'docs' / 'deployment.md').read_text()
    (arguments,) = re.findall('^LAUNCH_ARGUMENTS=(.+)$', document, re.MULTILINE)
    assert set(re.findall(r'(\w+):=', f'{command} {arguments}')) <= declared


def test_words_of_the_service_reach_the_launch_file(tmp_path: Path) -> None:
    """Systemd itself expands $MODEL and $LAUNCH_ARGUMENTS, and turns $$ into $."""
    _, _, script, *_ = re.findall(r"'[^']*'|\S+", settings()['ExecStart'])
    script = script.strip("'").replace('$$', '$').replace('/opt/m2r2', str(tmp_path))
    for folder in ('venv/bin/activate', 'install/setup.bash'):
        (tmp_path / folder).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / folder).write_text('')
    (tmp_path / 'ros2').write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    (tmp_path / 'ros2').chmod(0o755)
    done = subprocess.run(
        ['bash', '-c', script, '/models/my model', 'topics:=/t.yaml', 'device:=cpu'],
        env={'PATH': f'{tmp_path}:/usr/bin:/bin'}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        'launch', 'm2r2_ros', 'live.launch.xml', 'respawn:=true',
        'model:=/models/my model', 'topics:=/t.yaml', 'device:=cpu',
    ]  # fmt: skip


def test_service_ends_as_ctrl_c_does_and_shares_memory_with_drivers() -> None:
    service = settings()
    assert service['KillSignal'] == 'SIGINT'
    assert service['Restart'] == 'on-failure'
    assert service['User'] == 'robot'
    assert not {'PrivateIPC', 'PrivateNetwork', 'PrivateUsers'} & service.keys()


#: What every service should have that neither gains rights nor serves others.
HARDENED = {
    'NoNewPrivileges': 'yes',
    'CapabilityBoundingSet': '',
    'AmbientCapabilities': '',
    'PrivateDevices': 'yes',
    'PrivateTmp': 'yes',
    'ProtectSystem': 'strict',
    'ProtectHome': 'yes',
    'ProtectProc': 'invisible',
    'ProtectKernelTunables': 'yes',
    'ProtectKernelModules': 'yes',
    'ProtectKernelLogs': 'yes',
    'ProtectControlGroups': 'yes',
    'ProtectClock': 'yes',
    'ProtectHostname': 'yes',
    'RestrictNamespaces': 'yes',
    'RestrictRealtime': 'yes',
    'RestrictSUIDSGID': 'yes',
    # Netlink is how DDS looks for network interfaces.
    'RestrictAddressFamilies': 'AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'LockPersonality': 'yes',
    'MemoryDenyWriteExecute': 'yes',
    'SystemCallArchitectures': 'native',
    'OOMPolicy': 'continue',
}


def test_service_has_no_more_rights_than_it_needs() -> None:
    service = settings()
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    assert re.fullmatch(r'\d+G', service['MemoryMax'])
    lists = re.findall('^SystemCallFilter=(.+)$', SERVICE.read_text(), re.MULTILINE)
    assert lists == ['@system-service', '~@privileged']


def test_devices_are_allowed_by_a_drop_in_alone() -> None:
    devices = settings(DEPLOY / 'm2r2-devices.conf')
    assert devices['PrivateDevices'] == 'no'
    assert devices['DevicePolicy'] == 'closed'
    assert devices['MemoryDenyWriteExecute'] == 'no'
    text = (DEPLOY / 'm2r2-devices.conf').read_text()
    allowed = re.findall('^DeviceAllow=(.+)$', text, re.MULTILINE)
    assert all(re.fullmatch(r'char-[a-z0-9*]+ rw', device) for device in allowed)
    assert 'm2r2-devices.conf' in (ROOT / 'docs' / 'deployment.md').read_text()


def test_systemd_rates_the_service_as_hardened() -> None:
    if shutil.which('systemd-analyze') is None:
        pytest.skip('this machine has no systemd')
    done = subprocess.run(
        ['systemd-analyze', 'security', '--offline=true', '--threshold=25', str(SERVICE)],
        capture_output=True,
        text=True,
        check=False,
    )
    if 'unrecognized option' in done.stderr:
        pytest.skip('systemd before 250 cannot rate a file')
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_systemd_understands_the_service(tmp_path: Path) -> None:
    if shutil.which('systemd-analyze') is None:
        pytest.skip('this machine has no systemd')
    drop_in = tmp_path / f'{SERVICE.name}.d' / 'devices.conf'
    drop_in.parent.mkdir()
    shutil.copy(DEPLOY / 'm2r2-devices.conf', drop_in)
    unit = Path(shutil.copy(SERVICE, tmp_path))
    done = subprocess.run(
        ['systemd-analyze', 'verify', str(unit)],
        env={**os.environ, 'SYSTEMD_UNIT_PATH': f'{tmp_path}:'},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [s for s in done.stderr.splitlines() if fnmatchcase(s, f'*{SERVICE.name}*')]
    assert not complaints
