"""The router's environment."""

import pytest

from steelyard_common.settings import SettingsError, read
from steelyard_router.adapters.platform_keys import PlatformKeys
from steelyard_router.settings import Settings

SECRET = "sk-test-0123456789"  # noqa: S105 - no key of anybody


@pytest.mark.parametrize(
    ("variable", "provider"),
    [
        ("OPENAI_API_KEY", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("GOOGLE_API_KEY", "google"),
        ("GEMINI_API_KEY", "google"),
        ("META_API_KEY", "meta"),
        ("MISTRAL_API_KEY", "mistral"),
        ("COHERE_API_KEY", "cohere"),
        ("DEEPSEEK_API_KEY", "deepseek"),
        ("MINIMAX_API_KEY", "minimax"),
        ("QWEN_API_KEY", "qwen"),
        ("DASHSCOPE_API_KEY", "qwen"),
        ("GLM_API_KEY", "zhipu"),
        ("ZHIPU_API_KEY", "zhipu"),
        ("GROQ_API_KEY", "groq"),
        ("OPENROUTER_API_KEY", "openrouter"),
    ],
)
def test_a_key_is_read_from_the_providers_own_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, provider: str
) -> None:
    monkeypatch.setenv(variable, SECRET)

    settings = read(Settings)

    assert keys(settings) == {provider}
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_key_is_no_key(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", empty)

    assert keys(read(Settings)) == set()


def test_local_models_need_an_address_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keys(read(Settings)) == set()

    monkeypatch.setenv("STEELYARD_OLLAMA_BASE_URL", "http://127.0.0.1:11434")

    assert keys(read(Settings)) == {"ollama"}


def test_wrong_settings_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_OLLAMA_BASE_URL", "localhost")
    monkeypatch.setenv("STEELYARD_ROUTER_ASK_TIMEOUT_SECONDS", "0")

    with pytest.raises(SettingsError) as caught:
        read(Settings)

    named = {problem.partition(":")[0] for problem in caught.value.problems}
    assert named == {"STEELYARD_OLLAMA_BASE_URL", "STEELYARD_ROUTER_ASK_TIMEOUT_SECONDS"}


def keys(settings: Settings) -> set[str]:
    ring = PlatformKeys(settings.platform_keys, settings.local_providers)
    return set(ring.providers("any tenant"))
