"""Costs from the router's own rate cards."""

import pytest

from steelyard_router.domain.rates import Cost, RateBand, RateCard, card_cost, cost_p90
from steelyard_router.domain.usage import Usage
from tests.router.builders import a_card

GEMINI = RateCard((RateBand(0, 1_250_000, 10_000_000), RateBand(200_000, 2_500_000, 15_000_000)))


def test_a_cost_is_the_sum_of_count_times_rate() -> None:
    cost = card_cost(a_card(2_500_000, 10_000_000), Usage(1000, 500))

    assert cost == Cost(total=7_500_000_000, input=2_500_000_000, output=5_000_000_000)


@pytest.mark.parametrize(
    ("prompt_tokens", "rate"), [(200_000, 1_250_000), (200_001, 2_500_000), (1, 1_250_000)]
)
def test_a_band_applies_above_its_threshold_to_the_whole_prompt(
    prompt_tokens: int, rate: int
) -> None:
    assert card_cost(GEMINI, Usage(prompt_tokens, 0)).total == prompt_tokens * rate


def test_images_are_billed_like_text_and_count_for_the_band() -> None:
    cost = card_cost(GEMINI, Usage(199_000, 0, image_tokens=2_000))

    assert cost.input == 199_000 * 2_500_000
    assert cost.media == 2_000 * 2_500_000
    assert cost.total == 201_000 * 2_500_000


def test_a_charge_per_request_is_added() -> None:
    card = RateCard((RateBand(0, 1, 1),), request=7)

    assert card_cost(card, Usage(1, 1)) == Cost(total=9, input=1, output=1, request=7)


def test_the_90th_percentile_scales_what_the_completion_costs() -> None:
    cost = Cost(total=1_000, input=400, output=500, reasoning=100)

    assert cost_p90(cost, 500, 850) == 400 + 600 * 850 // 500
    assert cost_p90(cost, 500, 500) == 1_000


def test_the_90th_percentile_is_never_rounded_down() -> None:
    assert cost_p90(Cost(total=1, output=1), 3, 4) == 2
