"""The queries of `GET /api/llm-registry/models*` and `/frontier`."""

from decimal import ROUND_FLOOR, Context, Decimal
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_edge.inputs.enum_names import CAPABILITIES, MODES, TASKS
from steelyard_edge.inputs.query import Limit, PageSize, PageToken, Provider, to_capabilities

MAX_SEARCH_LIMIT = 200
MAX_TOKENS = 10**12
MAX_USD_PER_MILLION = 1_000_000
PICODOLLARS_PER_USD_PER_MILLION = Decimal(1_000_000)
"""1 USD for a million tokens is 10^12 picodollars for 10^6 of them."""

_FLOOR = Context(prec=40, rounding=ROUND_FLOOR)

Score = Annotated[float, Query(ge=0, le=100, allow_inf_nan=False)]
AnyScore = Annotated[
    float | None, Query(ge=0, le=100, allow_inf_nan=False, description="100 by default.")
]
Task = Annotated[
    str | None,
    Query(
        description="Kind of work that quality is about; `general` by default.",
        json_schema_extra=TASKS.schema,
    ),
]
AnyMode = Annotated[
    str | None,
    Query(description="Kind of work; all by default.", json_schema_extra=MODES.schema),
]
Capabilities = Annotated[
    str | None,
    Query(
        description="Comma-separated; one offer states them all. "
        f"Any of {', '.join(CAPABILITIES.schema['enum'])}.",
        examples=["tools,vision"],
    ),
]
MinContext = Annotated[
    int, Query(ge=0, le=MAX_TOKENS, description="Smallest context window, in tokens.")
]
MaxPrice = Annotated[
    Decimal | None,
    Query(
        ge=0,
        le=MAX_USD_PER_MILLION,
        description="Largest list price of a million tokens in USD, mixed of three parts input "
        "and one part output. Offers without a price do not meet it.",
    ),
]
Words = Annotated[str, Query(max_length=512, description="Words; empty matches all.")]
SearchLimit = Annotated[int, Query(ge=1, le=MAX_SEARCH_LIMIT, description="How many to list.")]
IncludeDeprecated = Annotated[bool, Query(description="Also those that are deprecated.")]
RoutableOnly = Annotated[
    bool, Query(description="Only models at sellers that Steelyard can send requests to.")
]
OrderBy = Annotated[
    str,
    Query(
        max_length=64,
        description="`model`, `quality`, `context_window` or `release_date`, perhaps with ` desc`.",
    ),
]


class ModelQuery(BaseModel):
    """Conditions that all hold, those about offers for one offer together."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    provider: Provider = ""
    mode: AnyMode = None
    capabilities: Capabilities = None
    min_quality: Score = 0.0
    max_quality: AnyScore = None
    task: Task = None
    min_context: MinContext = 0
    max_price_usd_per_million: MaxPrice = None
    include_deprecated: IncludeDeprecated = False
    routable_only: RoutableOnly = False

    def to_filter(self) -> pb.ModelFilter:
        """Return the conditions as the registry takes them.

        Raises:
            InvalidFieldError: The mode, the task or a capability is none.
        """
        return pb.ModelFilter(
            provider=self.provider,
            mode=MODES.number(self.mode, "mode"),
            capabilities=to_capabilities(self.capabilities),
            min_quality=self.min_quality,
            max_quality=self.max_quality,
            task=TASKS.number(self.task, "task"),
            min_context_window_token_count=self.min_context,
            max_blended_picodollars=_per_token(self.max_price_usd_per_million),
            include_deprecated=self.include_deprecated,
            routable_only=self.routable_only,
        )


class SearchQuery(ModelQuery):
    """What to look for."""

    query: Words = ""
    limit: SearchLimit = 20

    def to_request(self) -> pb.SearchModelsRequest:
        return pb.SearchModelsRequest(query=self.query, filter=self.to_filter(), limit=self.limit)


class ListQuery(ModelQuery):
    """What to list, and which part of it."""

    order_by: OrderBy = ""
    page_size: PageSize = 50
    page_token: PageToken = ""

    def to_request(self) -> pb.ListModelsRequest:
        return pb.ListModelsRequest(
            filter=self.to_filter(),
            order_by=self.order_by,
            page_size=self.page_size,
            page_token=self.page_token,
        )


class FrontierQuery(ModelQuery):
    """Among which models to look."""

    def to_request(self) -> pb.ListFrontierRequest:
        return pb.ListFrontierRequest(filter=self.to_filter(), task=TASKS.number(self.task, "task"))


class QualityQuery(BaseModel):
    """A range of quality."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    min_quality: Score = 80.0
    max_quality: Score = 100.0
    limit: Limit = 50
    capabilities: Capabilities = None
    task: Task = None
    include_deprecated: IncludeDeprecated = False

    def to_request(self) -> pb.ListModelsByQualityRequest:
        """Return the call that answers it.

        Raises:
            InvalidFieldError: The task or a capability is none.
        """
        return pb.ListModelsByQualityRequest(
            min_quality=self.min_quality,
            max_quality=self.max_quality,
            capabilities=to_capabilities(self.capabilities),
            task=TASKS.number(self.task, "task"),
            limit=self.limit,
            include_deprecated=self.include_deprecated,
        )


def _per_token(usd_per_million: Decimal | None) -> int | None:
    """Return the picodollars of one token; prices are whole ones, so a fraction more buys none."""
    if usd_per_million is None:
        return None
    exact = _FLOOR.multiply(usd_per_million, PICODOLLARS_PER_USD_PER_MILLION)
    return int(exact.to_integral_value(ROUND_FLOOR))
