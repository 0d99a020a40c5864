"""What happened to offers, as the history keeps it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from steelyard_registry.domain.models import Model, Offer, State

MAX_TEXT = 512


class EventKind(IntEnum):
    """What happened; numbered as in the contract."""

    ADDED = 1
    UPDATED = 2
    DEPRECATED = 3
    RESTORED = 4
    REMOVED = 5
    QUALITY_SET = 6


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, as text for people; empty when not known."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEvent:
    """One thing that happened; the store numbers and dates it."""

    kind: EventKind
    model: str
    offer: str = ""
    """Empty for what happened to the model as a whole."""
    changes: tuple[FieldChange, ...] = ()
    actor: str = ""
    note: str = ""


def offer_events(
    before: Mapping[str, Model], after: Mapping[str, Model]
) -> tuple[CatalogEvent, ...]:
    """Return what happened to offers between two editions, by offer id."""
    older, newer = _offers(before, after), _offers(after, before)
    events = [
        event
        for name in sorted(older.keys() | newer.keys())
        for event in _events(older.get(name), newer.get(name))
    ]
    return tuple(events)


def _offers(models: Mapping[str, Model], others: Mapping[str, Model]) -> dict[str, Offer]:
    """Return the offers of models that are not the very same in the other edition."""
    return {
        offer.offer: offer
        for name, model in models.items()
        if others.get(name) is not model
        for offer in model.offers
    }


def _events(before: Offer | None, after: Offer | None) -> Iterator[CatalogEvent]:
    if after is None:
        if before is not None:
            yield CatalogEvent(kind=EventKind.REMOVED, model=before.model, offer=before.offer)
        return
    if before is None:
        yield CatalogEvent(kind=EventKind.ADDED, model=after.model, offer=after.offer)
        return
    changes = tuple(_changes(before, after))
    if before.state is not after.state:
        is_over = after.state is State.DEPRECATED
        kind = EventKind.DEPRECATED if is_over else EventKind.RESTORED
        reason = _reason(before) if not is_over else _reason(after)
        changes = (*changes, FieldChange("state", _state(before), reason if is_over else "active"))
        yield CatalogEvent(kind=kind, model=after.model, offer=after.offer, changes=changes)
    elif changes:
        yield CatalogEvent(
            kind=EventKind.UPDATED, model=after.model, offer=after.offer, changes=changes
        )


def _state(offer: Offer) -> str:
    return "active" if offer.state is State.ACTIVE else _reason(offer)


def _reason(offer: Offer) -> str:
    reason = offer.deprecation_reason
    return "deprecated" if reason is None else f"deprecated: {reason.name.lower()}"


def _changes(before: Offer, after: Offer) -> Iterator[FieldChange]:
    for field, one, other in zip(_FIELDS, _facts(before), _facts(after), strict=True):
        if one != other:
            yield FieldChange(field, _text(one), _text(other))


_FIELDS = (
    "model",
    "mode",
    "capabilities",
    "denied_capabilities",
    "max_input_token_count",
    "max_output_token_count",
    "input_modalities",
    "output_modalities",
    "deprecation_date",
    "regions",
    "responses_api_only",
)


def _facts(offer: Offer) -> tuple[object, ...]:
    return (
        offer.model,
        offer.mode,
        offer.capabilities,
        offer.denied,
        offer.max_input_tokens,
        offer.max_output_tokens,
        offer.input_modalities,
        offer.output_modalities,
        offer.deprecation_date,
        offer.regions,
        offer.responses_api_only,
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset | tuple):
        return _listed(value)
    return str(value)[:MAX_TEXT]


def _listed(values: Iterable[object]) -> str:
    return ", ".join(sorted(_text(each) for each in values))[:MAX_TEXT]
