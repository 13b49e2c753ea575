"""What `ritme doctor` looks at: configuration, database, migrations, credentials."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from sqlalchemy.exc import DatabaseError

from adapters.clock import SystemClock
from adapters.database.migrate import is_newer, versions
from adapters.database.slack import SqlInstallations
from adapters.database.unit_of_work import connect
from adapters.settings import CURES, BadSettings, Settings
from adapters.slack.permissions import SCOPES
from adapters.slack.tokens import NoToken, TokenCipher
from adapters.teams.auth import ClientCredentials
from bot.ports import RetryAfter, Unreachable

log = structlog.get_logger(__name__)
MIGRATE = "Run: ritme migrate"
PATIENCE = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at. `cure` is None when it is well."""

    subject: str
    text: str
    cure: str | None = None


async def examine() -> list[Finding]:
    """Everything `ritme serve` needs, looked at in this environment."""
    try:
        settings = Settings.load()
    except BadSettings as bad:
        return [
            Finding(subject=variable, text=problem, cure=CURES[variable]) for variable, problem in bad.problems.items()
        ]
    return [
        Finding(subject="Configuration", text=f"listens on {settings.host}:{settings.port}"),
        await database(settings),
        *_missing(settings),
        *(await _slack(settings) if settings.slack else ()),
        *(await _teams(settings) if settings.teams else ()),
    ]


async def database(settings: Settings) -> Finding:
    """Whether the database can be used, by this version. Creates nothing."""
    file, name = settings.database_file, settings.database_name
    if file is not None and not file.exists():
        return Finding(subject="Database", text=f"is not there yet ({file})", cure=MIGRATE)
    engine = connect(settings.database_url)
    try:
        current, head = await versions(engine)
    except DatabaseError as problem:
        cure = "Let this user read and write that file and its folder, or set RITME_DATABASE_URL to another one."
        if file is None:
            cure = "Start PostgreSQL, or mend the address, user or password in RITME_DATABASE_URL."
        return Finding(subject="Database", text=f"cannot be used ({name}: {problem.orig})", cure=cure)
    finally:
        await engine.dispose()
    if is_newer(current):
        text = f"is at revision {current}, which a newer version of Ritme made ({name})"
        cure = f"Start that version; or go back, with that version: ritme migrate {head}"
        return Finding(subject="Database", text=text, cure=cure)
    if current != head:
        text = f"is at revision {current or 'none'}, this version needs {head} ({name})"
        return Finding(subject="Database", text=text, cure=MIGRATE)
    return Finding(subject="Database", text=f"{name}, at revision {head}")


def _missing(settings: Settings) -> list[Finding]:
    missing = settings.missing_for_serving()
    return [
        Finding(subject=variable, text="is missing" if variable != "TEAMS_AUTH" else "is set, and others can reach us",
                cure=cure)
        for variable, cure in missing.items()
    ]  # fmt: skip


async def _teams(settings: Settings) -> list[Finding]:
    """Whether Microsoft knows us by the secret we have."""
    if settings.teams_trusting or settings.teams_app_password is None:
        return [Finding(subject="Teams", text="nobody has to prove who they are: for a test on this machine")]
    async with aiohttp.ClientSession(timeout=PATIENCE, trust_env=True) as session:
        credentials = ClientCredentials(
            session,
            SystemClock(),
            app_id=settings.teams_app_id or "",
            password=settings.teams_app_password.get_secret_value(),
            tenant=settings.teams_tenant_id or "",
        )
        try:
            await credentials.token()
        except Unreachable:
            return [Finding(subject="TEAMS_APP_PASSWORD", text="is refused", cure=CURES["TEAMS_APP_PASSWORD"])]
        except RetryAfter:
            cure = "Look whether this machine may reach login.microsoftonline.com."
            return [Finding(subject="Teams", text="gives no answer", cure=cure)]
    address = f"{settings.base_url}/teams/messages"
    return [Finding(subject="Teams", text=f"knows us; its messages come to {address}")]


async def _slack(settings: Settings) -> list[Finding]:
    found = []
    if settings.slack_bot_token is not None:
        found.append(await _bot(settings, settings.slack_bot_token.get_secret_value()))
    if settings.slack_app_token is not None:
        found.append(await _socket(settings, settings.slack_app_token.get_secret_value()))
    if settings.many_workspaces:
        found.append(await _installed(settings))
    return found


async def _bot(settings: Settings, token: str) -> Finding:
    said, allowed = await _ask(settings, "auth.test", token)
    if said is None:
        return _silent(settings)
    if not said.get("ok"):
        return Finding(
            subject="SLACK_BOT_TOKEN", text=f"is refused ({said.get('error')})", cure=CURES["SLACK_BOT_TOKEN"]
        )
    lacking = [] if allowed is None else sorted(set(SCOPES) - {scope.strip() for scope in allowed.split(",")})
    if lacking:
        cure = "Add them on your Slack app's page, OAuth & Permissions, and install the app again."
        return Finding(subject="Slack", text=f"does not allow {', '.join(lacking)}", cure=cure)
    return Finding(subject="Slack", text=f"{said.get('team')}, as @{said.get('user')}")


async def _socket(settings: Settings, token: str) -> Finding:
    said, _ = await _ask(settings, "apps.connections.open", token)
    if said is None:
        return _silent(settings)
    if not said.get("ok"):
        return Finding(
            subject="SLACK_APP_TOKEN", text=f"is refused ({said.get('error')})", cure=CURES["SLACK_APP_TOKEN"]
        )
    return Finding(subject="Socket Mode", text="a connection may be opened; no public address is needed")


async def _installed(settings: Settings) -> Finding:
    """Which workspaces installed the app, and whether our keys still open their tokens."""
    address = f"{settings.base_url}/slack/install"
    engine = connect(settings.database_url)
    try:
        sealed = await SqlInstallations(engine).all_sealed()
    except DatabaseError:
        return Finding(subject="Slack", text=f"to install: {address}")  # what is the matter was said of the database
    finally:
        await engine.dispose()
    seal, closed = TokenCipher(settings.secret_keys), []
    for team, token in sealed.items():
        try:
            seal.open(token)
        except NoToken:
            closed.append(team)
    if closed:
        return Finding(
            subject="RITME_SECRET_KEY",
            text=f"does not open the tokens of {len(closed)} of {len(sealed)} workspaces ({', '.join(closed)})",
            cure=f"Add the key they were sealed with, after a comma; or let them install again at {address}",
        )
    return Finding(subject="Slack", text=f"{len(sealed)} workspaces; to install in another: {address}")


async def _ask(settings: Settings, method: str, token: str) -> tuple[dict[str, Any] | None, str | None]:
    """Slack's answer (None when there is none), and the scopes of the token."""
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE, trust_env=True) as session,
            session.post(settings.slack_api_url + method, headers={"Authorization": f"Bearer {token}"}) as answer,
        ):
            said = await answer.json(content_type=None)
            return (said if isinstance(said, dict) else {"error": said}), answer.headers.get("x-oauth-scopes")
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        log.debug("no_answer", method=method, error=type(problem).__name__)
        return None, None


def _silent(settings: Settings) -> Finding:
    return Finding(
        subject="Slack",
        text=f"gives no answer at {settings.slack_api_url}",
        cure="Look whether this machine may reach that address. " + CURES["SLACK_API_URL"],
    )
