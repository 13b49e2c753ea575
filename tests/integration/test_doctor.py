"""`ritme doctor` finds what is wrong, says how to cure it, and changes nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.fernet import Fernet

from adapters.database.migrate import migrate_schema
from adapters.database.slack import SqlInstallations
from adapters.database.unit_of_work import connect
from adapters.doctor import Finding, examine
from adapters.slack.permissions import SCOPES

SECRET = "geheim"


class AuthTestServer:
    """A Slack that knows two methods: auth.test and apps.connections.open."""

    def __init__(self) -> None:
        self.answer: object = {"ok": True, "team": "Wijkzorg", "user": "ritme"}
        self.scopes = ",".join(SCOPES)
        self.connection: object = {"ok": True}
        self.asked_with: list[str] = []

    async def auth_test(self, request: web.Request) -> web.Response:
        self.asked_with.append(request.headers["Authorization"])
        return web.json_response(self.answer, headers={"x-oauth-scopes": self.scopes})

    async def open_connection(self, request: web.Request) -> web.Response:
        return web.json_response(self.connection)


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[AuthTestServer]:
    """Start a Slack, and set an environment in which nothing is wrong."""
    slack = AuthTestServer()
    app = web.Application()
    app.router.add_post("/api/auth.test", slack.auth_test)
    app.router.add_post("/api/apps.connections.open", slack.open_connection)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("SLACK_API_URL", f"http://127.0.0.1:{runner.addresses[0][1]}/api/")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv("SLACK_BOT_TOKEN", f"xoxb-{SECRET}")
    monkeypatch.setenv("RITME_DATABASE_URL", f"sqlite:///{tmp_path}/ritme.db")
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/ritme.db")
    await migrate_schema(engine)
    await engine.dispose()
    yield slack
    await runner.cleanup()


async def only_finding() -> Finding:
    """Run the doctor; return its only finding with a cure, and check that no secret is shown."""
    findings = await examine()
    assert SECRET not in str(findings)
    (found,) = [finding for finding in findings if finding.cure is not None]
    return found


async def test_when_all_is_well_it_says_with_whom(slack: AuthTestServer, tmp_path: Path) -> None:
    findings = await examine()

    assert [finding.subject for finding in findings if finding.cure is None] == ["Configuration", "Database", "Slack"]
    assert findings[-1].text == "Wijkzorg, as @ritme"
    assert slack.asked_with == [f"Bearer xoxb-{SECRET}"]


async def test_bad_settings_are_all_it_looks_at(slack: AuthTestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RITME_PORT", "x")

    assert (await only_finding()).subject == "RITME_PORT"
    assert slack.asked_with == []


async def test_a_database_that_is_not_there_is_not_made(slack: AuthTestServer, tmp_path: Path) -> None:
    (tmp_path / "ritme.db").unlink()

    assert (await only_finding()).cure == "Run: ritme migrate"
    assert not (tmp_path / "ritme.db").exists()


async def test_a_database_of_an_earlier_version_wants_migrating(slack: AuthTestServer, tmp_path: Path) -> None:
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/ritme.db")
    await migrate_schema(engine, "base")
    await engine.dispose()

    found = await only_finding()
    assert "is at revision none" in found.text
    assert found.cure == "Run: ritme migrate"


async def test_a_file_that_is_no_database_is_told(slack: AuthTestServer, tmp_path: Path) -> None:
    (tmp_path / "ritme.db").write_text("a letter to the district nurses, much longer than a header" * 100)

    assert (await only_finding()).subject == "Database"


@pytest.mark.parametrize("variable", ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"])
async def test_a_missing_credential_is_named(
    slack: AuthTestServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv(variable)

    assert (await only_finding()).subject == variable
    assert slack.asked_with == []


async def test_a_refused_token_says_why_and_where_to_find_a_new_one(slack: AuthTestServer) -> None:
    slack.answer = {"ok": False, "error": "token_revoked"}

    found = await only_finding()
    assert found.subject == "SLACK_BOT_TOKEN"
    assert "token_revoked" in found.text
    assert "OAuth & Permissions" in str(found.cure)


async def test_scopes_that_lack_are_named(slack: AuthTestServer) -> None:
    slack.scopes = ",".join(scope for scope in SCOPES if not scope.startswith("reactions"))

    assert (await only_finding()).text == "does not allow reactions:read, reactions:write"


@pytest.mark.parametrize("answer", ["just a proxy", None, ["odd"]])
async def test_an_answer_that_is_not_slacks_is_no_yes(slack: AuthTestServer, answer: object) -> None:
    slack.answer = answer

    assert (await only_finding()).subject == "SLACK_BOT_TOKEN"


async def test_no_answer_at_all_points_at_the_network(slack: AuthTestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")

    found = await only_finding()
    assert found.subject == "Slack"
    assert "http://127.0.0.1:9/api/" in found.text


async def test_slack_is_asked_as_serving_asks_it(
    slack: AuthTestServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login jan password geheim\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    assert [finding for finding in await examine() if finding.cure is not None] == []
    assert slack.asked_with == [f"Bearer xoxb-{SECRET}"]


async def test_a_proxy_that_is_none_is_named(slack: AuthTestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"jan:{SECRET}@proxy.example:3128")

    assert (await only_finding()).subject == "HTTPS_PROXY"


async def install(tmp_path: Path, key: str, team: str, scopes: str) -> None:
    """Store that a workspace installed the app, with its token under `key`."""
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/ritme.db")
    await SqlInstallations(engine).save(
        {
            "team_id": team,
            "team_name": "Wijkzorg",
            "app_id": "A1",
            "bot_user_id": "UB",
            "bot_token": Fernet(key).encrypt(f"xoxb-{SECRET}".encode()).decode(),
            "refresh_token": None,
            "expires_at": None,
            "renewing_until": None,
            "scopes": scopes,
            "installed_by": "U1",
            "installed_at": datetime(2027, 3, 1, tzinfo=UTC),
        }
    )
    await engine.dispose()


@pytest.fixture
def key(slack: AuthTestServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set an environment in which many workspaces install the app; return the key of their tokens."""
    key = Fernet.generate_key().decode()
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("RITME_SECRET_KEY", key)
    monkeypatch.setenv("RITME_PUBLIC_URL", "https://ritme.example.org")
    return key


