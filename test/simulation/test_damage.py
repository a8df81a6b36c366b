# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.bags.writing.writer import BagWriter
from m2r2_ros.core.errors import BagError, SimulationError
from m2r2_ros.simulation.damage import damage, draft_of, packed_bytes
from m2r2_ros.simulation.faults import Fault, parse_fault

START = 1_760_000_000_000_000_000


def write_bag(path: Path, seconds: int = 9) -> None:
    """Write noise, a megabyte a second, so that there are several chunks."""
    rng = np.random.default_rng(0)
    with BagWriter(path, discard_failed=True) as bag:
        bag.add_topic('/noise', 'std_msgs/msg/String')
        for k in range(seconds * 10):
            raw = rng.integers(0, 256, 100_000, np.uint8)
            bag.write('/noise', raw.tobytes(), START + k * 100_000_000)


def faults(*texts: str) -> list[Fault]:
    return [parse_fault(text, of_file=True) for text in texts]


def damaged(folder: Path, *texts: str, seed: int = 3) -> bytes:
    path = folder / 'bag'
    with draft_of(path, faults(*texts), START, seed, overwrite=True) as draft:
        write_bag(draft)
    (file,) = path.glob('*.mcap')
    return file.read_bytes()


def test_without_damage_a_bag_is_written_where_it_belongs(tmp_path: Path) -> None:
    with draft_of(tmp_path / 'bag', [], START, 0, overwrite=False) as draft:
        assert draft == tmp_path / 'bag'


@pytest.mark.parametrize('share', [0.0, 0.3, 1.0])
def test_a_file_is_cut_at_its_share(tmp_path: Path, share: float) -> None:
    whole = damaged(tmp_path, 'file-truncate=1')
    assert damaged(tmp_path, f'file-truncate={share}') == whole[: round(len(whole) * share)]


@pytest.mark.parametrize('second', [0, 4, 8, 500])
def test_one_bit_flips_in_the_chunk_of_that_time(tmp_path: Path, second: int) -> None:
    whole = np.frombuffer(damaged(tmp_path, 'file-truncate=1'), np.uint8)
    flipped = np.frombuffer(damaged(tmp_path, f'file-flip@{second}s'), np.uint8)
    (at,) = np.flatnonzero(whole != flipped)
    assert int(whole[at] ^ flipped[at]).bit_count() == 1
    (file,) = (tmp_path / 'bag').glob('*.mcap')
    first, end = packed_bytes(file, START + second * 1_000_000_000)
    assert first <= at < end
    assert (second == 0) == (at < len(whole) / 4)


def test_the_same_seed_strikes_the_same_byte_and_another_one_another(tmp_path: Path) -> None:
    first = damaged(tmp_path, 'file-flip@2s', 'file-flip@4s')
    assert damaged(tmp_path, 'file-flip@2s', 'file-flip@4s') == first
    assert damaged(tmp_path, 'file-flip@2s', 'file-flip@4s', seed=4) != first


def test_no_bag_is_left_whole_where_its_damage_failed(tmp_path: Path) -> None:
    path = tmp_path / 'bag'
    with (
        pytest.raises(SimulationError, match='no byte can flip'),
        draft_of(path, faults('file-truncate=0', 'file-flip@1s'), START, 0, overwrite=False) as d,
    ):
        write_bag(d, 1)
    assert not list(tmp_path.iterdir())


def test_a_bag_that_is_there_is_replaced_only_where_that_is_allowed(tmp_path: Path) -> None:
    write_bag(tmp_path / 'bag', 1)
    with (
        pytest.raises(BagError, match='exists'),
        draft_of(tmp_path / 'bag', faults('file-truncate'), START, 0, overwrite=False) as draft,
    ):
        write_bag(draft, 1)
    assert len(damaged(tmp_path, 'file-truncate=0.1')) < 1_000_000


def test_a_chunk_that_was_cut_off_is_not_struck(tmp_path: Path) -> None:
    write_bag(tmp_path / 'bag')
    (file,) = (tmp_path / 'bag').glob('*.mcap')
    rng = np.random.default_rng(0)
    damage(tmp_path / 'bag', faults('file-truncate=0.5')[0], START, rng)
    first, end = packed_bytes(file, START + 8_000_000_000)
    assert 0 < first < end <= file.stat().st_size
