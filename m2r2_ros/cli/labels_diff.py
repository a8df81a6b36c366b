# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 labels diff`: two or more layers of labels of the same recordings, side by side."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from m2r2_ros.bags.labels.held import HeldLabels, held_labels, layers_by_annotator
from m2r2_ros.bags.remote.places import on_disk
from m2r2_ros.cli.console import PlainConsole, console, stdout
from m2r2_ros.cli.labels_stats import Recordings, read_all, say_without
from m2r2_ros.cli.options import AsJson
from m2r2_ros.core.errors import LabelError
from m2r2_ros.core.labels import Segment
from m2r2_ros.core.origin import LayerFacts
from m2r2_ros.core.text import listed
from m2r2_ros.core.time import SECOND, to_ns
from m2r2_ros.evaluation.agreement import Agreement, PairAgreement, pooled_agreement
from m2r2_ros.evaluation.label_changes import LabelChange, label_changes

#: Differences that a table shows.
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Compared:
    """A recording with at least two layers.

    Attributes:
        layers: Segments by the name of their layer.
        span: From when to when it is, nanoseconds.
    """

    layers: dict[str, list[Segment]]
    span: tuple[int, int]


def diff_command(
    labels: Annotated[
        list[Path],
        typer.Argument(
            parser=on_disk,
            help='Two or more of: label bags, annotation layers, recordings, tables, or folders of '
            'them, matched by name. One folder of recordings compares its annotators.',
        ),
    ],
    recordings: Recordings = None,
    tolerance: Annotated[
        float, typer.Option(help='Seconds that an edge may be off without having moved.', min=0)
    ] = 0.1,
    gamma: Annotated[
        bool, typer.Option('--gamma', help='Also the gamma statistic; needs pygamma-agreement.')
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare layers of labels: what differs, segment by segment, and how far they agree.

    For example: m2r2 labels diff recordings labels
    """
    layers = _layers(labels, recordings or [])
    compared, facts, failed = _read(layers)
    agreed = pooled_agreement([(one.layers, one.span) for one in compared.values()])
    changes = _changes(compared, tolerance)
    statistic = _gamma(compared) if gamma else {}
    if as_json:
        typer.echo(json.dumps(_as_json(compared, agreed, changes, facts, statistic), indent=2))
    else:
        _print(compared, agreed, changes, facts)
        for name, value in statistic.items():
            stdout.print(f'gamma of {name}: {value:.3f}', soft_wrap=True)
    if failed:
        msg = f'{len(failed)} layers cannot be read'
        raise LabelError(msg, *failed)


def _layers(paths: list[Path], recordings: list[Path]) -> dict[str, dict[str, HeldLabels]]:
    """Return labels by the name of their layer, then by recording.

    Raises:
        LabelError: There are not at least two layers.
    """
    if len(paths) == 1:
        found = layers_by_annotator(paths[0])
        if len(found) < 2:
            msg = (
                f'{paths[0]} has layers of {listed(sorted(found)) or "no annotator"}: expected '
                'two annotators, or another folder of labels to compare with'
            )
            raise LabelError(msg)
        return found
    found = {}
    for name, path in zip(_names(paths), paths, strict=True):
        found[name] = held_labels([path], recordings, say_without)
    alone = [list(held) for held in found.values()]
    if all(len(names) == 1 for names in alone):  # whatever the files are called
        own = alone[0][0]
        found = {name: {own: next(iter(held.values()))} for name, held in found.items()}
    return found


def _names(paths: list[Path]) -> list[str]:
    """Return what layers are called, which differ from each other."""
    for names in ([path.name for path in paths], [str(path) for path in paths]):
        if all(names) and len({*names}) == len(names):
            return names
    return [f'{number}: {path}' for number, path in enumerate(paths, 1)]


def _read(
    layers: Mapping[str, dict[str, HeldLabels]],
) -> tuple[dict[str, _Compared], dict[str, dict[str, LayerFacts]], list[str]]:
    """Read the layers of the recordings that two or more of them have.

    Raises:
        LabelError: There is no such recording, or none has two layers of the same time.
    """
    found: dict[str, dict[str, list[Segment]]] = {}
    spans: dict[str, tuple[int, int]] = {}
    origins: dict[str, dict[str, LayerFacts]] = {}
    failed: list[str] = []
    for layer, held in layers.items():
        truths, origins[layer], lost = read_all(held)
        failed += lost
        for name, truth in truths.items():
            found.setdefault(name, {})[layer] = truth.segments
            begin, end = held[name].span(truth.segments)
            if name in spans:
                begin, end = min(begin, spans[name][0]), max(end, spans[name][1])
            spans[name] = begin, end
    both = {
        name: _Compared(found[name], spans[name]) for name in sorted(found) if len(found[name]) > 1
    }
    if not both:
        named = '; '.join(f'{layer} has {listed(sorted(held))}' for layer, held in layers.items())
        msg = f'no recording has two of these layers: {named}; they are matched by name'
        raise LabelError(msg)
    if apart := [name for name, one in both.items() if _apart(one.layers)]:
        msg = (
            f'{listed(apart)}: layers have labels at no time in common; expected layers of one '
            'recording, and its clock in all of them'
        )
        if len(apart) == len(both):
            raise LabelError(msg)
        console.print(msg, soft_wrap=True)
    if alone := sorted(found.keys() - both):
        console.print(f'in one layer alone, left out: {listed(alone)}', soft_wrap=True)
    return both, origins, failed


def _apart(layers: Mapping[str, Sequence[Segment]]) -> bool:
    """Return whether no two of several layers reach into the same time; empty ones do not count."""
    spans = [(own[0].start, max(s.end for s in own)) for own in layers.values() if own]
    pairs = list(combinations(spans, 2))
    return bool(pairs) and all(a[1] <= b[0] or b[1] <= a[0] for a, b in pairs)


def _changes(
    compared: Mapping[str, _Compared], tolerance: float
) -> list[tuple[str, str, str, LabelChange]]:
    """Return what differs: recording, both layers and the change."""
    return [
        (name, a, b, change)
        for name, one in compared.items()
        for a, b in combinations(one.layers, 2)
        for change in label_changes(one.layers[a], one.layers[b], to_ns(tolerance))
    ]


def _gamma(compared: Mapping[str, _Compared]) -> dict[str, float]:
    from m2r2_ros.evaluation.gamma import gamma_statistic  # optional

    return {name: gamma_statistic(one.layers) for name, one in compared.items()}


def _as_json(
    compared: Mapping[str, _Compared],
    agreed: Agreement,
    changes: list[tuple[str, str, str, LabelChange]],
    facts: Mapping[str, Mapping[str, LayerFacts]],
    statistic: Mapping[str, float],
) -> dict[str, Any]:
    def shown(segment: Segment | None, start: int) -> dict[str, Any] | None:
        if segment is None:
            return None
        times = {k: (getattr(segment, k) - start) / SECOND for k in ('start', 'end')}
        return {**times, 'start_ns': segment.start, 'end_ns': segment.end, 'label': segment.label}

    return {
        'recordings': list(compared),
        'alpha': agreed.alpha,
        'pairs': [
            {**asdict(p), 'f1': {f'{k:g}': v for k, v in p.f1.items()}} for p in agreed.pairs
        ],
        'gamma': dict(statistic),
        'changes': [
            {
                'recording': name,
                'layers': [a, b],
                'kind': change.kind.value,
                'first': shown(change.first, compared[name].span[0]),
                'second': shown(change.second, compared[name].span[0]),
                'moved_s': [t / SECOND for t in change.moved] if change.moved else None,
            }
            for name, a, b, change in changes
        ],
        'layers': [
            {'layer': layer, 'recording': name, **asdict(own)}
            for layer, held in facts.items()
            for name, own in held.items()
        ],
    }


def _print(
    compared: Mapping[str, _Compared],
    agreed: Agreement,
    changes: list[tuple[str, str, str, LabelChange]],
    facts: Mapping[str, Mapping[str, LayerFacts]],
) -> None:
    wide = PlainConsole(width=max(stdout.width, 120))
    for layer, held in facts.items():
        kinds = ', '.join(dict.fromkeys(str(own) for own in held.values()))
        stdout.print(f'{layer}: {kinds}', soft_wrap=True)
    many = len(agreed.pairs) > 1
    if changes:
        columns = ['recording', *(['layers'] if many else []), 'at s', 'what', 'label']
        table = Table(*columns, 'start moved s', 'end moved s')
        for name, a, b, change in changes[:_SHOWN]:
            between = [f'{a}, {b}'] if many else []
            table.add_row(name, *between, *_cells(change, compared[name].span[0]))
        wide.print(table)
    if (more := len(changes) - _SHOWN) > 0:
        stdout.print(f'and {more} other differences (--json has all)', soft_wrap=True)
    wide.print(_agreement(agreed.pairs))
    alpha = _number(agreed.alpha, 3)
    several = '' if len(compared) == 1 else 's'
    what = f'{len(compared)} recording{several}'
    stdout.print(f"{what}; Krippendorff's alpha {alpha}", soft_wrap=True)


def _agreement(pairs: Sequence[PairAgreement]) -> Table:
    """Return how far layers agree, a column for each pair of them."""
    table = Table('', *(f'{p.first}, {p.second}' for p in pairs))

    def row(name: str, value: Callable[[PairAgreement], str]) -> None:
        table.add_row(name, *map(value, pairs))

    row('kappa', lambda p: _number(p.kappa, 3))
    row('same label, share of the time that both label', lambda p: _number(p.same, 3))
    row('one alone labels, s', lambda p: f'{p.only_first_s:.2f}, {p.only_second_s:.2f}')
    row('edges apart, median s', lambda p: _number(p.edges.median, 3))
    row('edges apart, 95 % s', lambda p: _number(p.edges.p95, 3))
    row('edges of the second later, median s', lambda p: _number(p.edges.shift, 3))
    row('edges that one alone has', lambda p: f'{p.edges.only_first}, {p.edges.only_second}')
    for tolerance in pairs[0].f1:
        shares = [_number(p.f1[tolerance], 3) for p in pairs]
        table.add_row(f'F1 of segments within {tolerance:g} s', *shares)
    row('segments that one alone has', lambda p: f'{p.only_first}, {p.only_second}')
    return table


def _cells(change: LabelChange, start: int) -> list[str]:
    first, second, moved = change.first, change.second, change.moved
    labels = dict.fromkeys(s.label for s in (first, second) if s is not None)
    return [
        f'{(change.start - start) / SECOND:.2f}',
        change.kind.value,
        ' -> '.join(labels),
        *(f'{t / SECOND:+.3f}' if moved else '' for t in moved or (0, 0)),
    ]


def _number(value: float | None, decimals: int) -> str:
    return '-' if value is None else f'{value:.{decimals}f}'
