# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles that were made to do harm: whole to the seal, and wrong in one place."""

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from safetensors import safe_open
from safetensors.numpy import save_file

from m2r2_ros.core.errors import BundleError, M2R2Error
from m2r2_ros.model.facts import WEIGHTS, YAML
from m2r2_ros.segmenters.kinds import open_model

Change = Callable[[Path], Any]
#: Values of a wrong kind or size, for any entry.
WRONG: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 2**63, 10**19, 1e300, float('inf'), float('nan'), '', 'x' * 10**5, '../..',
    '/dev/zero', [], [[]] * 1000, {}, {'a': {}}, '2001-01-01',
)  # fmt: skip


def seal(folder: Path) -> None:
    """Seal the weights with the YAML file beside them, as an attacker does."""
    path = folder / WEIGHTS
    with safe_open(path, framework='numpy') as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 no dict
    digest = hashlib.sha256((folder / YAML).read_bytes()).hexdigest()
    save_file(tensors, path, {'bundle_yaml_sha256': digest})


def load(folder: Path) -> dict[str, Any]:
    entries: dict[str, Any] = yaml.load((folder / YAML).read_text(), yaml.CSafeLoader)
    return entries


def edited(change: Callable[[dict[str, Any]], Any]) -> Change:
    def apply(folder: Path) -> None:
        entries = load(folder)
        change(entries)
        text = yaml.dump(entries, Dumper=yaml.CSafeDumper, sort_keys=False)
        (folder / YAML).write_text(text)
        seal(folder)

    return apply


def written(text: str | bytes) -> Change:
    """Put text in front of the YAML file."""
    raw = text if isinstance(text, bytes) else text.encode()

    def apply(folder: Path) -> None:
        (folder / YAML).write_bytes(raw + (folder / YAML).read_bytes())
        seal(folder)

    return apply


def header(change: Callable[[dict[str, Any]], Any], length: int | None = None) -> Change:
    """Change the header of the weights, and its length where one is given."""

    def apply(folder: Path) -> None:
        raw = (folder / WEIGHTS).read_bytes()
        (size,) = struct.unpack('<Q', raw[:8])
        entries = json.loads(raw[8 : 8 + size])
        change(entries)
        text = json.dumps(entries).encode()
        size_told = len(text) if length is None else length
        (folder / WEIGHTS).write_bytes(struct.pack('<Q', size_told) + text + raw[8 + size :])

    return apply


def tensor(entries: dict[str, Any], **facts: Any) -> None:
    name = next(name for name in entries if name != '__metadata__')
    entries[name].update(facts)


