# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes that are asked for nonsense: they say why not, and go on."""

import math
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='this machine has no ROS 2')

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from m2r2_ros.msg import ActionLabel
from m2r2_ros.srv import LoadModel
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import M2R2Error
from m2r2_ros.nodes.player.node import PlayerNode
from m2r2_ros.nodes.segmenter import node as segmenter
from m2r2_ros.nodes.segmenter.node import SegmenterNode
from m2r2_ros.nodes.visualizer.node import VisualizerNode
from test.nodes.bundles import write_bundle
from test.nodes.conftest import Launch, call, listen, wait_until
from test.nodes.diagnoses import Diagnoses
from test.nodes.robot import Robot

NAN = math.nan
#: What cannot be topics; '' finds one.
NO_TOPICS = (' ', 'a b', '//', '/a//b', '/a/', '1a', '/a/1', 'ä', 'a' * 300, '{', 'a\nb', '/')


def load(peer: Node, path: object) -> Any:
    request = LoadModel.Request(path=str(path))
    return call(peer, LoadModel, '/segmenter/load_model', request)


def change(peer: Node, **transition: Any) -> bool:
    request = ChangeState.Request(transition=Transition(**transition))
    return bool(call(peer, ChangeState, '/segmenter/change_state', request).success)


def no_models(folder: Path, bundle: Path) -> dict[str, str]:
    """Return paths of what is not a model, by what it is."""
    names = {
        'long': 'a' * 5000,
        'deep': '/a' * 3000,
        'nobody': '~nobody_is_called_that/model',
        'surrogate': 'a\udcffb',
        'empty': '',
        'null device': '/dev/null',
        'own bytes': '/proc/self/mem',
        'folder': str(folder),
        'control': 'a\x1b[31m',
    }
    for name in ('fifo', 'loop', 'locked', 'text', 'binary', 'no yaml', 'weights'):
        (folder / name).mkdir()
    os.mkfifo(folder / 'pipe')
    names['pipe itself'] = str(folder / 'pipe')
    (folder / 'loop' / 'bundle.yaml').symlink_to('bundle.yaml')
    (folder / 'locked' / 'bundle.yaml').write_bytes((bundle / 'bundle.yaml').read_bytes())
    (folder / 'locked' / 'weights.safetensors').mkdir()
    (folder / 'text' / 'bundle.yaml').write_text('just text')
    (folder / 'binary' / 'bundle.yaml').write_bytes(bytes(range(256)) * 10)
    (folder / 'no yaml' / 'weights.safetensors').write_bytes(b'{}')
    (folder / 'weights' / 'bundle.yaml').write_bytes((bundle / 'bundle.yaml').read_bytes())
    (folder / 'weights' / 'weights.safetensors').write_bytes(b'\xff' * 100)
    return names | {k: str(folder / k) for k in ('loop', 'locked', 'text', 'binary', 'weights')}


def test_whatever_load_model_is_asked_for_it_says_why_not_and_labelling_goes_on(
    launch: Launch, peer: Node, tmp_path: Path, bundle: Path
) -> None:
    labels = listen(peer, ActionLabel, 'action_label')
    other = write_bundle(tmp_path / 'other', seed=1)
    (tmp_path / 'none').mkdir()
    with Robot(peer):
        launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: labels)
        old = labels[-1].model_id
        for what, path in no_models(tmp_path / 'none', bundle).items():
            answer = load(peer, path.encode(errors='replace').decode())
            assert not answer.success, what
            assert answer.message, what
            assert 'unexpected' not in answer.message, (what, answer.message)
            assert len(answer.message) < 1000, what
            assert answer.model_id == old, what
        have = len(labels)
        wait_until(lambda: len(labels) > have + 3)
        assert labels[-1].model_id == old
        assert load(peer, other).success
        wait_until(lambda: labels[-1].model_id != old)


def test_all_else_goes_on_while_a_model_takes_for_ever(
    launch: Launch, peer: Node, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmenter, 'LOADING', 3.0)
    labels = listen(peer, ActionLabel, 'action_label')
    hangs = threading.Event()
    with Robot(peer):
        node = launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: labels)
        monkeypatch.setattr(segmenter, 'load_model', lambda path, **given: hangs.wait(60.0))
        client = peer.create_client(LoadModel, '/segmenter/load_model')
        assert client.wait_for_service(20.0)
        asked = client.call_async(LoadModel.Request(path='slow'))
        for _ in range(3):
            state = call(peer, GetState, '/segmenter/get_state')
            assert state.current_state.label == 'active'
        have = len(labels)
        wait_until(lambda: len(labels) > have + 3)
        assert not asked.done()
        wait_until(asked.done)
        assert not asked.result().success
        assert 'loading the model' in asked.result().message
        # And the end of the node ends the wait.
        asked = client.call_async(LoadModel.Request(path='slow'))
        time.sleep(0.2)
        node.stop.set()
        wait_until(asked.done, 2.5)
        assert 'ending' in asked.result().message
    hangs.set()


