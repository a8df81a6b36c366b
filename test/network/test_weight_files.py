# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of weights: what is read, and that nothing in them is ever run."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from m2r2_ros.core.errors import BundleError
from m2r2_ros.network.weight_files import read_weights


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


class Awakening(torch.nn.Module):
    """A TorchScript module with code that runs on loading."""

    p: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('p', torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.p

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return self.p, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        self.p = state[0] + 1
        self.training = state[1]


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    made = tmp_path / 'made'
    torch.save({'model_state_dict': Malicious(made)}, tmp_path / 'bad.pt')
    with pytest.raises(
        BundleError, match=r'bad\.pt cannot be read: UnpicklingError.*expected safetensors'
    ):
        read_weights(tmp_path / 'bad.pt')
    assert not made.exists()


@pytest.mark.filterwarnings('ignore::FutureWarning')
def test_an_archive_with_code_that_runs_on_loading_is_refused(tmp_path: Path) -> None:
    torch.jit.script(Awakening()).save(str(tmp_path / 'awake.pt'))
    with pytest.raises(BundleError, match=r'awake\.pt: .*__setstate__'):
        read_weights(tmp_path / 'awake.pt')


@pytest.mark.parametrize('name', ['x.pt', 'x.safetensors', 'x.bin'])
@pytest.mark.parametrize('content', [b'', b'no weights', b'PK\x03\x04 cut short'])
def test_rubbish_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BundleError, match=name):
        read_weights(tmp_path / name)


def test_a_file_that_was_cut_short_is_named(tmp_path: Path) -> None:
    torch.save({'a': torch.ones(100_000)}, tmp_path / 'x.pt')
    whole = (tmp_path / 'x.pt').read_bytes()
    (tmp_path / 'x.pt').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match=r'x\.pt'):
        read_weights(tmp_path / 'x.pt')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([torch.ones(1)], 'expected tensors by name, found list'),
        ({}, 'expected tensors by name'),
        ({'a': torch.ones(1), 'epoch': 3}, 'epoch: expected a tensor, found int'),
    ],
)
def test_what_is_not_tensors_by_name_is_named(content: Any, message: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / 'x.pt')
    with pytest.raises(BundleError, match=rf'x\.pt: {message}'):
        read_weights(tmp_path / 'x.pt')


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r'away\.pt: no such file'):
        read_weights(tmp_path / 'away.pt')
    with pytest.raises(BundleError, match=r'expected model\.safetensors or pytorch_model\.bin'):
        read_weights(tmp_path)


def test_the_prefix_of_a_parallel_training_falls_off_only_where_all_have_it(tmp_path: Path) -> None:
    torch.save({'module.a': torch.ones(1), 'module.b': torch.ones(1)}, tmp_path / 'x.pt')
    assert set(read_weights(tmp_path / 'x.pt').tensors) == {'a', 'b'}
    torch.save({'module.a': torch.ones(1), 'b': torch.ones(1)}, tmp_path / 'x.pt')
    assert set(read_weights(tmp_path / 'x.pt').tensors) == {'module.a', 'b'}


def test_the_origin_is_the_files_name_and_hash(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    save_file({'a': torch.ones(300_000)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    for named in (path, tmp_path):
        file = read_weights(named)
        assert (file.path, file.origin) == (path, f'model.safetensors, sha256 {digest}')
