"""The web application: health, limits on bodies, and errors with a reference."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from adapters.door import LARGEST_BODY, Inbound, PlatformId, parse_json_body, read_body
from adapters.web import CannotListen, listen, make_app, make_operations_app, serve_apps
from bot.ports import StorageUnavailable


class Health:
    def __init__(self) -> None:
        self.matter: dict[str, str] = {}

    async def __call__(self) -> dict[str, str]:
        return self.matter


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


class Checked(Inbound):
    id: PlatformId


async def check(request: web.Request) -> web.Response:
    return web.Response(text=parse_json_body(Checked, await read_body(request)).id)


async def broken(_request: web.Request) -> web.Response:
    raise RuntimeError("geheim")


async def cut_off(_request: web.Request) -> web.Response:
    raise ConnectionResetError("by a server that we asked")


async def away(_request: web.Request) -> web.Response:
    raise StorageUnavailable("no connection")


async def unwelcome(_request: web.Request) -> web.Response:
    raise web.HTTPForbidden(text="not you")


def part(app: web.Application) -> None:
    app.router.add_post("/echo", echo)
    app.router.add_post("/checked", check)
    app.router.add_get("/broken", broken)
    app.router.add_get("/cut_off", cut_off)
    app.router.add_get("/away", away)
    app.router.add_get("/unwelcome", unwelcome)


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def served_at(health: Health) -> AsyncIterator[tuple[str, str]]:
    """Serve both applications until the process gets SIGTERM; yield their addresses, the public one first."""

    async def export_metrics() -> bytes:
        return b"ritme_x 1\n"

    sockets = [listen("127.0.0.1", 0) for _ in range(2)]
    apps = [make_app(mounts=[part]), make_operations_app(find_problems=health, metrics=export_metrics)]
    ready = asyncio.Event()
    serving = asyncio.create_task(serve_apps(list(zip(apps, sockets, strict=True)), ready.set))
    await ready.wait()
    public, operations = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    yield public, operations
    os.kill(os.getpid(), signal.SIGTERM)
    await serving


@pytest.fixture
async def served(served_at: tuple[str, str]) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the public application."""
    async with aiohttp.ClientSession(served_at[0]) as session:
        yield session


async def test_alive_is_not_ready(served_at: tuple[str, str], health: Health) -> None:
    async with aiohttp.ClientSession(served_at[1]) as operations:
        async with operations.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})

        health.matter = {"database": "OperationalError"}
        async with operations.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"status": "unavailable", **health.matter})
        async with operations.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})
        async with operations.get("/metrics") as answer:
            assert await answer.text() == "ritme_x 1\n"


async def test_everybody_may_know_that_it_is_alive_and_nothing_else(served: aiohttp.ClientSession) -> None:
    for path, status in (("/healthz", 200), ("/readyz", 404), ("/metrics", 404)):
        async with served.get(path) as answer:
            assert answer.status == status


async def test_storage_unavailable_is_a_503(served: aiohttp.ClientSession) -> None:
    async with served.get("/away") as answer:
        assert answer.status == 503


@pytest.mark.parametrize("path", ["/broken", "/cut_off"])
async def test_a_bug_is_a_500_with_a_reference_that_is_in_the_log(
    served: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    async with served.get(path) as answer:
        assert answer.status == 500
        said = await answer.json()

    assert "geheim" not in str(said)
    logged = next(line for line in capsys.readouterr().out.splitlines() if said["reference"] in line)
    assert "correlation" in logged


async def test_what_a_handler_refuses_on_purpose_passes_unchanged(served: aiohttp.ClientSession) -> None:
    async with served.get("/unwelcome") as answer:
        assert answer.status == 403
        assert await answer.text() == "not you"


async def test_a_request_may_be_large_but_not_endless(served: aiohttp.ClientSession) -> None:
    async with served.post("/echo", data=b"x" * LARGEST_BODY) as answer:
        assert answer.status == 200
    async with served.post("/echo", data=b"x" * (LARGEST_BODY + 1)) as answer:
        assert answer.status == 413


def test_a_taken_port_is_told_with_its_cure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"Port {port} is taken on 127\.0\.0\.1\. .*RITME_PORT={port + 1}"):
            listen("127.0.0.1", port)


def test_of_the_port_for_operations_the_cure_names_its_own_variables() -> None:
    names = {"chosen_by": "RITME_OPERATIONS_PORT=", "host_variable": "RITME_OPERATIONS_HOST"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"RITME_OPERATIONS_PORT={port + 1}"):
            listen("127.0.0.1", port, **names)
    with pytest.raises(CannotListen, match="Set RITME_OPERATIONS_HOST"):
        listen("192.0.2.1", 0, **names)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_an_address_of_elsewhere_is_told_with_its_cure(host: str) -> None:
    with pytest.raises(CannotListen, match=r"Cannot listen on .*Set RITME_HOST"):
        listen(host, 0)


async def test_bad_input_is_a_400_with_one_line_in_the_log_and_nothing_of_what_was_sent(
    served: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served.post("/checked", data=b'{"id": ["geheim"]}') as answer:
        assert answer.status == 400
        assert "geheim" not in await answer.text()

    logged = [line for line in capsys.readouterr().out.splitlines() if line]
    assert len(logged) == 1
    assert "request_malformed" in logged[0]
    assert "id: string_type" in logged[0]
    assert "geheim" not in logged[0]


@pytest.mark.parametrize("encoding", ["deflate", "gzip"])
async def test_a_body_that_cannot_be_unpacked_is_a_400(served: aiohttp.ClientSession, encoding: str) -> None:
    async with served.post("/checked", data=b"no such thing", headers={"Content-Encoding": encoding}) as answer:
        assert answer.status == 400
