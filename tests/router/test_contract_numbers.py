"""The domain's enums have the numbers of the contract's."""

from enum import IntEnum
from typing import Any

import pytest

from steelyard.common.v1.model_traits_pb2 import Capability as CapabilityProto
from steelyard.router.v1 import chat_pb2, decision_pb2, key_service_pb2
from steelyard_router.domain.capability import Capability
from steelyard_router.domain.key_source import KeySource
from steelyard_router.domain.rejection import RejectionReason
from steelyard_router.domain.requirements import AnswerFormat
from steelyard_router.domain.tier import Tier


@pytest.mark.parametrize(
    ("ours", "proto", "prefix"),
    [
        (Capability, CapabilityProto, "CAPABILITY_"),
        (Tier, decision_pb2.Tier, "TIER_"),
        (RejectionReason, decision_pb2.RejectionReason, "REJECTION_REASON_"),
        (KeySource, key_service_pb2.KeySource, "KEY_SOURCE_"),
        (AnswerFormat, chat_pb2.ResponseFormatType, "RESPONSE_FORMAT_TYPE_"),
    ],
)
def test_every_number_of_the_contract_is_known_by_its_name(
    ours: type[IntEnum], proto: Any, prefix: str
) -> None:
    expected = {name.removeprefix(prefix): number for name, number in proto.items() if number}

    assert {member.name: member.value for member in ours} == expected
