# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles on disk: what is written is read, and what does not fit is named."""

import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import save_file

from m2r2_ros.core.errors import BundleError
from m2r2_ros.core.modalities import BUILTIN, SENSORS, declared
from m2r2_ros.core.share import share_path
from m2r2_ros.model.facts import FORMAT, WEIGHTS, YAML, bundle_id, read_facts
from m2r2_ros.model.head_config import CausalTCNConfig
from m2r2_ros.model.inputs import make_inputs
from m2r2_ros.network.bundle import (
    Bundle,
    load_bundle,
    save_bundle,
)
from m2r2_ros.network.tensors import InputTensors
from test.hostile.bundle_files import seal
from test.network.networks import SENSING, SMALL, make_bundle, make_windows

TENSOR = 'extractor.encoders.wrench.projection.weight'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_bundle(make_bundle(), tmp_path / 'model')
    return tmp_path / 'model'


def predictions(bundle: Bundle) -> torch.Tensor:
    inputs = InputTensors.of(
        make_inputs(make_windows(30), bundle.normalisation, bundle.model.modalities)
    )
    with torch.no_grad():
        found = bundle.network.head.predict(bundle.network.features(inputs))
    return torch.cat([found.probabilities, found.boundaries[:, None]], dim=1)


def test_a_bundle_is_read_as_it_was_written(folder: Path) -> None:
    made, loaded = make_bundle(), load_bundle(folder)
    for name in ('preset', 'labels', 'windows', 'model', 'decoding', 'topics', 'training'):
        assert getattr(loaded, name) == getattr(made, name), name
    assert loaded.scores == made.scores
    assert loaded.normalisation.to_dict() == made.normalisation.to_dict()
    assert not loaded.network.training


def test_predictions_survive_but_for_the_rounding_to_half(tmp_path: Path) -> None:
    made = make_bundle(SMALL)
    saved = save_bundle(made, tmp_path / 'model')
    torch.testing.assert_close(predictions(saved), predictions(made), atol=2e-3, rtol=0)
    assert torch.equal(predictions(load_bundle(tmp_path / 'model')), predictions(saved))


def test_what_was_loaded_is_saved_as_the_same_bundle(folder: Path, tmp_path: Path) -> None:
    again = save_bundle(load_bundle(folder), tmp_path / 'copy')
    assert again.id == load_bundle(folder).id == bundle_id(folder)
    assert len(again.id) == 16


def test_the_id_changes_with_either_file(folder: Path, tmp_path: Path) -> None:
    before = bundle_id(folder)
    other = make_bundle()
    with torch.no_grad():
        next(iter(other.network.parameters()))[0] += 1
    ids = {
        before,
        save_bundle(replace(make_bundle(), scores={'accuracy': 0.6}), tmp_path / 'a').id,
        save_bundle(other, tmp_path / 'b').id,
    }
    assert len(ids) == 3
    assert save_bundle(make_bundle(), tmp_path / 'c').id == before


def test_the_yaml_has_every_section_and_reads_like_one(folder: Path) -> None:
    entries = yaml.safe_load((folder / YAML).read_text())
    assert list(entries) == [
        'format', 'kind', 'preset', 'labels', 'windows', 'model', 'normalisation', 'decoding',
        'topics', 'training', 'scores', 'graph',
    ]  # fmt: skip
    assert entries['kind'] == 'learned'
    assert entries['labels'] == {
        'names': ['reach', 'grasp', 'lift'], 'parents': ['move', 'hold', 'move'],
    }  # fmt: skip
    assert '!!python' not in (folder / YAML).read_text()


@pytest.mark.parametrize('inside', ['notes.txt', 'bundle.yaml', ''])
def test_what_is_there_is_not_overwritten(tmp_path: Path, inside: str) -> None:
    target = tmp_path / 'model'
    if inside:
        target.mkdir()
    (target / inside).write_text('mine') if inside else target.write_text('mine')
    with pytest.raises(BundleError, match=r'model: exists already'):
        save_bundle(make_bundle(), target)
    files = [p for p in tmp_path.rglob('*') if p.is_file()]
    assert [p.read_text() for p in files] == ['mine']


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    (tmp_path / 'model').mkdir()
    assert save_bundle(make_bundle(), tmp_path / 'model').id


def edit_yaml(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        entries = yaml.safe_load((folder / YAML).read_text())
        change(entries)
        (folder / YAML).write_text(yaml.safe_dump(entries, sort_keys=False))

    return apply


def edit_tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        with safe_open(folder / WEIGHTS, framework='pt') as file:
            seal = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        change(tensors)
        save_file(tensors, folder / WEIGHTS, metadata=seal)

    return apply


def overwrite(name: str, data: bytes) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return apply


def truncate(name: str, share: float) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return apply


def folder_as_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).mkdir()


