# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 discover`: recordings without labels to segments in clusters, and a page to name them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import Progress, TaskID

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.cli.common import expect_training, given_map, source_recordings
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.cli.options import Bags, FrameRate, Note, Seed, Topics
from m2r2_ros.core.errors import DiscoveryError
from m2r2_ros.core.files import new_folder, write_text
from m2r2_ros.core.modalities import VECTOR, of_kind

if TYPE_CHECKING:
    from m2r2_ros.discovery.found import Discovered
    from m2r2_ros.training.discover import FoundSegment, UnlabelledSource

#: What lies in the output folder.
BUNDLE, LABELS, PAGE, NAMES = 'bundle', 'labels', 'index.html', 'names.yaml'
PRIMITIVES, QUALITY = 'primitives', 'quality.json'
Methods = Annotated[
    list[str] | None,
    typer.Option(
        '--method',
        help='events, bocpd, awe, abd, otas, optical_flow, laps, laps_motion or primitives; '
        'repeatable: of several, a boundary is where most see one.',
    ),
]


def discover_command(
    bags: Bags,
    out: Annotated[
        Path, typer.Option(help='Folder for bundle, label bags and page; it must not exist yet.')
    ],
    method: Methods = None,
    clusters: Annotated[
        int,
        typer.Option(help='How many; 0: one for every five segments, 60 at most.', min=0, max=4096),
    ] = 0,
    cluster_by: Annotated[
        Literal['signals', 'latents'] | None,
        typer.Option(
            help='What segments are told apart by: latents of laps or laps_motion, or signals; '
            'latents by default where cameras alone are looked at.',
        ),
    ] = None,
    topics: Topics = None,
    frame_rate: FrameRate = 10.0,
    seed: Seed = 0,
    note: Note = '',
) -> None:
    """Cut recordings into segments without any label, and put those together that look alike.

    The folder then holds `bundle`, a model that labels recordings and live robots with clusters;
    `labels`, a label bag of each recording; `index.html`, where a person sees what each cluster
    looks like and names it; `names.yaml` to fill in, for m2r2 name; `quality.json`, how far the
    clusters lie apart; and with laps or laps_motion `primitives`: clips, latent sequences, codes.

    For example: m2r2 discover recordings --out found
    """
    from m2r2_ros.discovery.methods import OF_LATENTS, expect_methods
    from m2r2_ros.training.discover import open_source
    from m2r2_ros.windows.config import WindowConfig

    methods = expect_methods(method or ['events'])
    if set(methods) & set(OF_LATENTS):
        expect_training()
    given = given_map(topics)
    paths = source_recordings(bags)
    expect_distinct_names(paths)
    refuse_inside(out, *paths)
    windows = WindowConfig(frame_rate=frame_rate)
    with new_folder(out) as draft:
        source = open_source(paths, given, windows, methods, seed)
        for why in source.left_out:
            console.print(f'left out: {why}', soft_wrap=True)
        found, segments, labels = _find(source, methods, clusters, cluster_by)
        quality = _write(draft, source, found, segments, labels, note)
    _report(out, found, segments, quality)


def _find(
    source: 'UnlabelledSource', methods: Sequence[str], count: int, by: str | None
) -> tuple['Discovered', list['FoundSegment'], list[int]]:
    """Calibrate, segment and cluster, and show progress."""
    from m2r2_ros.discovery.describers import LATENTS, SIGNALS
    from m2r2_ros.discovery.found import Discovered
    from m2r2_ros.training.discover import (
        calibrate,
        cluster,
        find_all,
        reference_of,
        thresholds_of,
    )

    sensed = of_kind(source.setting.modalities, VECTOR)
    by = by or (SIGNALS if sensed or 'laps' not in methods else LATENTS)
    if by == SIGNALS and not sensed:
        console.print(
            'warning: cameras alone are read, so that clusters tell segments apart by their length '
            'alone; --method laps tells them apart by motion',
            soft_wrap=True,
        )
    with progress_bar() as bar:
        calibrations = calibrate(source, methods, _shown(bar, 'calibrate {}', len(methods)))
        thresholds = thresholds_of(source)
        total = len(source.recordings)
        told = _shown(bar, 'segment {}', total)
        segments = find_all(source, calibrations, thresholds, by, told)
        reference = reference_of(thresholds)
        clusters, labels = cluster(segments, source, reference, count, by)
    found = Discovered(calibrations, reference, clusters, by, source.setting.seed)
    return found, segments, labels


