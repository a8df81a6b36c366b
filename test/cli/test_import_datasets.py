# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 import lerobot|rlds|ros1`, and other commands on what was not imported."""

from pathlib import Path

import pytest

from m2r2_ros.bags.labels.layers import Provenance, write_layer
from m2r2_ros.bags.labels.origin import Origin, facts_of_labels
from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.labels.sources import own_truth
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.core.labels import LabelSet
from test.bags.lerobot.files import Layout, write_dataset
from test.bags.reassemble.test_importer import contents
from test.bags.rlds.files import episode, write_rlds
from test.bags.ros1.files import messages, write_bag
from test.cli.run import done, m2r2


@pytest.fixture(scope='module')
def lerobot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp('import') / 'set', Layout())


def test_a_dataset_becomes_a_folder_of_bags(lerobot: Path, tmp_path: Path) -> None:
    out = tmp_path / 'bags'
    said = done('import', 'lerobot', '--input', lerobot, '--out', out).out
    assert '/observation/state: 40 messages' in said
    for name in ('episode_000000', 'episode_000001'):
        direct, bag = open_recording(lerobot / name), open_recording(out / name)
        assert sorted(contents(bag)) == sorted(contents(direct))
        assert {**bag.topics} == {**direct.topics}
        assert read_truth(out / name) == read_truth(lerobot / name)
        facts = facts_of_labels(out / name)
        assert (facts.origin, facts.by) == (Origin.IMPORTED, 'LeRobot')
    again = done('import', 'lerobot', '--input', lerobot, '--out', out)
    assert '2 recordings were imported already and are kept' in again.err


def test_one_episode_becomes_a_bag(lerobot: Path, tmp_path: Path) -> None:
    done('import', 'lerobot', '--input', lerobot / 'episode_000001', '--out', tmp_path / 'b')
    assert open_recording(tmp_path / 'b').topics['/observation/state'].count == 25
    failed = m2r2('import', 'lerobot', '--input', lerobot, '--out', lerobot / 'bags')
    assert failed.code == 2
    assert 'overlaps with' in failed.err


def test_what_fails_is_told_at_the_end(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(version=2, lengths=(20, 20, 20)))
    (folder / 'videos/chunk-000/observation.images.front/episode_000001.mp4').write_bytes(b'no')
    result = m2r2('import', 'lerobot', '--input', folder, '--out', tmp_path / 'bags')
    assert result.code == 2
    assert '1 of 3 recordings could not be imported' in result.err
    assert 'episode_000001.mp4' in result.err
    assert sorted(p.name for p in (tmp_path / 'bags').iterdir() if p.is_dir()) == [
        'episode_000000',
        'episode_000002',
    ]


def test_rlds_becomes_bags_at_a_rate(tmp_path: Path) -> None:
    folder = write_rlds(tmp_path / 'toy', {'train': [episode(0, 5)], 'val': [episode(1, 5)]})
    out = tmp_path / 'bags'
    done('import', 'rlds', '--input', folder, '--rate', '4', '--out', out)
    for name in ('train_000000', 'val_000000'):
        recording = open_recording(out / name)
        assert recording.end - recording.start == 5 * 250_000_000
        assert read_truth(out / name).segments
    failed = m2r2('import', 'rlds', '--input', folder, '--rate', '0', '--out', tmp_path / 'other')
    assert failed.code == 2


def test_ros_1_becomes_bags(tmp_path: Path) -> None:
    (tmp_path / 'all').mkdir()
    for name in ('a', 'b c'):
        write_bag(tmp_path / 'all' / f'{name}.bag', messages(30), 'LZ4')
    out = tmp_path / 'bags'
    done('import', 'ros1', '--input', tmp_path / 'all', '--out', out)
    for name in ('a', 'b c'):
        direct = open_recording(tmp_path / 'all' / f'{name}.bag')
        assert contents(open_recording(out / name)) == contents(direct)
    done('import', 'ros1', '--input', tmp_path / 'all/a.bag', '--out', tmp_path / 'one')
    assert open_recording(tmp_path / 'one').message_count == 90
    failed = m2r2('import', 'ros1', '--input', tmp_path / 'one', '--out', tmp_path / 'two')
    assert failed.code == 2
    assert 'is no .bag file of ROS 1' in failed.err


def test_other_commands_need_no_import(lerobot: Path, tmp_path: Path) -> None:
    one = lerobot / 'episode_000000'
    bag = write_bag(tmp_path / 'a.bag', messages(30))
    assert 'episode_000001: 2.5 s' in done('inspect', lerobot).out
    assert 'my_msgs/msg/Gauge' in done('inspect', bag).out
    assert 'pose: /observation/ee_pose' in done('topics', one).out
    done('report', one, '--out', tmp_path / 'r.html')
    done('timeline', one, '--out', tmp_path / 't.png')
    assert (tmp_path / 'r.html').stat().st_size > 10_000


def test_labels_can_be_corrected_where_they_are(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / 'set', Layout(film=False))
    path = folder / 'episode_000000'
    truth = read_truth(path)
    layer = write_layer(path, truth.segments[:1], LabelSet.of(['reach']), Provenance('b', '', 'c'))
    assert layer.path.parent == folder / 'episode_000000_annotations'
    assert own_truth(path).path == layer.path
    assert 'episode_000001: 2.5 s' in done('inspect', folder).out


def test_imports_take_recordings_of_their_own_kind_alone(lerobot: Path, tmp_path: Path) -> None:
    rlds = write_rlds(tmp_path / 'toy', {'train': [episode(0, 5)]})
    (tmp_path / 'all').mkdir()
    write_bag(tmp_path / 'all' / 'one.bag', messages(5), 'LZ4')
    for kind, given in (('lerobot', rlds), ('rlds', lerobot), ('rlds', tmp_path / 'all')):
        result = m2r2('import', kind, '--input', given, '--out', tmp_path / 'bags')
        assert result.code == 2
        assert f'{given} is no' in result.err.replace('\n', '')
    assert not (tmp_path / 'bags').exists()
