"""What is said of prompt caches."""

from typing import Any

import pytest

from steelyard_pricing.domain.cache_policy import cache_policy
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rates import Rate
from tests.pricing.builders import a_fact, tokens

READ = Rate(Component.CACHE_READ_TOKEN, 5)


@pytest.mark.parametrize(
    ("offer", "facts", "supported", "minimum"),
    [
        ("openai/gpt-4o", {"supports_caching": True}, (True, "flag"), (1024, "provider_default")),
        ("anthropic/c", {"supports_caching": True}, (True, "flag"), (2048, "provider_default")),
        ("google/g", {"supports_caching": True}, (True, "flag"), (1024, "provider_default")),
        ("acme/m", {"supports_caching": True}, (True, "flag"), (0, "provider_default")),
        (
            "openai/m",
            {"supports_caching": True, "cache_min_tokens": 4096},
            (True, "flag"),
            (4096, "source"),
        ),
        ("openai/m", {"supports_caching": False}, (False, "flag"), (0, "provider_default")),
        ("openai/m", {}, (False, "unknown"), (0, "provider_default")),
        ("openai/m", {"rates": [READ]}, (True, "price"), (1024, "provider_default")),
    ],
)
def test_p2_the_source_is_believed_first_then_its_prices_then_the_seller(
    offer: str,
    facts: dict[str, Any],
    supported: tuple[bool, str],
    minimum: tuple[int, str],
) -> None:
    rates = [*tokens(), *facts.pop("rates", [])]

    policy = cache_policy(a_fact(offer, rates, **facts))

    assert (policy.is_supported, policy.supported_source) == supported
    assert (policy.min_tokens, policy.min_tokens_source) == minimum


def test_prices_of_the_cache_are_published_ones_and_no_fallbacks() -> None:
    policy = cache_policy(a_fact(rates=[*tokens(), READ]))

    assert (policy.read, policy.write, policy.write_1h) == (5, None, None)
