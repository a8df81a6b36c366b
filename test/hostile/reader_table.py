# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every reader of files, with a whole file for it, and the modules of which it goes through."""

import gzip
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import save_file

from m2r2_ros.bags.finding import find_recordings
from m2r2_ros.bags.labels.clock import RecordingClock
from m2r2_ros.bags.labels.csv import read_segments_csv, write_segments_csv
from m2r2_ros.bags.labels.foreign import read_foreign
from m2r2_ros.bags.labels.layers import Provenance, read_layer, write_layer
from m2r2_ros.bags.labels.mapping_file import read_mapping
from m2r2_ros.bags.labels.origin import facts_of_labels
from m2r2_ros.bags.labels.stated import load_stated
from m2r2_ros.bags.labels.taxonomy_file import read_taxonomy
from m2r2_ros.bags.mcap.repair import repair
from m2r2_ros.bags.reassemble.splits import read_split
from m2r2_ros.bags.recording import open_recording
from m2r2_ros.bags.tables.spec import TextFormat, read_spec
from m2r2_ros.bags.tables.text import TextTable
from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.checks.recording.files import file_results
from m2r2_ros.checks.recording.options import FileOptions
from m2r2_ros.checks.thresholds import read_thresholds
from m2r2_ros.core.errors import BagError
from m2r2_ros.core.labels import LabelSet, Segment
from m2r2_ros.core.share import share_path
from m2r2_ros.discovery.laps.export import Primitive, read_primitives, write_primitives
from m2r2_ros.model.graph_names import NETWORK, RECORDING
from m2r2_ros.model.head_config import MSTCNConfig
from m2r2_ros.network.bundle import load_bundle, save_bundle
from m2r2_ros.network.clip_vocabulary import read_tokenizer
from m2r2_ros.network.weight_files import read_weights
from m2r2_ros.pages.lanes import LabelLane
from m2r2_ros.pages.tables import label_facts
from m2r2_ros.readers.kinematics import KinematicsReader
from m2r2_ros.readers.topic_map import load_topics
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.segmenters.kinds import open_model
from m2r2_ros.training.benchmark import kept_rows
from m2r2_ros.training.checkpoint import load_checkpoint, save_checkpoint
from m2r2_ros.training.feature_set import read_feature_set
from m2r2_ros.training.naming import read_names
from test.bags.files import mcap_bytes
from test.bags.lerobot.files import CAMERA, Layout, keep_segments, write_dataset
from test.bags.reassemble.files import Shape, write_file
from test.bags.rlds.files import episode, write_rlds
from test.bags.ros1.files import messages, write_bag
from test.discovery.bundles import discovered_bundle
from test.hostile.bundle_files import seal
from test.hostile.sqlite_files import fill
from test.network.clip_files import write_vocabulary
from test.network.networks import SENSING, make_bundle
from test.readers.descriptions import ARM
from test.training.feature_sets import toy_set

#: A network that has both graphs.
BOTH: Final = replace(SENSING, offline_head=MSTCNConfig(stages=1, layers=2, width=8))


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes:
        make: Writes a whole file into a folder and returns its path.
        read: Reads it, from the path at which it is then.
        modules: Whose calls that open a file it makes.
        renames: Whether the file may have any name.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    modules: tuple[str, ...]
    renames: bool = True


