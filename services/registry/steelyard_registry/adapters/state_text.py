"""Parts of the state as text that later versions of the program can read.

Fields may be added with a default; what is removed is ignored.
"""

from typing import TypeVar

import msgspec
import structlog

from steelyard_registry.domain.decisions import HandDecision
from steelyard_registry.domain.events import FieldChange
from steelyard_registry.domain.quality.editions import ScoreEdition
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.state import OfferRecord, SourceState

T = TypeVar("T")

logger = structlog.get_logger(__name__)

_ENCODER = msgspec.json.Encoder()

RECORDS = msgspec.json.Decoder(OfferRecord)
SOURCES = msgspec.json.Decoder(SourceState)
EDITIONS = msgspec.json.Decoder(ScoreEdition)
DECISIONS = msgspec.json.Decoder(HandDecision)
CORRECTIONS = msgspec.json.Decoder(QualityScore)
CHANGES = msgspec.json.Decoder(tuple[FieldChange, ...])


def read_text(decoder: msgspec.json.Decoder[T], text: str, name: str) -> T | None:
    """Return what `write_text` wrote; None, with a log line, for what this program cannot read.

    A damaged row must not take the rest with it, nor one of a later version.
    """
    try:
        return decoder.decode(text)
    except msgspec.DecodeError as error:
        logger.warning("row ignored", name=name, problem=str(error))
        return None


def write_text(part: object) -> str:
    """Return a part of the state as text."""
    return _ENCODER.encode(part).decode()
