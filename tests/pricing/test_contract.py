"""The domain's numbers are those of the contract."""

import re
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from steelyard.common.v1 import model_traits_pb2, usage_pb2
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_pricing.domain.components import (
    COMPONENT_SLOTS,
    FALLBACKS,
    USAGE_CLASSES,
    Component,
)
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.refresh_events import Phase
from steelyard_pricing.domain.snapshot import NameMatch

PROTO = Path(__file__).parents[2] / "protos" / "steelyard" / "pricing" / "v1" / "price.proto"


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (Component, price_pb2.PriceComponent, "PRICE_COMPONENT_"),
        (Mode, model_traits_pb2.Mode, "MODE_"),
        (Capability, model_traits_pb2.Capability, "CAPABILITY_"),
        (Phase, pb.RefreshPhase, "REFRESH_PHASE_"),
        (NameMatch, pb.NameMatch, "NAME_MATCH_"),
    ],
)
def test_enums_have_the_names_and_numbers_of_the_contract(
    ours: type[IntEnum], theirs: Any, prefix: str
) -> None:
    expected = {name.removeprefix(prefix): number for name, number in theirs.items()}
    if "UNSPECIFIED" not in ours.__members__:
        del expected["UNSPECIFIED"]

    assert {member.name: member.value for member in ours} == expected


def test_usage_classes_are_the_fields_of_the_contract() -> None:
    names = [f"{usage_class.name}_count" for usage_class in USAGE_CLASSES]

    assert names == [field.name for field in usage_pb2.Usage.DESCRIPTOR.fields]


def test_fallbacks_are_those_that_the_contract_documents() -> None:
    documented = re.findall(r"Falls back to (\w+)\.\s+PRICE_COMPONENT_(\w+) =", PROTO.read_text())

    assert {(other.name, one.name) for one, other in FALLBACKS.items()} == set(documented)
    assert all(component < COMPONENT_SLOTS for component in Component)
