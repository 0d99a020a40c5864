"""One routing request from its arrival to the decision."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import NamedTuple

from steelyard_common.clock import Clock
from steelyard_common.errors import (
    ModelNotFoundError,
    NoEligibleOfferError,
    NoHealthyOfferError,
    PricingUnavailableError,
)
from steelyard_common.ids import new_id
from steelyard_router.domain.catalog import Catalog, Offer
from steelyard_router.domain.classifier import Prompt
from steelyard_router.domain.decide import Verdict, decide, fallbacks
from steelyard_router.domain.decision import (
    PINNED,
    Decision,
    RouteOrder,
    Staleness,
    TierChoice,
    Versions,
)
from steelyard_router.domain.explain import reason_for
from steelyard_router.domain.health import Condition, OfferHealth
from steelyard_router.domain.quoted import Quoted
from steelyard_router.domain.ranking import Criteria, Market, Ranking, size_bucket
from steelyard_router.domain.rates import Cost, card_cost
from steelyard_router.domain.rejection import Rejection, RejectionReason
from steelyard_router.domain.requirements import RequestShape, needed_capabilities
from steelyard_router.domain.shortlist import Limits, Shortlist, quality_floors, shortlist
from steelyard_router.domain.tier import clamped, floors_from
from steelyard_router.domain.usage import OutputForecast, Usage
from steelyard_router.ports import HealthReport, Ports, PriceQuote, Quotes
from steelyard_router.rankings import Rankings

_UNPRICED = PriceQuote(None, is_estimated=False)


class _Plan(NamedTuple):
    """What is known of a request before anybody is asked."""

    decision_id: str
    catalog: Catalog
    now: datetime
    tier: TierChoice
    output: OutputForecast
    usage: Usage
    keys: frozenset[str]
    market: Market
    named: tuple[Offer, ...]
    """Offers that the request insists on; empty leaves the choice free."""
    baseline: str
    """Offer to compare with; empty means none."""


class _Answers(NamedTuple):
    """What was heard; None where there was no answer in time."""

    quotes: Quotes | None
    health: HealthReport | None


class _Choice(NamedTuple):
    """The verdict, and the permit that it needs when its first candidate is a probe."""

    verdict: Verdict
    probe_permit: str = ""


class Routing:
    """Classify, shortlist, ask, decide."""

    def __init__(
        self, ports: Ports, clock: Clock, *, local_providers: frozenset[str] = frozenset()
    ) -> None:
        """Take everything that routing depends on.

        Args:
            ports: Where offers, prices, health, keys, tiers and forecasts come from.
            clock: For decisions' times and deprecations.
            local_providers: Providers without keys that this installation has.
        """
        self._ports = ports
        self._clock = clock
        self._rankings = Rankings(local_providers)
        self._market = Market(None, {})

    async def route(self, order: RouteOrder, *, tenant_id: str, ask_seconds: float) -> Decision:
        """Return the decision.

        Args:
            order: What is to be decided.
            tenant_id: Whose keys count.
            ask_seconds: How long answers of pricing and health are waited for.

        Raises:
            ModelNotFoundError: No model has the name that was insisted on.
            NoEligibleOfferError: Every offer was rejected.
            NoHealthyOfferError: All offers that could serve it were taken out by hand.
            PricingUnavailableError: Nothing is known of prices.
            RegistryUnavailableError: Nothing is known of offers.
        """
        plan = self._plan(order, tenant_id)
        listed = self._shortlist(order, plan)
        if not listed.asked:
            if RejectionReason.UNPRICED in listed.counts:
                self._ports.prices.refresh_soon()
            raise NoEligibleOfferError(_counts_by_name(listed.counts))
        answers = await self._ask(order, plan, listed, ask_seconds)
        choice = self._choice(order, plan, listed, answers)
        _refuse_without_candidates(choice.verdict, listed, plan.now)
        return self._decision(order, plan, listed, answers, choice)

    def _plan(self, order: RouteOrder, tenant_id: str) -> _Plan:
        catalog = self._ports.catalog.current()
        output = self._ports.forecaster.forecast(order.shape.max_output_tokens)
        baseline = _resolved(catalog, order.policy.baseline)
        return _Plan(
            decision_id=new_id("dec", clock=self._clock),
            catalog=catalog,
            now=self._clock.now(),
            tier=self._tier(order),
            output=output,
            usage=_usage(order.shape, output),
            keys=self._ports.keys.providers(tenant_id),
            market=self._present_market(),
            named=_resolved(catalog, order.named_model),
            baseline=baseline[0].offer if baseline else "",
        )

    def _tier(self, order: RouteOrder) -> TierChoice:
        policy = order.policy
        if policy.tier is not None:
            return TierChoice(policy.tier, 0, PINNED)
        prompt = Prompt(order.shape.task_text, len(order.shape.text), policy.task_type)
        found = self._ports.classifier.classify(prompt)
        tier = clamped(found.tier, policy.min_tier, policy.max_tier)
        return TierChoice(tier, found.score, found.classifier)

    def _present_market(self) -> Market:
        """Return the same object as before unless prices or health changed."""
        book = self._ports.prices.book
        cards = book.cards if book is not None else None
        health = self._ports.health.overview()
        if cards is not self._market.cards or health is not self._market.health:
            self._market = Market(cards, health)
        return self._market

    def _shortlist(self, order: RouteOrder, plan: _Plan) -> Shortlist:
        policy = order.policy
        limits = Limits(
            plan.usage,
            order.shape.max_output_tokens,
            policy.max_cost_picodollars,
            policy.max_latency_seconds,
        )
        # A model that is named is wanted whatever its quality.
        tier_floors = (0.0,) if plan.named else floors_from(plan.tier.tier)

        def ranking_for(floor: float) -> Ranking:
            return self._ranking(plan, _criteria(order, plan, floor))

        return shortlist(
            quality_floors(tier_floors, policy.min_quality),
            ranking_for,
            limits,
            plan.market,
            order.max_rejected,
        )

    def _ranking(self, plan: _Plan, criteria: Criteria) -> Ranking:
        if plan.named:
            return self._rankings.of_some(plan.catalog, plan.named, criteria, plan.market, plan.now)
        return self._rankings.of_all(plan.catalog, criteria, plan.market, plan.now)

    async def _ask(
        self, order: RouteOrder, plan: _Plan, listed: Shortlist, seconds: float
    ) -> _Answers:
        offers = [ranked.offer.offer for ranked in listed.asked]
        priced = [*offers, plan.baseline] if plan.baseline else offers
        # Both are on their way before either is waited for.
        quotes = self._ports.prices.ask(plan.usage, priced, order.shape.service_tier, seconds)
        health = self._ports.health.ask(offers, seconds)
        try:
            return _Answers(await quotes.answer(), await health.answer())
        finally:
            quotes.cancel()
            health.cancel()

    def _choice(
        self, order: RouteOrder, plan: _Plan, listed: Shortlist, answers: _Answers
    ) -> _Choice:
        """Decide; when the permit for a probe is gone by then, decide again without it."""
        without_permit: set[str] = set()
        while True:
            verdict = decide(
                self._quoted(plan, listed, answers, without_permit),
                order.policy,
                decision_id=plan.decision_id,
                output_tokens=plan.usage.output_tokens,
                now=plan.now,
            )
            if not verdict.is_probe:
                return _Choice(verdict)
            probed = verdict.candidates[0].offer.offer
            permit = self._ports.health.take_permit(probed)
            if permit:
                return _Choice(verdict, permit)
            without_permit.add(probed)

    def _quoted(
        self, plan: _Plan, listed: Shortlist, answers: _Answers, without_permit: Container[str]
    ) -> Iterable[Quoted]:
        price = self._pricer(plan, answers.quotes)
        reported = answers.health.by_offer if answers.health is not None else None
        for ranked in listed.asked:
            offer = ranked.offer
            quote = price(offer.offer)
            health = reported.get(offer.offer) if reported is not None else None
            if health is None:
                health = self._ports.health.last_known(offer.offer)
            if health.condition is Condition.HALF_OPEN:
                health = self._probed(offer.offer, health, without_permit)
            yield Quoted(
                offer,
                ranked.quality,
                ranked.trusted_quality,
                quote.cost,
                quote.is_estimated,
                health,
                offer.provider in plan.keys,
            )

    def _probed(
        self, offer: str, health: OfferHealth, without_permit: Container[str]
    ) -> OfferHealth:
        """Return the health of a half-open offer, whose circuit is open to who has no permit."""
        if offer not in without_permit and self._ports.health.holds_permit(offer):
            return health
        return health._replace(condition=Condition.CIRCUIT_OPEN)

    def _pricer(self, plan: _Plan, quotes: Quotes | None) -> Callable[[str], PriceQuote]:
        """Return what tells the price of an offer: pricing's quotes, else our own rate cards.

        Raises:
            PricingUnavailableError: There are neither, or the cards say nothing of the usage.
        """
        if quotes is not None:
            by_offer = quotes.by_offer
            return lambda offer: by_offer.get(offer, _UNPRICED)
        book = self._ports.prices.book
        if book is None or plan.usage.audio_tokens or plan.usage.video_tokens:
            raise PricingUnavailableError
        cards, usage = book.cards, plan.usage

        def from_card(offer: str) -> PriceQuote:
            card = cards.get(offer)
            return PriceQuote(card_cost(card, usage), card.estimated) if card else _UNPRICED

        return from_card

    def _decision(
        self,
        order: RouteOrder,
        plan: _Plan,
        listed: Shortlist,
        answers: _Answers,
        choice: _Choice,
    ) -> Decision:
        verdict = choice.verdict
        counts = Counter(listed.counts)
        counts.update(each.reason for each in verdict.rejected)
        rejected = chain(verdict.rejected, listed.rejected)
        if plan.named:
            counts[RejectionReason.OTHER_MODEL] = len(plan.catalog.offers) - len(plan.named)
            if order.max_rejected is None:
                rejected = chain(rejected, _other_models(plan))
        return Decision(
            decision_id=plan.decision_id,
            create_time=plan.now,
            candidates=verdict.candidates,
            fallbacks=fallbacks(verdict.candidates),
            rejected=tuple(islice(rejected, order.max_rejected)),
            rejection_counts=counts,
            tier=plan.tier,
            usage=plan.usage,
            output=plan.output,
            policy=order.policy,
            stale=self._staleness(answers),
            versions=self._versions(plan, answers),
            reason=reason_for(verdict.candidates, is_panic=verdict.is_panic),
            named_model=order.named_model,
            is_floor_relaxed=listed.is_floor_relaxed,
            baseline_cost=self._baseline_cost(plan, answers),
            probe_permit=choice.probe_permit,
            is_panic=verdict.is_panic,
        )

    def _staleness(self, answers: _Answers) -> Staleness:
        quotes = answers.quotes
        return Staleness(
            prices=quotes is None or quotes.is_stale,
            health=answers.health is None,
            catalog=self._ports.catalog.is_stale,
        )

    def _versions(self, plan: _Plan, answers: _Answers) -> Versions:
        book, health = self._ports.prices.book, answers.health
        known = book.version if book is not None else 0
        return Versions(
            prices=answers.quotes.version if answers.quotes is not None else known,
            catalog=plan.catalog.version,
            health=health.version if health is not None else self._ports.health.version,
        )

    def _baseline_cost(self, plan: _Plan, answers: _Answers) -> Cost | None:
        return self._pricer(plan, answers.quotes)(plan.baseline).cost if plan.baseline else None


def _resolved(catalog: Catalog, name: str) -> tuple[Offer, ...]:
    """Return the offers that a name means; none for no name.

    Raises:
        ModelNotFoundError: The name is unknown.
    """
    if not name:
        return ()
    found = catalog.names.find(name)
    if not found:
        raise ModelNotFoundError(name, catalog.names.nearest.find(name))
    return tuple(catalog.by_id[offer] for offer in found)


def _usage(shape: RequestShape, output: OutputForecast) -> Usage:
    return Usage(
        input_tokens=shape.input_tokens,
        output_tokens=output.p50,
        image_tokens=shape.image_tokens,
        audio_tokens=shape.audio_tokens,
        video_tokens=shape.video_tokens,
    )


def _criteria(order: RouteOrder, plan: _Plan, floor: float) -> Criteria:
    policy = order.policy
    return Criteria(
        needed_capabilities=needed_capabilities(order.shape) | policy.required_capabilities,
        quality_floor=floor,
        weights=policy.weights,
        prompt_tokens=size_bucket(plan.usage.prompt_tokens),
        output_tokens=size_bucket(plan.usage.output_tokens),
        keys=plan.keys,
        allowed_providers=policy.allowed_providers,
        denied_providers=policy.denied_providers,
        region=policy.region,
        task_type=policy.task_type,
        allow_unpriced=policy.allow_unpriced,
        # Who names a model takes it as it is sold.
        allow_free=policy.allow_free or bool(plan.named),
    )


def _other_models(plan: _Plan) -> Iterable[Rejection]:
    named = {offer.offer for offer in plan.named}
    for offer in plan.catalog.offers:
        if offer.offer not in named:
            detail = f"An offer of {offer.model}, another model than the request names."
            yield Rejection(offer.offer, RejectionReason.OTHER_MODEL, detail)


def _refuse_without_candidates(verdict: Verdict, listed: Shortlist, now: datetime) -> None:
    if verdict.candidates:
        return
    if verdict.unhealthy_count:
        retry = verdict.retry_time - now if verdict.retry_time is not None else None
        raise NoHealthyOfferError(verdict.unhealthy_count, retry)
    counts = Counter(listed.counts)
    counts.update(each.reason for each in verdict.rejected)
    raise NoEligibleOfferError(_counts_by_name(counts))


def _counts_by_name(counts: Mapping[RejectionReason, int]) -> dict[str, int]:
    return {f"REJECTION_REASON_{reason.name}": count for reason, count in counts.items()}
