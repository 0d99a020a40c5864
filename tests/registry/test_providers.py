"""The bundled table of providers, and what a key may look like."""

import json
import re
import string
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import StringConstraints, TypeAdapter, ValidationError

from steelyard_registry.adapters.provider_table import base_urls, read_providers
from steelyard_registry.domain.providers import (
    MAX_KEY_LENGTH,
    AuthStyle,
    Provider,
    WireFormat,
    is_key_pattern,
)

BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com/v1",
    "google": "https://generativelanguage.googleapis.com/v1beta",
    "meta": "https://api.llama.com/compat/v1",
    "mistral": "https://api.mistral.ai/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "minimax": "https://api.minimax.io/v1",
    "qwen": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "zhipu": "https://open.bigmodel.cn/api/paas/v4",
    "groq": "https://api.groq.com/openai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "ollama": "http://127.0.0.1:11434/v1",
}
OTHER_WIRES = {
    "anthropic": (WireFormat.ANTHROPIC, AuthStyle.X_API_KEY),
    "google": (WireFormat.GEMINI, AuthStyle.X_GOOG_API_KEY),
    "ollama": (WireFormat.OPENAI, AuthStyle.NONE),
}
# Made up, in the forms that providers hand out.
KEYS = {
    "openai": [
        "sk-" + "a1B2" * 12,
        "sk-proj-" + "x_-9" * 39,
        "sk-svcacct-" + "Q" * 100,
        "sk-None-" + "z" * 40,
        "sk-our-old-key-" + "y" * 48,
        "sk-another-old-key-" + "y" * 48,
        "sk-orders-" + "y" * 48,
        "sk-antenna-" + "y" * 48,
    ],
    "anthropic": ["sk-ant-api03-" + "a_-Z" * 24 + "AA", "sk-ant-" + "b" * 80],
    "google": ["AIzaSy" + "d-_5" * 8 + "a", "AQ.Ab8" + "R_-x." * 9],
    "groq": ["gsk_" + "w8" * 26],
    "openrouter": ["sk-or-v1-" + "0f" * 32],
}
PATTERNS = [
    "sk-[a-z]{20,}",
    r"AIza[\w-]{35}|AQ\.[\w.-]{20,}",
    "a?b*",
    "[0-9a-f]{32}",
    r"\d{10}\.\w+",
    "k",
]
NO_PATTERNS = [
    "",
    "(a+)+",
    "(?=sk-)a",
    "a+b+c+",
    "a++",
    "a+?",
    "a{5,2}",
    "[z-a]",
    "[^a]",
    "[[:alpha:]]",
    "[a--b]",
    r"(a)\1",
    r"\bkey",
    "^key$",
    "a||b",
    "|a",
    "a|",
    "*",
    "a b",
    "é",
    "[",
    "a\n",
    "a" * 257,
]


def provider(key_pattern: str = "") -> Provider:
    return Provider(provider="acme", display_name="Acme", key_pattern=key_pattern)


def test_the_providers_that_can_be_called_are_those_of_the_contract() -> None:
    routable = {name: each for name, each in read_providers().items() if each.is_routable}

    assert {name: each.base_url for name, each in routable.items()} == BASE_URLS
    for name, each in routable.items():
        wire = (each.wire_format, each.auth_style)
        assert wire == OTHER_WIRES.get(name, (WireFormat.OPENAI, AuthStyle.BEARER)), name
        assert bool(each.key_variables) == (each.auth_style is not AuthStyle.NONE), name
        assert not each.is_custom


def test_every_bundled_provider_is_whole() -> None:
    for name, each in read_providers().items():
        assert each.provider == name
        assert each.display_name
        assert bool(each.status_api_url) == bool(each.status_format), name
        assert not each.key_pattern or is_key_pattern(each.key_pattern), name


@pytest.mark.real_data
def test_the_status_pages_are_those_that_were_checked(real_data: Path) -> None:
    rows = json.loads((real_data / "status" / "provider_status_pages.json").read_bytes())
    # Of Google the page there is that of Vertex AI; the Gemini API's has nothing for programs. Of
    # Meta the address there answers in a format of its own, which nobody reads yet.
    ours = {"aws": "bedrock", "google": "vertex_ai", "together": "together_ai"}
    providers = read_providers()

    checked = 0
    for row in rows:
        name = ours.get(row["id"], row["id"])
        known = providers.get(name)
        if known is None:
            assert name == "huggingface"
            continue
        checked += 1
        assert known.status_page_url.rstrip("/") == (row["page"] or "").rstrip("/"), name
        assert known.status_api_url == ("" if name == "meta" else row["api"] or ""), name
    assert checked == len(rows) - 1


