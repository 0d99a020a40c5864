"""RSS feeds: logs of updates, not states.

Of entries with one guid the newest is what holds; it is over when it says so. Some feeds have one
entry for each incident, with all its updates, the newest first. What nobody added to for a week is
over, too: closing an entry is easily forgotten, and an open one would count for ever.

Only a severity makes more than DEGRADED of an entry.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element

from steelyard_health.domain.status.judging import judged
from steelyard_health.domain.status.level import StatusLevel
from steelyard_health.domain.status.reading import (
    Component,
    PageReading,
    Report,
    UnreadablePageError,
)
from steelyard_health.domain.status.rules import ComponentRules
from steelyard_health.domain.status.texts import MAX_TITLE, mail_instant, plain
from steelyard_health.domain.status.xml_body import parsed

FORGOTTEN_AFTER: Final = timedelta(days=7)
MAX_ENTRIES: Final = 1000
_MAX_TEXT: Final = 20_000

_CLOSED = frozenset({"resolved", "completed", "postmortem", "mitigated", "closed", "canceled"})
_OPEN = frozenset(
    {
        "investigating", "identified", "monitoring", "update", "active", "ongoing",
        "in progress", "verifying", "degraded", "down",
    }
)  # fmt: skip
_SCHEDULED = frozenset({"scheduled", "planned", "upcoming"})
_SEVERITIES: Final[Mapping[str, StatusLevel]] = {
    "outage": StatusLevel.OUTAGE,
    "major outage": StatusLevel.OUTAGE,
    "critical": StatusLevel.OUTAGE,
    "maintenance": StatusLevel.MAINTENANCE,
    "available": StatusLevel.OPERATIONAL,
    "none": StatusLevel.OPERATIONAL,
}

_STATE = re.compile(
    r"\bstatus:\s*(?:</?[a-z0-9]{1,10}>\s*)?([a-z][a-z _-]{0,30})"
    r"|<(?:strong|b)>\s*([a-z][a-z _-]{0,30})</",
    re.IGNORECASE,
)
_SEVERITY = re.compile(r"\bseverity:\s*([a-z][a-z _-]{0,30})", re.IGNORECASE)
_AFFECTED = re.compile(r"affected (?:services|components)", re.IGNORECASE)
_LIST_ITEM = re.compile(r"<li>([^<>]{1,200})</li>", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*\[([^\[\]]{1,100})\]\s*\S")
_CLOSED_TITLE = re.compile(
    r"[\W_]*(?:resolved|mitigated|completed)\b|.*[-:|]\s*(?:resolved|mitigated|completed)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    title: str
    link: str
    time: datetime
    text: str
    """The description as it is, with its markup."""
    categories: tuple[str, ...]


def read_rss(body: bytes, rules: ComponentRules, now: datetime) -> PageReading:
    """Return what a feed says of the API; one without entries says that all is well.

    Raises:
        UnreadablePageError: It is no RSS, or has an entry without a time.
    """
    root = parsed(body)
    channel = root.find("channel") if root.tag == "rss" else None
    if channel is None:
        raise UnreadablePageError("is not RSS")
    threads: dict[str, list[_Entry]] = {}
    for item in channel.findall("item")[:MAX_ENTRIES]:
        entry = _entry(item)
        if rules.is_on_topic((entry.title, *entry.categories)):
            threads.setdefault(entry.key, []).append(entry)
    reports = [
        _report(entries, is_cloud=bool(rules.topics), now=now) for entries in threads.values()
    ]
    return judged(rules, (), [each for each in reports if each is not None])


def _entry(item: Element) -> _Entry:
    link, title = _text(item, "link"), plain(_text(item, "title"), MAX_TITLE)
    time = mail_instant(_text(item, "pubDate"))
    if time is None:
        raise UnreadablePageError("has an entry without a time")
    return _Entry(
        key=_text(item, "guid") or link or title,
        title=title,
        link=link,
        time=time,
        text=_text(item, "description")[:_MAX_TEXT],
        categories=tuple(plain(each.text or "") for each in item.findall("category")[:20]),
    )


def _text(item: Element, name: str) -> str:
    return (item.findtext(name) or "").strip()


def _report(entries: Sequence[_Entry], *, is_cloud: bool, now: datetime) -> Report | None:
    """Return what the entries of one incident tell; None when it is planned for later."""
    # Of entries of one minute the one that stands first is the newer.
    newest = max(entries, key=lambda each: each.time)
    state = _state(newest)
    if state in _SCHEDULED:
        return None
    is_over = state in _CLOSED or now - newest.time > FORGOTTEN_AFTER
    return Report(
        incident_id=newest.key,
        title=newest.title,
        impact=_impact(newest),
        start_time=min(each.time for each in entries),
        components=tuple(
            Component(name, StatusLevel.UNKNOWN) for name in _components(newest, is_cloud=is_cloud)
        ),
        touches_api=True if is_cloud else None,
        end_time=newest.time if is_over else None,
        update_time=newest.time,
        url=_url(newest.link),
        description=plain(newest.text),
    )


def _url(link: str) -> str:
    """Return where a link leads: some feeds leave out the scheme, some entries have no link."""
    return link if not link or "://" in link else f"https://{link}"


def _state(entry: _Entry) -> str:
    """Return the newest word of an entry on where the incident stands; empty when it has none."""
    words = {*_CLOSED, *_OPEN, *_SCHEDULED}
    told = (match[1] or match[2] for match in _STATE.finditer(entry.text))
    found = next((word for each in told if (word := _known(each, words))), "")
    if not found and _CLOSED_TITLE.fullmatch(entry.title):
        return "resolved"
    return found or next((word for each in entry.categories if (word := _known(each, words))), "")


def _known(text: str, words: set[str]) -> str:
    """Return the known words that a text begins with, or an empty text."""
    line = " ".join(re.split(r"[\W_]+", text.lower())).strip()
    return next((word for word in sorted(words) if f"{line} ".startswith(f"{word} ")), "")


def _impact(entry: _Entry) -> StatusLevel:
    match = _SEVERITY.search(plain(entry.text))
    word = _known(match[1], set(_SEVERITIES)) if match else ""
    if not word and any("maintenance" in text.lower() for text in (entry.title, *entry.categories)):
        return StatusLevel.MAINTENANCE
    return _SEVERITIES.get(word, StatusLevel.DEGRADED)


def _components(entry: _Entry, *, is_cloud: bool) -> Sequence[str]:
    if is_cloud:
        return entry.categories
    affected = _AFFECTED.search(entry.text)
    if affected is not None:
        return [plain(each[1]) for each in _LIST_ITEM.finditer(entry.text, affected.end())]
    brackets = _BRACKETS.match(entry.title)
    return [brackets[1]] if brackets else []
