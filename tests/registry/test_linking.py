"""Figures of one edition on our scale."""

import math
from collections.abc import Callable, Sequence
from random import Random

import pytest

from steelyard_registry.domain.quality.linking import (
    MIN_ANCHORS,
    Anchor,
    Link,
    LogisticLink,
    RankLink,
    elo_linear,
    fit_link,
)

REFERENCE = (76.0, 81.0, 84.5, 85.0, 86.5, 88.5, 90.0, 91.0, 93.0, 95.0, 97.0)
RATINGS = tuple(1100.0 + 20 * step for step in range(21))


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same figures in every run


def true_score(rating: float) -> float:
    """Return a score on a known line: 1230 is 80.5, 1500 is 92.4."""
    return 100 / (1 + math.exp(-(0.004 * rating - 3.5)))


def anchors_of(ratings: Sequence[float], score: Callable[[float], float]) -> list[Anchor]:
    return [Anchor(rating, score(rating)) for rating in ratings]


def elo_link(anchors: Sequence[Anchor], values: Sequence[float] = RATINGS) -> Link:
    return fit_link(values, anchors, metric="elo", reference=REFERENCE)


def noisy(random: Random, rating: float, spread: float) -> float:
    odds = math.exp(0.004 * rating - 3.5 + random.gauss(0, spread))
    return 100 * odds / (1 + odds)


def test_a_link_finds_the_line_that_the_anchors_lie_on() -> None:
    link = elo_link(anchors_of(RATINGS, true_score))

    assert isinstance(link, LogisticLink)
    assert link.place(1233.0).score == pytest.approx(true_score(1233.0))
    assert link.place(1490.0).score == pytest.approx(true_score(1490.0))
    assert "Elo on 21 models" in link.normalization


def test_a_quarter_of_wrong_anchors_moves_a_link_by_less_than_its_uncertainty() -> None:
    wrong = {rating: 99.0 if rating < 1200 else 60.0 for rating in RATINGS[::4]}
    anchors = anchors_of(RATINGS, lambda rating: wrong.get(rating, true_score(rating)))

    link = elo_link(anchors)

    for rating in RATINGS:
        placed = link.place(rating)
        assert abs(placed.score - true_score(rating)) < placed.uncertainty


def test_what_no_anchor_holds_is_placed_near_the_best_of_them_and_is_never_surer() -> None:
    link = elo_link(anchors_of(RATINGS, true_score))
    best = link.place(RATINGS[-1])

    placed = [link.place(rating) for rating in (1520.0, 1650.0, 5000.0)]

    assert best.score < placed[0].score < placed[1].score <= placed[2].score
    assert placed[0].score == pytest.approx(true_score(1520.0), abs=0.1)
    assert placed[2].score < best.score + 3
    assert min(each.uncertainty for each in placed) >= best.uncertainty


def test_r9_the_top_does_not_saturate() -> None:
    link = elo_link(anchors_of(RATINGS, true_score))
    top = [1290.0, 1300.0, 1400.0, 1500.0, 1501.0, 1700.0, 2000.0]

    scores = [link.place(rating).score for rating in top]

    assert scores == sorted(set(scores))
    assert scores[-1] < 100
    assert [elo_linear(rating) for rating in top[1:]] == [100.0] * 6


@pytest.mark.parametrize(("rating", "score"), [(700, 0), (800, 0), (1050, 50), (1300, 100)])
def test_the_legacy_scale_is_kept_for_those_who_ask_for_it(rating: float, score: float) -> None:
    assert elo_linear(rating) == score


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("metric", ["elo", "mmlu"])
@pytest.mark.parametrize("count", [0, 1, MIN_ANCHORS - 1, MIN_ANCHORS, 40])
def test_distinct_figures_get_distinct_scores_in_their_order(
    seed: int, metric: str, count: int
) -> None:
    random = dice(seed)
    values = [
        random.uniform(700, 1600) if metric == "elo" else random.choice([0, 1, random.random()])
        for _ in range(60)
    ]
    anchors = [Anchor(value, random.choice(REFERENCE)) for value in values[:count]]

    link = fit_link(values, anchors, metric=metric, reference=REFERENCE)

    placed = [link.place(value) for value in sorted(set(values))]
    scores = [each.score for each in placed]
    assert scores == sorted(set(scores))
    assert 0 < scores[0] <= scores[-1] < 100
    assert all(each.uncertainty > 0 for each in placed)


