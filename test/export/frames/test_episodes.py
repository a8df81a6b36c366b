# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.errors import OutputError
from m2r2_ros.core.files import partial_path
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.export.frames.episodes import (
    NO_EPISODE,
    EpisodePlan,
    EpisodesOf,
    label_names,
    runs_of,
)
from m2r2_ros.export.frames.folder import data_set_folder, write_made_by
from m2r2_ros.export.labelled import Labelled

LABELS = LabelSet(('pick', 'place', 'wait'), ('handle', 'handle', ''))


def labelled(*segments: Segment) -> Labelled:
    return Labelled(Path('a'), 'a', segments, LABELS, Path('a'))


PARTS = labelled(
    Segment(10, 20, 'pick', success=True),
    Segment(15, 30, 'place', success=False),  # of two the one that began last counts
    Segment(40, 41, 'wait', success=True),
)
STAMPS = np.array([5, 10, 14, 15, 19, 29, 30, 40, 41])


def test_a_recording_is_one_episode() -> None:
    plan = EpisodePlan(PARTS, EpisodesOf.RECORDING)
    assert plan.episodes_at(STAMPS).tolist() == [0] * 9
    assert plan.facts(0).segments == PARTS.segments
    assert plan.facts(0).success is None


def test_each_segment_is_an_episode() -> None:
    plan = EpisodePlan(PARTS, EpisodesOf.SEGMENT)
    assert plan.episodes_at(STAMPS).tolist() == [-1, 0, 0, 1, 1, 1, -1, 2, -1]
    assert plan.facts(1).segments == PARTS.segments[1:2]
    assert plan.facts(1).success is False


def test_each_success_is_an_episode() -> None:
    plan = EpisodePlan(PARTS, EpisodesOf.SUCCESS)
    assert plan.episodes_at(STAMPS).tolist() == [-1, 0, 0, -1, -1, -1, -1, 2, -1]


def test_frames_have_labels_and_tasks() -> None:
    labels, tasks = EpisodePlan(PARTS, EpisodesOf.RECORDING).labels_at(STAMPS[[0, 1, 3, 7]])
    assert labels == ['unknown', 'pick', 'place', 'wait']
    assert tasks == ['unknown', 'handle', 'handle', 'wait']
    _, tasks = EpisodePlan(PARTS, EpisodesOf.RECORDING, 'tidy up').labels_at(STAMPS[:2])
    assert tasks == ['tidy up', 'tidy up']


def test_without_labels_all_is_unknown() -> None:
    plan = EpisodePlan(labelled(), EpisodesOf.RECORDING)
    assert plan.labels_at(STAMPS[:1]) == (['unknown'], ['unknown'])
    for of in (EpisodesOf.SEGMENT, EpisodesOf.SUCCESS):
        found = EpisodePlan(labelled(), of).episodes_at(STAMPS)
        assert (found == NO_EPISODE).all()


def test_labels_of_several_recordings_have_one_number_each() -> None:
    other = Labelled(Path('b'), 'b', (), LabelSet.of(('wait', 'unknown', 'turn')), Path('b'))
    assert label_names([PARTS, other]) == ('pick', 'place', 'wait', 'turn', 'unknown')


def test_runs() -> None:
    assert runs_of(np.array([3, 3, -1, 3])) == [(3, 0, 2), (-1, 2, 3), (3, 3, 4)]
    assert runs_of(np.array([], np.int64)) == []


def test_a_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / 'a b' / 'out'
    with pytest.raises(KeyboardInterrupt), data_set_folder(out, overwrite=False) as folder:
        (folder / 'file').write_text('half')
        raise KeyboardInterrupt
    assert not [*out.parent.iterdir()]
    partial_path(out).mkdir()
    (partial_path(out) / 'old').write_text('of a run that was killed')
    with data_set_folder(out, overwrite=False) as folder:
        assert not out.exists()
        write_made_by(folder, {'fps': 3})
    assert [f.name for f in out.rglob('*') if f.is_file()] == ['m2r2.json']


def test_only_what_was_exported_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    with data_set_folder(out, overwrite=False) as folder:
        write_made_by(folder, {'fps': 3})
    with pytest.raises(OutputError, match='exists'), data_set_folder(out, overwrite=False):
        pass
    with data_set_folder(out, overwrite=True) as folder:
        write_made_by(folder, {'fps': 4})
    assert json.loads((out / 'meta' / 'm2r2.json').read_text())['fps'] == 4
    assert [path.name for path in tmp_path.iterdir()] == ['out']
    mine = tmp_path / 'mine'
    mine.mkdir()
    (mine / 'thesis.txt').write_text('years')
    link = tmp_path / 'link'
    link.symlink_to(out)
    for other in (mine, link):
        with (
            pytest.raises(OutputError, match='not replaced'),
            data_set_folder(other, overwrite=True),
        ):
            pass
    assert (mine / 'thesis.txt').exists()
    # Killed between two renames: the older one comes back.
    out.rename(tmp_path / 'out.replaced')
    with pytest.raises(OutputError, match='exists'), data_set_folder(out, overwrite=False):
        pass
    assert (out / 'meta' / 'm2r2.json').exists()
