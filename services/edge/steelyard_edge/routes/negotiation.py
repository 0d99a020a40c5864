"""`/api/ai/pricing`: what tenants agreed on with sellers, and what is charged on top."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_common.clock import Clock
from steelyard_edge import schemas_negotiation as schemas
from steelyard_edge.answer import enveloped
from steelyard_edge.backends import Backend
from steelyard_edge.documented import answers, json_body
from steelyard_edge.failure import fields_within
from steelyard_edge.inputs import margin_body, override_body
from steelyard_edge.inputs.query import PageSize, PageToken
from steelyard_edge.routes.pricing_router import pricing_router
from steelyard_edge.views import negotiation
from steelyard_edge.views.scalars import text

# What a change may fail with: a bad body, no permission, nothing of that name.
WRITE_FAILURES = (400, 403, 404, 413, 415, 422)

OverrideId = Annotated[str, Path(max_length=64, description="Id of the override.")]
IncludeExpired = Annotated[bool, Query(description="Also those that have ended.")]
TenantId = Annotated[str, Query(max_length=128, description="Tenant that the rule is for.")]
Plan = Annotated[str, Query(max_length=128, description="Plan that the rule is for.")]
OnlyTenant = Annotated[str, Query(max_length=128, description="Only this tenant.")]


class NegotiationRoutes:
    """Asks the pricing service about prices that are not the listed ones."""

    def __init__(self, pricing: Backend[PricingServiceStub], *, clock: Clock) -> None:
        self._pricing = pricing
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = pricing_router()
        self._add_overrides(router)
        self._add_margins(router)
        return router

    def _add_overrides(self, router: APIRouter) -> None:
        body = json_body(override_body.OverrideBody, example=override_body.EXAMPLE)
        add = router.add_api_route
        add(
            "/overrides",
            self.overrides,
            responses=answers(schemas.Overrides, "One page of them.", 422),
        )
        add(
            "/overrides",
            self.create_override,
            methods=["POST"],
            status_code=HTTPStatus.CREATED,
            responses=answers(
                schemas.Override, "As stored.", *WRITE_FAILURES, success_status=HTTPStatus.CREATED
            ),
            openapi_extra=body,
        )
        add(
            "/overrides/{override_id}",
            self.replace_override,
            methods=["PUT"],
            responses=answers(schemas.Override, "As stored.", *WRITE_FAILURES),
            openapi_extra=body,
        )
        add(
            "/overrides/{override_id}",
            self.delete_override,
            methods=["DELETE"],
            responses=answers(schemas.OverrideDeleted, "It has ended.", 403, 404, 422),
        )

    def _add_margins(self, router: APIRouter) -> None:
        add = router.add_api_route
        add(
            "/margins",
            self.margin_rules,
            responses=answers(schemas.MarginRules, "All of them.", 403),
        )
        add(
            "/margins",
            self.set_margin_rule,
            methods=["PUT"],
            responses=answers(schemas.MarginRule, "As stored.", *WRITE_FAILURES),
            openapi_extra=json_body(margin_body.MarginRuleBody, example=margin_body.EXAMPLE),
        )
        add(
            "/margins",
            self.delete_margin_rule,
            methods=["DELETE"],
            responses=answers(schemas.MarginRuleName, "It is gone.", 403, 404, 422),
        )
        add(
            "/margins/report",
            self.margin_report,
            responses=answers(schemas.MarginReport, "The report.", 403, 422),
        )

    async def overrides(
        self,
        *,
        include_expired: IncludeExpired = False,
        page_size: PageSize = 50,
        page_token: PageToken = "",
    ) -> Response:
        """List what the caller's tenant agreed on with sellers, newest first."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListOverrides,
            pb.ListOverridesRequest(
                include_expired=include_expired, page_size=page_size, page_token=page_token
            ),
        )
        return self._enveloped(negotiation.overrides(answer))

    async def create_override(self, request: Request) -> Response:
        """Give the caller's tenant a price of its own for an offer or a seller."""
        # Read by hand, here and below: amounts never pass through a binary float.
        answer = await self._set(override_body.to_override_request(await request.body()))
        return self._enveloped(negotiation.override(answer.override), HTTPStatus.CREATED)

    async def replace_override(self, request: Request, override_id: OverrideId) -> Response:
        """Replace an override; fields that are left out are unset."""
        answer = await self._set(
            override_body.to_override_request(await request.body(), override_id=override_id)
        )
        return self._enveloped(negotiation.override(answer.override))

    async def delete_override(self, override_id: OverrideId) -> Response:
        """End an override now. Past usage keeps the price it had."""
        await self._pricing.ask(
            self._pricing.stub.DeleteOverride, pb.DeleteOverrideRequest(override_id=override_id)
        )
        return self._enveloped({"override_id": override_id})

    async def margin_rules(self) -> Response:
        """List every rule, those of plans first."""
        answer = await self._pricing.ask(
            self._pricing.stub.ListMarginRules, pb.ListMarginRulesRequest()
        )
        return self._enveloped(negotiation.margin_rules(answer))

    async def set_margin_rule(self, request: Request) -> Response:
        """Set the rule of one tenant or plan, in place of the one it had."""
        rule = margin_body.to_margin_request(await request.body())
        with fields_within("rule"):
            answer = await self._pricing.ask(self._pricing.stub.SetMarginRule, rule)
        return self._enveloped(negotiation.margin_rule(answer.rule))

    async def delete_margin_rule(self, tenant_id: TenantId = "", plan: Plan = "") -> Response:
        """Remove the rule of one tenant or plan."""
        await self._pricing.ask(
            self._pricing.stub.DeleteMarginRule,
            pb.DeleteMarginRuleRequest(tenant_id=tenant_id, plan=plan),
        )
        return self._enveloped({"tenant_id": text(tenant_id), "plan": text(plan)})

    async def margin_report(self, tenant_id: OnlyTenant = "") -> Response:
        """Say which tenants the present prices put below their floor."""
        answer = await self._pricing.ask(
            self._pricing.stub.GetMarginReport, pb.GetMarginReportRequest(tenant_id=tenant_id)
        )
        return self._enveloped(negotiation.margin_report(answer))

    async def _set(self, override: pb.SetOverrideRequest) -> pb.SetOverrideResponse:
        with fields_within("override"):
            return await self._pricing.ask(self._pricing.stub.SetOverride, override)

    def _enveloped(self, data: Any, status: int = HTTPStatus.OK) -> Response:
        return enveloped(data, now=self._clock.now(), status=status)
