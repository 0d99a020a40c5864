"""Margin rules, and which tenants are below their floor."""

import asyncio
from functools import partial
from typing import Any, TypeAlias

import grpc

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError, ResourceNotFoundError
from steelyard_pricing.domain.catalogue import Catalogue
from steelyard_pricing.domain.margin_watch import MarginWatch
from steelyard_pricing.domain.negotiations import Negotiations, TenantOnOtherPlanError
from steelyard_pricing.messages.margins import (
    MAX_RULE_NAME,
    from_rule,
    read_rule_key,
    tenant_field,
    to_rule,
    write_entries,
)
from steelyard_pricing.messages.overrides import read_text
from steelyard_pricing.rpcs.names import offer_named

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class MarginCalls:
    """Sets rules for tenants and plans: an operator's calls, so tenants are named in them."""

    _catalogue: Catalogue
    _negotiations: Negotiations
    _margins: MarginWatch
    _clock: Clock

    async def SetMarginRule(
        self, request: pb.SetMarginRuleRequest, context: Context
    ) -> pb.SetMarginRuleResponse:
        rule = from_rule(request.rule, partial(offer_named, self._catalogue.snapshot))
        try:
            await self._negotiations.set_rule(rule)
        except TenantOnOtherPlanError as error:
            field = tenant_field(list(rule.plan_tenants), error.tenant_id)
            raise InvalidFieldError(field, f"is on plan {error.plan}") from error
        await self._margins.changed(self._clock.now())
        return pb.SetMarginRuleResponse(rule=to_rule(rule))

    async def ListMarginRules(
        self, request: pb.ListMarginRulesRequest, context: Context
    ) -> pb.ListMarginRulesResponse:
        return pb.ListMarginRulesResponse(rules=map(to_rule, self._negotiations.state.rules))

    async def DeleteMarginRule(
        self, request: pb.DeleteMarginRuleRequest, context: Context
    ) -> pb.DeleteMarginRuleResponse:
        key = read_rule_key(request.tenant_id, request.plan)
        if not await self._negotiations.delete_rule(key):
            raise ResourceNotFoundError("margin_rule", key.name)
        await self._margins.changed(self._clock.now())
        return pb.DeleteMarginRuleResponse()

    async def GetMarginReport(
        self, request: pb.GetMarginReportRequest, context: Context
    ) -> pb.GetMarginReportResponse:
        tenant_id = read_text(request.tenant_id, "tenant_id", MAX_RULE_NAME)
        report = await self._margins.report(self._clock.now())
        wanted = (
            thin for thin in report.margins if not tenant_id or tenant_id in thin.margin.tenant_ids
        )
        response = pb.GetMarginReportResponse(snapshot_version=report.snapshot_version)
        await asyncio.to_thread(write_entries, response, wanted)
        return response
