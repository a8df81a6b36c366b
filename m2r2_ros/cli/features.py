# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`m2r2 features`: recordings to features and labels that heads are trained on."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.labels.sources import TruthSource
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.bags.remote.places import as_place
from m2r2_ros.cli.common import expect_training, given_topics, source_recordings
from m2r2_ros.cli.console import console, progress_bar, stdout
from m2r2_ros.cli.options import (
    Annotator,
    ExtractorOf,
    Topics,
    TruthRate,
    Truths,
    TruthTopic,
    Validate,
)
from m2r2_ros.cli.truths import truth_options, truth_sources, with_truth
from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.files import LOCK, claim_folder, write_text
from m2r2_ros.core.reading import read_text

if TYPE_CHECKING:  # torch takes seconds
    from m2r2_ros.network.bundle import Bundle
    from m2r2_ros.training.feature_set import FeatureWriter


def features_command(
    train: Annotated[
        list[Path],
        typer.Argument(parser=as_place, help='Labelled recordings to train heads on.'),
    ],
    test: Annotated[
        list[Path],
        typer.Option(parser=as_place, help='Labelled recordings to score heads on.'),
    ],
    out: Annotated[Path, typer.Option(help='Folder for features, groundTruth and splits.')],
    model: ExtractorOf,
    validate: Validate = None,
    raw: Annotated[
        bool,
        typer.Option('--raw', help="Write the bundle's normalised windows instead, a baseline."),
    ] = False,
    truth: Truths = None,
    truth_topic: TruthTopic = None,
    truth_rate: TruthRate = None,
    annotator: Annotator = None,
    topics: Topics = None,
) -> None:
    """Write features and labels in the layout that the field's segmentation heads read.

    features/NAME.npy (D, T), groundTruth/NAME.txt, mapping.txt and splits/*.bundle. Existing
    recordings are kept, so that an interrupted run continues with the same command.

    For example: m2r2 features train --test test --model pretrained/best --out features
    """
    expect_training()
    from m2r2_ros.network.bundle import load_bundle
    from m2r2_ros.training.feature_set import FeatureWriter

    parts = {
        'train': source_recordings(train),
        'val': source_recordings(validate) if validate else [],
        'test': source_recordings(test),
    }
    every = [path for paths in parts.values() for path in paths]
    expect_distinct_names(every)
    truths = truth_sources(truth or [], every, truth_options(truth_topic, truth_rate, annotator))
    known = with_truth(truths, [paths for paths in parts.values() if paths], strict=False)
    parts = dict(zip((part for part, paths in parts.items() if paths), known, strict=True))
    every = [path for paths in known for path in paths]
    bundle = load_bundle(model)
    refuse_inside(out, model, *every)
    failed: list[str] = []
    with claim_folder(out):
        _expect_same(out, bundle, raw=raw)
        writer = FeatureWriter(out, bundle.labels)
        with progress_bar() as bar:
            task = bar.add_task('features', total=len(every))
            for part, paths in parts.items():
                for path in paths:
                    writer.add(part, recording_name(path))
                    try:
                        if not writer.has(recording_name(path)):
                            _write(writer, path, bundle, truths, topics, out, raw=raw)
                    except (M2R2Error, OSError) as error:
                        failed.append(str(error))
                        shutil.rmtree(out / '.windows', ignore_errors=True)
                    bar.advance(task)
        if failed:
            count = (
                f'{len(failed)} of {len(every)} recordings have no features; the others are kept'
            )
            raise LabelError('\n  '.join([count, *failed]) if len(every) > 1 else failed[0])
        writer.finish(bundle.windows.frame_rate, _facts(bundle, raw=raw))
    stdout.print(f'{out}: features of {len(every)} recordings', soft_wrap=True)


def _write(
    writer: 'FeatureWriter',
    path: Path,
    bundle: 'Bundle',
    truths: dict[Path, TruthSource],
    topics: Path | None,
    out: Path,
    *,
    raw: bool,
) -> None:
    """Write one recording; its windows are on disk only meanwhile."""
    from m2r2_ros.training.data import image_encoders_of, prepare
    from m2r2_ros.training.extract import extract, features_of, raw_features
    from m2r2_ros.training.recordings import open_labelled

    work = out / '.windows'
    prepared = prepare(
        open_labelled([path], truths),
        modalities=bundle.model.modalities,
        windows=bundle.windows,
        folder=work,
        image_encoders=image_encoders_of(bundle.network),
        topics=given_topics(topics),
        labels=bundle.labels,
        normalisation=bundle.normalisation,
    )
    if prepared.unknown_labels:
        console.print(
            f"{path}: labels {', '.join(prepared.unknown_labels)} are not among the bundle's; "
            'their frames count as unlabelled',
            soft_wrap=True,
        )
    (recording,) = prepared.recordings
    make = raw_features if raw else features_of(bundle.network)
    writer.write(
        recording_name(path), extract(recording, bundle.normalisation, make), recording.targets
    )
    shutil.rmtree(work)


def _facts(bundle: 'Bundle', *, raw: bool) -> dict[str, Any]:
    return {'model': bundle.id, 'features': 'raw' if raw else 'm2r2', 'preset': bundle.preset}


def _expect_same(out: Path, bundle: 'Bundle', *, raw: bool) -> None:
    """Refuse to mix features of two extractors in one folder."""
    from m2r2_ros.training.feature_set import FACTS

    marker = out / '.made_by'
    own = '\n'.join(map(str, _facts(bundle, raw=raw).values()))
    if {path.name for path in out.iterdir()} <= {LOCK}:
        write_text(marker, own)
        return
    expected = 'what made the features beside it'
    if not marker.is_file() or read_text(marker, expected, LabelError, most=1 << 20) != own:
        msg = (
            f'{out}: holds something other than features of this model: choose another --out, or '
            f'remove it ({FACTS} says what made it)'
        )
        raise LabelError(msg)
