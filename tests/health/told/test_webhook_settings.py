"""Where alerts are sent to, from the environment."""

from typing import ClassVar

import pytest

from steelyard_common import settings
from steelyard_common.address import Address
from steelyard_common.settings import AddressSetting, SettingsError
from steelyard_health.adapters.webhook_settings import WebhookSettings

URL = "STEELYARD_ALERT_WEBHOOK_URL"
SECRET = "STEELYARD_ALERT_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
GOOD_URL = "https://hooks.example.org/T0KEN"
GOOD_SECRET = "a secret of more than 24 characters"  # noqa: S105 - of this test


class SomeSettings(WebhookSettings):
    """Settings of a service that tells."""

    listener: ClassVar[str] = "some_address"

    some_address: AddressSetting = Address("127.0.0.1", 50099)
    """Where it listens."""


def read(monkeypatch: pytest.MonkeyPatch, **variables: str | None) -> SomeSettings:
    for name, value in variables.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return settings.read(SomeSettings)


@pytest.mark.parametrize("url", [None, ""])
@pytest.mark.parametrize("secret", [None, "", GOOD_SECRET])
def test_without_a_url_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, url: str | None, secret: str | None
) -> None:
    assert read(monkeypatch, **{URL: url, SECRET: secret}).alert_webhook is None


def test_url_and_secret_make_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = read(monkeypatch, **{URL: GOOD_URL, SECRET: GOOD_SECRET})

    assert loaded.alert_webhook is not None
    assert loaded.alert_webhook.url == GOOD_URL
    assert loaded.alert_webhook.key == GOOD_SECRET.encode()
    assert "T0KEN" not in repr(loaded)
    assert GOOD_SECRET not in repr(loaded)


@pytest.mark.parametrize("secret", [None, "", "x" * 23, "whsec_c2hvcnQ="])
def test_a_url_needs_a_secret_that_is_one(
    monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    with pytest.raises(SettingsError) as caught:
        read(monkeypatch, **{URL: GOOD_URL, SECRET: secret})

    [problem] = caught.value.problems
    assert problem.startswith(f"{SECRET}: must")
    assert "T0KEN" not in problem


@pytest.mark.parametrize("secret", [None, "", "hunter2"])
def test_a_bad_url_and_a_bad_secret_are_named_together(
    monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    with pytest.raises(SettingsError) as caught:
        read(monkeypatch, **{URL: "http://hooks.example.org/T0KEN", SECRET: secret})

    assert [each.split(":")[0] for each in caught.value.problems] == [URL, SECRET]
    assert "T0KEN" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_weak_secret_is_refused_even_while_it_is_not_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SettingsError, match=SECRET):
        read(monkeypatch, **{SECRET: "hunter2"})