def test_figures_far_from_the_anchors_and_with_wide_intervals_are_less_sure() -> None:
    random = dice(3)
    link = elo_link([Anchor(rating, noisy(random, rating, 0.15)) for rating in RATINGS])

    assert isinstance(link, LogisticLink)
    plain, sure, unsure = (
        link.place(1300.0, interval).uncertainty
        for interval in (None, (1299.0, 1301.0), (1200.0, 1400.0))
    )
    assert plain < sure < plain * 1.01 < unsure
    # In logits, as points are narrower towards 100.
    near, far = (
        placed.uncertainty / (placed.score * (100 - placed.score))
        for placed in (link.place(1300.0), link.place(1700.0))
    )
    assert far > near * 1.1


def test_uncertainties_hold_what_they_promise() -> None:
    random, inside, total = dice(11), 0, 0
    for _ in range(100):
        anchors = [Anchor(rating, noisy(random, rating, 0.2)) for rating in RATINGS]
        link = elo_link(anchors)
        for _ in range(10):
            rating = random.uniform(1100, 1500)
            placed = link.place(rating)
            inside += abs(placed.score - noisy(random, rating, 0.2)) < placed.uncertainty
            total += 1

    assert 0.92 < inside / total < 0.99


@pytest.mark.parametrize("ratings", [(), RATINGS[:1], RATINGS[: MIN_ANCHORS - 1]])
def test_too_few_anchors_make_no_line_but_a_wide_guess_by_rank(ratings: Sequence[float]) -> None:
    link = elo_link(anchors_of(ratings, true_score))

    assert isinstance(link, RankLink)
    assert f"{len(ratings)} models" in link.normalization
    assert "rank among 21 figures" in link.normalization
    assert all(link.place(rating).uncertainty > 8 for rating in RATINGS[:12])


def test_anchors_against_the_metric_make_no_line() -> None:
    falling = elo_link(anchors_of(RATINGS, lambda rating: true_score(2600 - rating)))
    random = dice(5)
    loose = elo_link(anchors_of(RATINGS, lambda _: random.choice(REFERENCE)))
    same_figure = elo_link([Anchor(1200.0, score) for score in REFERENCE])

    assert isinstance(falling, RankLink)
    assert isinstance(loose, RankLink)
    assert isinstance(same_figure, RankLink)
    assert falling.place(1500.0).score > falling.place(1100.0).score


def test_a_few_anchors_say_where_an_old_edition_lies() -> None:
    weak = elo_link([Anchor(1300.0, 80.0), Anchor(1400.0, 83.0)])
    unknown = elo_link([])

    assert weak.place(1350.0).score == pytest.approx(81.5, abs=2)
    assert unknown.place(1300.0).score == pytest.approx(88.5)


def test_ranks_take_ends_of_intervals_and_figures_between_the_others() -> None:
    link = elo_link([])

    between = [link.place(value).score for value in (1300.0, 1305.0, 1310.0, 1320.0)]
    assert between == sorted(set(between))
    assert link.place(5000.0) == link.place(1500.0)
    assert link.place(1300.0, (1200.0, 1400.0)).uncertainty > link.place(1300.0).uncertainty


def test_one_figure_alone_is_in_the_middle() -> None:
    link = fit_link([0.7], [], metric="mmlu", reference=[80.0])

    assert link.place(0.7).score == pytest.approx(80.0)


def test_shares_are_linked_by_their_odds_from_nothing_right_to_everything() -> None:
    shares = [0.05 + 0.05 * step for step in range(19)]
    anchors = [Anchor(share, 100 * 4 * share / (1 + 3 * share)) for share in shares]

    link = fit_link(shares, anchors, metric="gpqa", reference=REFERENCE)

    assert link.place(0.5).score == pytest.approx(80, abs=0.5)
    assert 0 < link.place(0.0).score < link.place(0.001).score
    assert link.place(0.9).score < link.place(0.99).score < link.place(1.0).score < 100
    assert link.place(0.9, (0.85, 0.95)).uncertainty > link.place(0.9).uncertainty
    assert "the logit of the share on 19 models" in link.normalization


def test_a_share_near_the_floor_of_a_test_tells_little() -> None:
    shares = [0.04 + 0.02 * step for step in range(28)]
    odds = [25 * (share / (1 - share)) ** 0.7 for share in shares]
    anchors = [Anchor(share, 100 * o / (1 + o)) for share, o in zip(shares, odds, strict=True)]

    link = fit_link(shares, anchors, metric="aa-intelligence-index", reference=REFERENCE)

    floor, above = link.place(0.02), link.place(0.3)
    assert floor.uncertainty > 3 * above.uncertainty