@pytest.mark.parametrize("name", KEYS)
def test_keys_are_accepted_by_the_provider_whose_form_they_have_alone(name: str) -> None:
    providers = read_providers()

    for key in KEYS[name]:
        accepting = {each for each in KEYS if providers[each].accepts_key(key)}
        assert accepting == {name}


def test_where_keys_have_no_certain_form_any_text_is_one() -> None:
    providers = read_providers()

    for name in ("mistral", "cohere", "deepseek", "minimax", "qwen", "zhipu", "meta", "ollama"):
        assert providers[name].accepts_key("eyJhbGciOi.x|y_z-0123456789")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x" * 9,
        "x" * (MAX_KEY_LENGTH + 1),
        "with a space",
        "trailing-newline\n",
        "tab\tin-the-middle",
        "schlüssel-1234",
        "null\0in-the-middle",
    ],
)
def test_what_cannot_be_sent_in_a_header_is_no_key(key: str) -> None:
    assert not provider().accepts_key(key)
    assert not provider(r"[\w-]*").accepts_key(key)


@pytest.mark.parametrize("key", ["x" * 10, "x" * MAX_KEY_LENGTH, string.punctuation])
def test_the_longest_and_the_shortest_key_are_keys(key: str) -> None:
    assert provider().accepts_key(key)


def test_a_pattern_is_for_the_whole_key() -> None:
    acme = provider("key-[a-z]{6}|other-[a-z]{6}")

    assert acme.accepts_key("key-abcdef")
    assert acme.accepts_key("other-abcdef")
    assert not acme.accepts_key("key-abcdefg")
    assert not acme.accepts_key("my-key-abcdef")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_of_plain_parts_are_patterns(pattern: str) -> None:
    assert is_key_pattern(pattern)


@pytest.mark.parametrize("pattern", NO_PATTERNS)
def test_what_re2_does_not_know_or_backtracking_is_slow_at_is_no_pattern(pattern: str) -> None:
    assert not is_key_pattern(pattern)


def test_the_slowest_pattern_and_key_are_quick() -> None:
    slowest = r"[\w-]*[\w-]*!"
    assert is_key_pattern(slowest)

    # Some 130,000 steps; a test that runs for ever is what a failure would look like.
    assert not provider(slowest).accepts_key("a" * MAX_KEY_LENGTH)


def test_patterns_mean_the_same_to_an_engine_without_backtracking() -> None:
    # That of pydantic is Rust's, which takes after RE2.
    bundled = {name: each.key_pattern for name, each in read_providers().items()}
    engines = {
        name: TypeAdapter(Annotated[str, StringConstraints(pattern=f"^(?:{pattern})$")])
        for name, pattern in bundled.items()
        if pattern
    }
    assert engines.keys() == KEYS.keys()

    for name, engine in engines.items():
        for owner, keys in KEYS.items():
            for key in keys:
                assert _is_valid(engine, key) == (owner == name)


def _is_valid(engine: TypeAdapter[str], key: str) -> bool:
    try:
        engine.validate_python(key)
    except ValidationError:
        return False
    return True


def test_another_base_url_takes_keys_of_another() -> None:
    changed = read_providers({"openai": "http://127.0.0.1:9999/v1"})["openai"]

    assert changed.base_url == "http://127.0.0.1:9999/v1"
    assert changed.accepts_key("any-text-at-all")
    assert not read_providers()["openai"].accepts_key("any-text-at-all")


def test_custom_providers_come_before_the_bundled_and_the_environment_before_both() -> None:
    own = Provider(provider="my-vllm", display_name="Ours", base_url="http://a/v1", is_custom=True)
    ollama = Provider(provider="ollama", display_name="Ollama", base_url="http://b/v1")

    both = {"my-vllm": own, "ollama": ollama}
    urls = base_urls(
        {"STEELYARD_OLLAMA_BASE_URL": "http://c/v1/", "STEELYARD_PROVIDER_MY_VLLM_BASE_URL": ""},
        "STEELYARD_",
        both,
    )
    providers = read_providers(urls, both)

    assert providers["my-vllm"] is own
    assert providers["ollama"].base_url == "http://c/v1"


def test_a_hyphen_is_an_underscore_in_a_variable() -> None:
    environment = {"STEELYARD_PROVIDER_MY_VLLM_BASE_URL": "http://c/v1"}

    assert base_urls(environment, "STEELYARD_", ["my-vllm"]) == {"my-vllm": "http://c/v1"}
    with pytest.raises(ValueError, match=re.escape("there is no provider my_vllm")):
        base_urls(environment, "STEELYARD_")
