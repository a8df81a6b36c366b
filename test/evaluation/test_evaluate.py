# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from m2r2_ros.bags.labels.csv import write_segments_csv
from m2r2_ros.bags.labels.merge import merge
from m2r2_ros.bags.labels.topics import GROUND_TRUTH
from m2r2_ros.bags.labels.writer import LabelWriter
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, ConfigError, LabelError
from m2r2_ros.core.labels import UNKNOWN, FrameLabel, LabelSet, Segment
from m2r2_ros.evaluation.evaluate import evaluate
from m2r2_ros.evaluation.report import to_dict, to_json, to_tables
from m2r2_ros.evaluation.tracks import lag_seconds

START = 1_760_000_000_000_000_000
TENTH = 100_000_000
LABELS = LabelSet(
    ('no_action', 'pick_peg', 'pick_gear', 'insert_peg'), ('no_action', 'pick', 'pick', 'insert')
)
SCRIPT = 'no_action20 pick_peg30 insert_peg30 no_action20'
Spelling = Callable[[str], list[str]]


def write_labels(
    path: Path, names: Sequence[str], lag: int = 0, shift: int = 0, confidence: float = 1.0
) -> Path:
    """Write a label bag of 10 Hz; '' is unknown. Other labels share what confidence leaves."""
    with BagWriter(path) as bag:
        writer = LabelWriter(bag)
        writer.write_label_set(LABELS, 'test-model', START + shift)
        for k, name in enumerate(names):
            stamp = START + shift + k * TENTH
            rest = (1 - confidence) / (len(LABELS.names) - 1)
            probabilities = np.full(len(LABELS.names), rest, np.float32)
            probabilities[LABELS.id_of(name) if name else 0] = confidence
            label = FrameLabel(
                stamp=stamp,
                label_id=LABELS.id_of(name) if name else UNKNOWN,
                label=name,
                confidence=confidence,
                probabilities=probabilities,
                boundary_score=0.0,
                segment_index=0,
                segment_start=START,
                revision_lag=lag,
                modality_mask=4,
            )
            writer.write_label(label, 'test-model', 0.0, stamp)
    return path


def segments(script: str) -> list[Segment]:
    found, now = [], START
    for word in script.split():
        name = word.rstrip('0123456789')
        end = now + int(word[len(name) :]) * TENTH
        found.append(Segment(now, end, name))
        now = end
    return found


def write_truth(path: Path, script: str = SCRIPT) -> Path:
    with BagWriter(path) as bag:
        writer = LabelWriter(bag, GROUND_TRUTH, frame_labels=False)
        writer.write_label_set(LABELS, '', START)
        for k, segment in enumerate(segments(script)):
            writer.write_segment(segment, LABELS.id_of(segment.label), k, '')
    return path


def test_label_bags_against_truth_bags(tmp_path: Path, spell: Spelling) -> None:
    late = spell('no_action25 pick_peg30 insert_peg30 no_action15')
    write_labels(tmp_path / 'out/kitchen_labels', late)
    write_labels(tmp_path / 'out/lab_labels', spell(SCRIPT))
    write_truth(tmp_path / 'in/kitchen')
    write_truth(tmp_path / 'in/lab')
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'in'])
    assert list(evaluation.recordings) == ['kitchen', 'lab']
    assert evaluation.recordings['kitchen'].accuracy == pytest.approx(0.85)
    assert evaluation.recordings['kitchen'].boundary_delay_median_s == pytest.approx(0.5)
    assert evaluation.recordings['lab'].accuracy == 1
    assert evaluation.scores.accuracy == pytest.approx(0.925)
    assert evaluation.scores.dr == evaluation.scores.f1[50] == 100
    assert evaluation.model_ids == ('test-model',)
    assert [c.label for c in evaluation.classes.classes] == ['no_action', 'pick_peg', 'insert_peg']
    assert evaluation.not_labelled == ()


