"""One number for how well an offer or provider does."""

SUCCESS_WEIGHT = 0.7
LATENCY_WEIGHT = 0.3
SLOW_SECONDS = 5.0
"""A mean latency from which on nothing is given for speed."""

UNKNOWN_SCORE = 1.0
HEALTHY_SCORE = 0.5
"""The least score that counts as healthy."""

NO_STATUS_PAGE = 1.0
"""Status factor when nobody reads a status page."""

DECIMALS = 3
HALF_TRUST_SAMPLES = 10
"""As many samples as the state machine wants before it believes an error rate."""


def window_score(success_rate: float | None, mean_latency_seconds: float | None) -> float:
    """Return 0 (dead) to 1 (well), to three decimals.

    Args:
        success_rate: None when nothing is known, which is no reason to avoid anybody.
        mean_latency_seconds: Mean duration of all calls, failed ones too. None when no call was
            measured: then success alone decides.
    """
    if success_rate is None:
        return UNKNOWN_SCORE
    if mean_latency_seconds is None:
        return round(success_rate, DECIMALS)
    speed = max(0.0, 1 - mean_latency_seconds / SLOW_SECONDS)
    return round(SUCCESS_WEIGHT * success_rate + LATENCY_WEIGHT * speed, DECIMALS)


def effective_score(score: float, status_factor: float) -> float:
    """Return the score that counts, once the provider's own status page is heard."""
    return round(score * status_factor, DECIMALS)


def confidence(sample_count: int) -> float:
    """Return the trust in a score, 0 without samples, 0.5 at ten, towards 1."""
    return round(sample_count / (sample_count + HALF_TRUST_SAMPLES), DECIMALS)
