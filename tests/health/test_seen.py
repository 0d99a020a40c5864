"""How long and how many outcome ids are remembered."""

from steelyard_health.domain.seen import SeenOutcomes


def test_an_id_is_new_once() -> None:
    seen = SeenOutcomes(600)

    assert [seen.add("a", 0.0), seen.add("b", 0.0), seen.add("a", 1.0)] == [True, True, False]


def test_an_id_is_remembered_over_the_window_under_steady_reports() -> None:
    seen = SeenOutcomes(10_000)
    seen.add("first", 0.0)

    for second in range(1, 301):
        seen.add(second, float(second))

    assert not seen.add("first", 300.0)


def test_an_id_is_forgotten_some_time_after_the_window() -> None:
    seen = SeenOutcomes(10_000)
    seen.add("first", 0.0)

    for second in range(1, 400):
        seen.add(second, float(second))

    assert seen.add("first", 400.0)


def test_more_ids_than_there_is_room_for_push_out_the_oldest() -> None:
    seen = SeenOutcomes(600)

    for number in range(10_000):
        seen.add(number, 0.0)

    assert len(seen) <= 600
    assert not seen.add(9_999, 0.0)
    assert not seen.add(9_600, 0.0)
    assert seen.add(0, 0.0)
