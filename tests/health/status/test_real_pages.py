"""Bodies as publishers have them: every fixture is read to the right state."""

import gzip
import json
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from steelyard_health.domain.status.formats import READERS
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import UnreadablePageError
from tests.health.status.pages import NOW, RULES, read

pytestmark = pytest.mark.real_data

OPERATIONAL, DEGRADED, OUTAGE = StatusLevel.OPERATIONAL, StatusLevel.DEGRADED, StatusLevel.OUTAGE
SHAPES = {
    "anthropic_summary_app_down_api_ok.json": ("statuspage", "anthropic", OPERATIONAL),
    "betterstack_index.json": ("betterstack", "together_ai", DEGRADED),
    "deepseek_flashduty_summary_active.json": ("flashduty", "deepseek", DEGRADED),
    "gcp_incidents_one_open.json": ("google", "vertex_ai", DEGRADED),
    "instatus_v3_summary_hasissues.json": ("instatus", "perplexity", DEGRADED),
    "instatus_v3_summary_up.json": ("instatus", "perplexity", OPERATIONAL),
    "mistral_feed_log_not_state.rss": ("rss", "mistral", OPERATIONAL),
    "openai_summary_ok_no_incidents_key.json": ("statuspage", "openai", OPERATIONAL),
    "openai_summary_ok_null_incidents.json": ("statuspage", "openai", OPERATIONAL),
    "openai_summary_outage.json": ("statuspage", "openai", DEGRADED),
    "statuspage_indicator_none_with_open_incident.json": ("statuspage", "acme", DEGRADED),
}
# What the table of pages calls a format, by how the name begins.
FORMATS = {
    "incident.io": "statuspage",
    "Atlassian": "statuspage",
    "Statuspage": "statuspage",
    "Flashduty": "flashduty",
    "Checkly": "rss",
    "Google own": "google",
    "AWS own": "aws",
    "RSS": "rss",
    "own RSS": "rss",
    "Better Stack": "betterstack",
    "Instatus": "instatus",
}
# Ids of the table that the registry writes in another way.
PROVIDERS = {"google": "vertex_ai", "aws": "bedrock", "together": "together_ai"}
NOT_OURS = {"huggingface"}
SHAPE_UNKNOWN = {"meta"}
"""Its page is not in the registry: nobody has captured what it says when not all is well."""


@pytest.fixture
def status(real_data: Path) -> Path:
    return real_data / "status"


def test_every_fixture_has_an_expected_state(status: Path) -> None:
    fixtures = {each.name for each in (status / "shapes_synthetic").iterdir()}

    assert fixtures - {"README.md", "not_json_bot_wall.html"} == SHAPES.keys()


@pytest.mark.parametrize("name", SHAPES)
def test_every_fixture_is_read_to_the_right_state(status: Path, name: str) -> None:
    status_format, provider, level = SHAPES[name]
    body = (status / "shapes_synthetic" / name).read_bytes()

    assert read(status_format, body, provider).level is level


@pytest.mark.parametrize("status_format", sorted(READERS))
def test_a_bot_wall_is_not_a_page(status: Path, status_format: str) -> None:
    body = (status / "shapes_synthetic" / "not_json_bot_wall.html").read_bytes()

    with pytest.raises(UnreadablePageError):
        read(status_format, body)


@pytest.mark.parametrize("name", SHAPES)
def test_no_fixture_that_is_cut_off_is_read(status: Path, name: str) -> None:
    status_format, provider, _ = SHAPES[name]
    body = (status / "shapes_synthetic" / name).read_bytes().rstrip()

    for cut in range(0, len(body), 97):
        with pytest.raises(UnreadablePageError):
            read(status_format, body[:cut], provider)


def google_year(status: Path) -> list[dict[str, Any]]:
    body = gzip.decompress((status / "gcp_incidents_2022-07-03.json.gz").read_bytes())
    document: list[dict[str, Any]] = json.loads(body)
    return document


