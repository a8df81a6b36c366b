# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Label many recordings, one after another: what fails is reported, what is done can be kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.labels.merge import merge
from m2r2_ros.bags.overlap import refuse_inside
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.files import Claim
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.replay.labeller import Summary, label_recording
from m2r2_ros.replay.outputs import Outputs
from m2r2_ros.segmenters.model import Model


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How recordings are labelled.

    Attributes:
        topics: Topics that are not to be guessed, by modality.
        with_recording: Also write copies of the recordings with the labels in them.
        overwrite: Replace outputs that exist.
        resume: Keep recordings that this very model has labelled already.
    """

    topics: Mapping[str, TopicSpec] | None = None
    with_recording: bool = False
    overwrite: bool = False
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one recording.

    Attributes:
        path: The recording.
        summary: How labelling went; None where it was kept or failed.
        error: Why it failed; '' where it did not.
    """

    path: Path
    summary: Summary | None = None
    error: str = ''

    @property
    def kept(self) -> bool:
        """Whether it was labelled already."""
        return self.summary is None and not self.error


def label_recordings(
    paths: Sequence[Path],
    model: Model,
    folder: Path,
    options: BatchOptions,
    progress: Callable[[Path, float], None] = lambda path, share: None,
) -> Iterator[Outcome]:
    """Label recordings in order; yields the outcome of each as soon as it is known.

    Args:
        paths: Recordings of different names (`expect_distinct_names`).
        model: What labels them.
        folder: Where the outputs go; made where it is missing.
        options: How.
        progress: Called with a recording and the share of it that is done, 0 when it begins.

    Raises:
        BagError: The folder lies in a recording.
    """
    refuse_inside(folder, *paths)
    for path in paths:
        progress(path, 0.0)
        try:
            yield Outcome(path, _label(path, model, folder, options, progress))
        except (M2R2Error, OSError) as error:
            yield Outcome(path, error=str(error))


def _label(
    path: Path,
    model: Model,
    folder: Path,
    options: BatchOptions,
    progress: Callable[[Path, float], None],
) -> Summary | None:
    """Label a recording; return None where it was labelled already and is kept."""
    outputs = Outputs.of(folder, recording_name(path))
    outputs.finish()
    if options.resume and _is_done(outputs, model.id, overwrite=options.overwrite):
        if options.with_recording and not outputs.merged.exists():
            with Claim(outputs.labels):
                merge(path, outputs.labels, outputs.merged)
        return None
    return label_recording(
        path,
        model,
        folder,
        topics=options.topics,
        with_recording=options.with_recording,
        # Bags without a table beside them are those of a run that was interrupted.
        overwrite=options.overwrite or (options.resume and not outputs.segments.exists()),
        progress=lambda share: progress(path, share),
    )


def _is_done(outputs: Outputs, model_id: str, *, overwrite: bool) -> bool:
    """Return whether a recording is labelled by this very model."""
    labelled_by = outputs.labelled_by()
    if labelled_by in ('', model_id):
        return labelled_by != ''
    if overwrite:
        return False
    msg = (
        f'{outputs.labels} was labelled by model {labelled_by}, not {model_id}: --overwrite '
        'replaces it, another --out keeps it'
    )
    raise BagError(msg)
