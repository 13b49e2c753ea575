"""Check what `ritme serve` needs: configuration, database, migrations and credentials. `ritme doctor` shows it."""

from typing import Any

import aiohttp
import structlog
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from adapters.clock import SystemClock
from adapters.database.slack import SqlInstallations
from adapters.database.tables import webhooks
from adapters.database.unit_of_work import connect
from adapters.database_check import Finding, check_database
from adapters.proxies import check_proxy, find_proxy
from adapters.settings import CURES, BadSettings, Settings
from adapters.slack.permissions import SCOPES
from adapters.slack.tokens import NoToken, TokenCipher
from adapters.teams.credentials import ClientCredentials
from adapters.vault import SecretVault
from bot.ports import RetryAfter, Unreachable

log = structlog.get_logger(__name__)
PROBE_TIMEOUT = aiohttp.ClientTimeout(total=5)
"""For each call to a platform."""


async def examine() -> list[Finding]:
    """Check everything `ritme serve` needs in this environment. Changes nothing."""
    try:
        settings = Settings.load()
    except BadSettings as bad:
        return [
            Finding(subject=variable, text=problem, cure=CURES[variable]) for variable, problem in bad.problems.items()
        ]
    return [
        Finding(subject="Configuration", text=_describe_addresses(settings)),
        await check_database(settings),
        *_describe_council(settings),
        *_check_missing(settings),
        *(Finding(subject=variable, text=problem, cure=CURES[variable]) for variable, problem in check_proxy().items()),
        *(await _check_slack(settings) if settings.serves_slack else ()),
        *(await _check_teams(settings) if settings.serves_teams else ()),
        *_check_file_links(settings),
        *await _check_webhooks(settings),
    ]


def _describe_addresses(settings: Settings) -> str:
    public, operations = (settings.host, settings.port), (settings.operations_host, settings.operations_port)
    return "listens on {}:{}, for monitoring on {}:{}".format(*public, *operations)


def _describe_council(settings: Settings) -> list[Finding]:
    text = "agrees first, before colleagues are named in a movement (RITME_WORKS_COUNCIL)"
    return [Finding(subject="Works council", text=text)] if settings.works_council else []


def _check_missing(settings: Settings) -> list[Finding]:
    missing = settings.missing_for_serving()
    return [
        Finding(subject=variable, text="is missing" if variable != "TEAMS_AUTH" else "is set, and others can reach us",
                cure=cure)
        for variable, cure in missing.items()
    ]  # fmt: skip


def _check_file_links(settings: Settings) -> list[Finding]:
    """Check that people in Teams can be given a link to the file with their own data."""
    if not settings.serves_teams or settings.public_url or settings.is_teams_auth_disabled:
        return []
    text = "is missing: nobody in Teams can download their data"
    return [Finding(subject="RITME_PUBLIC_URL", text=text, cure=CURES["RITME_PUBLIC_URL"])]


async def _check_webhooks(settings: Settings) -> list[Finding]:
    """Check that RITME_SECRET_KEY still decrypts the secrets of the addresses that are called."""
    if (await check_database(settings)).cure is not None:
        return []  # nothing is created
    engine = connect(settings.database_url)
    try:
        async with engine.connect() as connection:
            sealed = (await connection.scalars(select(webhooks.c.sealed))).all()
    except DatabaseError:
        return []  # `check_database` reports the problem
    finally:
        await engine.dispose()
    vault = SecretVault(settings.secret_keys) if settings.secret_keys else None
    unreadable = [one for one in sealed if vault is None or vault.reveal(one) is None]
    if not unreadable:
        return []
    text = f"does not open the secrets of {len(unreadable)} of {len(sealed)} addresses that are called"
    cure = "Add the key they were encrypted with, after a comma; or let coordinators add them again: /ritme webhook"
    return [Finding(subject="RITME_SECRET_KEY", text=text, cure=cure)]


async def _check_teams(settings: Settings) -> list[Finding]:
    """Check that Microsoft issues a token for the app's secret."""
    if settings.is_teams_auth_disabled or settings.teams_app_password is None:
        return [Finding(subject="Teams", text="nobody has to prove who they are: for a test on this machine")]
    async with aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as session:
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
    return [Finding(subject="Teams", text=f"credentials accepted; messages arrive at {address}")]


