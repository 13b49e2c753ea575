"""What `ritme doctor` looks at: configuration, database, migrations, credentials."""

from dataclasses import dataclass

import aiohttp
from sqlalchemy.exc import DatabaseError

from adapters.database.migrate import versions
from adapters.database.unit_of_work import connect
from adapters.settings import CURES, BadSettings, Settings
from adapters.slack.needs import SCOPES

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
        *await _slack(settings),
    ]


async def database(settings: Settings) -> Finding:
    """Whether the database can be used, by this version. Creates nothing."""
    file = settings.database_file
    if not file.exists():
        return Finding(subject="Database", text=f"is not there yet ({file})", cure="Run: ritme migrate")
    engine = connect(settings.database_url)
    try:
        current, head = await versions(engine)
    except DatabaseError as problem:
        return Finding(
            subject="Database",
            text=f"cannot be used ({file}: {problem.orig})",
            cure="Let this user read and write that file and its folder, or set RITME_DATABASE_URL to another one.",
        )
    finally:
        await engine.dispose()
    if current != head:
        text = f"is at revision {current or 'none'}, this version needs {head} ({file})"
        return Finding(subject="Database", text=text, cure="Run: ritme migrate")
    return Finding(subject="Database", text=f"{file}, at revision {head}")


async def _slack(settings: Settings) -> list[Finding]:
    missing = settings.missing_for_serving()
    if settings.slack_bot_token is None or missing:
        return [Finding(subject=variable, text="is missing", cure=cure) for variable, cure in missing.items()]
    headers = {"Authorization": f"Bearer {settings.slack_bot_token.get_secret_value()}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE, trust_env=True) as session,
            session.post(settings.slack_api_url + "auth.test", headers=headers) as answer,
        ):
            said = await answer.json(content_type=None)
            allowed = answer.headers.get("x-oauth-scopes")
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        text = f"gives no answer at {settings.slack_api_url} ({type(problem).__name__})"
        cure = "Look whether this machine may reach that address. " + CURES["SLACK_API_URL"]
        return [Finding(subject="Slack", text=text, cure=cure)]
    if not isinstance(said, dict) or not said.get("ok"):
        error = said.get("error") if isinstance(said, dict) else said
        return [Finding(subject="SLACK_BOT_TOKEN", text=f"is refused ({error})", cure=CURES["SLACK_BOT_TOKEN"])]
    lacking = [] if allowed is None else sorted(set(SCOPES) - {scope.strip() for scope in allowed.split(",")})
    if lacking:
        cure = "Add them on your Slack app's page, OAuth & Permissions, and install the app again."
        return [Finding(subject="Slack", text=f"does not allow {', '.join(lacking)}", cure=cure)]
    return [Finding(subject="Slack", text=f"{said.get('team')}, as @{said.get('user')}")]