def _shown(bar: Progress, text: str, total: int) -> Callable[[str, float], None]:
    """Return what shows how far a loop over things with names has come."""
    task: TaskID = bar.add_task(text.format(''), total=total)

    def told(name: str, share: float) -> None:
        bar.update(task, description=text.format(name), advance=share)

    return told


def _write(
    draft: Path,
    source: 'UnlabelledSource',
    found: 'Discovered',
    segments: Sequence['FoundSegment'],
    labels: Sequence[int],
    note: str,
) -> dict[str, Any]:
    """Write bundle, label bags, page and names; return how far clusters lie apart."""
    from m2r2_ros import __version__
    from m2r2_ros.cli.cluster_page import cluster_views, signal_names
    from m2r2_ros.discovery.methods import OF_LATENTS
    from m2r2_ros.replay.batch import BatchOptions, label_recordings
    from m2r2_ros.segmenters import open_model
    from m2r2_ros.training.discover import save_discovered
    from m2r2_ros.training.primitives import export_primitives, judge_primitives
    from m2r2_ros.views.clusters import write_clusters

    recordings = [r.path for r in source.recordings]
    training = {
        'version': __version__,
        'recordings': [r.name for r in source.recordings],
        'segments': len(segments),
        'note': note,
    }
    save_discovered(found, source, draft / BUNDLE, training)
    model = open_model(draft / BUNDLE)
    with progress_bar() as bar:
        told = _shown(bar, 'label {}', len(recordings))
        options = BatchOptions(topics=source.recordings[0].topics)
        for outcome in label_recordings(recordings, model, draft / LABELS, options):
            if outcome.error:
                raise DiscoveryError(outcome.error)
            told(outcome.path.name, 1.0)
    x = found.clusters.scaled(np.stack([s.description for s in segments]))
    looks: list[NDArray[np.float32] | None] = [None] * len(segments)
    if found.methods.keys() & OF_LATENTS:
        looks = export_primitives(source, found.methods, segments, labels, draft / PRIMITIVES)
    quality = {'described_by': found.by, **judge_primitives(x, labels, looks, found.seed)}
    write_text(draft / QUALITY, json.dumps(quality, indent=2) + '\n')
    views = cluster_views(segments, labels, found.clusters, source)
    signals = signal_names(source, segments[0].profile.shape[1])
    write_clusters(draft / PAGE, views, signals, _facts(found, segments, source))
    lines = [f"{view.name}: ''  # {len(view.members)} segments; {view.hint}" for view in views]
    write_text(draft / NAMES, '\n'.join([*_NAMES_HEAD, *lines, '']))
    return quality


_NAMES_HEAD = (
    "# What each cluster is called; clusters may share a name, and '' leaves one unlabelled.",
    '# Then: m2r2 name THIS_FOLDER --names names.yaml --out NAMED',
    '#       m2r2 train RECORDINGS --truth NAMED --preset proprio --out MODEL',
)


def _facts(
    found: 'Discovered', segments: Sequence['FoundSegment'], source: 'UnlabelledSource'
) -> list[str]:
    names = ', '.join(found.methods)
    return [
        f'{len(segments)} segments in {len(source.recordings)} recordings, found by {names}',
        f'{len(found.clusters)} clusters, the largest first',
    ]


def _report(
    out: Path, found: 'Discovered', segments: Sequence['FoundSegment'], quality: dict[str, Any]
) -> None:
    said = [f'{len(segments)} segments in {len(found.clusters)} clusters']
    if 'silhouette' in quality:
        said.append(f'silhouette {quality["silhouette"]:.2f}')
    if 'icss' in quality:
        icss = quality['icss']
        said.append(f'ICSS {icss["mean"]:.3f}, of random pairs {icss["random_pairs"]:.3f}')
    stdout.print(
        f'{out}: {", ".join(said)}; name them in {out / PAGE}, then '
        f'm2r2 name {out} --names names.yaml --out NAMED',
        soft_wrap=True,
    )
    console.print(f'model of clusters: {out / BUNDLE}', soft_wrap=True)
