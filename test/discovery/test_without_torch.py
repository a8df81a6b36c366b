# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot labels without torch, and says what is missing where a method cannot do without."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2r2_ros.core.errors import ConfigError
from m2r2_ros.discovery.laps.appearance import COLOURS, LITE0, find_encoder
from m2r2_ros.discovery.laps.method_images import METHOD as IMAGES_METHOD
from m2r2_ros.discovery.laps.method_images import LapsImageOptions, LapsImages
from m2r2_ros.discovery.laps.method_motion import LapsMotion, LapsMotionOptions
from m2r2_ros.discovery.laps.tracker import make_tracker
from m2r2_ros.discovery.method import detect
from m2r2_ros.discovery.otas import METHOD as OTAS
from m2r2_ros.segmenters import open_model
from test.discovery.arm import SETTING
from test.discovery.bundles import WINDOWS, discovered_bundle
from test.discovery.laps.scenes import IMAGES, camera, on_and_off, videos

NUMPY_METHODS = ('events', 'bocpd', 'awe', 'abd', 'otas', 'primitives')
#: What the extras `train` and `lite` bring.
MISSING = ('torch', 'torchaudio', 'transformers', 'onnx', 'efficientnet_lite_pytorch')
#: None in sys.modules would do, were it not for SciPy, which looks there for torch.
CHILD = """
import sys

class Missing:
    def find_spec(self, name, path, target=None):
        if name.split('.')[0] in {missing}:
            raise ModuleNotFoundError('No module named ' + name, name=name)

sys.meta_path.insert(0, Missing())
from test.discovery import test_without_torch as own
own.{call}
"""
ROOT = Path(__file__).resolve().parents[2]


def without_torch(call: str) -> str:
    """Return what a function of this module prints in a process that has no torch."""
    code = CHILD.format(missing=MISSING, call=call)
    run = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def labels_of(folder: str, live: bool) -> None:
    labels = open_model(Path(folder), live=live).segmenter.segment(WINDOWS)
    print(json.dumps([(x.label, x.segment_index) for x in labels]))


def bundle_of(folder: str) -> None:
    discovered_bundle(Path(folder), *NUMPY_METHODS)


def scores_of(path: str) -> None:
    calibration = pickle.loads(Path(path).read_bytes())
    detector = IMAGES_METHOD.open(calibration, IMAGES)
    scores = np.concatenate([*detect(detector, [camera(videos(on_and_off([30, 24, 30]), 1))])])
    print(np.flatnonzero(scores).tolist())


def refusals() -> None:
    small = replace(LapsMotionOptions(), steps=1)
    for needs, call in {
        'tracker cotracker needs torch': lambda: make_tracker('cotracker'),
        'image encoder efficientnet_lite0 needs torch': lambda: find_encoder(LITE0),
        'calibration of laps and laps_motion needs torch': lambda: LapsMotion(small).calibrate(
            [[WINDOWS]], SETTING
        ),
    }.items():
        with pytest.raises(ConfigError, match=rf"{needs}.*pip install 'm2r2_ros\[train\]'"):
            call()


def images() -> None:
    """The layout of colours stands in, and is what opens; another encoder is not taken for it."""
    windows = camera(videos(on_and_off([60, 60]), 1))
    found = OTAS.calibrate([[windows]], IMAGES)
    assert found.options['encoder'] == COLOURS
    assert len(np.concatenate([*detect(OTAS.open(found, IMAGES), [windows])])) == 120
    for name in ('', LITE0):  # bundles of before encoders were named have none
        other = replace(found, options={**found.options, 'encoder': name})
        with pytest.raises(ConfigError, match=r'otas: images: image encoder .* needs torch'):
            OTAS.open(other, IMAGES)


@pytest.mark.parametrize('by', ['signals', 'latents'])
def test_laps_labels_motion_alike(
    tmp_path: Path, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = LapsMotionOptions(hidden=32, heads=2, steps=30, max_windows=200, bins=5)
    given = {'laps_motion': LapsMotion(options).calibrate([[WINDOWS]], SETTING)}
    folder = discovered_bundle(tmp_path / 'model', given=given, by=by)
    labels_of(str(folder), live=True)
    assert without_torch(f'labels_of({str(folder)!r}, True)') == capsys.readouterr().out


def test_laps_follows_images_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = LapsImageOptions(
        size=64, window=8, hidden=32, heads=2, enc_layers=1, steps=40, batch=8, bins=5
    )
    method = LapsImages(options)
    found = method.calibrate([[camera(videos(on_and_off([30, 24, 30])))]], IMAGES)
    path = tmp_path / 'calibration'
    path.write_bytes(pickle.dumps(found))
    scores_of(str(path))
    assert without_torch(f'scores_of({str(path)!r})') == capsys.readouterr().out


def test_other_methods_calibrate_and_label_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'model'
    without_torch(f'bundle_of({str(folder)!r})')
    labels_of(str(folder), live=False)
    assert without_torch(f'labels_of({str(folder)!r}, False)') == capsys.readouterr().out


def test_what_is_missing_is_named() -> None:
    without_torch('refusals()')


def test_images_are_told_apart_by_colours_or_not_at_all() -> None:
    without_torch('images()')
