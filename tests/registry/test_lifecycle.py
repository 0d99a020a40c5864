"""When offers come and go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from steelyard_registry.domain.decisions import Decisions, HandDecision
from steelyard_registry.domain.lifecycle import FORGET_AFTER, confirmed, state_of, taken_over
from steelyard_registry.domain.models import DeprecationReason, State
from steelyard_registry.domain.source_facts import SourceFacts
from steelyard_registry.domain.state import Records
from tests.registry.builders import TODAY, chat, facts_of

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
LATER = datetime(2026, 11, 2, tzinfo=UTC)
BOTH = facts_of({"gpt-1": chat("openai"), "gpt-2": chat("openai")})
ONE = facts_of({"gpt-1": chat("openai")})
OFFER = BOTH.offers[0]


def read_again(known: Records, facts: SourceFacts) -> Records:
    """Read a body a day later, with the date of the reading in each fact."""
    dated = tuple(replace(offer, observed_time=LATER) for offer in facts.offers)
    return taken_over(known, replace(facts, offers=dated), LATER, shipped={})


def test_facts_keep_the_time_at_which_they_were_first_read() -> None:
    known = taken_over({}, BOTH, FIRST, shipped={})

    assert read_again(known, BOTH) is known


def test_a_changed_fact_keeps_when_the_offer_was_first_seen() -> None:
    known = taken_over({}, BOTH, FIRST, shipped={})
    other = facts_of({"gpt-1": chat("openai", max_input_tokens=8), "gpt-2": chat("openai")})

    record = read_again(known, other)["openai/gpt-1"]

    assert (record.offer.max_input_tokens, record.offer.observed_time) == (8, LATER)
    assert record.first_seen_time == FIRST
    assert read_again(known, other)["openai/gpt-2"] is known["openai/gpt-2"]


def test_nobody_saw_come_what_the_program_ships_with() -> None:
    known = taken_over({}, BOTH, FIRST, shipped={"openai/gpt-1": OFFER})

    assert known["openai/gpt-1"].first_seen_time is None
    assert known["openai/gpt-2"].first_seen_time == FIRST


def test_a_source_that_confirms_a_body_confirms_what_is_missing_in_it() -> None:
    once = read_again(taken_over({}, BOTH, FIRST, shipped={}), ONE)

    twice = confirmed(once, LATER)

    assert (once["openai/gpt-2"].missed_syncs, twice["openai/gpt-2"].missed_syncs) == (1, 2)
    assert twice["openai/gpt-2"].missing_since == LATER
    assert twice["openai/gpt-1"] is once["openai/gpt-1"]
    assert confirmed(twice, LATER) is twice
    assert "openai/gpt-2" not in confirmed(twice, LATER + FORGET_AFTER + timedelta(seconds=1))


def said(name: str, state: State) -> dict[str, HandDecision]:
    """Return a word on a name, of when it had one offer."""
    return {
        name: HandDecision(
            name=name, state=state, actor="a", note="", time=FIRST, offers=("openai/gpt-1",)
        )
    }


@pytest.mark.parametrize(
    ("days_left", "missed", "decisions", "expected"),
    [
        (None, 0, {}, (State.ACTIVE, None)),
        (1, 1, {}, (State.ACTIVE, None)),
        (0, 0, {}, (State.DEPRECATED, DeprecationReason.DATE_PASSED)),
        (None, 2, {}, (State.DEPRECATED, DeprecationReason.MISSING)),
        (0, 2, said("gpt-1", State.ACTIVE), (State.ACTIVE, None)),
        (
            None,
            0,
            said("gpt-1", State.DEPRECATED),
            (State.DEPRECATED, DeprecationReason.BY_HAND),
        ),
        (
            None,
            0,
            said("gpt-1", State.DEPRECATED) | said("openai/gpt-1", State.ACTIVE),
            (State.ACTIVE, None),
        ),
    ],
)
def test_a_persons_word_comes_before_the_sellers_and_an_offer_before_its_model(
    days_left: int | None,
    missed: int,
    decisions: dict[str, HandDecision],
    expected: tuple[State, DeprecationReason | None],
) -> None:
    ends = None if days_left is None else TODAY + timedelta(days=days_left)

    decision = Decisions(decisions).find(OFFER)
    assert state_of(replace(OFFER, deprecation_date=ends), missed, decision, TODAY) == expected


def test_who_is_out_stays_out_under_another_name_and_takes_later_offers_along() -> None:
    decisions = Decisions(said("gpt-1", State.DEPRECATED))
    renamed = replace(OFFER, model="gpt-one")
    later = replace(OFFER, offer="azure/gpt-1")

    assert decisions.find(renamed) is not None
    assert decisions.find(later) is not None
    assert decisions.find(replace(later, model="gpt-one")) is None


def test_who_is_put_back_is_put_back_with_the_offers_of_that_moment() -> None:
    decisions = Decisions(said("gpt-1", State.ACTIVE))

    assert decisions.find(OFFER) is not None
    assert decisions.find(replace(OFFER, offer="azure/gpt-1")) is None
