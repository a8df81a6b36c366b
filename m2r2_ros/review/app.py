# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the page asks for, and the answers. Paths hold numbers and names of a table, never files."""

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from m2r2_ros.core.errors import LabelError, M2R2Error
from m2r2_ros.core.labels import LabelSet
from m2r2_ros.core.text import excerpt
from m2r2_ros.pages.overview import MOST_SECONDS
from m2r2_ros.pages.shell import WEB, review_html
from m2r2_ros.readers.topics import TopicSpec
from m2r2_ros.review.answers import error_answer, json_answer
from m2r2_ros.review.folder import ReviewFolder
from m2r2_ros.review.guard import MOST_BODY
from m2r2_ros.review.media.spool import NotReadYetError
from m2r2_ros.review.session.opened import OpenRecording
from m2r2_ros.review.session.saving import is_of_disk, save_layer
from m2r2_ros.review.session.sessions import Sessions
from m2r2_ros.review.session.submission import read_submission

#: Seconds of sound that are given at once.
MOST_SOUND: Final = 30.0
#: Of the number of a recording.
_DIGITS: Final = 9
#: Seconds from the start of a recording: days.
_FARTHEST: Final = 1e7
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; media-src blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
#: There is no image yet at a time, or no sound: no error, which a browser would log.
_NOTHING: Final = 204
_TYPES: Final = {'.js': 'text/javascript', '.css': 'text/css'}


@dataclass(frozen=True)
class ReviewOptions:
    """How recordings are reviewed.

    Attributes:
        annotator: Who saves, where the page does not know.
        topics: Topics by modality; what is not given is guessed.
        offered: Labels to choose from; None takes those that there are.
        log: Called with a line for each save.
        least: Suggestions are at least so long, s; None goes by what people have made.
    """

    annotator: str = ''
    topics: Mapping[str, TopicSpec] = field(default_factory=dict)
    offered: LabelSet | None = None
    log: Callable[[str], None] = lambda line: None
    least: float | None = None


class ReviewApp:
    """Answers the page. What reads files runs in threads, several at a time."""

    def __init__(self, folder: ReviewFolder, options: ReviewOptions) -> None:
        """Open nothing yet.

        Args:
            folder: The recordings.
            options: How they are reviewed.
        """
        self._folder, self._options = folder, options
        self._sessions = Sessions(self._opened)
        one = '/api/recordings/{number}'
        self.asgi = Starlette(
            routes=[
                Route('/', self._shell),
                Route('/web/{name}', self._web),
                Route('/api/folder', _told(self._list)),
                Route(one, _told(self._page)),
                Route(f'{one}/overview', _told(self._overview)),
                Route(f'{one}/stretch', _told(self._stretch)),
                Route(f'{one}/frame', _told(self._frame)),
                Route(f'{one}/sound', _told(self._sound)),
                Route(f'{one}/layers', self._save, methods=['POST']),
            ],
            exception_handlers={HTTPException: _http_error, Exception: _broken},
        )
        self.asgi.router.redirect_slashes = False

    def close(self) -> None:
        """Stop all that runs."""
        self._sessions.close()

    def _opened(self, number: int) -> OpenRecording:
        reviewed = self._folder[number]
        options = self._options
        least = self._folder.least if options.least is None else options.least
        return OpenRecording(reviewed.path, reviewed.labels, options.topics, options.offered, least)

    def _shell(self, request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = {'Content-Security-Policy': _POLICY.format(nonce=nonce)}
        return HTMLResponse(review_html(nonce), headers=policy)

    def _web(self, request: Request) -> Response:
        path = WEB.get(request.path_params['name'])
        if path is None:
            raise HTTPException(404, 'there is no such file')
        return Response(path.read_bytes(), media_type=_TYPES[path.suffix])

    def _list(self, request: Request) -> Response:
        return json_answer(self._folder.as_json(self._options.annotator))

    def _page(self, request: Request) -> Response:
        opened = self._sessions.turn_to(self._number(request))
        page = opened.page()
        opened.read_on()
        return json_answer(page)

    def _overview(self, request: Request) -> Response:
        return _bytes(self._sessions[self._number(request)].overview())

    def _stretch(self, request: Request) -> Response:
        start, end = _range(request, MOST_SECONDS)
        return _bytes(self._sessions[self._number(request)].stretch(start, end))

    def _frame(self, request: Request) -> Response:
        seconds = _seconds(request, 't')
        opened = self._sessions[self._number(request)]
        camera = request.query_params.get('camera', '')
        if camera not in opened.cameras:
            raise HTTPException(404, f'there is no camera {excerpt(camera)}')
        found = opened.frame(camera, seconds)
        if found is None:
            return Response(status_code=_NOTHING)
        frame, time = found
        return Response(frame.jpeg, media_type='image/jpeg', headers={'X-Time': repr(time)})

    def _sound(self, request: Request) -> Response:
        start, end = _range(request, MOST_SOUND)
        wav = self._sessions[self._number(request)].sound(start, end)
        if wav is None:
            return Response(status_code=_NOTHING)
        return Response(wav, media_type='audio/wav')

    async def _save(self, request: Request) -> Response:
        body = await _body(request)
        return await run_in_threadpool(_told(self._saved), request, body)

    def _saved(self, request: Request, body: bytes) -> Response:
        number = self._number(request)
        opened = self._sessions[number]
        try:
            submission = read_submission(body, opened.clock.start, opened.range_ns())
            layer = save_layer(opened, submission, self._options.annotator)
        except LabelError as error:
            return error_answer(400, str(error))
        except (M2R2Error, OSError) as error:
            if is_of_disk(error):
                return error_answer(507, f'not saved: {error}')
            raise
        self._folder.look_again(number)
        self._options.log(f'saved {layer.path}, {len(submission.segments)} segments')
        answer = {
            'lane': opened.lane_of(layer, submission.label_set.names),
            'folder': self._folder.as_json(self._options.annotator),
        }
        return json_answer(answer, 201)

    def _number(self, request: Request) -> int:
        given = request.path_params['number']
        plain = given.isascii() and given.isdecimal() and len(given) <= _DIGITS
        if not plain or int(given) >= len(self._folder):
            raise HTTPException(404, f'there is no recording {excerpt(given)}')
        return int(given)


def _told(answer: Callable[..., Response]) -> Callable[..., Response]:
    """Turn what users can fix into an answer that says it."""

    def told(*arguments: object) -> Response:
        try:
            return answer(*arguments)
        except NotReadYetError as error:
            return error_answer(503, str(error))
        except (M2R2Error, OSError) as error:
            return error_answer(409, str(error))

    return told


async def _body(request: Request) -> bytes:
    """Read the body of a request, as far as it may go."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise HTTPException(413, f'at most {MOST_BODY} bytes are taken')
    return bytes(body)


def _range(request: Request, most: float) -> tuple[float, float]:
    """Return a range of seconds that a request asks for."""
    start, end = _seconds(request, 'start'), _seconds(request, 'end')
    if not 0 <= start < end <= start + most + 1e-6:
        raise HTTPException(400, f'expected 0 <= start < end <= start + {most:g}')
    return start, end


def _seconds(request: Request, name: str) -> float:
    given = request.query_params.get(name, '')
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not abs(seconds) <= _FARTHEST:
        raise HTTPException(400, f"{name}: expected seconds, found '{excerpt(given)}'")
    return seconds


def _bytes(content: bytes) -> Response:
    return Response(content, media_type='application/octet-stream')


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_answer(error.status_code, error.detail)


async def _broken(request: Request, error: Exception) -> Response:
    return error_answer(500, f'a mistake of m2r2 review: {type(error).__name__}')
