"""Which pages are read: the registry's, with what the environment says."""

import pytest
from structlog.testing import capture_logs

from steelyard_health.adapters.status_rules import parse_status_rules
from steelyard_health.adapters.status_sources import StatusSources, status_urls
from tests.health.status.pages import RULES
from tests.health.status.serving import FakeDirectory, provider

PREFIX = "STEELYARD_"
URL = "https://status.test/summary.json"


def sources_of(environment: dict[str, str], *names: str) -> dict[str, str]:
    """Return the URLs that are read, by provider."""
    directory = FakeDirectory()
    directory.name(*(provider(name, URL) for name in names))
    sources = StatusSources(directory, status_urls(environment, PREFIX), RULES)
    return {name: source.url for name, source in sources.current.items()}


def test_the_environment_replaces_pages_and_switches_them_off() -> None:
    environment = {
        "STEELYARD_STATUS_MY_LAB_URL": "file:///etc/lab.json",
        "STEELYARD_STATUS_OPENAI_URL": "",
        "STEELYARD_STATUS_POLL_SECONDS": "30",
        "OTHER_STATUS_GROQ_URL": "nonsense",
    }

    assert sources_of(environment, "my-lab", "openai", "groq") == {
        "my-lab": "file:///etc/lab.json",
        "groq": URL,
    }


@pytest.mark.parametrize("switch", ["off", "on", ""])
def test_all_pages_are_switched_off_at_once(switch: str) -> None:
    environment = {"STEELYARD_STATUS_PAGES": switch, "STEELYARD_STATUS_OPENAI_URL": URL}

    assert bool(sources_of(environment, "openai")) == (switch != "off")


def test_all_bad_urls_are_named_at_once_and_none_is_shown() -> None:
    environment = {
        "STEELYARD_STATUS_A_URL": "ftp://secret.test",
        "STEELYARD_STATUS_B_URL": "https://user:secret@status.test",
        "STEELYARD_STATUS_C_URL": "https://",
        "STEELYARD_STATUS_D_URL": "https://[secret",
        "STEELYARD_STATUS_E_URL": URL,
        "STEELYARD_STATUS_PAGES": "maybe",
    }

    with pytest.raises(ValueError, match="STATUS_A_URL") as caught:
        status_urls(environment, PREFIX)

    assert str(caught.value).split("; ") == [
        "STEELYARD_STATUS_A_URL: must start with https://, http:// or file://, or be empty",
        "STEELYARD_STATUS_B_URL: must not contain a user or password",
        "STEELYARD_STATUS_C_URL: must name a host",
        "STEELYARD_STATUS_D_URL: is not a URL",
        "STEELYARD_STATUS_PAGES: must be on or off",
    ]


def test_urls_of_providers_that_nobody_knows_are_told_once() -> None:
    directory = FakeDirectory()
    urls = status_urls({"STEELYARD_STATUS_OPENIA_URL": URL}, PREFIX)
    sources = StatusSources(directory, urls, RULES)

    with capture_logs() as logged:
        assert not sources.current
        directory.name(provider("openai", URL))
        assert sources.current is sources.current

    assert [each.get("names") for each in logged] == [["openia"]]


def test_a_page_in_a_format_that_nobody_reads_is_left_out() -> None:
    directory = FakeDirectory()
    directory.name(provider("meta", URL, "own"), provider("openai", URL))

    with capture_logs() as logged:
        sources = StatusSources(directory, status_urls({}, PREFIX), RULES).current

    assert list(sources) == ["openai"]
    assert [each["provider"] for each in logged] == ["meta"]
    assert URL not in repr(sources)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("Chat Completions", True),
        ("Embeddings", True),
        ("ChatGPT Conversations", False),
        ("Login", False),
        ("Sora", False),
        ("Compliance API", False),
    ],
)
def test_of_openai_only_the_api_counts(name: str, counts: bool) -> None:  # noqa: FBT001
    assert RULES.of("openai").counts(name) is counts


def test_a_provider_that_the_table_does_not_name_has_the_obvious_rest_left_out() -> None:
    rules = RULES.of("nobody-knows")

    assert rules.counts("EU cluster / Llama-4 (beta)")
    assert not rules.counts("Developer Console")
    assert not rules.counts("www: Web-Site")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[openai]\napis = []", "openai: apis is not known"),
        ("[openai]\napi = [1]", "openai: api must be a list of texts"),
        ("openai = 1", "openai: must be a table"),
        ("[default]\napi = []", "default: api is not known"),
    ],
)
def test_a_table_that_is_wrong_says_where(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_status_rules(text)