class Trap:
    """Would leave a trace if anything unpickled it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path('unpickled'),)


def nan_in(tensors: dict[str, torch.Tensor]) -> None:
    tensors[TENSOR][1, 2] = float('nan')


DAMAGE: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    'missing tensor': (edit_tensors(lambda t: t.pop(TENSOR)), (WEIGHTS, TENSOR, 'missing')),
    'misshapen tensor': (
        edit_tensors(lambda t: t.update({TENSOR: torch.zeros(32, 7)})),
        (WEIGHTS, TENSOR, '(32, 6)', '(32, 7)'),
    ),
    'unknown tensor': (
        edit_tensors(lambda t: t.update({'extra': torch.zeros(2)})), (WEIGHTS, 'extra'),
    ),
    'NaN tensor': (edit_tensors(nan_in), (WEIGHTS, TENSOR, 'finite')),
    'no tensors': (edit_tensors(lambda t: t.clear()), (WEIGHTS, 'missing')),
    'no seal': (
        lambda f: save_file({'x': torch.zeros(1)}, f / WEIGHTS), (YAML, 'edited'),
    ),
    'truncated weights': (truncate(WEIGHTS, 0.7), (WEIGHTS, 'cut short')),
    'truncated header': (truncate(WEIGHTS, 0.001), (WEIGHTS,)),
    'empty weights': (overwrite(WEIGHTS, b''), (WEIGHTS,)),
    'pickle': (overwrite(WEIGHTS, pickle.dumps(Trap())), (WEIGHTS, 'not a safetensors file')),
    'no weights': (lambda f: (f / WEIGHTS).unlink(), (WEIGHTS, 'no such file')),
    'folder as weights': (folder_as_weights, (WEIGHTS,)),
    'no yaml': (lambda f: (f / YAML).unlink(), (YAML, 'no such file')),
    'edited value': (edit_yaml(lambda e: e['windows'].update(deadline=0.3)), (YAML, 'edited')),
    'edited label': (edit_yaml(lambda e: e['labels']['names'].reverse()), (YAML, 'edited')),
    'added label': (
        edit_yaml(lambda e: (e['labels']['names'].append('x'), e['labels']['parents'].append(''))),
        (YAML, 'edited'),
    ),
    'huge network': (edit_yaml(lambda e: e['model']['head'].update(layers=16)), (YAML, 'edited')),
    'unknown section': (edit_yaml(lambda e: e.update(extra=1)), (YAML, 'extra')),
    'missing section': (edit_yaml(lambda e: e.pop('topics')), (YAML, 'topics')),
    'wrong format': (
        edit_yaml(lambda e: e.update(format=1)), (YAML, 'format 1', 'formats 2 to 4'),
    ),
    'twice a label': (
        edit_yaml(lambda e: e['labels'].update(names=['a', 'a', 'b'])), (YAML, 'labels.names'),
    ),
    'labels not a mapping': (edit_yaml(lambda e: e.update(labels=None)), (YAML,)),
    'windows not a mapping': (edit_yaml(lambda e: e.update(windows=[1])), (YAML,)),
    'model not a mapping': (edit_yaml(lambda e: e.update(model=None)), (YAML,)),
    'numbers as parents': (
        edit_yaml(lambda e: e['labels'].update(parents=[1, 2, 3])), (YAML, 'labels.parents'),
    ),
    'decoding not a mapping': (edit_yaml(lambda e: e.update(decoding=None)), (YAML, 'decoding')),
    'topic without a type': (
        edit_yaml(lambda e: e['topics'].update(wrench={'topic': '/w'})),
        (YAML, 'topics.wrench.type'),
    ),
    'a list as kind': (edit_yaml(lambda e: e.update(kind=['learned'])), (YAML, 'kind')),
    'unknown entry': (edit_yaml(lambda e: e['windows'].update(fps=3)), (YAML, 'windows', 'fps')),
    'wrong rate': (
        edit_yaml(lambda e: e['windows'].update(frame_rate='fast')), (YAML, 'windows.frame_rate'),
    ),
    'half a width': (edit_yaml(lambda e: e['model'].update(width=32.5)), (YAML, 'model.width')),
    'wrong width': (edit_yaml(lambda e: e['model'].update(width=33)), (YAML, 'model.heads')),
    'unknown modality': (
        edit_yaml(lambda e: e['model'].update(modalities=['smell'])),
        (YAML, 'model.modalities', 'smell'),
    ),
    'wrong scale': (
        edit_yaml(lambda e: e['normalisation']['sensors']['wrench'].update(std=[0] * 6)),
        (YAML, 'normalisation.sensors.wrench.std'),
    ),
    'python tag': (overwrite(YAML, b'!!python/object/apply:os.getcwd []'), (YAML, 'read as YAML')),
    'not YAML': (overwrite(YAML, b'a: [1'), (YAML, 'read as YAML')),
    'not text': (overwrite(YAML, b'\xff\xfe\x00'), (YAML, 'not UTF-8')),
    'empty yaml': (overwrite(YAML, b''), (YAML, 'format')),
    'truncated yaml': (truncate(YAML, 0.5), (YAML,)),
}  # fmt: skip


@pytest.mark.parametrize('damage', DAMAGE)
def test_damage_is_named(folder: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    change, named = DAMAGE[damage]
    change(folder)
    with pytest.raises(BundleError) as raised:
        load_bundle(folder)
    for part in (str(folder), *named):
        assert part in str(raised.value)
    assert not Path('unpickled').exists()


def test_the_tensors_of_another_model_do_not_fit(folder: Path, tmp_path: Path) -> None:
    save_bundle(make_bundle(replace(SENSING, head=CausalTCNConfig(width=24))), tmp_path / 'other')
    (folder / WEIGHTS).write_bytes((tmp_path / 'other' / WEIGHTS).read_bytes())
    with pytest.raises(BundleError, match='edited'):
        load_bundle(folder)


def test_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r'nowhere.*bundle.yaml: no such file'):
        load_bundle(tmp_path / 'nowhere')


def test_parameters_are_counted_without_the_network(folder: Path) -> None:
    assert read_facts(folder).parameters == sum(
        p.numel() for p in make_bundle().network.parameters()
    )


def as_format_2(folder: Path, ages: dict[str, float]) -> None:
    """Write a bundle as versions did in which modalities were names."""
    entries = yaml.safe_load((folder / YAML).read_text())
    entries['format'] = 2
    del entries['graph']
    entries['model']['modalities'] = list(entries['model']['modalities'])
    entries['windows']['max_age'] = ages
    entries['normalisation']['sound'] = entries['normalisation'].pop('sounds')['sound']
    (folder / YAML).write_text(yaml.safe_dump(entries, sort_keys=False))
    seal(folder)


def test_bundles_of_format_2_name_built_in_modalities_and_have_ages_in_windows(
    tmp_path: Path,
) -> None:
    new = save_bundle(make_bundle(SMALL), tmp_path / 'new')
    shutil.copytree(tmp_path / 'new', tmp_path / 'old')
    ages = {'sound': 0.3, 'wrench': 0.25, 'pose': 0.2, 'twist': 0.2, 'gripper': 1.5, 'image': 0.5}
    as_format_2(tmp_path / 'old', ages)
    old = load_bundle(tmp_path / 'old')
    assert {n: m.max_age for n, m in old.model.modalities.items()} == {
        n: ages[n] for n in SMALL.modalities
    }
    usual = {n: replace(m, max_age=BUILTIN[n].max_age) for n, m in old.model.modalities.items()}
    assert usual == SMALL.modalities
    assert list(old.model.modalities) == list(SMALL.modalities)
    assert old.windows == new.windows
    assert old.normalisation.to_dict() == new.normalisation.to_dict()
    assert torch.equal(predictions(old), predictions(new))
    # Saved again, it is one of today.
    again = save_bundle(old, tmp_path / 'again')
    assert yaml.safe_load((tmp_path / 'again' / YAML).read_text())['format'] == 4
    assert again.model == old.model


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda e: e['windows'].update(max_age=0.2), r'windows.max_age: expected a mapping'),
        (lambda e: e['windows']['max_age'].update(wrench='old'), r'windows.max_age.wrench'),
        (lambda e: e['windows']['max_age'].update(wrench=-1.0), r'wrench.max_age: expected 0.001'),
        (lambda e: e['model'].update(modalities=['pose', 'wrench']), r'model.modalities: .*order'),
        (lambda e: e['model'].update(modalities=[]), r'0 modalities'),
        (lambda e: e['model'].update(modalities='wrench'), r'model.modalities: expected a mapping'),
        (lambda e: e['normalisation'].pop('sound'), r'normalisation.sound_range_db'),
    ],
)
def test_damaged_entries_of_format_2_are_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], expected: str
) -> None:
    save_bundle(make_bundle(SMALL), tmp_path / 'old')
    as_format_2(tmp_path / 'old', {'wrench': 0.2})
    edit_yaml(change)(tmp_path / 'old')
    seal(tmp_path / 'old')
    with pytest.raises(BundleError, match=rf'bundle\.yaml: .*{expected}'):
        load_bundle(tmp_path / 'old')


def test_the_shipped_model_is_one_of_today() -> None:
    folder = share_path('models', 'cell')
    assert yaml.safe_load((folder / YAML).read_text())['format'] == FORMAT
    facts, bundle = read_facts(folder), load_bundle(folder)
    assert bundle.model.modalities == facts.modalities == declared(('sound', *SENSORS))
    assert set(bundle.normalisation.sounds) == {'sound'}
    assert bundle.familiarity is not None
    assert set(bundle.familiarity.always) <= set(bundle.model.modalities)
