# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments and options that several commands share: one name, one help and one check each.

Whether an option is required, and its default, is up to the command: `epochs: Epochs = 15`.
"""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from m2r2_ros.bags.remote.places import as_place, on_disk

# What a command reads.
Bags = Annotated[
    list[Path],
    typer.Argument(
        parser=as_place,
        help='Recordings: rosbag2 folders, .mcap, .db3, .bag, .h5, LeRobot or RLDS data sets, or '
        'folders of them; or their URLs, such as s3://bucket/recordings.',
    ),
]
LocalBags = Annotated[
    list[Path],
    typer.Argument(
        parser=on_disk,
        help='Recordings: rosbag2 folders, .mcap, .db3, .bag, .h5, LeRobot or RLDS data sets, or '
        'folders of them.',
    ),
]
Bag = Annotated[
    Path,
    typer.Argument(
        parser=as_place, help='Recording: a rosbag2 folder, .mcap, .db3 or .h5, or its URL.'
    ),
]
FeatureFolder = Annotated[Path, typer.Argument(help='Folder that m2r2 features wrote.')]
Topics = Annotated[
    Path | None,
    typer.Option(
        '--topics', help='YAML that names the topic of each modality; others are guessed.'
    ),
]
LabelBags = Annotated[
    list[Path] | None,
    typer.Option(
        '--labels',
        parser=as_place,
        help='Label bags, or folders of them, that are matched by name; repeatable.',
    ),
]
Truths = Annotated[
    list[Path] | None,
    typer.Option(
        '--truth',
        parser=as_place,
        help='Ground truth: CSV, ATLAS or ELAN files, recordings, label bags, or folders of them, '
        'matched by name; repeatable.',
    ),
]
TruthTopic = Annotated[
    str | None,
    typer.Option(
        '--truth-topic',
        help='Topic of the recordings that states the ground truth, from message to message; or a '
        'YAML file with topic, field and names.',
    ),
]
TruthRate = Annotated[
    float | None,
    typer.Option(
        '--truth-rate',
        help="Frames per second of CSV files by frame number; by default the camera's frames.",
        min=0.001,
    ),
]
Annotator = Annotated[
    str | None,
    typer.Option(
        help='Whose annotation layers, as m2r2 review writes them, are the ground truth; by '
        'default the newest of a recording, whoever made it.',
    ),
]
Validate = Annotated[
    list[Path] | None,
    typer.Option(
        '--validate',
        parser=as_place,
        help='Labelled recordings to validate on; they are not trained on. Never a test set.',
    ),
]
DeviceName: TypeAlias = Literal['cpu', 'cuda', 'tensorrt', 'openvino']
Device = Annotated[
    DeviceName,
    typer.Option('--device', help='Where the network runs; m2r2 models --devices lists them.'),
]
Threads = Annotated[
    int,
    typer.Option('--threads', help='Cores for the network; 0: all that are there.', min=0),
]
ModelBundle = Annotated[Path, typer.Option('--model', help='Bundle, as m2r2 train writes it.')]
ExtractorOf = Annotated[
    Path, typer.Option('--model', help='Bundle whose extractor makes the features.')
]

# What a command writes.
NewBundle = Annotated[
    Path, typer.Option('--out', help='Folder for the bundle; it must not exist yet.')
]
Overwrite = Annotated[bool, typer.Option('--overwrite', help='Replace outputs that exist.')]
Resume = Annotated[
    bool, typer.Option('--resume', help='Skip recordings that are labelled already.')
]
Note = Annotated[str, typer.Option('--note', help='Kept in the bundle: how it was made.')]
AsJson = Annotated[bool, typer.Option('--json', help='Print JSON instead of tables.')]

# Training.
Preset = Annotated[
    str, typer.Option('--preset', help='proprio, lite or full (m2r2 models lists them).')
]
Epochs = Annotated[
    int, typer.Option('--epochs', help='Passes over the training recordings.', min=1)
]
HeadEpochs = Annotated[
    int | None,
    typer.Option(help='Epochs of each head; as published by default.', min=1),
]
Seed = Annotated[int, typer.Option('--seed', help='Seed of all random numbers.', min=0)]
Seeds = Annotated[int, typer.Option('--seeds', help='Trainings of each head.', min=1)]
FrameRate = Annotated[float, typer.Option('--frame-rate', help='Frames per second.', min=0.1)]
Freeze = Annotated[
    list[str] | None,
    typer.Option(
        '--freeze', help='image, sound or text: do not train the backbone of this encoder.'
    ),
]
ImageWeights = Annotated[
    Path | None, typer.Option('--image-weights', help='CLIP or ActionCLIP, for preset full.')
]
SoundWeights = Annotated[Path | None, typer.Option('--sound-weights', help='AST, for preset full.')]
TextWeights = Annotated[
    Path | None, typer.Option('--text-weights', help='CLIP, with its vocabulary.')
]

# Labels.
LevelName: TypeAlias = Literal['fine', 'coarse']
Level = Annotated[LevelName, typer.Option('--level', help="coarse: the labels' parents.")]
Levels = Annotated[
    Literal['fine', 'coarse', 'both'],
    typer.Option('--level', help="Labels to train on; coarse: the labels' parents."),
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        '--min-confidence',
        help='Hold rule: probability that a new label must reach.',
        min=0.0,
        max=1.0,
    ),
]
MinDuration = Annotated[
    float | None,
    typer.Option(
        '--min-duration',
        help='Hold rule: seconds for which a new label must be the likeliest.',
        min=0.0,
    ),
]
Lag = Annotated[
    int | None,
    typer.Option('--lag', help='Later frames that a label waits for; 0 is online.', min=0),
]

# Work in parallel.
Jobs = Annotated[
    int,
    typer.Option('--jobs', help='Processes, each on one core; 0: one for each core.', min=0),
]
