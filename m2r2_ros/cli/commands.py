# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of `m2r2`."""

from typing import Final

from m2r2_ros.cli.lazy import LazyGroup, Listed
from m2r2_ros.cli.renamed import Renaming

#: The commands by name, in the order of `m2r2 --help`.
COMMANDS: Final = {
    'inspect': Listed(
        'inspect:inspect_command',
        'Show the topics of a recording, their rates and gaps, and what each serves or could '
        'serve.',
    ),
    'topics': Listed(
        'topics:topics_command',
        'Write a topic map of a recording: what is guessed, and in comments what else could serve.',
    ),
    'check': Listed(
        'check:check_command',
        'Check recordings and their labels: files, times, values, and labels against what was '
        'sensed.',
    ),
    'import': Listed('import_table:import_app', "Turn other people's data into bags."),
    'export': Listed(
        'export:export_app',
        'Write recordings and their labels in the formats of other tools.',
    ),
    'labels': Listed(
        'labels:labels_app',
        'Compare layers of labels, count what is in them, or map them to another taxonomy.',
    ),
    'train': Listed(
        'train:train_command',
        'Train the M2R2 extractor, then an online and an offline head on its features.',
    ),
    'pretrain': Listed(
        'pretrain:pretrain_command',
        'Pretrain the M2R2 extractor on windows of three actions and sentences that describe them.',
    ),
    'features': Listed(
        'features:features_command',
        "Write features and labels in the layout that the field's segmentation heads read.",
    ),
    'train-head': Listed(
        'train_head:train_head_command',
        'Train a head on features and put it behind the extractor that made them.',
    ),
    'benchmark': Listed(
        'benchmark:benchmark_command',
        'Train heads on the same features and print mean and spread of their scores.',
    ),
    'reproduce': Listed(
        'reproduce:reproduce_command',
        'Reproduce tables I and II of the paper: pretrain, features, heads, scores, row by row.',
    ),
    'label': Listed(
        'label:label_command',
        'Label recordings: with the whole recording in view, or --as-live.',
    ),
    'evaluate': Listed(
        'evaluate:evaluate_command', 'Score label bags; recordings are matched by name.'
    ),
    'timeline': Listed(
        'timeline:timeline_command',
        'Draw a recording: ground truth, labels and mistakes above camera, force, gripper and '
        'sound.',
    ),
    'report': Listed(
        'report:report_command',
        'Make a page of each recording: its labels, truth, scores, cameras, sound and signals.',
    ),
    'review': Listed(
        'review:review_command', 'Look at recordings in the browser, and correct their labels.'
    ),
    'discover': Listed(
        'discover:discover_command',
        'Cut recordings into segments without any label, and put those together that look alike.',
    ),
    'name': Listed(
        'name:name_command',
        'Name the clusters that m2r2 discover found: ground truth for m2r2 train and m2r2 '
        'evaluate.',
    ),
    'compare': Listed(
        'compare:compare_command',
        'Score methods that find segments without labels against ground truth.',
    ),
    'repair': Listed(
        'repair:repair_command',
        'Recover what can be read of a truncated or corrupt MCAP recording into a new bag.',
    ),
    'compress': Listed(
        'compress:compress_command',
        'Write a smaller and faster bundle, unless it labels recordings otherwise.',
    ),
    'models': Listed('models:models_command', 'List presets and heads, and describe bundles.'),
    'live': Listed(
        'live:live_command', 'Label what a robot is doing, record it and show it, until Ctrl-C.'
    ),
    'replay': Listed(
        'replay:replay_command',
        'Play a recording, label it as if it were live and show it; ends with the recording.',
    ),
    'sim': Listed(
        'sim:sim_command',
        'Run the simulated cell as a live robot: labelled, recorded and shown, until Ctrl-C.',
    ),
    'viewers': Listed(
        'viewers:viewers_command',
        'Write layouts for Foxglove and a configuration for rviz; or lanes of labels for Rerun.',
    ),
    'simulate': Listed(
        'simulate:simulate_command',
        'Simulate a robot that picks, inserts, removes and places parts, and record its sensors.',
    ),
    'demo': Listed(
        'demo:demo_command',
        'Simulate an episode, label it with the shipped model, draw and score the labels.',
    ),
}


class Commands(Renaming, LazyGroup):
    """The group of all commands."""

    listed = COMMANDS
