"""Readings, so that a test shows only what matters to it."""

from dataclasses import asdict

from steelyard_usage.conventions import Convention, normalise
from steelyard_usage.provider_usage import ProviderUsage


def reading(convention: Convention, body: object) -> ProviderUsage:
    """Return what a body that tells something is read as."""
    usage = normalise(convention, body)
    assert usage is not None
    return usage


def tokens(usage: ProviderUsage) -> dict[str, int]:
    """Return the classes that were used: `{"reasoning_token": 5}`."""
    return {
        name.removesuffix("_count"): count
        for name, count in asdict(usage.counts).items()
        if count and name != "request_count"
    }
