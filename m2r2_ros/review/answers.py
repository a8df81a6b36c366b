# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Answers as JSON, in ASCII: names from files may hold what is no UTF-8."""

import json
from typing import Any

from starlette.responses import Response


def json_answer(content: Any, status: int = 200) -> Response:  # noqa: ANN401 - any JSON
    """Return JSON; numbers that are not finite raise ValueError, since browsers refuse them."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(',', ':'))
    return Response(text.encode(), status, media_type='application/json')


def error_answer(status: int, text: str) -> Response:
    """Return what went wrong, for people."""
    return json_answer({'error': text}, status)
