# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 models`: presets, heads, and what a bundle is."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from m2r2_ros.cli.common import stdout
from m2r2_ros.core.share import share_path


def models_command(
    bundles: Annotated[
        list[Path] | None, typer.Argument(help='Bundles; without any, those that are shipped.')
    ] = None,
) -> None:
    """List presets and heads, and describe bundles."""
    from m2r2_ros.model.bundle import load_bundle, parameter_count  # torch takes seconds
    from m2r2_ros.model.config import PRESETS
    from m2r2_ros.model.heads.registry import HEADS

    if not bundles:
        presets = Table('preset', 'modalities', 'image encoder', title='presets')
        for name, config in PRESETS.items():
            presets.add_row(name, ', '.join(config.modalities), config.image_encoder or '-')
        stdout.print(presets)
        heads = Table('head', 'labels come', 'options', title='heads')
        for options_of, head in HEADS.items():
            when = 'with the frame' if head.online else 'at the end'
            options = [f'{k}={v}' for k, v in options_of().to_dict().items() if k != 'name']
            if options:
                heads.add_row(options_of.name, when, ', '.join(options))
        stdout.print(heads)
    found = bundles or sorted(p.parent for p in share_path('models').glob('*/bundle.yaml'))
    for folder in found:
        bundle = load_bundle(folder)
        table = Table(title=str(folder), show_header=False)
        table.add_row('id', bundle.id)
        table.add_row('preset', bundle.preset)
        table.add_row('head', bundle.model.head.name)
        table.add_row('parameters', f'{parameter_count(bundle.network):,}')
        table.add_row('labels', ', '.join(bundle.labels.names))
        table.add_row('frame rate', f'{bundle.windows.frame_rate:g} Hz')
        for modality, entry in bundle.topics.items():
            table.add_row(f'topic of {modality}', f'{entry["topic"]} ({entry["type"]})')
        table.add_row('trained on', ', '.join(map(str, bundle.training.get('recordings', []))))
        for name, value in bundle.scores.items():
            table.add_row('validated on' if name == 'recordings' else name, _text(value))
        stdout.print(table)


def _text(value: Any) -> str:  # noqa: ANN401 - as YAML has it
    if isinstance(value, list):
        return ', '.join(map(str, value))
    if isinstance(value, float):
        return f'{value:.4g}'
    return '-' if value is None else str(value)
