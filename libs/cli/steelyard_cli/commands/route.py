"""`steelyard route`."""

from typing import Any

from steelyard.router.v1 import chat_pb2
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard.router.v1.decision_pb2 import Candidate, Decision, RejectionReason, Tier
from steelyard.router.v1.routing_service_pb2_grpc import RoutingServiceStub
from steelyard_cli.output import money, print_facts, print_json, print_line, print_table, usd
from steelyard_cli.services import Connection, ask


def show_route(prompt: str, *, model: str, policy: str, explain: bool, as_json: bool) -> None:
    """Print the decision; with `explain`, what every other offer lacked."""
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, text=prompt)
    request = pb.RouteRequest(request=chat_pb2.ChatRequest(messages=[message], model=model))
    if policy:
        request.policy.name = policy

    async def question(connection: Connection) -> pb.RouteResponse:
        stub = RoutingServiceStub(connection.channel)
        return await stub.Route(request, timeout=connection.seconds)

    decision = ask("router", question).decision
    if as_json:
        print_json(as_document(decision))
        return
    _print(decision)
    if explain:
        _print_explanation(decision)


def as_document(decision: Decision) -> dict[str, Any]:
    """Return the decision for JSON, with the names of the REST route."""
    chosen = decision.chosen
    return {
        "decision_id": decision.decision_id,
        "offer": chosen.offer,
        "model": chosen.model,
        "provider": chosen.provider,
        "tier": _tier(decision),
        "complexity_score": decision.complexity_score,
        "expected_cost_usd": usd(_cost(chosen)),
        "quality": chosen.quality,
        "health": chosen.health,
        "key_present": chosen.key_present,
        "fallbacks": [
            {"offer": each.offer, "expected_cost_usd": usd(_cost(each))}
            for each in decision.fallbacks
        ],
        "candidates": [
            {
                "offer": each.offer,
                "utility": each.utility,
                "expected_cost_usd": usd(_cost(each)),
                "quality": each.quality,
                "health": each.health,
            }
            for each in decision.candidates
        ],
        "rejected": [
            {"offer": each.offer, "reason": _reason(each.reason), "detail": each.detail}
            for each in decision.rejected
        ],
        "stale_prices": decision.stale_prices,
        "stale_health": decision.stale_health,
        "reason": decision.reason,
    }


def _print(decision: Decision) -> None:
    stale = [part for part in ("prices", "health") if getattr(decision, f"stale_{part}")]
    facts = {
        "offer": decision.chosen.offer,
        "expected cost": money(_cost(decision.chosen)),
        "tier": f"{_tier(decision)} (score {decision.complexity_score})",
        "quality": f"{decision.chosen.quality:.1f}",
        "health": f"{decision.chosen.health:.2f}",
        "fallbacks": ", ".join(each.offer for each in decision.fallbacks) or "none",
        "why": decision.reason,
    }
    if stale:
        facts["stale"] = ", ".join(stale)
    if not decision.chosen.key_present:
        facts["key"] = f"none for {decision.chosen.provider}: a decision, but nothing could run"
    print_facts(facts)


def _print_explanation(decision: Decision) -> None:
    print_line()
    print_table(
        ["candidate", "utility>", "cost>", "quality>", "health>"],
        [
            [each.offer, f"{each.utility:.3f}", money(_cost(each)), f"{each.quality:.1f}",
             f"{each.health:.2f}"]
            for each in decision.candidates
        ],
    )  # fmt: skip
    print_line()
    print_table(
        ["rejected", "reason", "detail"],
        [[each.offer, _reason(each.reason), each.detail] for each in decision.rejected],
    )
    counts = ", ".join(
        f"{_reason(each.reason)}: {each.count}" for each in decision.rejection_counts
    )
    print_line(f"[dim]rejected in all: {counts or 'none'}[/dim]")


def _tier(decision: Decision) -> str:
    return Tier.Name(decision.tier).removeprefix("TIER_").lower()


def _reason(number: "RejectionReason.ValueType") -> str:
    return RejectionReason.Name(number).removeprefix("REJECTION_REASON_").lower()


def _cost(candidate: Candidate) -> int | None:
    if not candidate.HasField("expected_cost"):
        return None
    return candidate.expected_cost.total_picodollars
