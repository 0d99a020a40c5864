"""What a page means for the API: other components never count, incidents do with measure."""

from collections.abc import Mapping
from typing import Any

import pytest

from steelyard_health.domain.status.level import StatusLevel, status_factor
from steelyard_health.domain.status.reading import UnreadablePageError
from tests.health.status.pages import incident, read, summary

OPERATIONAL, DEGRADED = StatusLevel.OPERATIONAL, StatusLevel.DEGRADED
OUTAGE, MAINTENANCE = StatusLevel.OUTAGE, StatusLevel.MAINTENANCE

WELL = {"Claude API (api.anthropic.com)": "operational", "claude.ai": "operational"}
APP_DOWN = {**WELL, "claude.ai": "major_outage"}


def level_of(
    components: Mapping[str, str], *incidents: Mapping[str, Any], provider: str = "anthropic"
) -> StatusLevel:
    return read("statuspage", summary(components, incidents), provider).level


@pytest.mark.parametrize(
    ("level", "factor"),
    [
        (StatusLevel.UNKNOWN, 1.0),
        (OPERATIONAL, 1.0),
        (DEGRADED, 0.75),
        (MAINTENANCE, 0.75),
        (OUTAGE, 0.5),
    ],
)
def test_no_page_takes_more_than_half_of_a_score(level: StatusLevel, factor: float) -> None:
    assert status_factor(level) == factor


@pytest.mark.parametrize(
    ("state", "level"),
    [
        ("operational", OPERATIONAL),
        ("degraded_performance", DEGRADED),
        ("partial_outage", DEGRADED),
        ("major_outage", OUTAGE),
        ("under_maintenance", MAINTENANCE),
    ],
)
def test_the_state_of_the_api_component_is_the_level(state: str, level: StatusLevel) -> None:
    assert level_of({**WELL, "Claude API (api.anthropic.com)": state}) is level


def test_the_app_is_down_and_the_api_is_not() -> None:
    page = summary(APP_DOWN, [incident("claude.ai is down", "critical", {"claude.ai": ""})])

    reading = read("statuspage", page, "anthropic")

    assert reading.level is OPERATIONAL
    assert [(each.touches_api, each.level) for each in reading.incidents] == [(False, OUTAGE)]


def test_an_incident_of_app_and_api_is_as_bad_as_the_api() -> None:
    api = {"Claude API (api.anthropic.com)": "degraded_performance"}
    both = incident("Errors", "critical", {**api, "claude.ai": "major_outage"})

    assert level_of({**APP_DOWN, **api}, both) is DEGRADED


def test_an_open_incident_on_an_api_component_that_is_called_well_is_degraded() -> None:
    named = {"Claude API (api.anthropic.com)": "operational"}

    assert level_of(WELL, incident("Errors", "critical", named)) is DEGRADED
    assert level_of(WELL, incident("News", "none", named)) is OPERATIONAL


def test_an_incident_that_names_nothing_is_at_most_degraded_while_components_are_well() -> None:
    assert level_of(WELL, incident("Errors", "critical")) is DEGRADED


def test_an_incident_that_names_nothing_is_what_it_says_once_the_api_is_not_well() -> None:
    slow = {**WELL, "Claude API (api.anthropic.com)": "degraded_performance"}

    assert level_of(slow, incident("Errors", "critical")) is OUTAGE
    assert level_of(slow, incident("Errors", "major")) is DEGRADED


def test_an_incident_that_names_nothing_is_of_the_only_component_that_is_not_well() -> None:
    assert level_of(APP_DOWN, incident("Errors", "critical")) is OPERATIONAL


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("Elevated errors on claude.ai", OPERATIONAL),
        ("Elevated errors on claude.ai and the API", DEGRADED),
        ("Login does not work", OPERATIONAL),
        ("Elevated errors", DEGRADED),
    ],
)
def test_a_title_tells_what_an_incident_is_of(title: str, level: StatusLevel) -> None:
    assert level_of(WELL, incident(title)) is level


def test_one_model_of_many_that_is_out_leaves_the_api_partly_down() -> None:
    models = {"API": "operational", "llama-4": "major_outage", "qwen-4": "operational"}

    assert level_of(models, provider="groq") is DEGRADED
    assert level_of({**models, "API": "major_outage"}, provider="groq") is OUTAGE


def test_the_group_of_a_component_is_part_of_its_name() -> None:
    page = {
        "components": [
            {"id": "a", "name": "ChatGPT", "group": True, "status": "major_outage"},
            {"id": "b", "name": "Responses", "group_id": "a", "status": "major_outage"},
            {"id": "c", "name": "Embeddings", "group_id": None, "status": "operational"},
        ]
    }

    assert read("statuspage", page, "openai").level is OPERATIONAL


def test_a_page_that_names_no_component_of_the_api_is_not_understood() -> None:
    with pytest.raises(UnreadablePageError, match="no component that is known as its API"):
        level_of({"Bard": "operational", "claude.ai": "operational"})


def test_a_state_of_the_api_in_a_word_that_is_not_known_is_not_understood() -> None:
    with pytest.raises(UnreadablePageError, match="what is not understood"):
        level_of({**WELL, "Claude API (api.anthropic.com)": "meh"})

    assert level_of({**WELL, "claude.ai": "meh"}) is OPERATIONAL


def test_texts_of_strangers_are_bounded() -> None:
    long = incident("E\u0000 rrors " + "x" * 1000, id="i" * 1000, shortlink="javascript:x")
    long |= {"incident_updates": [{"body": "<b>" + "y" * 5000, "created_at": "2026"}]}

    (told,) = read("statuspage", summary(WELL, [long]), "anthropic").incidents

    assert told.title.startswith("E rrors x")
    assert (len(told.title), len(told.incident_id), told.url) == (300, 64, "")
    assert len(told.description) == 2000


def test_what_lasts_is_kept_of_more_incidents_than_can_be() -> None:
    over = [
        incident(id=f"old{n}", status="resolved", started_at="2026-01-02T02:30:00Z")
        for n in range(300)
    ]

    kept = read("statuspage", summary(WELL, [*over, incident(id="open")]), "anthropic").incidents

    assert len(kept) == 200
    assert kept[0].incident_id == "open"
