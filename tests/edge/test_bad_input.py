"""Whatever is sent, the answer is JSON with a true status: never a traceback, never HTML."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.edge.conftest import RunningEdge, StartEdge

ROUTE = "/v1/route"
ESTIMATE = "/api/ai/pricing/estimate"
BOTH = pytest.mark.parametrize("path", [ROUTE, ESTIMATE])
MIB = 1024 * 1024


def reason(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert error["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    name: str = error["reason"]
    return name.removeprefix("ERROR_REASON_")


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        '{"messages":',
        "{'messages': 1}",
        '{"a": 1,}',
        "hello",
        '{"input_tokens": NaN}',
        '{"x": Infinity}',
        '{"x": -Infinity}',
        '{"x": 01}',
        '{"x": "\\ud800"}',
        '{"x": "a\nb"}',
        "{} {}",
        "\ufeff{}",
        "\x00",
    ],
)
async def test_malformed_json_is_400(edge: RunningEdge, path: str, text: str) -> None:
    response = await edge.send(path, text)

    assert response.status_code == 400, response.text
    assert reason(response) == "MALFORMED_REQUEST"


@BOTH
@pytest.mark.parametrize("text", [b'{"x": "\xff"}', b"\xfe\xff", b'{"model": "\xed\xa0\x80"}'])
async def test_a_body_that_is_not_utf_8_is_400(edge: RunningEdge, path: str, text: bytes) -> None:
    response = await edge.send(path, text)

    assert response.status_code == 400
    assert "UTF-8" in response.json()["error"]["message"]


@BOTH
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data; boundary=x",
     "application/jsonp"],
)  # fmt: skip
async def test_another_media_type_is_415(edge: RunningEdge, path: str, content_type: str) -> None:
    response = await edge.send(path, "{}", content_type=content_type)

    assert response.status_code == 415
    assert reason(response) == "UNSUPPORTED_MEDIA_TYPE"


@BOTH
async def test_a_media_type_may_have_parameters(edge: RunningEdge, path: str) -> None:
    body = {"messages": [{"role": "user", "content": "x"}], "input_tokens": 1}

    response = await edge.send(
        path, json.dumps(body), content_type="Application/JSON; charset=utf-8"
    )

    assert response.status_code == 200


@BOTH
async def test_a_body_over_8_mib_is_413(edge: RunningEdge, path: str) -> None:
    response = await edge.send(path, b" " * (8 * MIB + 1))

    assert response.status_code == 413
    assert reason(response) == "REQUEST_TOO_LARGE"
    assert response.json()["error"]["details"] == {"limit_bytes": str(8 * MIB)}


@BOTH
async def test_a_body_without_a_length_is_counted_as_it_comes(edge: RunningEdge, path: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * MIB

    response = await edge.post(
        path, content=endless(), headers={"content-type": "application/json"}
    )

    assert response.status_code == 413


async def test_a_body_of_8_mib_is_accepted(edge: RunningEdge) -> None:
    message = {"role": "user", "content": ""}
    overhead = len(json.dumps({"messages": [message]}))
    message["content"] = "x" * (8 * MIB - overhead)

    response = await edge.send(ROUTE, json.dumps({"messages": [message]}))

    assert response.status_code == 200
    assert len(edge.router.last_request.request.messages[0].text) == 8 * MIB - overhead


def nested(depth: int) -> str:
    """Return a route body in which lists are nested so deep, in a field that is ignored."""
    lists = depth - 1
    head = '{"messages":[{"role":"user","content":"x"}],"input_tokens":1,"x":'
    return head + "[" * lists + "]" * lists + "}"


@BOTH
async def test_a_body_nested_64_deep_is_accepted(edge: RunningEdge, path: str) -> None:
    assert (await edge.send(path, nested(64))).status_code == 200


@BOTH
@pytest.mark.parametrize("depth", [65, 1000, 100_000])
async def test_a_body_nested_deeper_is_400(edge: RunningEdge, path: str, depth: int) -> None:
    response = await edge.send(path, nested(depth))

    assert response.status_code == 400
    assert "deeper than 64" in response.json()["error"]["message"]


@BOTH
async def test_brackets_in_strings_are_not_depth(edge: RunningEdge, path: str) -> None:
    text = nested(3).replace('"x":', r'"y":"\"' + "[{" * 500 + r'\\","x":')

    assert (await edge.send(path, text)).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "[" * 4 * MIB,
        "[" * 4 * MIB + "]" * 4 * MIB,
        ("[" * 64 + "]" * 64) * 65_535,
        "[]," * 2 * MIB,
        '"' + '\\"' * 3 * MIB,
        "{" * 100 + '"' * MIB,
        "]" * MIB,
    ],
)
async def test_a_hostile_body_does_not_hold_up_others(edge: RunningEdge, text: str) -> None:
    hostile = asyncio.create_task(edge.send(ROUTE, text))

    alive = await edge.get("/healthz")

    assert alive.status_code == 200
    assert (await hostile).status_code in {400, 422}


async def test_a_slow_body_is_408(start_edge: StartEdge) -> None:
    edge = await start_edge(body_seconds=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)

    writer.write(
        b"POST /v1/route HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: 100\r\n\r\n{"
    )
    answer = await reader.read()  # to the end: the connection is closed

    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.2 s" in answer


@pytest.mark.parametrize("path", ["/nope", "/api/nope", "/api/ai/pricing/", "/docs", "/v1/nope"])
async def test_an_unknown_route_is_404(edge: RunningEdge, path: str) -> None:
    response = await edge.get(path)

    assert response.status_code == 404
    assert reason(response) == "RESOURCE_NOT_FOUND"
    assert ("success" in response.json()) is not path.startswith("/v1/")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", ROUTE, "POST"), ("DELETE", "/api/ai/pricing", "GET"), ("GET", ESTIMATE, "POST"),
     ("POST", "/openapi.json", "GET")],
)  # fmt: skip
async def test_a_wrong_method_is_405(
    edge: RunningEdge, method: str, path: str, allowed: str
) -> None:
    response = await edge.ask(method, path)

    assert response.status_code == 405
    assert allowed in response.headers["allow"]
    assert reason(response)


@pytest.mark.parametrize("size", [17 * 1024, 200 * 1024])
async def test_heads_over_16_kib_are_431(edge: RunningEdge, size: int) -> None:
    response = await edge.client.get("/healthz", headers={"x-long": "x" * size})

    assert response.status_code == 431
    assert reason(response) == "MALFORMED_REQUEST"


async def test_many_headers_over_16_kib_together_are_431(edge: RunningEdge) -> None:
    headers = {f"x-{number}": "x" * 200 for number in range(100)}

    assert (await edge.client.get("/healthz", headers=headers)).status_code == 431


async def test_heads_below_16_kib_are_accepted(edge: RunningEdge) -> None:
    response = await edge.client.get("/healthz", headers={"x-long": "x" * 15 * 1024})

    assert response.status_code == 200


async def test_a_head_without_end_is_cut_off(edge: RunningEdge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)

    writer.write(b"GET /healthz HTTP/1.1\r\nx-endless: " + b"x" * 20_000)
    answer = await reader.read()

    writer.close()
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_what_is_no_http_is_400_as_json(edge: RunningEdge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)

    writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    answer = await reader.read()

    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["success"] is False


async def test_a_client_that_leaves_in_the_middle_of_its_body_harms_nobody(
    edge: RunningEdge,
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(b"POST /v1/route HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                 b"content-length: 100\r\n\r\n{")  # fmt: skip
    await writer.drain()
    writer.close()

    assert (await edge.get("/healthz")).status_code == 200
    assert edge.router.requests == []