async def _check_slack(settings: Settings) -> list[Finding]:
    findings = []
    if settings.slack_bot_token is not None:
        findings.append(await _check_bot_token(settings, settings.slack_bot_token.get_secret_value()))
    if settings.slack_app_token is not None:
        findings.append(await _check_app_token(settings, settings.slack_app_token.get_secret_value()))
    if settings.is_multi_workspace:
        findings.append(await _check_installations(settings))
    return findings


async def _check_bot_token(settings: Settings, token: str) -> Finding:
    answer, granted = await _call_slack(settings, "auth.test", token)
    if answer is None:
        return _no_answer(settings)
    if not answer.get("ok"):
        return Finding(
            subject="SLACK_BOT_TOKEN", text=f"is refused ({answer.get('error')})", cure=CURES["SLACK_BOT_TOKEN"]
        )
    missing = [] if granted is None else sorted(set(SCOPES) - {scope.strip() for scope in granted.split(",")})
    if missing:
        cure = "Add them on your Slack app's page, OAuth & Permissions, and install the app again."
        return Finding(subject="Slack", text=f"does not allow {', '.join(missing)}", cure=cure)
    return Finding(subject="Slack", text=f"{answer.get('team')}, as @{answer.get('user')}")


async def _check_app_token(settings: Settings, token: str) -> Finding:
    answer, _ = await _call_slack(settings, "apps.connections.open", token)
    if answer is None:
        return _no_answer(settings)
    if not answer.get("ok"):
        return Finding(
            subject="SLACK_APP_TOKEN", text=f"is refused ({answer.get('error')})", cure=CURES["SLACK_APP_TOKEN"]
        )
    return Finding(subject="Socket Mode", text="a connection may be opened; no public address is needed")


async def _check_installations(settings: Settings) -> Finding:
    """Check that RITME_SECRET_KEY still decrypts the tokens of the workspaces that installed the app, and that they
    allow all of SCOPES."""
    address = f"{settings.base_url}/slack/install"
    engine = connect(settings.database_url)
    try:
        encrypted = await SqlInstallations(engine).encrypted_tokens()
        granted = await SqlInstallations(engine).granted_scopes()
    except DatabaseError:
        return Finding(subject="Slack", text=f"to install: {address}")  # `check_database` reports the problem
    finally:
        await engine.dispose()
    cipher, unreadable = TokenCipher(settings.secret_keys), []
    for team, token in encrypted.items():
        try:
            cipher.decrypt(token)
        except NoToken:
            unreadable.append(team)
    if unreadable:
        return Finding(
            subject="RITME_SECRET_KEY",
            text=f"does not open the tokens of {len(unreadable)} of {len(encrypted)} workspaces "
            f"({', '.join(unreadable)})",
            cure=f"Add the key they were encrypted with, after a comma; or let them install again at {address}",
        )
    lacking = sorted(team for team, scopes in granted.items() if not scopes >= set(SCOPES))
    if lacking:
        return Finding(
            subject="Slack",
            text=f"does not allow everything in {len(lacking)} of {len(encrypted)} workspaces ({', '.join(lacking)})",
            cure=f"Add the scopes of: ritme manifest slack, to your Slack app. Let them install again at {address}",
        )
    return Finding(subject="Slack", text=f"{len(encrypted)} workspaces; to install in another: {address}")


async def _call_slack(settings: Settings, method: str, token: str) -> tuple[dict[str, Any] | None, str | None]:
    """Call a method of Slack. Returns its answer and the scopes of the token, each None when Slack gave none."""
    url, headers = settings.slack_api_url + method, {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as session,
            session.post(url, headers=headers, proxy=find_proxy(url)) as response,
        ):
            answer = await response.json(content_type=None)
            return (answer if isinstance(answer, dict) else {"error": answer}), response.headers.get("x-oauth-scopes")
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        log.debug("slack_probe_failed", method=method, error=type(problem).__name__)
        return None, None


def _no_answer(settings: Settings) -> Finding:
    return Finding(
        subject="Slack",
        text=f"gives no answer at {settings.slack_api_url}",
        cure="Look whether this machine may reach that address. " + CURES["SLACK_API_URL"],
    )
