# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pretrained weights in files that the user provides: reading them, loading them into a module."""

import hashlib
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.files import cannot_write, disk_errors, share, sync
from m2r2_ros.core.reading import check_file, reading
from m2r2_ros.model.weight_header import read_header

#: The weights in a folder that Hugging Face's libraries wrote, in the order they are looked for.
IN_FOLDER = ('model.safetensors', 'pytorch_model.bin')
#: Problems that an error message names one by one.
NAMED = 20
#: Bytes of code in an archive, unpacked; CLIP's has less than one megabyte.
MOST_CODE = 64 << 20


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, and wait until it is on the disk.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        with disk_errors(path):
            save_file(dict(tensors), path, metadata=dict(metadata))
            share(path)
            sync(path)
    except SafetensorError as error:  # what the library makes of an OSError
        raise cannot_write(path, str(error).rpartition('error: ')[2]) from error


@dataclass(frozen=True, slots=True)
class WeightFile:
    """The tensors of a file.

    Attributes:
        path: The file.
        tensors: By their name in it, without the prefix of a parallel training.
        origin: Name and hash of the file, to be kept with the trained model.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    origin: str


def read_weights(path: Path) -> WeightFile:
    """Read safetensors, a torch file of tensors, or the state of a TorchScript archive.

    Args:
        path: The file, or a folder with model.safetensors or pytorch_model.bin.

    Raises:
        BundleError: There is no such file, or it holds something else.
    """
    path = _file(path)
    with reading(path, 'safetensors, or a torch file that holds only tensors', BundleError):
        if path.suffix == '.safetensors':
            read_header(path)
            found = load_file(path)
        elif _is_torchscript(path):
            found = _torchscript_state(path)
        else:
            found = torch.load(path, map_location='cpu', weights_only=True)
    return WeightFile(path, _state(found, path), f'{path.name}, sha256 {_digest(path)}')


def fit_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load tensors into a module that has exactly the same ones.

    Raises:
        BundleError: A tensor is missing, unknown, not finite or of another shape; all are named.
    """
    expected = module.state_dict()
    problems = [
        f'{name} {tuple(tensor.shape)} is missing'
        for name, tensor in expected.items()
        if name not in tensors
    ]
    for name, tensor in tensors.items():
        if name not in expected:
            problems.append(f'{name} {tuple(tensor.shape)} is unknown')
        elif tensor.shape != expected[name].shape:
            shapes = f'expected {tuple(expected[name].shape)}, found {tuple(tensor.shape)}'
            problems.append(f'{name}: {shapes}')
        elif not bool(torch.isfinite(tensor).all()):
            problems.append(f'{name} holds values that are not finite')
    if problems:
        more = f'; and {len(problems) - NAMED} more' if len(problems) > NAMED else ''
        msg = f'{path}: does not fit the encoder: {"; ".join(problems[:NAMED])}{more}'
        raise BundleError(msg)
    module.load_state_dict({n: t.to(expected[n].dtype) for n, t in tensors.items()})


def split_three(stem: str, names: tuple[str, str, str], stacked: Tensor) -> dict[str, Tensor]:
    """Return queries, keys and values, which a file keeps in one tensor, under their names."""
    parts = stacked.tensor_split(3)
    return {f'{stem}{name}': part for name, part in zip(names, parts, strict=True)}


def _file(path: Path) -> Path:
    with reading(path, 'a file or folder of weights', BundleError):
        is_folder = path.is_dir()
    if is_folder:
        for name in IN_FOLDER:
            if (path / name).is_file():
                return path / name
        msg = f'{path}: expected {" or ".join(IN_FOLDER)} in this folder'
        raise BundleError(msg)
    check_file(path, 'a file of weights', BundleError)
    return path


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()[:16]


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith('/constants.pkl') for name in archive.namelist())


def _torchscript_state(path: Path) -> dict[str, Tensor]:
    """Return the state of an archive, in which OpenAI ships CLIP.

    torch.load does not read such archives. torch.jit.load builds the objects in it from torch's
    own types only, not from Python's, and runs no code of the archive except methods called
    __setstate__; an archive that has one is refused, and no other method is ever called.
    """
    with zipfile.ZipFile(path) as archive:
        code = [entry for entry in archive.infolist() if entry.filename.endswith('.py')]
        if sum(entry.file_size for entry in code) > MOST_CODE:
            msg = f'{path}: a TorchScript archive with more than {MOST_CODE} bytes of code'
            raise BundleError(msg)
        if any(b'__setstate__' in archive.read(entry) for entry in code):
            msg = (
                f'{path}: a TorchScript archive with code that would run on loading (__setstate__)'
            )
            raise BundleError(msg)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)  # torch no longer writes such archives
        state: dict[str, Tensor] = torch.jit.load(str(path), map_location='cpu').state_dict()
    return state


def _state(found: object, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file; ActionCLIP keeps CLIP's next to its own."""
    if isinstance(found, Mapping) and 'model_state_dict' in found:
        found = found['model_state_dict']
    if not isinstance(found, Mapping) or not found:
        msg = f'{path}: expected tensors by name, found {type(found).__name__}'
        raise BundleError(msg)
    for name, tensor in found.items():
        if not isinstance(tensor, Tensor):
            msg = f'{path}: {name}: expected a tensor, found {type(tensor).__name__}'
            raise BundleError(msg)
    prefix = 'module.' if all(str(name).startswith('module.') for name in found) else ''
    return {str(name).removeprefix(prefix): tensor for name, tensor in found.items()}
