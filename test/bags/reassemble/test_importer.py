# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""REASSEMBLE files as bags, from the command line too, and the official splits."""

from pathlib import Path

import pytest

from m2r2_ros.bags.labels.reader import read_truth
from m2r2_ros.bags.reassemble.importer import import_reassemble
from m2r2_ros.bags.reassemble.splits import read_split
from m2r2_ros.bags.recording import Recording, open_recording
from m2r2_ros.core.errors import BagError
from test.bags.reassemble.files import Shape, write_file
from test.cli.run import done, m2r2

NAMES = ['2025-01-09-13-59-54', '2025-01-10-15-28-50', '2025-01-11-14-43-37']
SHAPE = Shape(seconds=0.5, size=(16, 16))


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('reassemble')
    for name in NAMES[:2]:
        write_file(folder / f'{name}.h5', SHAPE)
    return folder


def contents(recording: Recording) -> list[tuple[str, int, bytes]]:
    found: dict[int, tuple[str, int, bytes]] = {}
    for blocks in recording.blocks():
        for b in blocks:
            for k in range(len(b)):
                raw = b.message(k).tobytes()
                found[int(b.arrival[k])] = b.topic, int(b.log_times[k]), raw
    return [found[rank] for rank in sorted(found)]


def test_a_bag_has_all_that_the_file_has(folder: Path, tmp_path: Path) -> None:
    path = folder / f'{NAMES[0]}.h5'
    shares: list[float] = []
    report = import_reassemble(path, tmp_path / 'bag', progress=shares.append)
    direct, bag = open_recording(path), open_recording(tmp_path / 'bag')
    assert contents(bag) == contents(direct)
    assert {**bag.topics} == {**direct.topics}
    assert report.messages == {name: topic.count for name, topic in direct.topics.items()}
    assert report.notes == direct.notes
    assert report.seconds == pytest.approx((direct.end - direct.start) * 1e-9)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    truth = read_truth(tmp_path / 'bag')
    assert truth == read_truth(path)


def test_an_interruption_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    def interrupt(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_reassemble(folder / f'{NAMES[0]}.h5', tmp_path / 'bag', progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_command_for_one_file(folder: Path, tmp_path: Path) -> None:
    path, bag = folder / f'{NAMES[1]}.h5', tmp_path / 'bag'
    out = done('import', 'reassemble', path, '--out', bag).out
    assert '/ft_sensor/wrench: 500 messages' in out
    assert 'note: known defect: no picture of the hand camera at the start' in out
    assert 'exists' in m2r2('import', 'reassemble', path, '--out', bag).error
    done('import', 'reassemble', path, '--out', bag, '--overwrite')
    error = m2r2('import', 'reassemble', tmp_path / 'x.h5', '--out', tmp_path / 'y').error
    assert 'does not exist' in error
    assert 'holds no .h5' in m2r2('import', 'reassemble', bag, '--out', tmp_path / 'y').error


def test_command_for_a_folder_passes_over_what_is_done(folder: Path, tmp_path: Path) -> None:
    source, bags = tmp_path / 'in', tmp_path / 'bags'
    source.mkdir()
    for name in NAMES[:2]:
        (source / f'{name}.h5').symlink_to(folder / f'{name}.h5')
    (source / 'broken.h5').write_bytes(b'nothing')
    result = m2r2('import', 'reassemble', source, '--out', bags)
    assert '1 of 3 recordings could not be imported' in result.error
    assert 'broken.h5' in result.error
    assert sorted(p.name for p in bags.iterdir()) == NAMES[:2]
    before = (bags / NAMES[0] / 'metadata.yaml').stat().st_mtime_ns
    (source / 'broken.h5').unlink()
    assert (
        '2 recordings were imported already'
        in done('import', 'reassemble', source, '--out', bags).err
    )
    assert (bags / NAMES[0] / 'metadata.yaml').stat().st_mtime_ns == before


def test_inspect_shows_notes(folder: Path) -> None:
    out = done('inspect', folder / f'{NAMES[1]}.h5').out
    assert 'known defect' in out
    assert '"known defect: ' in done('inspect', folder / f'{NAMES[1]}.h5', '--json').out


def write_lists(folder: Path, train: str, test: str) -> None:
    (folder / 'splits').mkdir(exist_ok=True)
    (folder / 'splits' / 'train_split1.txt').write_text(train)
    (folder / 'splits' / 'test_split1.txt').write_text(test)


def test_splits(tmp_path: Path) -> None:
    (tmp_path / 'data').mkdir()
    files = [tmp_path / 'data' / f'{name}.h5' for name in NAMES]
    for file in files:
        file.touch()
    write_lists(tmp_path, f'{NAMES[2]}.h5\n{NAMES[0]}\n\n', f'\ufeff{NAMES[1]}\r\n')
    split = read_split(tmp_path, 1)
    assert split.train == (files[2], files[0])
    assert split.test == (files[1],)


@pytest.mark.parametrize(
    ('train', 'test', 'expected'),
    [
        ('', NAMES[0], 'train_split1.txt is empty'),
        (NAMES[0], NAMES[0], f'trains and tests on {NAMES[0]}'),
        (f'{NAMES[0]}\n{NAMES[0]}', NAMES[1], f'names {NAMES[0]} more than once'),
        ('a b c d e f g', NAMES[0], 'names 7 recordings.*: a, b, c, d, e and 2 more'),
    ],
)
def test_splits_that_do_not_fit(tmp_path: Path, train: str, test: str, expected: str) -> None:
    for name in NAMES:
        (tmp_path / f'{name}.h5').touch()
    write_lists(tmp_path, train, test)
    with pytest.raises(BagError, match=expected):
        read_split(tmp_path, 1)


def test_splits_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r'train_split2\.txt: no such file.*splits\.zip'):
        read_split(tmp_path, 2)
    for part in ('a', 'b'):
        (tmp_path / part).mkdir()
        (tmp_path / part / 'x.h5').touch()
    with pytest.raises(BagError, match='have one name'):
        read_split(tmp_path, 1)
