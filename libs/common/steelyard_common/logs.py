"""Log lines on stderr: structured, one a record, without secrets, with the request id."""

import logging
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from steelyard_common.redaction import redacted, redacted_text
from steelyard_common.request_id import current_request_id

STAMINA_RETRY = "stamina.retry_scheduled"

LogFormat = Literal["json", "console"]


def configure(
    service: str,
    *,
    level: str = "info",
    log_format: LogFormat = "json",
    stream: TextIO | None = None,
) -> None:
    """Set up logging for the whole process; the standard library's loggers go the same way."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        drop_retries,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Origin(service),
        add_request_id,
        structlog.processors.format_exc_info,
        redact,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                render_json if log_format == "json" else render_console,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    # httpx tells every URL at info, httpcore every host and all headers of answers at debug.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def drop_retries(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop what stamina says of each retry: who retries tells how it ended, in a sentence."""
    if event.get("event") == STAMINA_RETRY:
        raise structlog.DropEvent
    return event


class _Origin:
    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.setdefault("service", self._service)
        return event


def add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Bind the id of the request being handled, if any."""
    request_id = current_request_id()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop secrets by name and by pattern; `_`-fields belong to structlog."""
    return {
        key: value if key.startswith("_") else redacted(key, value) for key, value in event.items()
    }


def render_json(_: WrappedLogger, __: str, event: Mapping[str, Any]) -> str:
    """Return one line of JSON; control characters in values are escaped by it."""
    return orjson.dumps(event, default=lambda value: redacted_text(str(value))).decode()


def render_console(_: WrappedLogger, __: str, event: Mapping[str, Any]) -> str:
    """Return one line for people, then the indented traceback if there is one."""
    rest = dict(event)
    head = [str(rest.pop("timestamp", "")), str(rest.pop("level", "")).upper()]
    line = " ".join([*head, _escaped(str(rest.pop("event", "")))])
    traceback = rest.pop("exception", None)
    pairs = "".join(f" {key}={_escaped(str(value))}" for key, value in rest.items())
    frames = "".join(
        f"\n    | {_escaped(frame)}" for frame in str(traceback or "").split("\n") if frame
    )
    return f"{line}{pairs}{frames}"


def _escaped(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
