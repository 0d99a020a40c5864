"""HTTP/1.1 with a bound on heads: uvicorn's parser in C has none of its own."""

import asyncio
from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from steelyard.common.v1 import error_reason_pb2 as reasons
from steelyard.common.v1.error_reason_pb2 import ErrorReason
from steelyard_common.clock import SystemClock
from steelyard_common.ids import new_id
from steelyard_edge.answer import failed
from steelyard_edge.failure import Failure

MAX_HEAD_BYTES = 16 * 1024
HEAD_SECONDS = 15.0
LINGER_SECONDS = 5.0
"""How long the rest of a body is read and dropped once its request is answered.

Closing at once would reset the connection before the client has read why it was refused.
"""
TOO_LONG = f"request line and headers must not exceed {MAX_HEAD_BYTES} bytes"


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection; a head that is too long or too slow ends it."""

    _head_bytes = 0
    _is_in_head = True
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._close_after(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        # Counted before the parser says where the head ends: bodies that came along do not matter.
        if self._is_in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._close_after(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_timer()
        if self._size_of_head() > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LONG)
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head = True
        self._head_bytes = 0
        self._stop_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_in_head:
            self._close_after(LINGER_SECONDS)

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse(HTTPStatus.BAD_REQUEST, "this is no HTTP request")

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer what never became a request, in the shape of every other failure."""
        if self.transport.is_closing():
            return
        failure = Failure(status, ErrorReason.Name(reasons.ERROR_REASON_MALFORMED_REQUEST), message)
        response = failed(failure, path="", request_id=new_id("req"), now=SystemClock().now())
        response.headers["connection"] = "close"
        head = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        head += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(response.body)]))
        self.transport.close()

    def _close_after(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
