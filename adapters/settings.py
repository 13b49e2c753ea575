"""Read the environment into `Settings` and validate it; every error names the variable and its cure."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

SQLITE = "sqlite+aiosqlite"
POSTGRESQL = "postgresql+psycopg"
OPERATIONS_PORT = 9080
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

CURES = {
    "RITME_DATABASE_URL": "Set it to a file, such as sqlite:///var/ritme.db, or to a PostgreSQL "
    "database, such as postgresql://ritme:password@localhost/ritme.",
    "RITME_HOST": "Set it to the address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for every network.",
    "RITME_PORT": "Set RITME_PORT (or PORT) to a port from 1 to 65535, such as 8080.",
    "RITME_OPERATIONS_HOST": "Leave it out for 127.0.0.1, or set it to the address where your monitoring reaches "
    "/readyz and /metrics.",
    "RITME_OPERATIONS_PORT": f"Leave it out for {OPERATIONS_PORT}, or set it to a free port from 1 to 65535, such as "
    f"{OPERATIONS_PORT + 1}.",
    "RITME_MAX_CONNECTIONS": "Leave it out for 1000, or set it to a number from 10 to 100000.",
    "RITME_PUBLIC_URL": "Set it to the address that people and Slack reach, such as https://ritme.example.org.",
    "SLACK_SIGNING_SECRET": "Copy it from your Slack app's page: Basic Information, Signing Secret.",
    "SLACK_BOT_TOKEN": "Copy it from your Slack app's page: OAuth & Permissions, Bot User OAuth Token (xoxb-…).",
    "SLACK_APP_TOKEN": "Make one on your Slack app's page: Basic Information, App-Level Tokens, with connections:write "
    "(xapp-…).",
    "SLACK_CLIENT_ID": "Copy it from your Slack app's page: Basic Information, App Credentials, Client ID.",
    "SLACK_CLIENT_SECRET": "Copy it from your Slack app's page: Basic Information, App Credentials, Client Secret.",
    "RITME_SECRET_KEY": "Make one with: ritme secret. For a new key, put it in front of the old one, with a comma.",
    "TEAMS_APP_ID": "Copy it from the app registration in Microsoft Entra: Overview, Application (client) ID.",
    "TEAMS_APP_PASSWORD": "Make one in the app registration: Certificates & secrets, New client secret. Copy its "
    "value.",
    "TEAMS_TENANT_ID": "Copy it from the app registration: Overview, Directory (tenant) ID.",
    "TEAMS_ALLOWED_TENANTS": "Leave it out for your own organisation only, or list directory (tenant) IDs, with "
    "commas.",
    "TEAMS_TARGETED": "Leave it out, or set it to yes where your Teams can show a message to one person in a channel.",
    "TEAMS_AUTH": "Leave it out. Only a test on this machine may set it to disabled-for-local-test.",
    "RITME_APP_NAME": "Leave it out for Ritme, or set it to the app's name in Slack and Teams, at most 30 characters.",
    "SLACK_COMMANDS": "Leave it out for /ritme /stuck /story, or list your app's slash commands, that of everything "
    "first.",
    "RITME_KEEP_EVENTS_DAYS": "Leave it out for 30, or set it to a number of days from 1 to 3650.",
    "RITME_KEEP_DELIVERIES_DAYS": "Leave it out for 90, or set it to a number of days from 14 to 3650.",
    "RITME_KEEP_CLOSED_DAYS": "Leave it out for 365, or set it to a number of days from 30 to 3650.",
    "RITME_FORGET_LEFT_DAYS": "Leave it out for 90, or set it to a number of days from 1 to 3650.",
    "RITME_SILENT_WEEKS": "Leave it out for 4, or set it to a number of weeks from 1 to 520.",
    "RITME_WORKS_COUNCIL": "Leave it out, or set it to 1: then no colleague is named, nor asked whom they know, before "
    "a coordinator recorded that the works council agreed.",
    "HTTPS_PROXY": "Set it to one such as http://proxy.example.org:3128, with %2F for a / in its password, or leave it "
    "out.",
    "SLACK_API_URL": "Leave it out, or set it to an address such as https://slack.com/api/.",
}
"""Advice for a bad or missing value, by variable."""


class BadSettings(Exception):
    """Invalid environment variables: `problems` by variable. The text has a line for each, with its cure."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("\n".join(f"{name} {problem}. {CURES[name]}" for name, problem in problems.items()))


