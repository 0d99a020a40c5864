"""Each format of status pages, from small bodies."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import PageReading, UnreadablePageError
from tests.health.status.pages import LATER, NOW, STARTED, incident, item, read, rss, summary

OPERATIONAL, DEGRADED = StatusLevel.OPERATIONAL, StatusLevel.DEGRADED
OUTAGE, MAINTENANCE = StatusLevel.OUTAGE, StatusLevel.MAINTENANCE
EPOCH = str(int((NOW - timedelta(hours=1)).timestamp()))


@pytest.mark.parametrize(
    ("state", "scheduled_for", "level"),
    [
        ("scheduled", STARTED, OPERATIONAL),
        ("in_progress", STARTED, MAINTENANCE),
        ("verifying", STARTED, MAINTENANCE),
        ("in_progress", LATER, OPERATIONAL),
        ("completed", STARTED, OPERATIONAL),
    ],
)
def test_planned_work_counts_only_while_it_runs(
    state: str, scheduled_for: str, level: StatusLevel
) -> None:
    work = incident("Database work", "maintenance", status=state, scheduled_for=scheduled_for)
    page = summary({"API": "operational"}, scheduled_maintenances=[work])

    assert read("statuspage", page).level is level


@pytest.mark.parametrize("more", [{"incidents": None, "scheduled_maintenances": None}, {}])
def test_a_summary_may_lack_its_incidents(more: dict[str, None]) -> None:
    page: dict[str, Any] = {"components": [{"name": "API", "status": "operational"}], **more}

    assert read("statuspage", page).level is OPERATIONAL


def test_a_summary_that_tells_nothing_is_not_understood() -> None:
    with pytest.raises(UnreadablePageError, match="neither of components nor of incidents"):
        read("statuspage", {"page": {"id": "x"}, "status": {"indicator": "none"}})


def test_an_incident_that_is_over_ends_when_it_was_resolved() -> None:
    over = incident(status="resolved", resolved_at="2026-01-02T02:30:00.500Z")

    (told,) = read("statuspage", summary({"API": "operational"}, [over])).incidents

    assert told.end_time == NOW - timedelta(minutes=30) + timedelta(seconds=0.5)


def aws(
    service: str = "bedrock-us-east-1", status: object = "3", **more: object
) -> dict[str, object]:
    return {"service": service, "status": status, "date": EPOCH, "summary": "Errors", **more}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-16-le"])
def test_amazon_speaks_utf_16(encoding: str) -> None:
    body = json.dumps([aws()]).encode(encoding)

    assert read("aws", body, "bedrock").level is OUTAGE


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (aws(status="0"), OPERATIONAL),
        (aws(status="1"), DEGRADED),
        (aws(status=2), DEGRADED),
        (aws(status="3"), OUTAGE),
        (aws(end_time=EPOCH), OPERATIONAL),
        (aws("bedrock-me-central-1"), OPERATIONAL),
        (aws("bedrock-agentcore-us-east-1"), OPERATIONAL),
        (aws("ec2-us-east-1"), OPERATIONAL),
        (
            aws("multi-us-east-1", impacted_services={"bedrock-us-east-1": {"current": "2"}}),
            DEGRADED,
        ),
        (
            aws("multi-us-east-1", impacted_services={"bedrock-us-east-1": {"current": "0"}}),
            OPERATIONAL,
        ),
    ],
)
def test_only_the_service_in_its_regions_counts_at_amazon(
    event: dict[str, object], level: StatusLevel
) -> None:
    assert read("aws", [event], "bedrock").level is level


def test_the_last_entry_of_the_log_is_what_amazon_says_last() -> None:
    log = [{"message": "first", "timestamp": 10}, {"message": "last", "timestamp": "20"}]

    (told,) = read("aws", [aws(event_log=log)], "bedrock").incidents

    assert told.description == "last"


def google(status: str = "SERVICE_OUTAGE", **more: Any) -> list[dict[str, Any]]:
    told = {
        "id": "x",
        "begin": STARTED,
        "affected_products": [{"id": "Z0FZJAMvEB4j3NbCJs6B", "title": "Renamed"}],
        "status_impact": "SERVICE_OUTAGE",
        "most_recent_update": {"status": status, "when": STARTED},
    }
    return [told | more]


@pytest.mark.parametrize(
    ("page", "level"),
    [
        (google(), OUTAGE),
        (google("SERVICE_DISRUPTION"), DEGRADED),
        (google("SERVICE_INFORMATION"), OPERATIONAL),
        (google("AVAILABLE"), OPERATIONAL),
        (google(end=STARTED), OPERATIONAL),
        (google(affected_products=[{"id": "other", "title": "Vertex Gemini API"}]), OPERATIONAL),
        ([], OPERATIONAL),
    ],
)
def test_google_is_read_by_the_ids_of_products(
    page: list[dict[str, Any]], level: StatusLevel
) -> None:
    assert read("google", page, "vertex_ai").level is level


def betterstack(status: str | None, **report: Any) -> dict[str, Any]:
    included: list[dict[str, Any]] = [
        {"type": "status_page_section", "id": "9", "attributes": {"name": "Inference"}},
        {
            "type": "status_page_resource",
            "id": "1",
            "attributes": {
                "public_name": "Llama", "status": status, "status_page_section_id": 9
            },
        },
        {
            "type": "status_page_resource",
            "id": "2",
            "attributes": {"public_name": "Website", "status": "downtime"},
        },
    ]  # fmt: skip
    if report:
        told = {"title": "Errors", "report_type": "manual", "starts_at": STARTED} | report
        included.append({"type": "status_report", "id": "3", "attributes": told})
    return {"data": {"attributes": {"aggregate_state": "downtime"}}, "included": included}


AFFECTED = [{"status_page_resource_id": 1, "status": "degraded"}]


@pytest.mark.parametrize(
    ("page", "level"),
    [
        (betterstack("operational"), OPERATIONAL),
        (betterstack("degraded"), DEGRADED),
        (betterstack("downtime"), OUTAGE),
        (betterstack("maintenance"), MAINTENANCE),
        (
            betterstack("operational", aggregate_state="degraded", affected_resources=AFFECTED),
            DEGRADED,
        ),
        (
            betterstack("operational", aggregate_state="resolved", affected_resources=AFFECTED),
            OPERATIONAL,
        ),
        (
            betterstack("operational", report_type="maintenance", affected_resources=AFFECTED),
            MAINTENANCE,
        ),
        (
            betterstack("operational", report_type="maintenance", starts_at=LATER),
            OPERATIONAL,
        ),
    ],
)
def test_better_stack_tells_of_resources_and_reports(
    page: dict[str, Any], level: StatusLevel
) -> None:
    assert read("betterstack", page, "together_ai").level is level


@pytest.mark.parametrize("status", ["not_monitored", None, "splendid"])
def test_a_resource_that_nobody_watches_is_not_well_for_ever(status: str | None) -> None:
    with pytest.raises(UnreadablePageError):
        read("betterstack", betterstack(status), "together_ai")


def instatus(status: str, **more: Any) -> dict[str, Any]:
    return {"page": {"status": status}, **more}


def instatus_incident(**more: Any) -> dict[str, Any]:
    return {"id": "a", "name": "Errors", "started": STARTED, "status": "IDENTIFIED"} | more


@pytest.mark.parametrize(
    ("page", "level"),
    [
        (instatus("UP"), OPERATIONAL),
        (instatus("HASISSUES"), DEGRADED),
        (instatus("UNDERMAINTENANCE"), MAINTENANCE),
        (instatus("UP", activeIncidents=[instatus_incident(impact="MAJOROUTAGE")]), DEGRADED),
        (
            instatus("HASISSUES", activeIncidents=[instatus_incident(impact="OPERATIONAL")]),
            OPERATIONAL,
        ),
        (instatus("UP", activeIncidents=[instatus_incident(status="RESOLVED")]), OPERATIONAL),
        (
            instatus(
                "UP",
                activeMaintenances=[{"name": "w", "start": STARTED, "status": "INPROGRESS"}],
            ),
            MAINTENANCE,
        ),
        (
            instatus(
                "UP",
                activeMaintenances=[{"name": "w", "start": STARTED, "status": "NOTSTARTEDYET"}],
            ),
            OPERATIONAL,
        ),
    ],
)
def test_instatus_tells_of_the_whole_page(page: dict[str, Any], level: StatusLevel) -> None:
    assert read("instatus", page, "perplexity").level is level


def flashduty(status: str = "ongoing", component: str = "api", **more: Any) -> dict[str, Any]:
    change = {
        "change_id": 1,
        "title": "Errors",
        "status": status,
        "start_at_seconds": int(EPOCH),
        "affected_components": [{"component_id": component, "status": "full_outage"}],
    }
    components = [
        {"component_id": "api", "name": "API Service"},
        {"component_id": "chat", "name": "Web Chat Service"},
    ]
    return {"data": {"page": {"components": components}, "active_changes": [change | more]}}


@pytest.mark.parametrize(
    ("page", "level"),
    [
        (flashduty(), OUTAGE),
        (flashduty(component="chat"), OPERATIONAL),
        (flashduty("resolved"), OPERATIONAL),
        (flashduty(affected_components=None), DEGRADED),
        (flashduty("scheduled", type="maintenance"), OPERATIONAL),
        (
            flashduty(
                type="maintenance",
                affected_components=[{"component_id": "api", "status": "under_maintenance"}],
            ),
            MAINTENANCE,
        ),
    ],
)
def test_flashduty_tells_of_what_goes_on(page: dict[str, Any], level: StatusLevel) -> None:
    assert read("flashduty", page, "deepseek").level is level


def mistral(state: str, service: str = "Chat Completions API", **more: Any) -> str:
    text = f"Status: {state}<br/>Text<br/>Affected services<ul><li>{service}</li></ul>"
    return item("Errors", text, **more)


NEWER = "Fri, 02 Jan 2026 02:30:00 GMT"


@pytest.mark.parametrize(
    ("feed", "level"),
    [
        (rss(), OPERATIONAL),
        (rss(mistral("Investigating")), DEGRADED),
        (rss(mistral("Investigating", "Le Chat")), OPERATIONAL),
        (rss(mistral("Resolved", date=NEWER), mistral("Investigating")), OPERATIONAL),
        (rss(mistral("Investigating"), mistral("Resolved", date=NEWER)), OPERATIONAL),
        (rss(mistral("Resolved"), mistral("Investigating", date=NEWER)), DEGRADED),
        (rss(mistral("Resolved"), mistral("Investigating", guid="g2")), DEGRADED),
        (rss(mistral("Investigating", date="Thu, 18 Dec 2025 02:30:00 GMT")), OPERATIONAL),
        (rss(mistral("Scheduled")), OPERATIONAL),
    ],
)
def test_in_a_log_the_newest_entry_of_an_incident_holds(feed: str, level: StatusLevel) -> None:
    assert read("rss", feed, "mistral").level is level


@pytest.mark.parametrize(
    ("title", "text", "level"),
    [
        ("[API] Errors", "<h3>Status: ACTIVE</h3><p>Severity: outage</p>", OUTAGE),
        ("[API] Errors", "<h3>Status: ACTIVE</h3><p>Severity: degraded</p>", DEGRADED),
        ("[API] Errors", "<h3>Status: RESOLVED</h3><p>Severity: outage</p>", OPERATIONAL),
        ("[Grok (Web)] Errors", "<h3>Status: ACTIVE</h3><p>Severity: outage</p>", OPERATIONAL),
    ],
)
def test_only_a_severity_makes_an_outage_of_an_entry(
    title: str, text: str, level: StatusLevel
) -> None:
    assert read("rss", rss(item(title, text)), "xai").level is level


@pytest.mark.parametrize(
    ("first", "level"),
    [("RESOLVED", OPERATIONAL), ("MONITORING", DEGRADED)],
)
def test_of_an_entry_with_all_its_updates_the_first_holds(first: str, level: StatusLevel) -> None:
    older = "<p><small>Jan 2</small><br/><strong>INVESTIGATING</strong> - x</p>"
    text = f"<p><small>Jan 2</small><br/><strong>{first}</strong> - y</p>{older}"

    assert read("rss", rss(item("Elevated 429s", text)), "openrouter").level is level


@pytest.mark.parametrize(
    ("title", "more", "level"),
    [
        ("Azure OpenAI - East US", "", DEGRADED),
        ("Errors", "<category>Azure OpenAI Service</category>", DEGRADED),
        ("Virtual Machines - East US", "", OPERATIONAL),
        ("Azure OpenAI - East US - Resolved", "", OPERATIONAL),
        ("Azure OpenAI - Resolved in Sweden, ongoing in Norway", "", DEGRADED),
    ],
)
def test_of_a_whole_cloud_only_the_service_counts(
    title: str, more: str, level: StatusLevel
) -> None:
    date = "Fri, 02 Jan 2026 02:00:00 Z"

    assert read("rss", rss(item(title, "x", date=date, more=more)), "azure").level is level


def test_the_times_of_an_incident_are_those_of_its_entries() -> None:
    (told,) = read(
        "rss", rss(mistral("Resolved", date=NEWER), mistral("Investigating")), "mistral"
    ).incidents

    assert (told.start_time, told.update_time) == (
        NOW - timedelta(hours=1),
        NOW - timedelta(minutes=30),
    )
    assert told.end_time == told.update_time


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://status.x.ai/1", "https://status.x.ai/1"),
        ("status.x.ai/1", "https://status.x.ai/1"),
        ("", ""),
    ],
)
def test_an_entry_without_a_link_has_no_url(link: str, url: str) -> None:
    entry = (
        f"<item><title>Errors</title><link>{link}</link><guid>g1</guid>"
        "<pubDate>Fri, 02 Jan 2026 02:00:00 GMT</pubDate></item>"
    )

    (told,) = read("rss", rss(entry), "xai").incidents

    assert told.url == url


def test_what_has_not_changed_says_something_else_once_planned_work_begins() -> None:
    page = betterstack(
        "operational", report_type="maintenance", starts_at=LATER, affected_resources=AFFECTED
    )

    def at(now: datetime) -> PageReading:
        return read("betterstack", page, "together_ai", now)

    assert at(NOW).level is OPERATIONAL
    assert at(NOW + timedelta(hours=2)).level is MAINTENANCE
