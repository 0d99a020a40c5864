"""Sellers as the registry tells of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A seller: how to call it, and where it tells how it is."""

    provider: str
    display_name: str
    base_url: str = ""
    """Root of its API; empty when Steelyard cannot call it."""
    wire_format: str = ""
    """`openai`, `anthropic`, `gemini`, or empty when Steelyard cannot call it."""
    auth_style: str = ""
    """`bearer`, `x-api-key`, `x-goog-api-key`, `none`, or empty when it is not known."""
    key_variables: tuple[str, ...] = ()
    """Environment variables that may hold the platform's key, in order of precedence."""
    status_page_url: str = ""
    """For people; empty when none is known."""
    status_api_url: str = ""
    """For programs; empty when none is known."""
    status_format: str = ""
    """Format of the latter, such as `statuspage`; empty when none is known."""
