"""The two calls of the request path: how offers are, and how calls to them ended."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import grpc

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError
from steelyard_common.tenant import current_tenant
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.outcome import Outcome, UnusableOutcomeError, is_offer
from steelyard_health.domain.ports import HealthStore
from steelyard_health.domain.view import Answer
from steelyard_health.messages.health import Instants, from_outcome, to_offer_health
from steelyard_health.rpcs.ids import check_ids

MAX_OFFERS = 100
MAX_OUTCOMES = 1000
OUTCOMES_PER_TURN = 100
"""So that a full batch holds up other calls for about two milliseconds at a time."""

PANIC_SHARE = 0.5

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class OutcomeCalls:
    """Takes in outcomes and says how offers are, each caller as its tenant."""

    _store: HealthStore
    _clock: Clock

    async def CheckOffers(
        self, request: pb.CheckOffersRequest, context: Context
    ) -> pb.CheckOffersResponse:
        offers = list(request.offers)
        if len(offers) > MAX_OFFERS:
            raise InvalidFieldError("offers", f"must name at most {MAX_OFFERS}")
        answers = await self._store.offers(current_tenant().tenant_id, offers)
        # Protobuf merges what is concatenated; copying the messages would take four times as long.
        parts = [answer.encoded for answer in answers]
        if not all(parts):
            # What is encoded was asked for by a good id before.
            fresh = [offer for offer, part in zip(offers, parts, strict=True) if not part]
            if not all(map(is_offer, fresh)):
                check_ids("offers", offers, MAX_OFFERS, is_offer, "must look like provider/model")
            parts = [
                part or self._encoded(offer, answer)
                for part, offer, answer in zip(parts, offers, answers, strict=True)
            ]
        response = pb.CheckOffersResponse.FromString(b"".join(parts))
        response.health_version = self._store.version
        response.panic = _is_panic(answers)
        return response

    async def ReportOutcomes(
        self, request: pb.ReportOutcomesRequest, context: Context
    ) -> pb.ReportOutcomesResponse:
        if len(request.outcomes) > MAX_OUTCOMES:
            raise InvalidFieldError("outcomes", f"must be 1 to {MAX_OUTCOMES} outcomes")
        tenant_id = current_tenant().tenant_id
        response = pb.ReportOutcomesResponse()
        for start in range(0, len(request.outcomes), OUTCOMES_PER_TURN):
            batch = request.outcomes[start : start + OUTCOMES_PER_TURN]
            usable = self._usable(start, batch, response)
            accepted = await self._store.record(tenant_id, usable)
            response.accepted_count += accepted
            response.duplicate_count += len(usable) - accepted
            await asyncio.sleep(0)
        return response

    def _usable(
        self,
        start: int,
        messages: Iterable[health_pb2.Outcome],
        response: pb.ReportOutcomesResponse,
    ) -> list[Outcome]:
        """Return the outcomes that can be used and name the others in `response`."""
        now = self._clock.now()
        outcomes = []
        for index, message in enumerate(messages, start):
            try:
                outcomes.append(from_outcome(message, now))
            except UnusableOutcomeError as error:
                response.refused.add(index=index, problem=str(error))
        return outcomes

    def _encoded(self, offer: str, answer: Answer) -> bytes:
        """Return the bytes of a response about one offer, and keep them with the answer."""
        message = to_offer_health(offer, answer.view, Instants.of(self._clock))
        answer.encoded = pb.CheckOffersResponse(offers=[message]).SerializeToString()
        return answer.encoded


def _is_panic(answers: Sequence[Answer]) -> bool:
    away = [None for answer in answers if answer.view.circuit is not CircuitState.CLOSED]
    return len(away) > PANIC_SHARE * len(answers)
