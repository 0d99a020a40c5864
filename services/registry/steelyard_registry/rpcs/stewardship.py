"""What people decide about models, and what happened to them."""

from typing import Any, TypeAlias

import grpc

from steelyard.common.v1.page_info_pb2 import PageInfo
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidStateError
from steelyard_common.page_tokens import from_whole_page_token, to_page_token
from steelyard_common.tenant import current_actor
from steelyard_registry.domain import stewardship
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.events import CatalogEvent, EventKind, FieldChange
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.ports import EventQuery, EventStore
from steelyard_registry.domain.publisher import Publisher
from steelyard_registry.domain.quality.scores import Task
from steelyard_registry.domain.state import ScoreKey
from steelyard_registry.domain.stewardship import Subject
from steelyard_registry.messages.answers import ModelMessages, to_quality
from steelyard_registry.messages.catalog_events import to_event
from steelyard_registry.messages.page_tokens import question_of
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
        subject, note = await self._subject(request.model), from_note(request.note)
        change = stewardship.taken_out(
            subject, actor=current_actor(), note=note, now=self._clock.now()
        )
        decided = _decided(EventKind.DEPRECATED, subject, note)
        published = await self._publisher.publish(change, decided=decided)
        return pb.DeprecateModelResponse(model=self._message(published.after, subject.model))

    async def RestoreModel(
        self, request: pb.RestoreModelRequest, context: Context
    ) -> pb.RestoreModelResponse:
        subject, note = await self._subject(request.model), from_note(request.note)
        if not subject.is_out:
            kind = "model" if subject.offer is None else "offer"
            raise InvalidStateError(kind, subject.name, "active")
        change = stewardship.put_back(
            subject, actor=current_actor(), note=note, now=self._clock.now()
        )
        decided = _decided(EventKind.RESTORED, subject, note)
        published = await self._publisher.publish(change, decided=decided)
        return pb.RestoreModelResponse(model=self._message(published.after, subject.model))

    async def SetQuality(
        self, request: pb.SetQualityRequest, context: Context
    ) -> pb.SetQualityResponse:
        model = (await self._subject(request.score.model)).model
        if model.quality is None:
            raise InvalidStateError("model", model.model, "of a kind that has no quality")
        score = from_score(request.score, model, self._clock.now())
        key = self._correction_key(model, score.task)
        change = stewardship.corrected(score, instead_of=key)
        decided = _scored(model, score.task, self._shown(key), f"{score.score:g}", score.note)
        published = await self._publisher.publish(change, decided=decided)
        return pb.SetQualityResponse(quality=_quality(published.after, model))

    async def ClearQuality(
        self, request: pb.ClearQualityRequest, context: Context
    ) -> pb.ClearQualityResponse:
        model = (await self._subject(request.model)).model
        task = from_score_task(request.task)
        key = self._correction_key(model, task)
        if key is None:
            raise InvalidStateError("quality", model.model, "not set")
        decided = _scored(model, task, self._shown(key), "", "")
        published = await self._publisher.publish(stewardship.uncorrected(key), decided=decided)
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
            before = from_whole_page_token(request.page_token, question)
        query = EventQuery(
            names=await self._event_names(request.model), kind=from_event_kind(request.kind)
        )
        events = await self._events.page(query, before=before, limit=size + 1)
        page = events[:size]
        token = ""
        if len(events) > size:
            token = to_page_token(question, page[-1].event_id)
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

    async def _subject(self, name: str) -> Subject:
        """Return what a name means by what is kept now, also by other replicas."""
        await self._publisher.catch_up()
        catalogue = self._publisher.live.current
        return Subject(found(catalogue, name), catalogue.offer(name))

    def _message(self, catalogue: Catalogue, model: Model) -> model_pb2.Model:
        return self._messages.of(found(catalogue, model.model))

    def _correction_key(self, model: Model, task: Task) -> ScoreKey | None:
        """Return under which key a score is set, perhaps under a former name of the model."""
        offers = {offer.offer for offer in model.offers}
        return next(
            (
                key
                for key, score in self._publisher.state.corrections.items()
                if key[1] is task and (key[0] == model.model or score.source_model in offers)
            ),
            None,
        )

    def _shown(self, key: ScoreKey | None) -> str:
        return "" if key is None else f"{self._publisher.state.corrections[key].score:g}"


def _decided(kind: EventKind, subject: Subject, note: str) -> CatalogEvent:
    return CatalogEvent(
        kind=kind,
        model=subject.model.model,
        offer="" if subject.offer is None else subject.offer.offer,
        actor=current_actor(),
        note=note,
    )


def _scored(model: Model, task: Task, before: str, after: str, note: str) -> CatalogEvent:
    return CatalogEvent(
        kind=EventKind.QUALITY_SET,
        model=model.model,
        changes=(FieldChange(task.name.lower(), before, after),),
        actor=current_actor(),
        note=note,
    )


def _quality(catalogue: Catalogue, model: Model) -> quality_pb2.Quality | None:
    quality = found(catalogue, model.model).quality
    return None if quality is None else to_quality(quality)
