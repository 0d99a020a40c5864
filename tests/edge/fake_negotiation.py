"""The part of the fake pricing service that keeps overrides and margin rules."""

from typing import Any

from steelyard.pricing.v1 import price_override_pb2 as override_pb
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.errors import InvalidFieldError, ResourceNotFoundError
from tests.edge.failing import Failing, paged


class FakeNegotiation(Failing):
    """Stores what it is given."""

    def reset(self) -> None:
        super().reset()
        self.overrides: dict[str, override_pb.PriceOverride] = {}
        self.margin_rules: dict[tuple[str, str], override_pb.MarginRule] = {}
        self.margin_entries: list[override_pb.MarginEntry] = []

    async def SetOverride(
        self, request: pb.SetOverrideRequest, context: Any
    ) -> pb.SetOverrideResponse:
        await self.asked(request, context)
        override = request.override
        if bool(override.offer) == bool(override.provider):
            raise InvalidFieldError("override.offer", "either this or provider must be set")
        if override.override_id and override.override_id not in self.overrides:
            raise ResourceNotFoundError("override", override.override_id)
        override.override_id = override.override_id or f"ovr_{len(self.overrides) + 1:026}"
        self.overrides[override.override_id] = override
        return pb.SetOverrideResponse(override=override)

    async def ListOverrides(
        self, request: pb.ListOverridesRequest, context: Any
    ) -> pb.ListOverridesResponse:
        await self.asked(request, context)
        overrides, page_info = paged(list(self.overrides.values())[::-1], request)
        return pb.ListOverridesResponse(overrides=overrides, page_info=page_info)

    async def DeleteOverride(
        self, request: pb.DeleteOverrideRequest, context: Any
    ) -> pb.DeleteOverrideResponse:
        await self.asked(request, context)
        if self.overrides.pop(request.override_id, None) is None:
            raise ResourceNotFoundError("override", request.override_id)
        return pb.DeleteOverrideResponse()

    async def SetMarginRule(
        self, request: pb.SetMarginRuleRequest, context: Any
    ) -> pb.SetMarginRuleResponse:
        await self.asked(request, context)
        rule = request.rule
        if bool(rule.tenant_id) == bool(rule.plan):
            raise InvalidFieldError("rule.tenant_id", "either this or plan must be set")
        self.margin_rules[rule.tenant_id, rule.plan] = rule
        return pb.SetMarginRuleResponse(rule=rule)

    async def ListMarginRules(
        self, request: pb.ListMarginRulesRequest, context: Any
    ) -> pb.ListMarginRulesResponse:
        await self.asked(request, context)
        return pb.ListMarginRulesResponse(rules=self.margin_rules.values())

    async def DeleteMarginRule(
        self, request: pb.DeleteMarginRuleRequest, context: Any
    ) -> pb.DeleteMarginRuleResponse:
        await self.asked(request, context)
        if self.margin_rules.pop((request.tenant_id, request.plan), None) is None:
            raise ResourceNotFoundError("margin_rule", request.tenant_id or request.plan)
        return pb.DeleteMarginRuleResponse()

    async def GetMarginReport(
        self, request: pb.GetMarginReportRequest, context: Any
    ) -> pb.GetMarginReportResponse:
        await self.asked(request, context)
        return pb.GetMarginReportResponse(
            entries=[
                each
                for each in self.margin_entries
                if not request.tenant_id or request.tenant_id in each.tenant_ids
            ],
            snapshot_version=7,
        )
