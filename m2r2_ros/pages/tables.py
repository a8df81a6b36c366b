# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a page says of a recording in tables: scores, counters, where everything is from."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from m2r2_ros.bags.labels.sources import TruthSource, labelled_recording
from m2r2_ros.bags.recording import Recording
from m2r2_ros.core.errors import BagError, M2R2Error
from m2r2_ros.core.reading import read_text, reading
from m2r2_ros.core.text import excerpt
from m2r2_ros.evaluation.evaluate import Evaluation, evaluate_pairs
from m2r2_ros.evaluation.pairing import Pair, Pairing
from m2r2_ros.evaluation.report import metric_rows
from m2r2_ros.pages.lanes import LABELS, LabelLane

_MOST_BYTES: Final = 1 << 20
#: Entries of a summary that are shown, and what they are called.
_SUMMARY: Final = {
    'model_id': 'model',
    'frames': 'frames',
    'segments': 'segments',
    'confidence': 'mean confidence',
    'unknown': 'share without a label',
    'revision_lag': 'frames that labels waited for',
    'speed': 'times real time',
}
#: A lag that says that the whole recording was seen.
_WHOLE: Final = 0xFFFFFFFF

Table = dict[str, Any]


def evaluations(
    lanes: Sequence[LabelLane], truth: TruthSource, name: str
) -> tuple[dict[str, Evaluation], list[str]]:
    """Score every lane that has a label for each frame.

    Args:
        lanes: Lanes of a recording.
        truth: Where its ground truth is.
        name: Of the recording.

    Returns:
        Evaluations by id of the lane, and why others have none.
    """
    found: dict[str, Evaluation] = {}
    problems = []
    for lane in lanes:
        if lane.kind == LABELS and lane.track is not None and lane.path is not None:
            try:
                pairing = Pairing([Pair(name, lane.path, truth)], (), ())
                found[lane.id] = evaluate_pairs(pairing)
            except M2R2Error as error:
                problems.append(str(error))
    return found, problems


def score_table(lane: LabelLane, evaluation: Evaluation) -> Table:
    """Return scores and confusions of a lane as a page has them."""
    classes = evaluation.classes
    return {
        'lane': lane.id,
        'title': lane.title,
        'intro': f'{evaluation.level} labels; edit and F1 skip '
        f'{", ".join(evaluation.background) or "nothing"}',
        'metrics': metric_rows(evaluation),
        'confusion': {
            'labels': [c.label or '(unknown)' for c in classes.classes],
            'rows': classes.confusion.tolist(),
        },
    }


def recording_facts(recording: Recording, problems: Sequence[str]) -> list[Table]:
    """Return what there is to say about a recording."""
    rows = [
        ['recording', recording.name],
        ['messages', str(recording.message_count)],
        *([['truncated', 'what was written before is shown']] if recording.truncated else []),
        *(['note', note] for note in recording.notes),
        *(['not shown', problem] for problem in problems),
    ]
    topics = [
        [topic.name, f'{topic.count} of {topic.type_name}'] for topic in recording.topics.values()
    ]
    return [{'title': 'recording', 'rows': rows}, {'title': 'topics', 'rows': topics}]


def label_facts(lane: LabelLane) -> list[Table]:
    """Return what labelling said of a label bag, in the summary that lies beside it."""
    if lane.path is None or lane.kind != LABELS:
        return []
    path = lane.path.with_name(f'{labelled_recording(lane.path)}_summary.json')
    if not path.is_file():
        return [
            {'title': f'labelling: {lane.title}', 'rows': [['said', line] for line in lane.about]}
        ]
    expected = 'a summary that m2r2 label wrote'
    try:
        text = read_text(path, expected, BagError, most=_MOST_BYTES)
        with reading(path, expected, BagError):
            summary = dict(json.loads(text))
            known = {key: title for key, title in _SUMMARY.items() if key in summary}
            rows = [[title, _shown(key, summary[key])] for key, title in known.items()]
            topics = dict(summary.get('topics', {}))
            rows += [[f'topic of {name}', str(topic)] for name, topic in topics.items()]
            rows += [['warning', str(warning)] for warning in summary.get('warnings', [])]
            tables = [{'title': f'labelling: {lane.title}', 'rows': rows}]
            counters = {**summary.get('reasons', {}), **summary.get('counters', {})}
            if counters:
                counted = [[str(name), str(count)] for name, count in counters.items()]
                tables.append({'title': f'counters: {lane.title}', 'rows': counted})
            return tables
    except BagError as error:
        return [{'title': f'labelling: {lane.title}', 'rows': [['problem', str(error)]]}]


def model_facts(model_id: str, scores: Mapping[str, Any], note: str) -> Table:
    """Return what a model says of itself.

    Args:
        model_id: Its id.
        scores: What it scored on recordings that it was not trained on.
        note: How it was made.
    """
    flat = [[name, f'{value:.4g}'] for name, value in scores.items() if isinstance(value, float)]
    rows = [['id', model_id], *([['note', note]] if note else []), *flat]
    return {'title': 'model, on its validation recordings', 'rows': rows}


def _shown(key: str, value: object) -> str:
    if key == 'revision_lag' and value == _WHOLE:
        return 'the whole recording'
    return f'{value:.4g}' if isinstance(value, float) else excerpt(str(value))
