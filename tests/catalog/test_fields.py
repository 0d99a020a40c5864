"""Typed access to fields of strangers."""

from datetime import date
from decimal import Decimal

import pytest

from steelyard_catalog.fields import count, day, flag, number, text, texts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (128000, 128000),
        (Decimal("32000.0"), 32000),
        ("8192", 8192),
        (0, 0),
        (-1, None),
        (Decimal("1.5"), None),
        (True, None),
        ("many", None),
        ("9" * 30, None),
        (10**16, None),
        (None, None),
        ([1], None),
    ],
)
def test_counts_are_whole_and_not_negative(value: object, expected: int | None) -> None:
    assert count({"it": value}, "it") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-30", date(2026, 11, 30)),
        ("2026-02", date(2026, 2, 1)),
        ("2025", date(2025, 1, 1)),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("0000", None),
        ("30/11/2026", None),
        ("date when the model becomes deprecated", None),
        (20261130, None),
    ],
)
def test_dates_may_be_cut_short(value: object, expected: date | None) -> None:
    assert day({"it": value}, "it") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), ("true", None), (1, None), (None, None)]
)
def test_flags_say_yes_no_or_nothing(value: object, expected: bool | None) -> None:  # noqa: FBT001
    assert flag({"it": value}, "it") is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("OpenAI", "OpenAI"), ("größer", "größer"), ("\ud800", ""), ("x" * 3000, ""), (5, "")],
)
def test_texts_can_be_sent_on(value: object, expected: str) -> None:
    assert text({"it": value}, "it") == expected


def test_lists_keep_what_is_text() -> None:
    assert texts({"it": ["text", 5, None, "\ud800", "image"]}, "it") == ("text", "image")
    assert texts({"it": "text"}, "it") == ()


def test_numbers_are_exact() -> None:
    assert number({"it": Decimal("2.5e-6")}, "it") == Decimal("0.0000025")
    assert number({"it": -1}, "it") == Decimal(-1)
    assert number({"it": True}, "it") is None
    assert number({}, "it") is None