def text(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return make


def packed(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(gzip.compress(content.encode()))
        return folder / name

    return make


def segments(folder: Path) -> Path:
    found = [Segment(k * 10**9, (k + 1) * 10**9, f'label_{k % 3}', 0.5) for k in range(20)]
    write_segments_csv(folder / 'a.csv', found, 0)
    return folder / 'a.csv'


def labels(path: Path) -> None:
    read_segments_csv(path, RecordingClock(10**18, 10**18 + 10**12))


def described(path: Path) -> None:
    frames = ('base', 'tool')
    joints = 'sensor_msgs/msg/JointState'
    KinematicsReader(TopicSpec('pose', '/j', joints, frames=frames, urdf=str(path)), joints)


def spec(folder: Path) -> Path:
    return Path(shutil.copy(share_path('config', 'import', 'hiro_snap_assembly.yaml'), folder))


def table(path: Path) -> None:
    list(TextTable(path, TextFormat(',', False, '#')).rows((0, 1)))


def split(folder: Path) -> Path:
    (folder / 'splits').mkdir()
    for name in ('a', 'b'):
        (folder / f'{name}.h5').touch()
    (folder / 'splits' / 'test_split1.txt').write_text('b\n')
    return text('train_split1.txt', 'a.h5\n')(folder / 'splits')


def bundle(name: str, folder: Path) -> Path:
    save_bundle(make_bundle(BOTH), folder / 'model')
    return folder / 'model' / name


def sealed(path: Path) -> None:
    """Seal damaged YAML first, so that it is not refused for that alone."""
    if path.is_file() and path.stat().st_size < 10**7:
        seal(path.parent)
    open_model(path.parent)


def discovered(name: str, folder: Path) -> Path:
    return discovered_bundle(folder / 'model', 'events', 'otas') / name


def primitives(name: str, folder: Path) -> Path:
    codes, latents = np.arange(3, dtype=np.int32), np.ones((3, 4), np.float32)
    some = [Primitive(0, 10**9, 0, codes, latents), Primitive(10**9, 2 * 10**9, 1, codes, latents)]
    write_primitives(folder / 'a', some, recording='a', frame_rate=10.0, codebook=16)
    return folder / 'a' / name


def hdf5(folder: Path) -> Path:
    return write_file(folder / 'a.h5', Shape(seconds=0.5, size=(64, 48)))


def recording(path: Path) -> None:
    found = open_recording(path)
    for blocks in found.blocks(found.readable):
        assert all(len(block) for block in blocks)


def mcap(folder: Path) -> Path:
    values = [[('/a', 10 * k + n, n) for n in range(20)] for k in range(3)]
    (folder / 'a.mcap').write_bytes(mcap_bytes(values))
    return folder / 'a.mcap'


def repaired(path: Path) -> None:
    repair(path, path.parent / f'{path.name[:40]}_whole', overwrite=True)


def sqlite(folder: Path) -> Path:
    fill(folder / 'a.db3')
    return folder / 'a.db3'


def metadata(folder: Path) -> Path:
    with BagWriter(folder / 'bag') as bag:
        bag.add_topic('/a', 'std_msgs/msg/String')
        bag.write('/a', bytes(4), 1)
    return folder / 'bag' / 'metadata.yaml'


def lerobot(name: str, version: int, folder: Path) -> Path:
    layout = Layout(version=version, lengths=(12,), fps=10, pictures=True, stamps=True)
    write_dataset(folder / 'set', layout)
    keep_segments(folder / 'set', layout.lengths, 'abc')
    return folder / 'set' / name


def episodes(path: Path) -> None:
    for one in find_recordings([path]):
        recording(one)


def rlds(name: str, folder: Path) -> Path:
    return write_rlds(folder / 'set', {'train': [episode(0, 3), episode(1, 4)]}) / name


def ros1(folder: Path) -> Path:
    return write_bag(folder / 'a.bag', messages(20), 'LZ4')


def vocabulary(folder: Path) -> Path:
    return write_vocabulary(folder)


def weights(name: str, folder: Path) -> Path:
    tensors = {'a': torch.ones(50), 'b': torch.zeros(3, 4)}
    save_file(tensors, folder / name) if name == 'a.safetensors' else torch.save(
        tensors, folder / name
    )
    return folder / name


def features(name: str, folder: Path) -> Path:
    toy_set(folder)
    return folder / name


def checkpoint_of(path: Path, use: Callable[..., object], **more: Any) -> Path:
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 3)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(3)).sum().backward()
    optimizer.step()
    use(path, module, optimizer, fingerprint='x', **more)
    return path


def checkpoint(folder: Path) -> Path:
    return checkpoint_of(folder / 'a.safetensors', save_checkpoint, facts={}, groups={})


def layer(folder: Path) -> Path:
    bag = recorded(folder / 'r')
    made = write_layer(bag, [Segment(10, 20, 'a')], LabelSet.of(['a']), Provenance('b', '', 'c'))
    return made.path / 'metadata.yaml'


def recorded(path: Path) -> Path:
    with BagWriter(path) as bag:
        bag.add_topic('/a', 'std_msgs/msg/Empty')
    return path


def summary(folder: Path) -> Path:
    path = folder / 'r_summary.json'
    path.write_text(json.dumps({'model_id': 'a', 'frames': 3, 'counters': {'windows': 3}}))
    return path


def summarised(path: Path) -> object:
    """Read a summary, whose problems a page says instead of raising them."""
    lane = LabelLane('labels:0', 'a', 'labels', [], None, path=path.with_name('r_labels'))
    for found in label_facts(lane):
        for title, value in found['rows']:
            if title == 'problem':
                raise BagError(value)
    return None