def test_what_fails_while_it_takes_over_leaves_the_old_model_at_work(
    launch: Launch, peer: Node, tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = listen(peer, ActionLabel, 'action_label')
    other = write_bundle(tmp_path / 'other', seed=1)
    with Robot(peer):
        node = launch(SegmenterNode, model=str(bundle))
        wait_until(lambda: labels)
        old = labels[-1].model_id

        def fail(*given: Any) -> None:
            raise RuntimeError('the middleware is out of memory')

        with monkeypatch.context() as broken:
            broken.setattr(node._worker._writer, 'write_label_set', fail)
            answer = load(peer, other)
        assert not answer.success
        assert 'out of memory' in answer.message
        have = len(labels)
        wait_until(lambda: len(labels) > have + 3)
        assert labels[-1].model_id == old
        assert load(peer, other).success


def test_no_transition_is_left_unanswered(
    launch: Launch, peer: Node, bundle: Path, diagnoses: Diagnoses
) -> None:
    launch(SegmenterNode, model=str(bundle), autostart=False)
    for wrong in ({'id': 99}, {'id': 255}, {'label': 'nonsense'}, {'label': 'a' * 5000}):
        assert not change(peer, **wrong)
    assert not change(peer, id=Transition.TRANSITION_DEACTIVATE)
    assert change(peer, id=Transition.TRANSITION_CONFIGURE)
    assert change(peer, label='activate')


@pytest.mark.parametrize('kind', [PlayerNode, VisualizerNode, SegmenterNode])
def test_no_parameter_is_left_unanswered(
    launch: Launch, peer: Node, bundle: Path, diagnoses: Diagnoses, tmp_path: Path, kind: Any
) -> None:
    given: dict[Any, dict[str, Any]] = {
        PlayerNode: {'path': str(headers(tmp_path / 'bag')), 'paused': True},
        SegmenterNode: {'model': str(bundle)},
    }
    node = launch(kind, **given.get(kind, {}))
    name = node.get_name()
    values = [ParameterValue(type=t, double_value=NAN) for t in (*range(10), 77, 255)]
    names = [p for p in node._parameters if p != 'use_sim_time']
    texts = [ParameterValue(type=4, string_value='a' * 100_000)]
    for value in [*values, *texts]:
        wanted = [Parameter(name=p, value=value) for p in [*names, '', 'ä', 'a' * 300]]
        results = call(
            peer, SetParameters, f'/{name}/set_parameters', SetParameters.Request(parameters=wanted)
        ).results
        assert len(results) == len(wanted)
        assert all(r.reason for r in results if not r.successful)
        call(
            peer,
            SetParametersAtomically,
            f'/{name}/set_parameters_atomically',
            SetParametersAtomically.Request(parameters=wanted),
        )
    held = [p.value for p in node._parameters.values() if isinstance(p.value, float)]
    assert all(map(math.isfinite, held))
    asked = GetParameters.Request(names=['', 'ä', *names])
    call(peer, GetParameters, f'/{name}/get_parameters', asked)


def headers(path: Path) -> Path:
    """Write a second of headers."""
    with BagWriter(path) as bag:
        bag.add_topic('/header', 'std_msgs/msg/Header')
        for k in range(11):
            raw = bytes(serialize_message(Header(frame_id=str(k))))
            bag.write('/header', raw, 10**18 + k * 10**8)
    return path


def test_topics_that_are_no_names_are_refused_with_the_reason(
    launch: Launch, peer: Node, bundle: Path, tmp_path: Path
) -> None:
    launch(VisualizerNode)
    for text in NO_TOPICS:
        wanted = [Parameter(name='pose', value=ParameterValue(type=4, string_value=text))]
        request = SetParameters.Request(parameters=wanted)
        (result,) = call(peer, SetParameters, '/visualizer/set_parameters', request).results
        assert not result.successful, text
        assert 'is not the name of a topic' in result.reason
    with pytest.raises(M2R2Error, match=r"image: 'a b' is not the name of a topic: .*such as /cam"):
        launch(VisualizerNode, ('-r', '__node:=other'), image='a b')
    topics = tmp_path / 'topics.yaml'
    for text in NO_TOPICS:
        topics.write_text(f'wrench: {{topic: "{text!a}"}}'.replace("'", ''))
        with pytest.raises(M2R2Error, match=r'wrench: .* is not the name of a topic'):
            launch(SegmenterNode, ('-r', '__node:=other'), model=str(bundle), topics=str(topics))
