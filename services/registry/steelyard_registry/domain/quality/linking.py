"""Figures of one edition put on our scale, through models whose score is known.

Everything here is about one metric of one edition: figures of two editions, or of a leaderboard
with and without style control, have scales of their own and never meet in one fit.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import NormalDist, fmean, median
from typing import Protocol

from steelyard_registry.domain.quality.pooling import WIDTH

MIN_ANCHORS = 8
RATING_METRIC = "elo"
# Nothing and everything have no logit.
_EDGE = 0.005
_SHARE_ERROR = 0.01
# Pairs of anchors that a metric must order as their scores do: below, it measures something else.
_MIN_CONCORDANCE = 0.6
# In logits. The known scores are themselves no surer, however well a line goes through them.
_MIN_SPREAD = 0.08
# Residuals beyond so many spreads are bad joins or bad figures, which must not widen all others.
_OUTLIER = 3.0
# How far above the best anchor a figure may be placed, in logits: 97.5 points become 98.2.
_MAX_BEYOND = 0.35
_MAD_TO_SPREAD = 1.4826
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """A model that has both a figure and a score on our scale."""

    value: float
    score: float
    """Above 0, below 100."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a figure lies on our scale."""

    score: float
    uncertainty: float
    """Half width of the 95 % interval, in points."""


class Link(Protocol):
    """Takes figures to our scale, the larger always above the smaller."""

    @property
    def normalization(self) -> str:
        """What was done, for people."""

    def place(self, value: float, interval: tuple[float, float] | None = None) -> Placed:
        """Return where a figure lies, given the ends of its 95 % interval if they are known."""


def elo_linear(rating: float) -> float:
    """Return the legacy score of a rating: 800 is 0 and 1300 is 100, beyond which it saturates.

    Only for callers that ask for it; nothing is blended from it.
    """
    return min(max((rating - 800.0) / 5.0, 0.0), _PERCENT)


def fit_link(
    values: Sequence[float],
    anchors: Sequence[Anchor],
    *,
    metric: str,
    reference: Sequence[float],
) -> Link:
    """Return a link by the anchors, or by ranks when they are too few or do not follow the metric.

    Args:
        values: All figures of the metric in the edition; at least one.
        anchors: Of the models among them whose score is known.
        metric: `elo` for ratings; everything else is a share from 0 to 1.
        reference: Scores whose spread is taken when the anchors do not give it; at least one.
    """
    scale = Scale.RATING if metric == RATING_METRIC else Scale.SHARE
    points = [(scale.of(anchor.value), logit(anchor.score)) for anchor in anchors]
    line = _robust_line(scale, points) if len(points) >= MIN_ANCHORS else None
    if line is not None:
        return line
    return _rank_link(scale, values, points, [logit(score) for score in reference])


def logit(score: float) -> float:
    """Return the log of the odds of a score from 0 to 100; the very ends are taken as near them."""
    share = min(max(score / _PERCENT, _EDGE), 1 - _EDGE)
    return math.log(share / (1 - share))