def test_truth_may_be_csv(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen_labels', spell(SCRIPT))
    write_segments_csv(tmp_path / 'kitchen.csv', segments(SCRIPT), START)
    for truth in (tmp_path / 'kitchen.csv', tmp_path):
        assert evaluate([tmp_path / 'out/kitchen_labels'], [truth]).scores.accuracy == 1


def test_a_merged_copy_holds_both(tmp_path: Path, spell: Spelling) -> None:
    label_bag = write_labels(tmp_path / 'kitchen_labels', spell(SCRIPT))
    recording = write_truth(tmp_path / 'kitchen')
    merge(recording, label_bag, tmp_path / 'kitchen_labelled')
    alone = tmp_path / 'kitchen_labelled'
    assert evaluate([alone], [alone]).scores.accuracy == 1
    # All three side by side are one recording, not three.
    assert evaluate([tmp_path], [tmp_path]).scores.recordings == 1


def test_coarse_level_scores_the_parents(tmp_path: Path, spell: Spelling) -> None:
    wrong = spell('no_action20 pick_gear30 insert_peg30 no_action20')
    write_labels(tmp_path / 'out/kitchen', wrong)
    write_truth(tmp_path / 'in/kitchen')
    paths = [tmp_path / 'out'], [tmp_path / 'in']
    assert evaluate(*paths).scores.accuracy == pytest.approx(0.7)
    coarse = evaluate(*paths, level='coarse', background=('no_action',))
    assert (coarse.scores.accuracy, coarse.scores.edit) == (1, 100)
    assert [c.label for c in coarse.classes.classes] == ['no_action', 'pick', 'insert']


def test_probabilities_of_one_parent_are_added(tmp_path: Path, spell: Spelling) -> None:
    wrong = spell('no_action20 pick_gear30 insert_peg30 no_action20')
    write_labels(tmp_path / 'out/kitchen', wrong, confidence=0.7)
    write_truth(tmp_path / 'in/kitchen')
    fine, coarse = (
        evaluate([tmp_path / 'out'], [tmp_path / 'in'], level=level) for level in ('fine', 'coarse')
    )
    assert fine.scores.ece == pytest.approx(abs(0.7 - 0.7), abs=1e-6)
    assert coarse.scores.ece == pytest.approx(0.7 * (1 - 0.7) + 0.3 * (1 - 0.8), abs=1e-6)
    three = 0.3**2 * (1 + 3 / 9)  # 0.7 on the right label, 0.1 on each of the others
    assert fine.scores.brier == pytest.approx(0.7 * three + 0.3 * (0.9**2 + 0.7**2 + 2 * 0.01))
    # Of the coarse ones, pick has 0.2 where another label was given, and 0.8 where it was.
    given, pick = 0.3**2 + 0.2**2 + 0.1**2, 0.2**2 + 2 * 0.1**2
    assert coarse.scores.brier == pytest.approx(0.7 * given + 0.3 * pick)


def test_unknown_frames_are_told_apart_from_wrong_ones(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', [*[''] * 10, *spell(SCRIPT)[10:]])
    write_truth(tmp_path / 'in/kitchen')
    scores = evaluate([tmp_path / 'out'], [tmp_path / 'in']).scores
    assert scores.accuracy == scores.coverage == pytest.approx(0.9)
    assert (scores.accuracy_covered, scores.f1[50]) == (1, 100)


def test_intervals_on_request(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', spell(SCRIPT))
    write_labels(tmp_path / 'out/lab', spell('no_action100'))
    for name in ('kitchen', 'lab'):
        write_truth(tmp_path / 'in' / name)
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'in'], resamples=100)
    assert evaluation.intervals['accuracy'] == pytest.approx((0.4, 1))
    assert to_dict(evaluation)['intervals']['accuracy'] == pytest.approx([0.4, 1])  # type: ignore[index]
    text = io.StringIO()
    Console(file=text, width=80).print(to_tables(evaluation))
    assert '0.7000   0.4000 to 1.0000' in text.getvalue()
    assert '100 resamples' in text.getvalue()
    with pytest.raises(ConfigError, match='two recordings'):
        evaluate([tmp_path / 'out/lab'], [tmp_path / 'in'], resamples=100)


def test_labels_of_another_world_are_refused(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', spell(SCRIPT))
    table = tmp_path / 'kitchen.csv'
    write_segments_csv(table, [Segment(START, START + 9 * TENTH, 'wave')], START)
    with pytest.raises(LabelError, match=r'no_action, pick_peg, .*\(wave\) have nothing in common'):
        evaluate([tmp_path / 'out'], [table])


def test_labels_that_only_one_has_are_counted(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', spell(SCRIPT))
    found = segments('no_action20 wave30 insert_peg30 no_action20')
    write_segments_csv(tmp_path / 'kitchen.csv', found, START)
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'kitchen.csv'])
    assert evaluation.labels.common == ('no_action', 'insert_peg')
    report = to_dict(evaluation)['labels']
    assert report == {
        'common': ['no_action', 'insert_peg'],
        'only_model': ['pick_peg', 'pick_gear'],
        'only_truth': ['wave'],
    }
    text = io.StringIO()
    Console(file=text, width=160).print(to_tables(evaluation))
    assert 'only the truth has, wrong wherever they are (1): wave' in text.getvalue()
    assert 'only the model has (2): pick_peg, pick_gear' in text.getvalue()


def test_revision_lag_counts_as_delay(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', spell(SCRIPT), lag=7)
    write_truth(tmp_path / 'in/kitchen')
    scores = evaluate([tmp_path / 'out'], [tmp_path / 'in']).scores
    assert scores.boundary_delay_median_s == pytest.approx(0.7)


def test_lag_ends_with_the_recording() -> None:
    stamps = np.array([0, 10, 25], np.int64) * TENTH
    assert lag_seconds(stamps, np.array([1, 9, 9])).tolist() == pytest.approx([1.0, 1.5, 0.0])


def test_what_does_not_match_is_named(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen_labels', spell(SCRIPT))
    write_truth(tmp_path / 'in/lab')
    with pytest.raises(LabelError, match=r'no ground truth for kitchen .*found for lab'):
        evaluate([tmp_path / 'out'], [tmp_path / 'in'])
    write_truth(tmp_path / 'in/kitchen')
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'in'])
    assert evaluation.not_labelled == ('lab',)
    assert evaluation.scores.recordings == 1


def test_two_label_bags_of_one_recording_are_refused(tmp_path: Path, spell: Spelling) -> None:
    for folder in 'ab':
        write_labels(tmp_path / folder / 'kitchen_labels', spell(SCRIPT))
    truth = write_truth(tmp_path / 'kitchen')
    with pytest.raises(LabelError, match='two labels of recording kitchen'):
        evaluate([tmp_path / 'a', tmp_path / 'b'], [truth])


def test_clocks_that_never_meet_are_refused(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', spell(SCRIPT), shift=3600 * 10 * TENTH)
    write_truth(tmp_path / 'in/kitchen')
    with pytest.raises(LabelError, match='no time in common'):
        evaluate([tmp_path / 'out'], [tmp_path / 'in'])


def test_no_labels_and_no_recordings(tmp_path: Path) -> None:
    truth = write_truth(tmp_path / 'in/kitchen')
    with pytest.raises(LabelError, match='/action_label'):
        evaluate([truth], [truth])
    with pytest.raises(LabelError, match='no label bags'):
        evaluate([tmp_path / 'in'], [truth])
    (tmp_path / 'empty').mkdir()
    with pytest.raises(BagError, match='empty'):
        evaluate([tmp_path / 'empty'], [truth])


def test_reports(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', ['', *spell(SCRIPT)[1:]])
    write_truth(tmp_path / 'in/kitchen')
    write_truth(tmp_path / 'in/lab')
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'in'], background=('', 'no_action'))
    report = json.loads(to_json(evaluation))
    assert report == to_dict(evaluation)
    assert report['accuracy'] == pytest.approx(0.99)
    assert report['f1@50'] == report['by_recording']['kitchen']['f1@50'] == 100
    assert report['classes']['pick_peg'] == {'frames': 30, 'precision': 1, 'recall': 1}
    assert report['confusion']['true_by_predicted'][0] == [39, 0, 0, 1]
    sure = report['reliability'][-1]
    assert sure == {'from': 14 / 15, 'to': 1, 'frames': 99, 'confidence': 1, 'accuracy': 1}
    assert report['reliability'][0]['accuracy'] is None
    assert report['accuracy_kept'][49::50] == pytest.approx([1, 0.99])
    text = io.StringIO()
    Console(file=text, width=160).print(to_tables(evaluation))
    assert '0.9900' in text.getvalue()
    assert '(unknown) (1)' in text.getvalue()
    assert 'ground truth without labels (1): lab\n' in text.getvalue()


def test_tables_fit_a_terminal(tmp_path: Path, spell: Spelling) -> None:
    name = 'a_recording_with_a_name_that_is_longer_than_all_the_space_there_is'
    write_labels(tmp_path / f'out/{name}', spell(SCRIPT))
    write_truth(tmp_path / f'in/{name}')
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'in'])
    many = replace(evaluation, not_labelled=tuple(map(str, range(9))))
    text = io.StringIO()
    Console(file=text, width=80).print(to_tables(many))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert '…' not in text.getvalue()
    assert any(name.startswith(line.split()[0]) for line in lines if line.strip())
    rows = [line for line in lines if 'F1@' in line or 'boundar' in line or 'DR ' in line]
    assert len(rows) > 10
    assert 'ground truth without labels (9): 0, 1, 2' in text.getvalue()


def test_broken_recordings_beside_the_others_do_not_matter(tmp_path: Path, spell: Spelling) -> None:
    write_labels(tmp_path / 'out/kitchen', spell(SCRIPT))
    write_truth(tmp_path / 'in/kitchen')
    (tmp_path / 'in/broken.mcap').write_text('hello')
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'in'])
    assert list(evaluation.recordings) == ['kitchen']
    assert evaluation.not_labelled == ('broken',)
    write_labels(tmp_path / 'out/broken', spell(SCRIPT))
    evaluation = evaluate([tmp_path / 'out'], [tmp_path / 'in'])
    assert list(evaluation.recordings) == ['kitchen']
    (reason,) = evaluation.unreadable
    assert 'broken.mcap is not an MCAP file' in reason
    with pytest.raises(BagError, match=r'broken\.mcap is not an MCAP file'):
        evaluate([tmp_path / 'out/broken'], [tmp_path / 'in'])
