"""Page tokens: what clients get back goes in again, anything else is a clear error."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from steelyard_common.errors import InvalidFieldError
from steelyard_common.page_tokens import (
    from_page_token,
    from_text_page_token,
    from_whole_page_token,
    to_page_token,
)

READERS = (from_page_token, from_whole_page_token, from_text_page_token)


def token_of(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def test_places_come_back_as_they_went() -> None:
    assert from_page_token(to_page_token("q", -1.5, "gpt-4ø"), "q") == [-1.5, "gpt-4ø"]
    assert from_whole_page_token(to_page_token("q", 2**62), "q") == 2**62
    assert from_text_page_token(to_page_token("q", "a b"), "q") == "a b"


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "token",
    [
        "?",
        "å",
        "W1tbW1tb",
        token_of("q"),
        token_of([]),
        token_of({"q": 1}),
        token_of(["other", 1]),
        base64.urlsafe_b64encode(b"[" * 3000).decode(),
        to_page_token("q", "x" * 10_000),
    ],
)
def test_what_is_no_token_of_the_list_is_refused(
    read: Callable[[str, str], Any], token: str
) -> None:
    with pytest.raises(InvalidFieldError, match="is not a token of this list"):
        read(token, "q")


@pytest.mark.parametrize("place", [-1, 2**62 + 1, 1.0, True, None, "7", [7]])
def test_a_place_of_another_kind_is_no_number(place: Any) -> None:
    with pytest.raises(InvalidFieldError):
        from_whole_page_token(to_page_token("q", place), "q")


@pytest.mark.parametrize("place", [7, None, ["a"]])
def test_a_place_of_another_kind_is_no_text(place: Any) -> None:
    with pytest.raises(InvalidFieldError):
        from_text_page_token(to_page_token("q", place), "q")
