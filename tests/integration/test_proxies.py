"""Calls to Teams go through the proxy that the environment names, or directly, with nobody's password but ours."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from adapters import proxies
from adapters.clock import SettableClock
from adapters.proxies import check_proxy, find_proxy
from adapters.teams.connector import Connector
from bot.ports import OutcomeUnknown
from tests.support.world import MONDAY


@dataclass
class Proxy:
    """A proxy that answers by itself: what it was asked for, and by whom."""

    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        headers = request.headers
        asked = str(request._message.path), headers.get("Proxy-Authorization", ""), headers.get("Authorization", "")
        self.asked.append(asked)
        return web.json_response({"name": "Noor"})


class OurToken:
    """The token of a bot."""

    async def token(self) -> str:
        return "ours"


@pytest.fixture(autouse=True)
def fresh_environment() -> Iterator[None]:
    """Look at the environment of each test anew."""
    for one in (proxies._find_for, proxies._read_proxy):
        one.cache_clear()
    yield
    for one in (proxies._find_for, proxies._read_proxy):
        one.cache_clear()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy()
    server = web.Server(made.answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def ask() -> str:
    """Ask for a member at an address that only a proxy can reach; return the name."""
    async with aiohttp.ClientSession() as session:
        connector = Connector(session, OurToken(), SettableClock(MONDAY, running=False))
        return str((await connector.get_member("http://teams.invalid/emea/", "a", "b"))["name"])


async def test_the_proxy_of_the_environment_is_asked_with_its_password(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://jan:geheim@127.0.0.1:{proxy.port}")
    assert await ask() == "Noor"
    ((url, password, token),) = proxy.asked
    assert url == "http://teams.invalid/emea/v3/conversations/a/members/b"
    assert password == "Basic amFuOmdlaGVpbQ=="
    assert token == "Bearer ours"


async def test_not_for_an_address_that_is_called_directly(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "other.example,teams.invalid")
    with pytest.raises(OutcomeUnknown):
        await ask()
    assert proxy.asked == []


async def test_a_password_file_keeps_no_message_back(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "netrc"
    file.write_text("default login jan password geheim\n")
    monkeypatch.setenv("NETRC", str(file))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    assert await ask() == "Noor"
    assert proxy.asked[0][2] == "Bearer ours"


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_proxy_that_speaks_tls_is_left_out_and_that_is_said_once(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://jan:geheim@proxy.example")
    with capture_logs() as logged:
        assert find_proxy("https://smba.trafficmanager.net/emea/") is None
        assert find_proxy("https://slack.com/api/") is None
    assert check_proxy() == {}
    (warning,) = logged
    assert (warning["log_level"], warning["variable"]) == ("warning", "HTTPS_PROXY")
    assert "jan" not in str(warning)
    assert "geheim" not in str(warning)


@pytest.mark.parametrize(
    "proxy",
    ["proxy.example:3128", "jan:geheim@proxy.example:3128", "socks5://jan:geheim@proxy.example", "http://", "http://:1",
     "http://proxy.example:x", "http://[proxy.example", "http://jan:ge/heim@proxy.example"],
)  # fmt: skip
def test_what_is_no_proxy_is_found_at_the_start_and_breaks_no_call(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert list(check_proxy()) == ["HTTPS_PROXY"]
    with capture_logs() as logged:
        assert find_proxy("https://smba.trafficmanager.net/emea/") is None
    assert len(logged) == 1
    assert "jan" not in str(logged)


def test_a_proxy_of_http_is_found_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "HTTP://jan:geheim@proxy.example:3128")
    assert check_proxy() == {}
    assert find_proxy("https://smba.trafficmanager.net/emea/") == "HTTP://jan:geheim@proxy.example:3128"


def test_without_one_every_address_is_called_directly() -> None:
    assert find_proxy("https://smba.trafficmanager.net/emea/") is None
