"""Settings from the environment: all problems at once, no secret in any message."""

from typing import Annotated, ClassVar

import pytest
from pydantic import Field, SecretStr

from steelyard_common import settings
from steelyard_common.address import Address
from steelyard_common.settings import AddressSetting, FeedUrl, ServiceSettings, SettingsError


class ScaleSettings(ServiceSettings):
    """Settings of a service that is only for tests."""

    listener: ClassVar[str] = "scale_address"

    scale_address: AddressSetting = Address("127.0.0.1", 50099)
    """Where it listens."""

    ttl_seconds: Annotated[int, Field(ge=1)] = 86400
    """How long."""

    feed_url: FeedUrl = "https://example.org/feed.json"
    """What it reads."""

    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """A name without the prefix."""


class NeedySettings(ScaleSettings):
    """Cannot do without a token."""

    token: Annotated[SecretStr, Field(min_length=32)]
    """A secret."""


def test_defaults_serve_a_laptop() -> None:
    loaded = settings.load(ScaleSettings)

    assert loaded.listen_address == Address("127.0.0.1", 50099)
    assert not loaded.is_auth_on
    assert str(loaded.data_dir) == ".steelyard"


def test_variables_are_read_and_strangers_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_SCALE_ADDRESS", "[::1]:7000")
    monkeypatch.setenv("STEELYARD_TTL_SECONDS", "60")
    monkeypatch.setenv("STEELYARD_FEED_URL", "")
    monkeypatch.setenv("STEELYARD_NEXT_YEARS_SETTING", "x")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-123")

    loaded = settings.load(ScaleSettings)

    assert loaded.scale_address == Address("::1", 7000)
    assert (loaded.ttl_seconds, loaded.feed_url) == (60, "")
    assert loaded.openai_api_key is not None
    assert loaded.openai_api_key.get_secret_value() == "sk-123"


def test_every_problem_is_named_at_once_and_no_secret_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STEELYARD_TTL_SECONDS", "hunter2")
    monkeypatch.setenv("STEELYARD_TOKEN", "hunter2")
    monkeypatch.setenv("STEELYARD_SCALE_ADDRESS", "hunter2")
    monkeypatch.setenv("STEELYARD_FEED_URL", "hunter2")
    monkeypatch.setenv("STEELYARD_DRAIN_SECONDS", "-1")

    with pytest.raises(SettingsError) as caught:
        settings.read(NeedySettings)

    named = {problem.split(":")[0] for problem in caught.value.problems}
    assert named == {
        "STEELYARD_TTL_SECONDS",
        "STEELYARD_TOKEN",
        "STEELYARD_SCALE_ADDRESS",
        "STEELYARD_FEED_URL",
        "STEELYARD_DRAIN_SECONDS",
    }
    assert "hunter2" not in str(caught.value)


def test_a_missing_variable_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        settings.load(NeedySettings)

    assert caught.value.code == 2
    assert capsys.readouterr().err == "wrong settings:\n  STEELYARD_TOKEN: is not set\n"


@pytest.mark.parametrize(
    ("address", "auth", "is_on"),
    [
        ("127.0.0.1:1", None, False),
        ("localhost:1", None, False),
        ("unix:/run/scale.sock", None, False),
        ("0.0.0.0:1", None, True),
        ("[::]:1", None, True),
        ("scale.internal:1", None, True),
        ("127.0.0.1:1", "on", True),
        ("127.0.0.1:1", "off", False),
        ("0.0.0.0:1", "on", True),
    ],
)
def test_auth_is_off_only_on_loopback(
    monkeypatch: pytest.MonkeyPatch, address: str, auth: str | None, *, is_on: bool
) -> None:
    monkeypatch.setenv("STEELYARD_SCALE_ADDRESS", address)
    if auth:
        monkeypatch.setenv("STEELYARD_AUTH", auth)

    assert settings.load(ScaleSettings).is_auth_on is is_on


def test_auth_off_on_a_public_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_SCALE_ADDRESS", "0.0.0.0:1")
    monkeypatch.setenv("STEELYARD_AUTH", "off")

    with pytest.raises(SettingsError) as caught:
        settings.read(ScaleSettings)

    assert caught.value.problems == [
        "STEELYARD_AUTH: off is only allowed when STEELYARD_SCALE_ADDRESS is loopback"
    ]


def test_settings_cannot_be_changed() -> None:
    loaded = settings.load(ScaleSettings)

    with pytest.raises(ValueError, match="frozen"):
        loaded.ttl_seconds = 1


def test_docstrings_are_descriptions() -> None:
    undocumented = [
        name for name, field in ScaleSettings.model_fields.items() if not field.description
    ]

    assert undocumented == []
    assert settings.variable_name(ScaleSettings, "ttl_seconds") == "STEELYARD_TTL_SECONDS"
    assert settings.variable_name(ScaleSettings, "openai_api_key") == "OPENAI_API_KEY"


@pytest.mark.parametrize(
    "text", ["", "host", ":1", "host:", "host:x", "host:65536", "host:-1", "::1:50051", "unix:"]
)
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Address.parse(text)


@pytest.mark.parametrize(
    "text", ["127.0.0.1:50051", "[::1]:50051", "pricing:0", "unix:/run/a.sock", "0.0.0.0:1"]
)
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "url", ["", "hunter2", "redis://:hunter2@cache:port", "redis://c?a=hunter2"]
)
def test_a_wrong_redis_url_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("STEELYARD_REDIS_URL", url)

    with pytest.raises(SettingsError, match="STEELYARD_REDIS_URL: must") as caught:
        settings.read(ScaleSettings)

    assert "hunter2" not in str(caught.value)
