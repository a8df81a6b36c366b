# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Features on disk: the field's layout, ours and others'."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import UNKNOWN
from m2r2_ros.training.feature_set import FeatureWriter, read_feature_set
from test.training.feature_sets import LABELS, RATE, WIDTH, toy, toy_set


def test_what_is_written_is_read(tmp_path: Path) -> None:
    data = toy_set(tmp_path)
    assert (data.labels, data.frame_rate, data.width) == (LABELS, RATE, WIDTH)
    names = {part: [t.name for t in tracks] for part, tracks in data.parts.items()}
    assert names == {'train': ['r0', 'r1', 'r2'], 'val': ['r3'], 'test': ['r4']}
    for k, track in enumerate(data.parts['train']):
        features, targets = toy(80 + k, k)
        np.testing.assert_array_equal(track.features, features)
        assert torch.equal(track.labels, torch.from_numpy(targets))
        assert len(track) == 80 + k


def test_the_layout_is_the_fields(tmp_path: Path) -> None:
    toy_set(tmp_path)
    features, targets = toy(80, 0)
    np.testing.assert_array_equal(np.load(tmp_path / 'features' / 'r0.npy'), features.T)
    lines = (tmp_path / 'groundTruth' / 'r0.txt').read_text().splitlines()
    assert lines == [LABELS.names[k] for k in targets]
    assert (tmp_path / 'mapping.txt').read_text() == '0 rest\n1 pick_a\n2 pick_b\n'
    assert (tmp_path / 'splits' / 'test.split1.bundle').read_text() == 'r4.txt\n'


def test_frames_without_a_label_are_background_for_others_and_none_for_us(tmp_path: Path) -> None:
    data = toy_set(tmp_path, unlabelled=True)
    assert (data.parts['test'][0].targets[:5] == UNKNOWN).all()
    assert (data.parts['test'][0].targets[5:] >= 0).all()
    assert (tmp_path / 'groundTruth' / 'r4.txt').read_text().startswith('background\n')
    assert (tmp_path / 'mapping.txt').read_text().endswith('3 background\n')


def others(folder: Path, *, transposed: bool = False, extra: int = 0) -> None:
    """Lay out a folder as others do: no facts, maybe (T, D), maybe a frame more or less."""
    toy_set(folder)
    (folder / 'features.yaml').unlink()
    (folder / 'splits' / 'val.split1.bundle').unlink()
    for k in range(5):
        features = toy(80 + k + extra, k)[0]
        np.save(folder / 'features' / f'r{k}.npy', features if transposed else features.T)


@pytest.mark.parametrize('transposed', [False, True])
def test_others_folders_are_read_whichever_way_their_arrays_lie(
    tmp_path: Path, transposed: bool
) -> None:
    others(tmp_path, transposed=transposed)
    data = read_feature_set(tmp_path, frame_rate=15.0)
    assert (data.labels.names, data.frame_rate) == (LABELS.names, 15.0)
    assert data.parts['val'] == ()
    np.testing.assert_array_equal(data.parts['train'][1].features, toy(81, 1)[0])


@pytest.mark.parametrize('extra', [-1, 1])
def test_a_frame_more_or_less_is_cut(tmp_path: Path, extra: int) -> None:
    others(tmp_path, extra=extra)
    track = read_feature_set(tmp_path, frame_rate=15.0).parts['test'][0]
    assert len(track) == min(84, 84 + extra) == len(track.features)


def test_coarse_labels_are_the_parents(tmp_path: Path) -> None:
    coarse = toy_set(tmp_path, unlabelled=True).coarse()
    assert coarse.labels.names == ('rest', 'pick')
    _, targets = toy(84, 4)
    expected = np.where(targets == 0, 0, 1)
    expected[:5] = UNKNOWN
    np.testing.assert_array_equal(coarse.parts['test'][0].targets, expected)


def test_no_parents_no_coarse_level(tmp_path: Path) -> None:
    others(tmp_path)
    with pytest.raises(LabelError, match='no coarse level'):
        read_feature_set(tmp_path, frame_rate=10.0).coarse()


def test_a_written_recording_is_known(tmp_path: Path) -> None:
    writer = FeatureWriter(tmp_path, LABELS)
    assert not writer.has('r0')
    writer.write('r0', *toy(20, 0))
    assert writer.has('r0')


def save(name: str, array: object) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / 'features' / f'{name}.npy', np.asarray(array))


def text(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


DAMAGE: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    'no features': (lambda f: (f / 'features' / 'r1.npy').unlink(), ('r1.npy',)),
    'cut features': (text('features/r1.npy', '\x93NUMPY'), ('r1.npy',)),
    'objects': (save('r1', [{'a': 1}]), ('r1.npy',)),
    'three axes': (save('r1', np.zeros((2, 3, 4))), ('r1.npy', '(D, T)')),
    'other length': (save('r1', np.zeros((WIDTH, 40))), ('r1.npy', '40', '81')),
    'other width': (save('r1', np.zeros((WIDTH + 1, 81))), ('one width', 'r1 has 7')),
    'no truth': (lambda f: (f / 'groundTruth' / 'r1.txt').unlink(), ('r1.txt',)),
    'unknown label': (text('groundTruth/r1.txt', 'jump\n' * 81), ('r1.txt', 'jump')),
    'no split': (lambda f: (f / 'splits' / 'test.split1.bundle').unlink(), ('test.split1',)),
    'empty split': (text('splits/test.split1.bundle', ''), ('test.split1', 'no recording')),
    'train is test': (text('splits/test.split1.bundle', 'r0.txt\n'), ('r0', 'train', 'test')),
    'facts': (text('features.yaml', 'a: ['), ('features.yaml', 'cannot be read as YAML')),
    'no rate': (text('features.yaml', 'a: 1'), ('features.yaml', '--frame-rate')),
}


@pytest.mark.parametrize('damage', DAMAGE)
def test_damage_is_named(tmp_path: Path, damage: str) -> None:
    toy_set(tmp_path)
    change, named = DAMAGE[damage]
    change(tmp_path)
    with pytest.raises(LabelError) as raised:
        read_feature_set(tmp_path)
    for part in (str(tmp_path), *named):
        assert part in str(raised.value)


@pytest.mark.parametrize('mapping', ['rest\n', '0 a\n2 b\n', '', 'x a\n', '0 \n'])
def test_a_broken_mapping_is_named(tmp_path: Path, mapping: str) -> None:
    others(tmp_path)
    (tmp_path / 'mapping.txt').write_text(mapping)
    with pytest.raises(LabelError, match=r'mapping\.txt'):
        read_feature_set(tmp_path, frame_rate=10.0)


def test_recordings_without_a_label_are_left_out_unless_none_is_left(tmp_path: Path) -> None:
    toy_set(tmp_path)
    nothing = 'background\n' * 81
    mapping = tmp_path / 'mapping.txt'
    mapping.write_text(mapping.read_text() + '3 background\n')
    (tmp_path / 'groundTruth' / 'r1.txt').write_text(nothing)
    data = read_feature_set(tmp_path)
    assert [t.name for t in data.parts['train']] == ['r0', 'r2']
    assert data.left_out == ('r1',)
    (tmp_path / 'groundTruth' / 'r4.txt').write_text(nothing + 3 * 'background\n')
    with pytest.raises(LabelError, match=r'test\.split1\.bundle names no recording with labels'):
        read_feature_set(tmp_path)
