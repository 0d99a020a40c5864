"""What people decide about models, and what happened to them."""

from typing import Any, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidStateError
from steelyard_common.tenant import current_tenant
from steelyard_registry.domain import stewardship
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.events import CatalogEvent, EventKind, FieldChange
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.ports import EventQuery, EventStore
from steelyard_registry.domain.publisher import Publisher
from steelyard_registry.domain.quality.scores import Task
from steelyard_registry.domain.stewardship import Subject
from steelyard_registry.messages.answers import ModelMessages, to_quality
from steelyard_registry.messages.catalog_events import to_event
from steelyard_registry.messages.page_tokens import from_page_token, question_of, to_page_token
from steelyard_registry.messages.questions import from_limit
from steelyard_registry.messages.steward_questions import (
    from_event_kind,
    from_note,
    from_score,
    from_score_task,
)
from steelyard_registry.rpcs.names import found
from steelyard_registry.rpcs.queries import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class StewardCalls:
    """Carries out decisions and shows the history."""

    _publisher: Publisher
    _events: EventStore
    _clock: Clock
    _messages: ModelMessages

    async def DeprecateModel(
        self, request: pb.DeprecateModelRequest, context: Context
    ) -> pb.DeprecateModelResponse:
        subject, note = self._subject(request.model), from_note(request.note)
        change = stewardship.taken_out(subject, actor=_actor(), note=note, now=self._clock.now())
        published = await self._publisher.publish(change, signed=(_actor(), note))
        return pb.DeprecateModelResponse(model=self._message(published.after, subject.model))

    async def RestoreModel(
        self, request: pb.RestoreModelRequest, context: Context
    ) -> pb.RestoreModelResponse:
        subject, note = self._subject(request.model), from_note(request.note)
        if not subject.is_out:
            kind = "model" if subject.offer is None else "offer"
            raise InvalidStateError(kind, subject.name, "active")
        change = stewardship.put_back(subject, actor=_actor(), note=note, now=self._clock.now())
        published = await self._publisher.publish(change, signed=(_actor(), note))
        return pb.RestoreModelResponse(model=self._message(published.after, subject.model))

    async def SetQuality(
        self, request: pb.SetQualityRequest, context: Context
    ) -> pb.SetQualityResponse:
        catalogue = self._publisher.live.current
        now = self._clock.now()
        model = found(catalogue, request.score.model)
        score = from_score(request.score, model.model, now)
        event = CatalogEvent(
            kind=EventKind.QUALITY_SET,
            model=model.model,
            changes=(
                FieldChange(
                    score.task.name.lower(),
                    _shown(self._publisher, model.model, score.task),
                    f"{score.score:g}",
                ),
            ),
            actor=_actor(),
            note=score.note,
        )
        published = await self._publisher.publish(stewardship.corrected(score), events=[event])
        return pb.SetQualityResponse(quality=_quality(published.after, model))

    async def ClearQuality(
        self, request: pb.ClearQualityRequest, context: Context
    ) -> pb.ClearQualityResponse:
        model = found(self._publisher.live.current, request.model)
        key = model.model, from_score_task(request.task)
        if key not in self._publisher.state.corrections:
            raise InvalidStateError("quality", model.model, "not set")
        before = _shown(self._publisher, *key)
        event = CatalogEvent(
            kind=EventKind.QUALITY_SET,
            model=model.model,
            changes=(FieldChange(key[1].name.lower(), before, ""),),
            actor=_actor(),
        )
        published = await self._publisher.publish(stewardship.uncorrected(key), events=[event])
        return pb.ClearQualityResponse(quality=_quality(published.after, model))

    async def ListCatalogEvents(
        self, request: pb.ListCatalogEventsRequest, context: Context
    ) -> pb.ListCatalogEventsResponse:
        size = from_limit(
            "page_size", request.page_size, default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE
        )
        question = question_of(request)
        before = None
        if request.page_token:
            before = int(from_page_token(request.page_token, question)[0])
        query = EventQuery(
            names=await self._event_names(request.model), kind=from_event_kind(request.kind)
        )
        events = await self._events.page(query, before=before, limit=size + 1)
        page = events[:size]
        token = ""
        if len(events) > size:
            token = to_page_token(question, (float(page[-1].event_id), ""))
        return pb.ListCatalogEventsResponse(
            events=map(to_event, page),
            page_info=PageInfo(next_page_token=token, total_count=await self._events.count(query)),
        )

    async def _event_names(self, name: str) -> tuple[str, ...]:
        """Return the ids under which events of a name are kept, also when it is gone by now."""
        if not name:
            return ()
        catalogue = self._publisher.live.current
        offer = catalogue.offer(name)
        if offer is not None:
            return (offer.offer,)
        model = catalogue.find(name)
        if model is not None:
            return (model.model, *(offer.offer for offer in model.offers))
        if not await self._events.count(EventQuery(names=(name,))):
            found(catalogue, name)  # raises, with the nearest names
        return (name,)

    def _subject(self, name: str) -> Subject:
        catalogue = self._publisher.live.current
        return Subject(found(catalogue, name), catalogue.offer(name))

    def _message(self, catalogue: Catalogue, model: Model) -> model_pb2.Model:
        return self._messages.of(catalogue.edition.models[model.model])


def _actor() -> str:
    """Return who decides: tenant and key."""
    caller = current_tenant()
    return f"{caller.tenant_id}/{caller.key_id}" if caller.key_id else caller.tenant_id


def _quality(catalogue: Catalogue, model: Model) -> quality_pb2.Quality | None:
    quality = catalogue.edition.models[model.model].quality
    return None if quality is None else to_quality(quality)


def _shown(publisher: Publisher, model: str, task: Task) -> str:
    known = publisher.state.corrections.get((model, task))
    return "" if known is None else f"{known.score:g}"
