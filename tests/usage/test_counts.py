"""The classes are those of the contract."""

from dataclasses import asdict, fields

import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard_pricing.domain.components import PROMPT_COMPONENTS, USAGE_CLASSES, UsageClass
from steelyard_pricing.domain.quote import MAX_COUNT as PRICED_MAX_COUNT
from steelyard_usage.counts import MAX_COUNT, UsageCounts

NAMES = [field.name for field in fields(UsageCounts)]


def test_the_fields_are_those_of_the_contract_in_its_order() -> None:
    assert [field.name for field in Usage.DESCRIPTOR.fields] == NAMES
    assert [f"{usage_class.name}_count" for usage_class in USAGE_CLASSES] == NAMES


def test_counts_fill_a_message_of_the_contract() -> None:
    counts = UsageCounts(cache_write_1h_token_count=3, query_count=2)

    message = Usage(**asdict(counts))

    assert (message.cache_write_1h_token_count, message.query_count) == (3, 2)


def test_the_limit_is_that_of_pricing() -> None:
    assert MAX_COUNT == PRICED_MAX_COUNT


@pytest.mark.parametrize("usage_class", USAGE_CLASSES, ids=lambda each: each.name)
def test_the_size_of_a_prompt_is_what_bands_go_by(usage_class: UsageClass) -> None:
    index = USAGE_CLASSES.index(usage_class)

    counts = UsageCounts(**{NAMES[index]: 7})

    is_prompt = usage_class.component in PROMPT_COMPONENTS
    assert counts.prompt_tokens == (7 if is_prompt else 0)
    is_completion = usage_class.component.is_token and not is_prompt
    assert counts.completion_tokens == (7 if is_completion else 0)


def test_a_sum_is_made_by_class() -> None:
    total = UsageCounts(query_count=1, page_count=2) + UsageCounts(query_count=3)

    assert total == UsageCounts(query_count=4, page_count=2)