async def test_workspaces_that_installed_are_counted(key: str, tmp_path: Path) -> None:
    await install(tmp_path, key, "T1", ",".join(SCOPES))

    findings = await examine()
    assert all(finding.cure is None for finding in findings)
    assert findings[-1].text.startswith("1 workspaces; to install in another: https://ritme.example.org/slack/install")


async def test_tokens_under_another_key_are_named_by_workspace(key: str, tmp_path: Path) -> None:
    await install(tmp_path, key, "T1", ",".join(SCOPES))
    await install(tmp_path, Fernet.generate_key().decode(), "T2", ",".join(SCOPES))

    found = await only_finding()
    assert found.subject == "RITME_SECRET_KEY"
    assert "1 of 2 workspaces (T2)" in found.text


async def test_a_workspace_that_did_not_grant_every_scope_is_named(key: str, tmp_path: Path) -> None:
    await install(tmp_path, key, "T1", ",".join(sorted(SCOPES)[1:]))

    found = await only_finding()
    assert found.subject == "Slack"
    assert "(T1)" in found.text


@pytest.mark.parametrize(
    ("answer", "subject", "cured"),
    [({"ok": True}, "Socket Mode", False), ({"ok": False, "error": "invalid_auth"}, "SLACK_APP_TOKEN", True)],
)
async def test_the_token_of_socket_mode_is_tried(
    slack: AuthTestServer, monkeypatch: pytest.MonkeyPatch, answer: object, subject: str, cured: bool
) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", f"xapp-{SECRET}")
    slack.connection = answer

    findings = await examine()
    (found,) = [finding for finding in findings if finding.subject == subject]
    assert (found.cure is not None) is cured
    assert SECRET not in str(findings)
