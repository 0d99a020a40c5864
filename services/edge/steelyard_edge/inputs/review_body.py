"""Bodies of an operator's decisions: on a held change, and on which snapshot to serve."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_VERSION = 2**63 - 1

Note = Annotated[str, Field(max_length=1000)]


class ReviewBody(BaseModel):
    """A word on a held change."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra={"example": {"review": "approve", "note": "Announced by the seller"}},
    )

    review: Literal["approve", "reject"]
    """`approve` serves the change; `reject` keeps the last good price."""

    note: Note | None = None
    """Why, for the audit log."""


class RollbackBody(BaseModel):
    """Which prices to serve again."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra={"example": {"version": 41, "note": "42 came from a broken feed"}},
    )

    version: Annotated[int, Field(strict=True, ge=1, le=MAX_VERSION)]
    """Version of the snapshot."""

    note: Note | None = None
    """Why, for the audit log."""
