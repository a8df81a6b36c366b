# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Log-mel spectrogram of the trailing sound (paper section III-B)."""

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

MEL_BINS = 64
WINDOW = 400
HOP = 160
RATE = 16_000
#: What a bin without any power holds, dB.
SILENCE_DB = -100.0


def mel_frames(samples: int) -> int:
    """Return the number of columns that log_mel makes of so many samples."""
    return 1 + (samples - WINDOW) // HOP


def columns_per_frame(frame_rate: float) -> int:
    """Return the number of columns that begin between two frames, rounded up."""
    return math.ceil(RATE / HOP / frame_rate)


def log_mel(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the power in 64 mel bins over windows of 400 samples, in dB.

    Args:
        sound: float32 (N, samples) at 16 kHz.

    Returns:
        float32 (N, 64, frames).
    """
    import torch  # windows are made without torch where there is no sound

    mel, to_db = _transforms()
    with torch.no_grad():
        result: NDArray[np.float32] = to_db(mel(torch.from_numpy(sound))).numpy()
    return result


@cache
def _transforms() -> tuple[Any, Any]:
    from torchaudio.transforms import AmplitudeToDB, MelSpectrogram

    mel = MelSpectrogram(
        RATE, n_fft=WINDOW, win_length=WINDOW, hop_length=HOP, n_mels=MEL_BINS, center=False
    )
    return mel, AmplitudeToDB(stype='power')
