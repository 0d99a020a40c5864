"""Signed messages to a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from steelyard_common.webhooks import (
    MAX_ANSWER_BYTES,
    WebhookSender,
    WebhookTarget,
    check_webhook_url,
    webhook_key,
)
from tests.fakes import FakeClock
from tests.webhook_receiver import Answer, WebhookReceiver, is_signed

SECRET = "a secret of more than 24 characters"  # noqa: S105 - of this test
# From the documentation of the Standard Webhooks specification.
KNOWN_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - published
KNOWN_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
KNOWN_TIME = datetime.fromtimestamp(1614265330, UTC)
KNOWN_BODY = b'{"test": 2432232314}'
KNOWN_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
async def sender(receiver: WebhookReceiver, clock: FakeClock) -> AsyncIterator[WebhookSender]:
    target = WebhookTarget.of(receiver.url, SECRET)
    async with WebhookSender(target, clock, timeout_seconds=5) as sender:
        yield sender


async def test_the_signature_is_that_of_the_specification(receiver: WebhookReceiver) -> None:
    target = WebhookTarget.of(receiver.url, KNOWN_SECRET)
    async with WebhookSender(target, FakeClock(KNOWN_TIME)) as sender:
        answer = await sender.send(KNOWN_ID, KNOWN_BODY)

    [message] = receiver.received
    assert answer.is_taken
    assert message.method == "POST"
    assert message.body == KNOWN_BODY
    assert message.headers["webhook-id"] == KNOWN_ID
    assert message.headers["webhook-timestamp"] == "1614265330"
    assert message.headers["webhook-signature"] == KNOWN_SIGNATURE
    assert message.headers["content-type"] == "application/json"


async def test_a_plain_secret_is_the_key_itself(
    receiver: WebhookReceiver, sender: WebhookSender
) -> None:
    await sender.send("msg_1", b"{}")

    [message] = receiver.received
    assert is_signed(message, SECRET.encode())
    assert not is_signed(message, b"another key of 24 characters")


@pytest.mark.parametrize("status", [200, 202, 204, 299])
async def test_any_2xx_takes_the_message(
    receiver: WebhookReceiver, sender: WebhookSender, status: int
) -> None:
    receiver.answers.append(Answer(status))

    answer = await sender.send("msg_1", b"{}")

    assert (answer.is_taken, answer.status) == (True, status)


@pytest.mark.parametrize("status", [300, 304, 400, 404, 429, 500, 503])
async def test_any_other_status_does_not(
    receiver: WebhookReceiver, sender: WebhookSender, status: int
) -> None:
    receiver.answers.append(Answer(status))

    answer = await sender.send("msg_1", b"{}")

    assert not answer.is_taken
    assert not answer.is_refused_for_good
    assert answer.problem == f"the receiver answered {status}"


async def test_410_refuses_for_good(receiver: WebhookReceiver, sender: WebhookSender) -> None:
    receiver.answers.append(Answer(410))

    assert (await sender.send("msg_1", b"{}")).is_refused_for_good


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(
    receiver: WebhookReceiver, sender: WebhookSender, status: int
) -> None:
    async with WebhookReceiver() as elsewhere:
        receiver.answers.append(Answer(status, headers={"location": elsewhere.url}))

        answer = await sender.send("msg_1", b"{}")

        assert not answer.is_taken
        assert elsewhere.received == []


async def test_a_receiver_that_does_not_answer_is_given_up(
    receiver: WebhookReceiver, clock: FakeClock
) -> None:
    receiver.answers.append(Answer(200, is_silent=True))
    target = WebhookTarget.of(receiver.url, SECRET)
    async with WebhookSender(target, clock, timeout_seconds=0.05) as sender:
        answer = await sender.send("msg_1", b"{}")

    assert (answer.status, answer.problem) == (None, "no answer within 0.05 s")


async def test_a_status_counts_though_the_body_never_ends(
    receiver: WebhookReceiver, clock: FakeClock
) -> None:
    receiver.answers.append(Answer(200, body=b"thanks", content_length=10**9))
    target = WebhookTarget.of(receiver.url, SECRET)
    async with WebhookSender(target, clock, timeout_seconds=0.2) as sender:
        answer = await sender.send("msg_1", b"{}")

    assert answer.is_taken


async def test_of_a_large_answer_no_more_is_read_than_is_needed(
    receiver: WebhookReceiver, sender: WebhookSender
) -> None:
    size = 64 * 1024 * 1024
    receiver.answers.append(Answer(200, body=bytes(size)))

    answer = await sender.send("msg_1", b"{}")
    await receiver.ended()

    assert answer.is_taken
    assert MAX_ANSWER_BYTES < receiver.sent_bytes < size


async def test_an_unreachable_receiver_is_a_problem_that_names_no_address(
    clock: FakeClock,
) -> None:
    async with WebhookReceiver() as gone:
        url = gone.url
    async with WebhookSender(WebhookTarget.of(url, SECRET), clock) as sender:
        answer = await sender.send("msg_1", b"{}")

    assert (answer.status, answer.problem) == (None, "no connection: ConnectError")


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    receiver: WebhookReceiver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with WebhookReceiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with WebhookSender(WebhookTarget.of(receiver.url, SECRET), clock) as sender:
            await sender.send("msg_1", b"{}")

        assert proxy.received == []
    assert len(receiver.received) == 1


async def test_what_the_receiver_sets_does_not_come_back_to_it(
    receiver: WebhookReceiver, sender: WebhookSender
) -> None:
    receiver.answers.append(Answer(200, headers={"set-cookie": "track=1; Path=/"}))

    await sender.send("msg_1", b"{}")
    await sender.send("msg_2", b"{}")

    assert "cookie" not in receiver.received[1].headers


async def test_a_cancelled_attempt_ends_as_cancelled(
    receiver: WebhookReceiver, sender: WebhookSender
) -> None:
    receiver.answers.append(Answer(200, is_silent=True))
    attempt = asyncio.create_task(sender.send("msg_1", b"{}"))
    await receiver.asked()

    attempt.cancel()

    with pytest.raises(asyncio.CancelledError):
        await attempt


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/T0/B0?token=x",
        "https://[2001:db8::1]:8443/",
        "http://127.0.0.1:8080/hook",
        "http://127.9.9.9/",
        "http://[::1]/hook",
        "http://localhost/hook",
    ],
)
def test_https_and_this_machine_are_good_targets(url: str) -> None:
    check_webhook_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "https://",
        "https:///hook",
        "http://hooks.example.org/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:hunter2@hooks.example.org/",
        "https://user@hooks.example.org/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org/\nx",
        "https://hooks.example.org/ x",
        "https://hööks.example.org/",
        f"https://hooks.example.org/{'x' * 2048}",
    ],
)
def test_other_targets_are_refused_without_a_word_of_them(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|is not") as caught:
        check_webhook_url(url)

    assert "hunter2" not in str(caught.value)
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    "secret",
    ["", "x" * 23, "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 but long enough for a key"],
)
def test_a_weak_secret_is_refused_without_a_word_of_it(secret: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        webhook_key(secret)

    assert secret == "" or secret not in str(caught.value)


def test_a_target_shows_neither_url_nor_key() -> None:
    shown = repr(WebhookTarget.of("https://hooks.example.org/T0", SECRET))

    assert shown == "WebhookTarget()"
