"""Nothing that comes in before anybody proved who they are can break, hold or fill the server."""

import asyncio
import gzip
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import time

import pytest
from aiohttp import web

from adapters.door import LARGEST_BODY
from adapters.web import CONNECTIONS, RequestLimits, make_app
from tests.support.playground import serve_playground
from tests.support.service import serve_guarded, serve_platforms

DEEP = b"[" * 100_000
NOW = f"X-Slack-Request-Timestamp: {int(time())}"
PLAYGROUND = (
    ("GET", "/playground/"),
    ("GET", "/playground/static/%00%ff"),
    ("GET", "/playground/api/state?persona=%ff"),
    ("GET", "/playground/api/messages/%00/file?persona=jan"),
    ("POST", "/playground/api/messages"),
    ("POST", "/playground/api/forms/%ff"),
    ("POST", "/playground/api/clock?language=%zz"),
)
POSTS = ("/slack/events", "/teams/messages")
GETS = (
    "/slack/install",
    "/slack/oauth_redirect",
    "/slack/files/x",
    "/teams/files/x.9.y",
    "/teams/about",
    "/teams/privacy",
    "/healthz",
    "/",
    "/nowhere",
)


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """Serve every platform; return the port."""
    async with serve_platforms(tmp_path, RequestLimits(lingering_time=0.05)) as port:
        yield port


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def exchange(port: int, raw: bytes) -> bytes:
    """Send these bytes and nothing more; return what comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        await writer.drain()
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        await hang_up(writer)


def request(method: str, path: str, *headers: str, body: bytes = b"", length: int | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: ritme", "Connection: close", *headers]
    if method == "POST" and not any(line.startswith("Transfer-Encoding") for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


JSON, FORM = "Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded"
SIGNED = f"X-Slack-Signature: v0={'0' * 64}"
HOSTILE: dict[str, tuple[tuple[str, ...], bytes]] = {
    "nothing": ((), b""),
    "400 digits": ((f"X-Slack-Request-Timestamp: {'9' * 400}", SIGNED), b"{}"),
    "8000 digits": ((f"X-Slack-Request-Timestamp: {'9' * 8000}", SIGNED), b"{}"),
    "a negative time": (("X-Slack-Request-Timestamp: -1", SIGNED), b"{}"),
    "not a number": (("X-Slack-Request-Timestamp: nan", SIGNED), b"{}"),
    "spaces": (("X-Slack-Request-Timestamp:  1 2 ", "X-Slack-Signature:   "), b"{}"),
    "other digits": (("X-Slack-Request-Timestamp: ١٢٣٤", SIGNED), b"{}"),
    "letters in the mark": ((NOW, "X-Slack-Signature: v0=é☃"), b"{}"),
    "two times": ((NOW, NOW, SIGNED), b"{}"),
    "two marks": ((NOW, SIGNED, SIGNED), b"{}"),
    "no UTF-8": ((NOW, SIGNED, JSON), b"\xff\xfe\x00{"),
    "deep": ((NOW, SIGNED, JSON), DEEP),
    "deep form": ((NOW, SIGNED, FORM), b"payload=" + DEEP),
    "half a JSON": ((NOW, SIGNED, JSON, "Authorization: Bearer x.y.z"), b'{"type": '),
    "bad percents": ((NOW, SIGNED, FORM), b"payload=%zz%&%ff=%e2%28%a1&&=%"),
    "no deflate": ((NOW, SIGNED, "Content-Encoding: deflate"), b"no deflate at all"),
    "no gzip": ((NOW, SIGNED, "Content-Encoding: gzip"), gzip.compress(b"x" * 999)[:20]),
    "no brotli": ((NOW, SIGNED, "Content-Encoding: br"), b"\xff" * 50),
    "unknown compression": ((NOW, SIGNED, "Content-Encoding: zip"), b"PK"),
    "a bomb": ((NOW, SIGNED, "Content-Encoding: deflate"), zlib.compress(b"0" * 50 * LARGEST_BODY)),
    "an unknown charset": ((NOW, SIGNED, "Content-Type: application/json; charset=klingon"), b"{}"),
    "a wrong charset": ((NOW, SIGNED, "Content-Type: application/json; charset=utf-16"), b"{"),
    "a strange type": ((NOW, SIGNED, "Content-Type: ;;;/=\x7f"), b"{}"),
    "a multipart without a boundary": ((NOW, SIGNED, "Content-Type: multipart/form-data"), b"--x\r\n"),
    "a long token": ((f"Authorization: Bearer {'a' * 8000}",), b"{}"),
    "an odd token": (("Authorization: Bearer é.☃.\x7f",), b"{}"),
    "two tokens": (("Authorization: Bearer a.b.c", "Authorization: Bearer a.b.c"), b"{}"),
    "odd cookies": (('Cookie: a="; ;;=;\x01=é; slack-app-oauth-state',), b""),
    "a cookie that is no text": (("Cookie: ritme_slack_install=\udcff\udcfe",), b""),
    "an odd language": ((f"Accept-Language: {'x-' * 3000}", "Accept: \xff"), b""),
    "an expectation": (("Expect: 200-maybe",), b""),
    "an odd range": (("Range: bytes=9-1", "If-None-Match: \x7f", "If-Modified-Since: yesterday"), b""),
}
REFUSALS = {200, 302, 400, 401, 404, 405, 410, 413, 415, 417}


async def test_nothing_hostile_is_an_error_of_ours_on_any_route(port: int) -> None:
    wrong = []
    for kind, (headers, body) in HOSTILE.items():
        for path in POSTS:
            answer = await exchange(port, request("POST", path, *headers, body=body))
            if status(answer) not in {400, 401, 413, 417}:
                wrong.append((kind, path, answer))
        for path in GETS:
            answer = await exchange(port, request("GET", path, *headers))
            if status(answer) not in REFUSALS or b"Server: Ritme\r\n" not in answer:
                wrong.append((kind, path, answer))
    assert wrong == []


HARDLY_HTTP = [
    request("POST", "/slack/events", "Content-Length: 5", body=b"{}"),
    request("POST", "/slack/events", "Content-Length: -5"),
    request("POST", "/slack/events", "Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    request("POST", "/slack/events", "Transfer-Encoding: chunked, what", body=b"2\r\n{}\r\n0\r\n\r\n"),
    request("POST", "/slack/events", "Transfer-Encoding: chunked", "Content-Length: 2", body=b"2\r\n{}\r\n0\r\n\r\n"),
    request("POST", "/teams/messages", f"X-Much: {'x' * 20_000}"),
    request("POST", "/teams/messages", *(f"X-{number}: x" for number in range(500))),
    request("GET", f"/teams/about?{'x' * 20_000}"),
    request("GET", "/teams/about?language=%zz%ff%00&language[]=\x01"),
    request("GET", "/slack/oauth_redirect?state=%ff%fe&code=%00&error="),
    request("GET", "/slack/files/%2e%2e%2f%00%ff"),
    request("GET", "/teams/files/" + "9" * 400 + "." + "9" * 400 + ".é"),
    request("GET", "//evil.example/%"),
    request("GET", "http://[::1/"),
    request("PROPFIND", "*"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200) + b"\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /teams/about HTTP/1.1\r\nHost ritme\r\n\r\n",
    b"\r\n\r\n\r\n\x00\r\n\r\n",
]


async def test_what_is_hardly_http_is_refused_without_a_stack_trace(
    port: int, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for raw in HARDLY_HTTP:
        answer = await exchange(port, raw)
        assert answer == b"" or status(answer) in REFUSALS | {408, 414, 431, 505}, (raw[:80], answer[:300])
        assert b"aiohttp" not in answer
        assert b"Python" not in answer
    assert not [record for record in caplog.records if record.exc_info]
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_nor_is_anything_in_the_playground(tmp_path: Path) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        port = int(served.address.rpartition(":")[2])
        wrong = []
        for kind, (headers, body) in HOSTILE.items():
            for method, path in PLAYGROUND:
                sent = body if method == "POST" else b""
                raw = request(method, path, *headers, body=sent).replace(b"Host: ritme", b"Host: localhost")
                answer = await exchange(port, raw)
                if not 200 <= status(answer) < 500 or b"Server: Ritme\r\n" not in answer:
                    wrong.append((kind, path, answer[:300]))
        assert wrong == []


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(port: int) -> None:
    answer = await exchange(port, request("POST", "/slack/events", length=LARGEST_BODY + 1))
    assert status(answer) == 413


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@asynccontextmanager
async def limited(**limits: float) -> AsyncIterator[tuple[int, web.Application]]:
    """Serve one route that gives its body back, with these limits."""

    def mount(app: web.Application) -> None:
        app.router.add_post("/echo", echo)

    app = make_app(mounts=[mount], limits=RequestLimits(**limits))  # type: ignore[arg-type]
    async with serve_guarded(app) as port:
        yield port, app


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with limited(body_timeout=0.05, lingering_time=0.05) as (port, _):
        assert status(await exchange(port, request("POST", "/echo", body=b"{", length=9))) == 408


@pytest.mark.parametrize("sent", [b"", b"POST /echo HT", b"POST /echo HTTP/1.1\r\nHost: ritme\r\nX: "])
async def test_headers_that_do_not_come_are_not_waited_for(sent: bytes) -> None:
    async with limited(headers_timeout=0.05) as (port, _):
        assert await exchange(port, sent) == b""


async def test_nor_are_those_of_a_later_request_of_the_same_connection() -> None:
    whole = request("POST", "/echo", body=b"~whole~").replace(b"Connection: close\r\n", b"")
    async with limited(headers_timeout=0.2) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(whole)
            assert (await reader.readuntil(b"~whole~")).startswith(b"HTTP/1.1 200")
        writer.write(whole[:20])
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        await hang_up(writer)


async def test_there_are_only_so_many_connections_and_whoever_comes_later_reads_it() -> None:
    async with limited(connections=5) as (port, _):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for _ in range(3):
            assert status(await exchange(port, b"")) == 503
        held[0][1].write(request("POST", "/echo", body=b"here"))
        assert (await held[0][0].read()).endswith(b"here")  # who is in is served, and makes room
        assert status(await exchange(port, request("POST", "/echo", body=b"next"))) == 200
        for _, writer in held:
            await hang_up(writer)


async def test_a_connection_that_is_only_kept_open_makes_room() -> None:
    whole = request("POST", "/echo", body=b"~whole~").replace(b"Connection: close\r\n", b"")
    async with limited(connections=3) as (port, app):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for reader, writer in held:
            writer.write(whole)
            await reader.readuntil(b"~whole~")
        assert status(await exchange(port, request("POST", "/echo", body=b"next"))) == 200
        assert await held[0][0].read() == b"", "the oldest of them"
        assert app[CONNECTIONS].count == 2
        held[1][1].write(whole)
        assert (await held[1][0].readuntil(b"~whole~")).startswith(b"HTTP/1.1 200")
        for _, writer in held:
            await hang_up(writer)


async def test_of_connections_that_are_over_none_is_left() -> None:
    async with limited() as (port, app):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        assert app[CONNECTIONS].count == 200
        for _, writer in held:
            await hang_up(writer)
        async with asyncio.timeout(10):
            while app[CONNECTIONS].count:  # noqa: ASYNC110  # the server learns of it a turn of the loop later
                await asyncio.sleep(0)