class Scale(StrEnum):
    """What figures are laid out on, so that the logits of scores are straight over it."""

    RATING = "Elo"
    SHARE = "the logit of the share"

    def of(self, value: float) -> float:
        """Return where a figure lies: ratings in hundreds, shares as the log of their odds."""
        if self is Scale.RATING:
            return value / 100.0
        # Squeezed, because 0 and 1 have no logit; cutting would make equal what is not.
        share = _EDGE + (1 - 2 * _EDGE) * value
        return math.log(share / (1 - share))

    def half_width(self, value: float, interval: tuple[float, float] | None) -> float:
        """Return half the width of a figure's 95 % interval on this scale.

        Shares come without one. Another run of the same test gives a percent more or less, which
        is much for models that can do next to nothing of it.
        """
        if interval is not None:
            return (self.of(interval[1]) - self.of(interval[0])) / 2
        if self is Scale.RATING:
            return 0.0
        low, high = max(value - _SHARE_ERROR, 0.0), min(value + _SHARE_ERROR, 1.0)
        return (self.of(high) - self.of(low)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticLink:
    """The logit of the score is a straight line over the figures."""

    scale: Scale
    slope: float
    offset: float
    spread: float
    """Of the anchors around the line, one standard deviation in logits."""
    centre: float
    """Mean of the anchors on the scale of the figures."""
    extent: float
    """Sum of their squared distances from it."""
    anchor_count: int
    reach: float
    """Logit on the line of the best anchor."""

    @property
    def normalization(self) -> str:
        """What was done, for people."""
        unknown = "rating/100" if self.scale is Scale.RATING else "logit(share)"
        return (
            f"logistic link of {self.scale} on {self.anchor_count} models with a known score; "
            f"logit(score) = {self.slope:.3f} {unknown} {self.offset:+.3f}, "
            f"spread {self.spread:.2f}"
        )

    def place(self, value: float, interval: tuple[float, float] | None = None) -> Placed:
        """Return where a figure lies; far from the anchors the line itself is less sure."""
        x = self.scale.of(value)
        distance = (x - self.centre) ** 2 / self.extent
        # Of few anchors the spread is not known well either: about Student's quantile.
        quantile = WIDTH + 2.7 / (self.anchor_count - 2)
        width = quantile * self.spread * math.sqrt(1 + 1 / self.anchor_count + distance)
        own = self.slope * self.scale.half_width(value, interval)
        return self._within_reach(self.offset + self.slope * x, math.hypot(width, own))

    def _within_reach(self, y: float, width: float) -> Placed:
        """Place what is better than every anchor close to the best of them, and never surer.

        A line that nothing holds on that side is no evidence that somebody has left all others
        behind; and where the scale ends, the same width makes fewer points.
        """
        if y <= self.reach:
            return _placed(y, width)
        beyond = _MAX_BEYOND * (1 - math.exp((self.reach - y) / _MAX_BEYOND))
        placed = _placed(self.reach + beyond, width)
        return Placed(placed.score, max(placed.uncertainty, _placed(self.reach, width).uncertainty))


@dataclass(frozen=True, slots=True, kw_only=True)
class RankLink:
    """Normal scores of the ranks within the edition, as wide as the reference."""

    scale: Scale
    ordered: tuple[float, ...]
    """All figures, ascending, on their scale."""
    centre: float
    spread: float
    anchor_count: int

    @property
    def normalization(self) -> str:
        """What was done, for people."""
        return (
            f"rank among {len(self.ordered)} figures, spread like the known scores and as unsure; "
            f"{self.anchor_count} models with a known score do not make a link"
        )

    def place(self, value: float, interval: tuple[float, float] | None = None) -> Placed:
        """Return where a figure lies; the whole spread of the reference is its uncertainty."""
        y = self._logit(self.scale.of(value))
        own = 0.0
        if interval is not None:
            low, high = (self._logit(self.scale.of(end)) for end in interval)
            own = (high - low) / 2
        return _placed(y, math.hypot(WIDTH * self.spread, own))

    def _logit(self, x: float) -> float:
        return self.centre + self.spread * _normal_score(self.ordered, x)


def _robust_line(scale: Scale, points: Sequence[tuple[float, float]]) -> LogisticLink | None:
    """Fit Theil and Sen's line; None when the points do not rise."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if a[0] != b[0]]
    if not slopes:
        return None
    slope = median(slopes)
    rising = math.fsum(1.0 if each > 0 else 0.5 if each == 0 else 0.0 for each in slopes)
    if slope <= 0 or rising < _MIN_CONCORDANCE * len(slopes):
        return None
    offset = median(y - slope * x for x, y in points)
    centre = fmean(x for x, _ in points)
    return LogisticLink(
        scale=scale,
        slope=slope,
        offset=offset,
        spread=_robust_spread([y - offset - slope * x for x, y in points]),
        centre=centre,
        extent=math.fsum((x - centre) ** 2 for x, _ in points),
        anchor_count=len(points),
        reach=offset + slope * max(x for x, _ in points),
    )


def _robust_spread(residuals: Sequence[float]) -> float:
    usual = max(_MAD_TO_SPREAD * median(abs(each) for each in residuals), _MIN_SPREAD)
    kept = [min(abs(each), _OUTLIER * usual) for each in residuals]
    # Two degrees of freedom went into the line.
    return max(math.sqrt(math.fsum(each**2 for each in kept) / (len(kept) - 2)), _MIN_SPREAD)


def _rank_link(
    scale: Scale,
    values: Sequence[float],
    points: Sequence[tuple[float, float]],
    reference: Sequence[float],
) -> RankLink:
    ordered = tuple(sorted(scale.of(value) for value in values))
    usual = median(reference)
    spread = max(_MAD_TO_SPREAD * median(abs(each - usual) for each in reference), _MIN_SPREAD)
    # An old edition has no frontier of today: the few anchors that it has say where it lies.
    centre = median([y - spread * _normal_score(ordered, x) for x, y in points] or [usual])
    return RankLink(
        scale=scale, ordered=ordered, centre=centre, spread=spread, anchor_count=len(points)
    )


def _normal_score(ordered: Sequence[float], x: float) -> float:
    """Return the normal quantile of where a value lies among all, between two of them evenly."""
    below, upto = bisect_left(ordered, x), bisect_right(ordered, x)
    rank = (below + upto) / 2
    if below == upto and 0 < below < len(ordered):
        before, after = ordered[below - 1], ordered[below]
        rank += (x - before) / (after - before) - 0.5
    count = len(ordered)
    return NormalDist().inv_cdf(min(max(rank, 0.5), count - 0.5) / count)


def _placed(y: float, width: float) -> Placed:
    return Placed(score=_percent(y), uncertainty=(_percent(y + width) - _percent(y - width)) / 2)


def _percent(y: float) -> float:
    # Both ways keep the exponent from overflowing.
    odds = math.exp(-abs(y))
    return _PERCENT * (1 / (1 + odds) if y > 0 else odds / (1 + odds))
