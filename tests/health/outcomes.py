"""Outcomes with defaults, so that a test shows only what matters to it."""

from itertools import count

from steelyard_health.domain.board import HealthBoard
from steelyard_health.domain.outcome import Outcome, Result
from steelyard_health.domain.view import HealthView

OFFER = "acme/large"
PROVIDER = "acme"
TENANT = "tenant-a"

_numbers = count()


def an_outcome(  # noqa: PLR0913 - a builder has as many knobs as what it builds
    result: Result = Result.SUCCESS,
    *,
    outcome_id: str | None = None,
    offer: str = OFFER,
    age: float = 0.0,
    latency: float | None = None,
    first_token: float | None = None,
    tokens: int = 0,
    retry_after: float | None = None,
    is_private: bool = False,
) -> Outcome:
    return Outcome(
        outcome_id=outcome_id or f"out_{next(_numbers)}",
        offer=offer,
        result=result,
        age_seconds=age,
        latency_seconds=latency,
        first_token_seconds=first_token,
        output_token_count=tokens,
        retry_after_seconds=retry_after,
        is_private=is_private,
    )


class Reports:
    """A board with a clock, told of outcomes in a shorthand."""

    def __init__(self, board: HealthBoard | None = None, now: float = 1000.0) -> None:
        self.board = board or HealthBoard()
        self.now = now

    def add(
        self,
        results: str,
        *,
        tenant: str = TENANT,
        offer: str = OFFER,
        latency: float | None = None,
        is_private: bool = False,
    ) -> None:
        """Report `S`uccesses, `F`ailures and `L`imits, in this order."""
        kinds = {"S": Result.SUCCESS, "F": Result.SERVER_ERROR, "L": Result.RATE_LIMITED}
        for letter in results:
            outcome = an_outcome(kinds[letter], offer=offer, latency=latency, is_private=is_private)
            self.report(outcome, tenant=tenant)

    def report(self, outcome: Outcome, *, tenant: str = TENANT) -> bool:
        return self.board.record(tenant, outcome, self.now)

    def offer(self, offer: str = OFFER, *, tenant: str = TENANT) -> HealthView:
        return self.board.offers(tenant, [offer], self.now)[0]

    def provider(self, provider: str = PROVIDER, *, tenant: str = TENANT) -> HealthView:
        return self.board.provider(tenant, provider, self.now)
