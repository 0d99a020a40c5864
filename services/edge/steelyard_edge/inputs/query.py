"""Parameters that several routes take in their query."""

import re
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import BeforeValidator

from steelyard.common.v1.usage_pb2 import Usage
from steelyard_edge.inputs.enum_names import CAPABILITIES, MODES
from steelyard_edge.inputs.estimate_body import MAX_COUNT
from steelyard_edge.inputs.moments import Instant

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _rfc3339(text: Any) -> datetime:
    try:
        return msgspec.convert(text, Instant)
    except msgspec.ValidationError:
        # A plus that is not written as %2B arrives as a space.
        raise ValueError("must be RFC 3339 with a zone, e.g. 2026-11-02T09:30:00Z") from None


def _iso_day(text: Any) -> Any:
    # Pydantic would also take a number of seconds.
    if not _DAY.fullmatch(text):
        raise ValueError("must be a day, e.g. 2026-11-02")
    return text


Time = Annotated[datetime, BeforeValidator(_rfc3339)]
Day = Annotated[date, BeforeValidator(_iso_day)]

PageSize = Annotated[int, Query(ge=1, le=1000, description="How many to list.")]
PageToken = Annotated[str, Query(description="`next_page_token` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many to list.")]
Mode = Annotated[
    str | None,
    Query(description="Kind of work; `chat` by default.", json_schema_extra=MODES.schema),
]
Capabilities = Annotated[
    str | None,
    Query(
        description="Comma-separated; each offer has them all. "
        f"Any of {', '.join(CAPABILITIES.schema['enum'])}."
    ),
]
Provider = Annotated[str, Query(max_length=128, description="Only this seller.")]
Tokens = Annotated[
    int | None, Query(ge=0, le=MAX_COUNT, description="The mix to rank by; 750,000 and 250,000.")
]


def to_names(listed: str | None) -> list[str]:
    """Return comma-separated names, each once and in order."""
    names = (name.strip() for name in (listed or "").split(","))
    return list(dict.fromkeys(name for name in names if name))


def to_capabilities(listed: str | None) -> list[Any]:
    """Return the numbers of comma-separated capabilities.

    Raises:
        InvalidFieldError: One of them is none.
    """
    return [CAPABILITIES.number(name, "capabilities") for name in to_names(listed)]


def to_mix(input_tokens: int | None, output_tokens: int | None) -> Usage | None:
    """Return the usage to rank by, None where the service's own mix is meant."""
    if input_tokens is None and output_tokens is None:
        return None
    return Usage(
        uncached_input_token_count=input_tokens or 0, output_token_count=output_tokens or 0
    )
