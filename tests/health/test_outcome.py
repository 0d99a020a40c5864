"""What an outcome may be, and what it says of its provider."""

from typing import Any

import pytest

from steelyard_health.domain.outcome import (
    Outcome,
    Result,
    UnusableOutcomeError,
    is_offer,
    is_provider,
)
from tests.health.outcomes import Reports, an_outcome


@pytest.mark.parametrize(
    ("result", "samples", "failures"),
    [
        (Result.SUCCESS, 1, 0),
        (Result.SERVER_ERROR, 1, 1),
        (Result.TIMEOUT, 1, 1),
        (Result.CONNECTION_ERROR, 1, 1),
        (Result.TRUNCATED, 1, 1),
        (Result.RATE_LIMITED, 0, 0),
        (Result.CLIENT_ERROR, 0, 0),
        (Result.AUTH_ERROR, 0, 0),
        (Result.CANCELLED, 0, 0),
    ],
)
def test_only_what_is_the_providers_fault_counts_as_its_failure(
    result: Result, samples: int, failures: int
) -> None:
    reports = Reports()

    reports.report(an_outcome(result))

    view = reports.provider()
    assert view.figures.sample_count == samples
    assert view.standing.failures_in_row == failures
    assert view.standing.last_outcome_at == reports.now


def test_every_result_is_in_the_table_above() -> None:
    assert len(Result) == 9


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"outcome_id": ""}, "outcome_id"),
        ({"outcome_id": "x" * 65}, "outcome_id"),
        ({"offer": ""}, "offer"),
        ({"offer": "gpt-4o"}, "offer"),
        ({"offer": "/gpt-4o"}, "offer"),
        ({"offer": "openai/"}, "offer"),
        ({"offer": "openai/gpt 4o"}, "offer"),
        ({"offer": "openai/gpt\n4o"}, "offer"),
        ({"offer": "openai/" + "x" * 256}, "offer"),
        ({"age_seconds": 300.1}, "end_time"),
        ({"age_seconds": -0.1}, "end_time"),
        ({"latency_seconds": -0.001}, "latency"),
        ({"latency_seconds": 3600.1}, "latency"),
        ({"latency_seconds": float("nan")}, "latency"),
        ({"first_token_seconds": -1.0}, "time_to_first_token"),
        ({"first_token_seconds": 3601.0}, "time_to_first_token"),
        ({"first_token_seconds": 2.1, "latency_seconds": 2.0}, "time_to_first_token"),
        ({"output_token_count": -1}, "output_token_count"),
        ({"output_token_count": 50_000_001}, "output_token_count"),
    ],
)
def test_an_outcome_that_makes_no_sense_is_refused(wrong: dict[str, Any], field: str) -> None:
    good = {"outcome_id": "out_1", "offer": "openai/gpt-4o", "result": Result.SUCCESS}

    with pytest.raises(UnusableOutcomeError, match=f"^{field}: "):
        Outcome(**{**good, **wrong})


@pytest.mark.parametrize(
    "offer",
    [
        "openai/gpt-4o",
        "openrouter/openai/gpt-4o:free",
        "openrouter/~anthropic/claude-latest",
        "bedrock/anthropic.claude-sonnet-4-v1:0",
        "groq/llama-3.3-70b-versatile@eu",
        "acme_2.x/" + "m" * 255,
    ],
)
def test_ids_of_real_offers_are_accepted(offer: str) -> None:
    assert is_offer(offer)
    assert is_provider(offer.partition("/")[0])


def test_an_offer_is_no_provider() -> None:
    assert not is_provider("openai/gpt-4o")
    assert not is_provider("")