def as_of(moment: str, incidents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what Google's list said at a moment, all of which is told in UTC."""
    shown = []
    for each in incidents:
        updates = [update for update in each["updates"] if update["when"] <= moment]
        if each["begin"] <= moment and updates:
            told = {**each, "updates": updates, "most_recent_update": updates[0]}
            if each["end"] > moment:
                del told["end"]
            shown.append(told)
    return shown


def test_a_year_of_google_is_over(status: Path) -> None:
    body = gzip.decompress((status / "gcp_incidents_2022-07-03.json.gz").read_bytes())

    reading = read("google", body, "vertex_ai")

    assert reading.level is OPERATIONAL
    assert [each.incident_id for each in reading.incidents] == ["XdQANahFJvMuxxkgA34K"]
    assert all(each.end_time for each in reading.incidents)


@pytest.mark.parametrize(
    ("moment", "level"),
    [
        ("2022-06-02T17:00:00+00:00", OPERATIONAL),
        ("2022-06-02T21:00:00+00:00", OUTAGE),
        ("2022-06-03T00:00:00+00:00", OPERATIONAL),
    ],
)
def test_google_said_so_while_vertex_was_down(
    status: Path, moment: str, level: StatusLevel
) -> None:
    page = as_of(moment, google_year(status))

    assert page
    assert read("google", page, "vertex_ai").level is level


def github(status: Path) -> list[dict[str, Any]]:
    body = (status / "statuspage_github_incidents_2026-07-31.json").read_bytes()
    incidents: list[dict[str, Any]] = json.loads(body)["incidents"]
    return incidents


def test_what_github_told_is_over(status: Path) -> None:
    reading = read("statuspage", {"incidents": github(status)})

    assert reading.level is OPERATIONAL
    assert len(reading.incidents) == 5
    first = reading.incidents[0]
    assert first.title == "Copilot model Claude Fable 5 experiencing elevated errors"
    assert first.components == ("Copilot AI Model Providers",)
    assert first.level is DEGRADED
    assert first.end_time == datetime(2026, 7, 30, 10, 12, 15, 489_000, tzinfo=UTC)
    assert first.description.startswith("This incident has been resolved.")


def test_github_said_so_while_it_lasted(status: Path) -> None:
    first, *others = github(status)
    lasting = first | {"status": "investigating", "resolved_at": None}

    reading = read("statuspage", {"incidents": [lasting, *others]})

    assert reading.level is DEGRADED
    assert [each.incident_id for each in reading.incidents if each.is_open] == [first["id"]]


def test_titles_of_real_incidents_tell_the_app_from_the_api(status: Path) -> None:
    text = (status / "openai_incidents_normalized_2026-08-08.json").read_text("utf-8")
    titles = [each["title"] for each in json.loads(text)]

    touching = {each for each in titles if not RULES.of("openai").names_other(each)}

    (models,) = (each for each in touching if "gpt 4.1 mini" in each)
    assert touching - {models} == {
        "Elevated errors for API image generation",
        "Elevated Error Rates",
        "Elevated API error rates and latency on gpt-image-2 model",
        "Elevated error rates",
        "Elevated error rates with the invalid_prompt error code",
        "Enterprise & Education Chat Errors",
    }


def test_every_page_of_the_table_has_a_reader_and_rules(status: Path) -> None:
    pages = json.loads((status / "provider_status_pages.json").read_text("utf-8"))
    named = tomllib.loads(
        (files("steelyard_health") / "data" / "status_components.toml").read_text("utf-8")
    )
    read_by_us = [each for each in pages if each["api"] and each["id"] not in SHAPE_UNKNOWN]

    assert len(read_by_us) == 17
    for page in read_by_us:
        known = next(FORMATS[name] for name in FORMATS if page["format"].startswith(name))
        assert known in READERS
        provider = PROVIDERS.get(page["id"], page["id"])
        assert provider in named or provider in NOT_OURS


def test_the_largest_body_is_within_bounds(status: Path) -> None:
    """Of a year later than the capture, too."""
    document = google_year(status)
    twice = [*document, *({**each, "id": f"{each['id']}b"} for each in document)]

    reading = read("google", twice, "vertex_ai", NOW + timedelta(days=1))

    assert len(reading.incidents) == 2
