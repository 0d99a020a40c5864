"""Outcomes with defaults, so that a test shows only what matters to it."""

from itertools import count

from steelyard_health.domain.board import Capacity, HealthBoard, Means
from steelyard_health.domain.outcome import Headroom, Outcome, Result
from steelyard_health.domain.overlay import NoOverlay, Overlay
from steelyard_health.domain.permits import LocalPermitDesk
from steelyard_health.domain.sight import Sight
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
    permit: str = "",
    headroom: Headroom | None = None,
    is_provider_only: bool = False,
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
        probe_permit=permit,
        headroom=headroom,
        is_provider_only=is_provider_only,
    )


def a_board(capacity: Capacity | None = None, *, draw: float = 0.5) -> HealthBoard:
    """Return an empty board whose circuits open for exactly 5, 10, 20... seconds."""
    permits = count(1)
    desk = LocalPermitDesk(lambda: f"permit-{next(permits)}")
    return HealthBoard(Means(random=lambda: draw, desk=desk), capacity)


class Reports:
    """A board with a clock, told of outcomes in a shorthand."""

    def __init__(
        self,
        board: HealthBoard | None = None,
        now: float = 1000.0,
        overlay: Overlay | None = None,
    ) -> None:
        self.board = board or a_board()
        self.sight = Sight(self.board, overlay or NoOverlay())
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
        return self.sight.offers(tenant, [offer], self.now)[0].view

    def provider(self, provider: str = PROVIDER, *, tenant: str = TENANT) -> HealthView:
        return self.sight.provider(tenant, provider, self.now)

    def offers_of(self, provider: str, tenant: str = TENANT) -> list[str]:
        return [name for name, _ in self.sight.offers_of(tenant, provider, self.now)]

    def providers(self, tenant: str = TENANT) -> list[str]:
        return self.sight.providers(tenant, self.now)

    def permit(self, offer: str = OFFER, *, tenant: str = TENANT) -> str:
        """Ask for an offer and return the permit that came with the answer."""
        return self.offer(offer, tenant=tenant).probe_permit
