"""`/api/llm-registry`: which models there are, and how good they are for their price."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_common.clock import Clock
from steelyard_edge import schemas_registry as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers
from steelyard_edge.failure import fields_within
from steelyard_edge.inputs.model_query import FrontierQuery, ListQuery, QualityQuery, SearchQuery
from steelyard_edge.raw_path import decoded_tail
from steelyard_edge.routes.registry_router import REGISTRY_PREFIX, registry_router
from steelyard_edge.schemas_quality import ModelQuality
from steelyard_edge.views import model as views
from steelyard_edge.views.quality import model_quality

MODEL_PREFIX = f"{REGISTRY_PREFIX}/models/"
QUALITY_SUFFIX = "/quality"
FILTER = "filter"

ModelName = Annotated[
    str, Path(description="Canonical id, alias or offer id of a model; may have slashes.")
]
ExampleCount = Annotated[int, Query(ge=1, le=10, description="Example models of each band.")]


class ModelRoutes:
    """Asks the registry for models."""

    def __init__(self, registry: Backend[RegistryServiceStub], *, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes; those with a name of their own come before those of any model."""
        router = registry_router()
        add = router.add_api_route
        found = answers(schemas.ModelsFound, "The models.", 422)
        add("/models", self.models, responses=answers(schemas.ModelsPage, "One page.", 422))
        add("/models/by-quality", self.by_quality, responses=found)
        add("/models/search", self.search, responses=found)
        add(
            "/models/{model:path}/quality",
            self.quality,
            responses=answers(ModelQuality, "The blend and its scores.", 404, 422),
        )
        add(
            "/models/{model:path}",
            self.model,
            responses=answers(schemas.ModelAnswer, "The model.", 404, 422),
        )
        add("/frontier", self.frontier, responses=answers(schemas.Frontier, "The models.", 422))
        add("/tier-bands", self.tier_bands, responses=answers(schemas.TierBands, "All five.", 422))
        return router

    async def models(self, query: Annotated[ListQuery, Query()]) -> Response:
        """List models, one page at a time."""
        with fields_within(FILTER):
            answer = await self._registry.ask(self._registry.stub.ListModels, query.to_request())
        return self._enveloped(views.models_page(answer))

    async def by_quality(self, query: Annotated[QualityQuery, Query()]) -> Response:
        """List models in a range of quality, the best first."""
        answer = await self._registry.ask(
            self._registry.stub.ListModelsByQuality, query.to_request()
        )
        return self._enveloped(views.models_found(answer.models, answer.total_count))

    async def search(self, query: Annotated[SearchQuery, Query()]) -> Response:
        """Find models by words and conditions, the best match first."""
        with fields_within(FILTER):
            answer = await self._registry.ask(self._registry.stub.SearchModels, query.to_request())
        return self._enveloped(views.models_found(answer.models, answer.total_count))

    async def model(self, request: Request, model: ModelName) -> Response:
        """Return one model with every seller's offer of it."""
        # The decoded path cannot tell a name with a slash from one with %2F.
        name = decoded_tail(request.scope, MODEL_PREFIX) or model
        answer = await self._registry.ask(
            self._registry.stub.GetModel, pb.GetModelRequest(model=name)
        )
        return self._enveloped(views.model_answer(answer))

    async def quality(self, request: Request, model: ModelName) -> Response:
        """Return every score of a model with its source, and what they blend to."""
        tail = decoded_tail(request.scope, MODEL_PREFIX)
        name = tail.removesuffix(QUALITY_SUFFIX) if tail else model
        answer = await self._registry.ask(
            self._registry.stub.GetQuality, pb.GetQualityRequest(model=name)
        )
        return self._enveloped(model_quality(name, answer))

    async def frontier(self, query: Annotated[FrontierQuery, Query()]) -> Response:
        """List the chat models that no other beats in both quality and price, the best first."""
        with fields_within(FILTER):
            answer = await self._registry.ask(self._registry.stub.ListFrontier, query.to_request())
        return self._enveloped(views.frontier(answer))

    async def tier_bands(self, example_count: ExampleCount = 3) -> Response:
        """List the quality that each cognitive tier stands for, the lowest first."""
        answer = await self._registry.ask(
            self._registry.stub.ListTierBands, pb.ListTierBandsRequest(example_count=example_count)
        )
        return self._enveloped(views.tier_bands(answer))

    def _enveloped(self, data: Any) -> Response:
        return enveloped(data, now=self._clock.now())
