# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 models`: presets, heads, devices, what a bundle is, and new ones of old versions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from m2r2_ros.cli.console import stdout
from m2r2_ros.core.errors import ConfigError
from m2r2_ros.core.share import share_path
from m2r2_ros.model.config import PRESETS
from m2r2_ros.model.devices import DEVICES, installed_devices
from m2r2_ros.model.facts import read_facts
from m2r2_ros.model.head_config import CONFIGS


def models_command(
    bundles: Annotated[
        list[Path] | None, typer.Argument(help='Bundles; without any, those that are shipped.')
    ] = None,
    devices: Annotated[
        bool,
        typer.Option('--devices', help='List where networks can run, and what to install for it.'),
    ] = False,
    upgrade: Annotated[
        bool,
        typer.Option(
            '--upgrade',
            help='Write the bundles anew in their places, as this version does: those of older '
            'versions get the graphs that label.',
        ),
    ] = False,
) -> None:
    """List presets and heads, and describe bundles.

    For example: m2r2 models my_model
    """
    if upgrade:
        _upgrade(bundles or [])
        return
    if devices:
        _print_devices()
    elif not bundles:
        _print_presets()
        _print_heads()
        bundles = sorted(p.parent for p in share_path('models').glob('*/bundle.yaml'))
    for folder in bundles or []:
        stdout.print(_describe(folder))


def _upgrade(folders: list[Path]) -> None:
    """Write bundles anew, and say what each was called in labels and is called now."""
    if not folders:
        msg = '--upgrade: expected the folders of bundles'
        raise ConfigError(msg)
    from m2r2_ros.cli.common import expect_training

    expect_training()
    from m2r2_ros.network.upgrade import upgrade

    for folder in folders:
        upgraded = upgrade(folder)
        stdout.print(f'{folder}: {upgraded.old_id} is now {upgraded.id}', soft_wrap=True)


def _print_devices() -> None:
    table = Table('device', 'installed', 'to install', title='devices')
    there = installed_devices()
    for name, device in DEVICES.items():
        wanted = [f'{device.wheel} in place of onnxruntime', device.needs]
        todo = '-' if there[name] else ', '.join(filter(None, wanted))
        table.add_row(name, 'yes' if there[name] else 'no', todo)
    stdout.print(table)


def _print_presets() -> None:
    table = Table('preset', 'modalities', 'image encoder', title='presets')
    for name, config in PRESETS.items():
        table.add_row(name, ', '.join(config.modalities), config.image_encoder or '-')
    stdout.print(table)


def _print_heads() -> None:
    table = Table('head', 'labels come', 'options', title='heads')
    for config in CONFIGS.values():
        options = [f'{k}={v}' for k, v in config().to_dict().items() if k != 'name']
        if options:
            when = 'with the frame' if config.online else 'at the end'
            table.add_row(config.name, when, ', '.join(options))
    stdout.print(table)


def _describe(folder: Path) -> Table:
    """Return what a bundle says about itself."""
    facts = read_facts(folder)
    table = Table(title=str(folder), show_header=False)
    table.add_row('id', facts.id)
    if facts.network is None:
        table.add_row('kind', facts.kind)
        for name, value in facts.options.items():
            table.add_row(name, _text(value))
    else:
        table.add_row('preset', facts.network.preset)
        heads = (facts.network.model.head, facts.network.model.offline_head)
        for head in filter(None, heads):
            when = 'online' if head.online else 'offline, for recordings'
            table.add_row('head', f'{head.name}, {when}')
        graphs = facts.network.graphs
        made = graphs and f'opset {graphs.opset}, {graphs.precision}'
        table.add_row('graph', made or f'none: m2r2 models --upgrade {folder}')
    table.add_row('parameters', f'{facts.parameters:,}')
    table.add_row('labels', ', '.join(facts.labels.names))
    table.add_row('frame rate', f'{facts.windows.frame_rate:g} Hz')
    for modality, entry in facts.topics.items():
        table.add_row(f'topic of {modality}', f'{entry["topic"]} ({entry["type"]})')
    table.add_row('trained on', _text(facts.training.get('recordings', [])))
    for name, value in _flat(facts.scores):
        table.add_row('validated on' if name == 'recordings' else name, _text(value))
    return table


def _flat(entries: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Return entries by name, those of sections under the section's name."""
    for name, value in entries.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f'{prefix}{name} ')
        else:
            yield prefix + name, value


def _text(value: Any) -> str:  # noqa: ANN401 - as YAML has it
    if isinstance(value, list):
        return ', '.join(map(str, value))
    if isinstance(value, float):
        return f'{value:.4g}'
    return '-' if value is None else str(value)
