"""Bodies of what operators do about health by hand."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from steelyard_edge.inputs.query import Time
from steelyard_edge.inputs.review_body import Note

Offer = Annotated[str, Field(max_length=512)]


class ResetBody(BaseModel):
    """What is to be forgotten."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra={"example": {"note": "The seller has repaired its network"}},
    )

    offer: Offer | None = None
    """Only this offer; by default the seller and all its offers."""

    note: Note | None = None
    """Why, for the audit log."""


class MaintenanceBody(BaseModel):
    """A planned absence."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra={
            "example": {
                "start_time": "2026-11-02T22:00:00Z",
                "end_time": "2026-11-03T02:00:00Z",
                "note": "Announced by the seller",
            }
        },
    )

    end_time: Time
    """One in the past ends a present absence."""

    start_time: Time | None = None
    """By default now."""

    offer: Offer | None = None
    """Only this offer; by default the whole seller."""

    note: Note | None = None
    """For people."""