#: A reader that finds the folder of its file by the file's name.
def beside(levels: int, read: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda path: read(path.parents[levels])


READERS: Final[Mapping[str, Reader]] = {
    'topic map': Reader(
        text('topics.yaml', 'wrench: /w\nsound: {topic: /s, rate: 16000}\ngripper: null\n'),
        load_topics,
        ('core.reading', 'core.yaml_text', 'readers.topic_map'),
    ),
    'robot description': Reader(
        text('robot.urdf', ARM), described, ('readers.kinematics',)
    ),
    'segments': Reader(segments, labels, ('bags.labels.cells',)),
    'topic that states the truth': Reader(
        text('truth.yaml', "topic: /state\nfield: a.b[0]\nnames: {'0': idle, '1': pick}\n"),
        load_stated,
        ('bags.labels.stated',),
    ),
    'import specification': Reader(spec, read_spec, ('bags.tables.spec',)),
    'table': Reader(text('a.txt', '1,2\n3,4\n' * 20), table, ('bags.tables.text',)),
    'packed table': Reader(packed('a.txt.gz', '1,2\n'), table, ('bags.tables.text',)),
    'split': Reader(
        split, beside(1, partial(read_split, number=1)), ('bags.reassemble.splits',), renames=False
    ),
    'HDF5': Reader(
        hdf5, recording, ('bags.reassemble.file', 'bags.reassemble.video', 'bags.reassemble.sound')
    ),
    'MCAP': Reader(mcap, recording, ('bags.mcap.index', 'bags.content')),
    'repair': Reader(mcap, repaired, ('bags.mcap.repair',)),
    'sqlite3': Reader(sqlite, recording, ('bags.sqlite.connection',)),
    'ROS 1': Reader(ros1, recording, ('bags.ros1.index',)),
    **{
        f'LeRobot, {name}': Reader(
            partial(lerobot, name, version),
            beside(name.count('/'), episodes),
            modules,
            renames=False,
        )
        for name, version, modules in (
            ('meta/info.json', 2, ('bags.lerobot.info',)),
            ('meta/m2r2_episodes.jsonl', 3, ('bags.steps.kept',)),
            ('meta/tasks.jsonl', 2, ('bags.lerobot.dataset',)),
            ('meta/episodes.jsonl', 2, ('bags.lerobot.dataset',)),
            ('meta/episodes/chunk-000/file-000.parquet', 3, ('bags.lerobot.dataset',)),
            ('data/chunk-000/file-000.parquet', 3, ()),
            (f'videos/{CAMERA}/chunk-000/file-000.mp4', 3, ('bags.lerobot.video',)),
        )
    },
    **{
        f'RLDS, {name}': Reader(partial(rlds, name), beside(0, episodes), modules, renames=False)
        for name, modules in (
            ('features.json', ('bags.rlds.features',)),
            (
                'toy-train.tfrecord-00000-of-00001',
                ('bags.rlds.records', 'bags.rlds.source', 'bags.rlds.streams'),
            ),
        )
    },
    'metadata': Reader(metadata, beside(0, recording), (), renames=False),
    'bundle': Reader(partial(bundle, 'bundle.yaml'), sealed, ('model.facts',), renames=False),
    'weights of a bundle': Reader(
        partial(bundle, 'weights.safetensors'),
        beside(0, load_bundle),
        ('network.bundle', 'model.weight_header', 'model.familiarity_file'),
        renames=False,
    ),
    **{
        f'graph of a bundle, {name}': Reader(
            partial(bundle, name), beside(0, open_model), ('model.graph_facts',), renames=False
        )
        for name in (NETWORK, RECORDING)
    },
    'discovered bundle': Reader(
        partial(discovered, 'bundle.yaml'), sealed, ('model.facts',), renames=False
    ),
    'weights of a discovered bundle': Reader(
        partial(discovered, 'weights.safetensors'),
        beside(0, open_model),
        ('segmenters.discovered',),
        renames=False,
    ),
    'label set': Reader(
        text('labels.yaml', 'labels:\n  move: [reach, lift]\n  work: [push]\n'),
        read_taxonomy,
        ('bags.labels.taxonomy_file',),
    ),
    'taxonomy': Reader(
        text(
            'taxonomy.yaml',
            "name: t\nversion: '1'\nparents:\n  up: {definition: x, colour: '#102030'}\n"
            'classes:\n  a: {parent: up, begins: b, ends: c, expects: [closing]}\n  b:\n',
        ),
        read_taxonomy,
        ('bags.labels.taxonomy_file',),
    ),
    'mapping of labels': Reader(
        text(
            'map.yaml',
            'labels:\n  a: b\n  c:\n  - {when: {outcome: failed, after: [a]}, to: null}\n'
            '  - {when: {longer_than: 1.5, position: last}, to: d}\nunmapped: kept\n',
        ),
        read_mapping,
        ('bags.labels.mapping_file',),
    ),
    'origin of a layer': Reader(
        layer, beside(0, facts_of_labels), ('bags.labels.origin',), renames=False
    ),
    'layer': Reader(
        layer, beside(0, read_layer), ('bags.labels.layers',), renames=False
    ),
    'ATLAS annotations': Reader(
        text('cell_annotations.json', '{"a": {"0": {"start": 0.5, "end": 1, "label": "x"}}}'),
        partial(read_foreign, name='a', clock=RecordingClock(0, 10**10)),
        ('bags.labels.foreign',),
    ),
    'MCAP that is checked': Reader(
        mcap,
        partial(file_results, options=FileOptions()),
        ('checks.recording.mcap_file', 'checks.recording.passing'),
    ),
    'thresholds': Reader(
        text('thresholds.yaml', 'time: {gap: 8}\nlabel: {kappa: 0.7}\n'),
        read_thresholds,
        ('checks.thresholds',),
    ),
    'summary of labels': Reader(summary, summarised, ('pages.tables',), renames=False),
    'names of clusters': Reader(
        text('names.yaml', "cluster_01: pick\ncluster_02: ''\n"),
        partial(read_names, clusters=['cluster_01', 'cluster_02']),
        ('training.naming',),
    ),
    **{
        f'primitives, {name}': Reader(
            partial(primitives, name),
            beside(0, read_primitives),
            ('discovery.laps.export',),
            renames=False,
        )
        for name in ('meta.json', 'primitives.csv', 'codes.npy', 'latents.npy', 'offsets.npy')
    },
    'weights': Reader(partial(weights, 'a.safetensors'), read_weights, ('network.weight_files',)),
    'torch weights': Reader(partial(weights, 'a.pt'), read_weights, ('network.weight_files',)),
    'vocabulary': Reader(vocabulary, read_tokenizer, ('network.clip_vocabulary',)),
    'packed vocabulary': Reader(
        packed('a.txt.gz', '# 1\na b\n'), read_tokenizer, ('network.clip_vocabulary',)
    ),
    **{
        f'feature set, {name}': Reader(
            partial(features, name),
            beside(name.count('/'), read_feature_set),
            ('training.feature_set',),
            renames=False,
        )
        for name in (
            'features.yaml', 'features/r0.npy', 'groundTruth/r0.txt', 'splits/train.split1.bundle',
        )
    },
    'checkpoint': Reader(
        checkpoint, partial(checkpoint_of, use=load_checkpoint), ('training.checkpoint',)
    ),
    'rows': Reader(
        text('a.json', json.dumps({'facts': {'a': 1}, 'rows': [{}]})),
        partial(kept_rows, facts={'a': 1}),
        ('training.benchmark',),
    ),
}  # fmt: skip

#: Modules that open files of which no reader is above, and why.
OTHERS: Final = {
    'readers.definitions': 'reads the messages that the package ships',
    'nodes.common.graph': 'reads the messages of installed packages',
    'nodes.player.outlets': 'reads the hashes of installed packages',
    'network.image': 'reads the weights of an installed package',
    'network.compress': 'reads what model.facts and model.graph_facts have read before',
    'network.graph.inline': 'reads graphs that model.graph_facts has read before',
    'network.graph.quantise': 'reads what it wrote just before',
    'training.cache': 'maps what it wrote just before',
    'cli.reproduce': 'reads what it wrote just before',
    'bags.writing.replacing': 'copies what it wrote just before',
    'bags.mcap.completion': 'test_leftovers.py',
    'bags.remote.folder_store': 'reads notes that it wrote',
    'export.clip_bags': 'test/export',
    'export.clip_films': 'reads what it wrote just before',
    'export.clips': 'test/export',
    'export.frames.folder': 'test/export',
    'export.lerobot.video': 'reads what it wrote just before',
    'fleet.worker': 'opens jobs, not files',
    'fleet.worklist': 'test/fleet',
    'simulation.damage': 'damages what it wrote just before',
    'bags.mcap.leftovers': 'test_leftovers.py',
    'bags.sqlite.source': 'reads through bags.sqlite.connection',
    'replay.outputs': 'test/replay',
    'review.app': 'serves what the package ships',
    'bags.merge': 'loads what sources read',
    'pages.shell': 'reads what the package ships',
    'bags.reassemble.facts': 'reads what the package ships',
    'simulation.batch': 'test/simulation',
    'cli.features': 'test/cli',
    'discovery.found': 'opens methods, not files',
    'training.primitives': 'opens methods, not files',
    'discovery.laps.tracker': 'loads entry points of installed packages',
}