def normalise_database_url(url: str) -> str:
    """Return a database URL with the driver we use. Raises ValueError, whose text says what is wrong with it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise ValueError("is no database address") from None
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        if not parsed.database:
            raise ValueError("names no database")
        return parsed.set(drivername=POSTGRESQL).render_as_string(hide_password=False)
    if parsed.get_backend_name() != "sqlite":
        raise ValueError("names another kind of database than SQLite or PostgreSQL")
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError("names no file, so a restart would forget everything")
    return parsed.set(drivername=SQLITE).render_as_string(hide_password=False)


def _check_host(host: str) -> str:
    if "/" in host or " " in host:
        raise ValueError("is no host name or address")
    return host


def _parse_port(port: object) -> int:
    digits = str(port).strip()
    if not digits.isdecimal() or int(digits) > 65535:
        raise ValueError("is no port")
    return int(digits)


def _parse_connections(number: object) -> int:
    digits = str(number).strip()
    if not digits.isdecimal() or not 10 <= int(digits) <= 100_000:
        raise ValueError("is no such number of connections")
    return int(digits)


def _parse_days(number: object, *, least: int) -> int:
    digits = str(number).strip()
    if not digits.isdecimal() or not least <= int(digits) <= 3650:
        raise ValueError("is no such number of days")
    return int(digits)


def _parse_weeks(number: object) -> int:
    digits = str(number).strip()
    if not digits.isdecimal() or not 1 <= int(digits) <= 520:
        raise ValueError("is no such number of weeks")
    return int(digits)


def _normalise_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is no http or https address")
    return url.rstrip("/")


def _check_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().split()) != 1:
        raise ValueError("is no secret: it has a space in it")
    return secret


def _check_bot_token(token: SecretStr) -> SecretStr:
    if not token.get_secret_value().startswith("xoxb-"):
        raise ValueError("is no bot token")
    return token


def _check_app_token(token: SecretStr) -> SecretStr:
    if not token.get_secret_value().startswith("xapp-"):
        raise ValueError("is no app-level token")
    return token


def _check_keys(keys: SecretStr) -> SecretStr:
    from cryptography.fernet import Fernet  # slow to load, and only needed when there is a key

    for key in keys.get_secret_value().split(","):
        try:
            Fernet(key.strip())
        except ValueError:
            raise ValueError("holds something that is no key") from None
    return keys


def _check_tenants(ids: str) -> str:
    if not all(_ID.fullmatch(one.strip()) for one in ids.split(",")):
        raise ValueError("holds something that is no directory ID")
    return ids


def _check_app_name(name: str) -> str:
    if not 0 < len(name) <= 30 or "@" in name or "\n" in name:  # Teams shows 30 characters of a name
        raise ValueError("is no name of an app")
    return name


def _check_commands(listed: str) -> str:
    if not all(re.fullmatch(r"/[^\s/]{1,31}", one) for one in listed.replace(",", " ").split()):
        raise ValueError("holds something that is no slash command")
    return listed


def _normalise_id(id: str) -> str:
    if not _ID.fullmatch(id):
        raise ValueError("is no ID such as 12345678-90ab-cdef-1234-567890abcdef")
    return id.lower()


def _from_env(*variables: str, default: Any = None) -> Any:
    """Declare a field that is read from the first of these variables that is set."""
    return Field(default=default, validation_alias=AliasChoices(*variables))


class Settings(BaseSettings):
    """Configuration, from the environment only. `load` reads it; tests may pass fields by name."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, populate_by_name=True, frozen=True, str_strip_whitespace=True, hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(normalise_database_url)] = _from_env(
        "RITME_DATABASE_URL", default=f"{SQLITE}:///var/ritme.db"
    )
    host: Annotated[str, AfterValidator(_check_host)] = _from_env("RITME_HOST", default="127.0.0.1")
    port: Annotated[int, BeforeValidator(_parse_port)] = _from_env("RITME_PORT", "PORT", default=8080)
    operations_host: Annotated[str, AfterValidator(_check_host)] = _from_env(
        "RITME_OPERATIONS_HOST", default="127.0.0.1"
    )
    operations_port_chosen: Annotated[int, BeforeValidator(_parse_port)] | None = _from_env("RITME_OPERATIONS_PORT")
    max_connections: Annotated[int, BeforeValidator(_parse_connections)] = _from_env(
        "RITME_MAX_CONNECTIONS", default=1_000
    )
    public_url: Annotated[str, AfterValidator(_normalise_address)] | None = _from_env("RITME_PUBLIC_URL")
    slack_signing_secret: Annotated[SecretStr, AfterValidator(_check_secret)] | None = _from_env("SLACK_SIGNING_SECRET")
    slack_bot_token: Annotated[SecretStr, AfterValidator(_check_bot_token)] | None = _from_env("SLACK_BOT_TOKEN")
    slack_app_token: Annotated[SecretStr, AfterValidator(_check_app_token)] | None = _from_env("SLACK_APP_TOKEN")
    slack_client_id: str | None = _from_env("SLACK_CLIENT_ID")
    slack_client_secret: Annotated[SecretStr, AfterValidator(_check_secret)] | None = _from_env("SLACK_CLIENT_SECRET")
    secret_key: Annotated[SecretStr, AfterValidator(_check_keys)] | None = _from_env("RITME_SECRET_KEY")
    slack_api_url: Annotated[str, AfterValidator(lambda url: _normalise_address(url) + "/")] = _from_env(
        "SLACK_API_URL", default="https://slack.com/api/"
    )

    app_name: Annotated[str, AfterValidator(_check_app_name)] = _from_env("RITME_APP_NAME", default="Ritme")
    slack_commands_listed: Annotated[str, AfterValidator(_check_commands)] = _from_env(
        "SLACK_COMMANDS", default="/ritme /stuck /story"
    )

    keep_events_days: Annotated[int, BeforeValidator(partial(_parse_days, least=1))] = _from_env(
        "RITME_KEEP_EVENTS_DAYS", default=30
    )
    keep_deliveries_days: Annotated[int, BeforeValidator(partial(_parse_days, least=14))] = _from_env(
        "RITME_KEEP_DELIVERIES_DAYS", default=90
    )
    keep_closed_days: Annotated[int, BeforeValidator(partial(_parse_days, least=30))] = _from_env(
        "RITME_KEEP_CLOSED_DAYS", default=365
    )
    forget_left_days: Annotated[int, BeforeValidator(partial(_parse_days, least=1))] = _from_env(
        "RITME_FORGET_LEFT_DAYS", default=90
    )
    works_council: bool = _from_env("RITME_WORKS_COUNCIL", default=False)
    silent_weeks: Annotated[int, BeforeValidator(_parse_weeks)] = _from_env("RITME_SILENT_WEEKS", default=4)
    teams_app_id: Annotated[str, AfterValidator(_normalise_id)] | None = _from_env("TEAMS_APP_ID")
    teams_app_password: Annotated[SecretStr, AfterValidator(_check_secret)] | None = _from_env("TEAMS_APP_PASSWORD")
    teams_tenant_id: Annotated[str, AfterValidator(_normalise_id)] | None = _from_env("TEAMS_TENANT_ID")
    teams_allowed_tenants: Annotated[str, AfterValidator(_check_tenants)] | None = _from_env("TEAMS_ALLOWED_TENANTS")
    teams_targeted: bool = _from_env("TEAMS_TARGETED", default=False)
    teams_auth: Literal["", "disabled-for-local-test"] = _from_env("TEAMS_AUTH", default="")

    @classmethod
    def load(cls) -> "Settings":
        """Read the settings of this environment. Raises `BadSettings`."""
        try:
            return cls()
        except ValidationError as problem:
            raise BadSettings(
                {str(error["loc"][0]): error["msg"].removeprefix("Value error, ") for error in problem.errors()}
            ) from None

    def for_playground(self) -> "Settings":
        """Return a copy without platforms, secrets and public address, for the playground."""
        # These cannot be None.
        kept = ("slack_api_url", "slack_commands_listed", "teams_auth", "teams_targeted")
        fields = [name for name in type(self).model_fields if name.startswith(("slack_", "teams_"))]
        cleared: dict[str, object] = {name: None for name in fields if name not in kept}
        return self.model_copy(update={**cleared, "teams_auth": "", "secret_key": None, "public_url": None})

    @property
    def slack_commands(self) -> tuple[str, ...]:
        """The slash commands of the Slack app: first that of everything, then those that are one word's."""
        return tuple(self.slack_commands_listed.replace(",", " ").split())

    @property
    def serves_slack(self) -> bool:
        """True when Slack is configured completely."""
        return not self._missing_for_slack()

    @property
    def serves_teams(self) -> bool:
        """True when Teams is configured completely."""
        return self._wants_teams and not self._missing_for_teams()

    @property
    def is_teams_auth_disabled(self) -> bool:
        """True when requests from Teams are not authenticated: for a test on a machine that nobody else can reach."""
        return self.teams_auth != "" and self.is_loopback

    @property
    def tenants(self) -> frozenset[str]:
        """Directory ids, in lower case, of the organisations that may use our bot in Teams."""
        listed = self.teams_allowed_tenants or self.teams_tenant_id or ""
        return frozenset(one.strip().lower() for one in listed.split(",") if one.strip())

    @property
    def is_multi_workspace(self) -> bool:
        """True when workspaces install the Slack app themselves; False when one workspace's token is configured."""
        return self.slack_bot_token is None and (
            self.slack_client_id is not None or self.slack_client_secret is not None
        )

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys that encrypt the tokens of workspaces: the first encrypts, all of them decrypt."""
        keys = self.secret_key.get_secret_value() if self.secret_key else ""
        return tuple(key.strip() for key in keys.split(",") if key.strip())

    @property
    def base_url(self) -> str:
        """The address at which Ritme is reached: the public one, else the one it listens on. Ends without a slash."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def operations_port(self) -> int:
        """The port of /readyz and /metrics; any free one where that is asked of the public port, too."""
        if self.operations_port_chosen is not None:
            return self.operations_port_chosen
        return OPERATIONS_PORT if self.port else 0

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can reach Ritme directly."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, relative to the working directory unless absolute; None on PostgreSQL."""
        return None if self.is_multi_process else Path(str(make_url(self.database_url).database))

    @property
    def is_multi_process(self) -> bool:
        """True when several processes can share the database: on PostgreSQL, not on SQLite."""
        return make_url(self.database_url).get_backend_name() == "postgresql"

    @property
    def database_name(self) -> str:
        """The database as it may be shown to people: without its password."""
        return str(self.database_file or make_url(self.database_url).set(drivername="postgresql"))

    def missing_for_serving(self) -> dict[str, str]:
        """Return the variables that are missing to serve the platforms of which some are set, each with its cure.

        Slack's when no variable of a platform is set; empty when every platform with variables can be served.
        """
        missing = {} if self._wants_teams and not self._wants_slack else self._missing_for_slack()
        return missing | (self._missing_for_teams() if self._wants_teams else {})

    @property
    def _wants_slack(self) -> bool:
        return any((self.slack_bot_token, self.slack_app_token, self.slack_signing_secret, self.slack_client_id,
                    self.slack_client_secret))  # fmt: skip

    @property
    def _wants_teams(self) -> bool:
        return any((self.teams_app_id, self.teams_app_password, self.teams_tenant_id, self.teams_auth))

    def _missing_for_teams(self) -> dict[str, str]:
        needed: dict[str, object] = {"TEAMS_APP_ID": self.teams_app_id}
        if self.teams_auth and not self.is_loopback:
            needed["TEAMS_AUTH"] = None  # unauthenticated, anyone who reaches this machine could act as anyone
        if not self.is_teams_auth_disabled:
            needed |= {"TEAMS_APP_PASSWORD": self.teams_app_password, "TEAMS_TENANT_ID": self.teams_tenant_id}
        return {variable: CURES[variable] for variable, value in needed.items() if value is None}

    def _missing_for_slack(self) -> dict[str, str]:
        needed: dict[str, object] = {}
        if self.slack_app_token is None:
            needed["SLACK_SIGNING_SECRET"] = self.slack_signing_secret
        if self.is_multi_workspace:
            needed |= {
                "SLACK_CLIENT_ID": self.slack_client_id,
                "SLACK_CLIENT_SECRET": self.slack_client_secret,
                "RITME_SECRET_KEY": self.secret_key,
                "RITME_PUBLIC_URL": self.public_url,
            }
        else:
            needed["SLACK_BOT_TOKEN"] = self.slack_bot_token
        return {variable: CURES[variable] for variable, value in needed.items() if value is None}
