# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth on the command line: where it is, what is left out, and how it was understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from m2r2_ros.bags.finding import expect_distinct_names
from m2r2_ros.bags.labels.reader import Truth
from m2r2_ros.bags.labels.sources import TruthOptions, TruthSource, find_truths, truths_of
from m2r2_ros.bags.labels.stated import StatedTruth, load_stated
from m2r2_ros.bags.recording import recording_name
from m2r2_ros.cli.common import source_recordings
from m2r2_ros.cli.console import console
from m2r2_ros.core.errors import LabelError, M2R2Error, NoTruthError
from m2r2_ros.core.text import listed


def truth_options(
    topic: str | None, rate: float | None = None, annotator: str | None = None
) -> TruthOptions:
    """Return how ground truth is read, from the options of a command.

    Args:
        topic: A topic that states it, or a YAML file with topic, field and names.
        rate: Frames per second of tables by numbers of frames.
        annotator: Whose annotation layers count; None takes the newest.

    Raises:
        ConfigError: The file is wrong.
    """
    stated = None
    if topic is not None:
        file = Path(topic)
        stated = load_stated(file) if file.suffix in {'.yaml', '.yml'} else StatedTruth(topic)
    return TruthOptions(stated, rate or 0.0, annotator or '')


def truth_sources(
    given: Sequence[Path], recordings: Sequence[Path], options: TruthOptions
) -> dict[Path, TruthSource]:
    """Return where the ground truth of each recording is.

    Raises:
        LabelError: Nothing that was given belongs to a recording, or two of one kind to one.
    """
    names = [recording_name(r) for r in recordings]
    found = find_truths(given, names, options)
    if given and found.keys().isdisjoint(names):
        there = ', '.join(source.path.name for source in found.values()) or 'none'
        msg = (
            f'{", ".join(map(str, given))}: no ground truth there belongs to a recording; found '
            f'{there}, expected NAME.csv for one of {", ".join(sorted(set(names)))}'
        )
        raise LabelError(msg)
    return truths_of(recordings, names, found, options)


@dataclass(frozen=True, slots=True)
class TrainingSources:
    """What a command trains and validates on.

    Attributes:
        trained: Recordings to train on.
        held_out: Recordings to validate on.
        truths: Where their ground truth is, by their paths.
    """

    trained: list[Path]
    held_out: list[Path]
    truths: dict[Path, TruthSource]

    @property
    def recordings(self) -> list[Path]:
        """All recordings that are read."""
        return self.trained + self.held_out


def training_sources(
    bags: Sequence[Path],
    validate: Sequence[Path] | None,
    truth: Sequence[Path] | None,
    options: TruthOptions,
) -> TrainingSources:
    """Find the recordings and their ground truth, before a training that may take hours.

    Recordings without any are told and left out.

    Raises:
        M2R2Error: A recording is both trained and validated on, or its ground truth cannot be read;
            or none has any.
    """
    trained = source_recordings(list(bags))
    held_out = source_recordings(list(validate)) if validate else []
    both = {p.resolve() for p in trained} & {p.resolve() for p in held_out}
    if both:
        msg = f'{sorted(both)[0]}: is both trained and validated on; scores would mean nothing'
        raise LabelError(msg)
    expect_distinct_names(held_out)
    truths = truth_sources(list(truth or []), trained + held_out, options)
    known = with_truth(truths, [trained, held_out] if held_out else [trained])
    return TrainingSources(known[0], known[1] if held_out else [], truths)


def with_truth(
    truths: Mapping[Path, TruthSource], parts: Sequence[Sequence[Path]], *, strict: bool = True
) -> list[list[Path]]:
    """Return the recordings of each part that have ground truth; tell which are left out.

    Args:
        truths: Where it is.
        parts: Recordings.
        strict: Whether one that cannot be read is an error now, or left to whoever uses it.

    Raises:
        M2R2Error: Some ground truth cannot be read, or a part has none at all.
    """
    known: list[list[Path]] = []
    found: dict[Path, Truth] = {}
    without: dict[Path, NoTruthError] = {}
    failed: list[M2R2Error] = []
    for part in parts:
        for path in part:
            try:
                found[path] = truths[path].read()
            except NoTruthError as error:
                without[path] = error
            except M2R2Error as error:
                failed.append(error)
        known.append([path for path in part if path not in without])
    if strict:
        _expect_none_failed(failed, sum(map(len, parts)))
    for part, own in zip(parts, known, strict=True):
        if part and not own:
            raise _none_left([without[path] for path in part])
    say_notes({recording_name(path): truth.note for path, truth in found.items()})
    if without:
        say_left_out(list(without.values()), len(without) + len(found))
    return known


def say_left_out(errors: Sequence[NoTruthError], total: int) -> None:
    """Tell which recordings have no ground truth."""
    console.print(
        f'{len(errors)} of {total} recordings have no ground truth and are left out', soft_wrap=True
    )
    for error in errors:
        console.print(f'  {error}', soft_wrap=True)


def say_without_labels(names: Sequence[str]) -> None:
    """Tell which recordings of a feature set have no label."""
    if names:
        count = f'{len(names)} recordings have no label and are left out'
        console.print(f'{count}: {listed(names)}', soft_wrap=True)


def say_notes(notes: Mapping[str, str]) -> None:
    """Tell how the times of tables were understood, each way once."""
    for note in dict.fromkeys(filter(None, notes.values())):
        names = [name for name, own in notes.items() if own == note]
        console.print(f'ground truth of {listed(names)}: {note}', soft_wrap=True)


def _expect_none_failed(failed: Sequence[M2R2Error], total: int) -> None:
    if len(failed) == 1:
        raise failed[0]
    if failed:
        count = f'{len(failed)} of {total} recordings cannot be used: leave them out'
        raise LabelError(count, *map(str, failed))


def _none_left(errors: Sequence[NoTruthError]) -> LabelError:
    if len(errors) == 1:
        return errors[0]
    return LabelError(f'none of {len(errors)} recordings has ground truth', *map(str, errors))