def swapped(name: str, make: Callable[[Path], Any]) -> Change:
    """Put something else in the place of a file."""

    def apply(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return apply


SIZES: Final[dict[str, tuple[str, ...]]] = {
    'windows': ('frame_rate', 'sensor_rate', 'audio_rate', 'audio_context'),
    'model': (
        'width', 'heads', 'feedforward', 'mlp', 'sound_width', 'sound_layers', 'sound_stride',
        'sound_expansion',
    ),
    'head': ('width', 'layers', 'stages'),
}  # fmt: skip


def put(entries: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        entries = entries[key]
    entries[path[-1]] = value


def sizes() -> Iterator[Change]:
    """Sizes as large as they may be, and larger, alone and all together."""
    for section, keys in SIZES.items():
        where = ('model', 'head') if section == 'head' else (section,)
        for key in keys:
            for value in (1, 64, 8192, 10**9, 1e-9):
                yield edited(partial(put, path=(*where, key), value=value))
    largest = {'width': 8192, 'sound_width': 8192, 'sound_layers': 64, 'sound_expansion': 16}
    yield edited(lambda e: e['model'].update(largest))
    yield edited(lambda e: e['windows'].update(frame_rate=1e-6, sensor_rate=1e4))
    yield edited(large_vector)
    yield edited(lambda e: e['windows'].update(audio_context=3600.0, audio_rate=192_000))
    for head in ('ms_tcn', 'asrf', 'asformer', 'diffact', 'protas', 'online_tas'):
        for options in ({}, {'width': 4096, 'layers': 16}):
            yield edited(partial(put, path=('model', 'head'), value={'name': head, **options}))
    for values in ({'encoder_width': 4096}, {'time_width': 5}, {'decoder_kernel': 62}):
        kind = {'name': 'diffact', **values}
        yield edited(partial(put, path=('model', 'head'), value=kind))
    yield edited(lambda e: e['model'].update(head={'name': 'asformer', 'reduction': 64}))


def paths_of(entries: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in entries.items():
        yield (*place, key)
        if isinstance(value, dict):
            yield from paths_of(value, (*place, key))


def wrong_values(folder: Path, *sections: str) -> Iterator[Change]:
    """A wrong value in the place of each entry, of some sections or of all."""
    entries = {k: v for k, v in load(folder).items() if not sections or k in sections}
    for k, path in enumerate(paths_of(entries)):
        for value in WRONG[k % 9 :: 9]:
            yield edited(partial(put, path=path, value=value))


def method_sizes(folder: Path) -> Iterator[Change]:
    """Numbers of methods as large as they may be, and larger."""
    methods = load(folder)['options']['methods']
    for name, options in methods.items():
        for option, value in options.items():
            for large in (64, 4096, 10**6, 10**9) if isinstance(value, int | float) else ():
                path = ('options', 'methods', name, option)
                yield edited(partial(put, path=path, value=large))
    tokenizer = ('options', 'methods', 'laps_motion')
    largest = {'hidden': 4096, 'heads': 64, 'enc_layers': 24, 'dec_layers': 24, 'bins': 101}
    whole = {**methods['laps_motion'], **largest}
    yield edited(partial(put, path=tokenizer, value=whole))
    for levels in ([8] * 64, [10**6] * 8, []):
        yield edited(partial(put, path=(*tokenizer, 'levels'), value=levels))
    for dims in ([4096] * 4, [10**9] * 4):
        yield edited(partial(put, path=(*tokenizer, 'dims'), value=dims))


def declarations() -> Iterator[Change]:
    """Modalities that are no modalities, that are too many, or that refer to each other in vain."""
    whole: tuple[Any, ...] = (
        {}, [], None, 'wrench', ['wrench', 'wrench'], ['smell'], [['wrench']], {'wrench': None},
        {'wrench': ['like']}, {'../wrench': {}}, {'x' * 10**5: {}}, {'Wrench': {}},
        {'features': {}},
        {'type': {'dims': 3}}, {f'x{k}': {'dims': 1} for k in range(33)},
        {f'x{k}': {'dims': 1} for k in range(10**4)},
    )  # fmt: skip
    for value in whole:
        yield edited(partial(put, path=('model', 'modalities'), value=value))
    for entry in (
        {'dims': 4097}, {'dims': 10**12}, {'dims': -1}, {'dims': 1.5}, {'dims': True}, {},
        {'dims': 3, 'kind': 'smell'}, {'dims': 3, 'like': 'smell'}, {'like': 'wrench', 'dims': 7},
        {'like': 'image', 'dims': 3}, {'dims': 3, 'encoder': 'touch'},
        {'dims': 3, 'encoder': 'pose'}, {'dims': 3, 'derived_from': 'x' * 10**6},
        {'dims': 6, 'encoder': 'twist', 'derived_from': 'touch'}, {'dims': 3, 'max_age': 1e300},
        {'dims': 3, 'max_rate': 1e300}, {'dims': 3, 'min_rate': float('nan')}, {'dims': 3, 'x': 1},
        {'dims': 3, 'unit': ['N']}, {'dims': 3, 'derived_from': 'pose'}, {'dims': 3},
        {'dims': 3, 'encoder': 'x' * 10**6}, {'dims': 3, 'encoder': 'wrench'},
    ):  # fmt: skip
        yield edited(partial(put, path=('model', 'modalities', 'touch'), value=entry))


def large_vector(entries: dict[str, Any]) -> None:
    """Promise a vector as large as one may be."""
    entries['model']['modalities']['touch'] = {'dims': 4096}
    entries['normalisation']['sensors']['touch'] = {'mean': [0.0] * 4096, 'std': [1.0] * 4096}


def labels() -> Iterator[Change]:
    for names in (
        ['a'] * 3, ['', 'a', 'b'], ['x' * 10**6, 'a', 'b'], ['a\0', 'b', 'c'], [1, 2, 3],
        [str(k) for k in range(5000)], [], [['a'], 'b', 'c'],
    ):  # fmt: skip
        parents = [''] * len(names)
        yield edited(partial(put, path=('labels',), value={'names': names, 'parents': parents}))
    for wrong in ([1, 2, 3], ['x' * 10**6, '', ''], ['', ''], None):
        yield edited(partial(put, path=('labels', 'parents'), value=wrong))


def texts() -> Iterator[Change]:
    bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n' + ''.join(
        f'a{k}: &a{k} [{", ".join([f"*a{k - 1}"] * 9)}]\n' for k in range(1, 12)
    )
    for text in (
        bomb, 'x: &x {a: 1}\n<<: *x\n', '[' * 10**6, '- ' * 10**6, 'x: ' + '9' * 10**4 + '\n',
        'format: 2\n', '1: x\n', 'x: !!python/object/apply:os.getcwd []\n', 'x: 1\n---\n',
        b'\xff\xfe', b'\0', b'x: \x1b[31m\n', 'x: [' + '0,' * 2_000_000 + ']\n', ' ' * (17 << 20),
        'x: ' + 'y' * (15 << 20) + '\n',
    ):  # fmt: skip
        yield written(text)


def headers() -> Iterator[Change]:
    for length in (0, 1, 2**20, 2**30, 2**63, 2**64 - 1):
        yield header(lambda e: None, length)
    for offsets in ([0, 2**40], [-8, 0], [8, 0], [0, 1], [2**63, 2**63 + 8]):
        yield header(partial(tensor, data_offsets=offsets))
    for shape in ([2**40], [2**32, 2**32], [-1], [0], [], ['a'], None):
        yield header(partial(tensor, shape=shape))
    for kind in ('F64', 'I8', 'F8_E4M3', 'C64', 'x', 3):
        yield header(partial(tensor, dtype=kind))
    yield header(lambda e: e.update({f'extra{k}': e[list(e)[-1]] for k in range(1000)}))
    yield header(lambda e: e.pop(list(e)[-1]))
    yield header(lambda e: e.clear())
    yield header(lambda e: e.update(__metadata__={'bundle_yaml_sha256': 3}))
    nothing = {'dtype': 'F16', 'shape': [0], 'data_offsets': [0, 0]}
    yield header(lambda e: e.update({f'extra{k}': nothing for k in range(10_000)}))


def others() -> Iterator[Change]:
    for name in (YAML, WEIGHTS):
        yield swapped(name, os.mkfifo)
        yield swapped(name, Path.mkdir)
        yield swapped(name, lambda path: path.symlink_to('/dev/zero'))
        yield swapped(name, lambda path: path.symlink_to(path))
        yield swapped(name, lambda path: path.touch())
        yield swapped(name, lambda path: None)


CASES: Final[list[Callable[[], Iterator[Change]]]] = [
    declarations,
    labels,
    texts,
    headers,
    others,
]


def refuse(path: Path) -> None:
    """Open a bundle, which has to end in an error that names it.

    Raises:
        BundleError: As it should.
        AssertionError: It did not.
    """
    try:
        open_model(path)
    except M2R2Error as error:
        assert isinstance(error, BundleError), error
        assert str(error).startswith(str(path)), error
        assert len(str(error)) < 1000
        raise
    raise AssertionError


def open_or_refuse(path: Path) -> None:
    try:
        refuse(path)
    except BundleError:
        pass
    except AssertionError as error:
        if error.args:
            raise
