"""The environment, checked, as `Settings`; every complaint names the variable and its cure."""

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
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

CURES = {
    "RITME_DATABASE_URL": "Set it to a file, such as sqlite:///var/ritme.db, or to a PostgreSQL "
    "database, such as postgresql://ritme:password@localhost/ritme.",
    "RITME_HOST": "Set it to the address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for every network.",
    "RITME_PORT": "Set RITME_PORT (or PORT) to a port from 1 to 65535, such as 8080.",
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
    "RITME_KEEP_EVENTS_DAYS": "Leave it out for 30, or set it to a number of days from 1 to 3650.",
    "RITME_KEEP_DELIVERIES_DAYS": "Leave it out for 90, or set it to a number of days from 14 to 3650.",
    "SLACK_API_URL": "Leave it out, or set it to an address such as https://slack.com/api/.",
}
"""What to do about a bad or missing value, by variable."""


class BadSettings(Exception):
    """The environment cannot be used: `problems` by variable; the text has a line for each, with its cure."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("\n".join(f"{name} {problem}. {CURES[name]}" for name, problem in problems.items()))


def _database(url: str) -> str:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the second of a port that is no number
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


def database_url(url: str) -> str:
    """A database address as we use it. Raises ValueError, saying what is the matter with it."""
    return _database(url)


def _host(host: str) -> str:
    if "/" in host or " " in host:
        raise ValueError("is no host name or address")
    return host


def _port(port: object) -> int:
    digits = str(port).strip()
    if not digits.isdecimal() or int(digits) > 65535:
        raise ValueError("is no port")
    return int(digits)


def _days(number: object, *, least: int) -> int:
    digits = str(number).strip()
    if not digits.isdecimal() or not least <= int(digits) <= 3650:
        raise ValueError("is no such number of days")
    return int(digits)


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is no http or https address")
    return url.rstrip("/")


def _secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().split()) != 1:
        raise ValueError("is no secret: it has a space in it")
    return secret


def _token(token: SecretStr) -> SecretStr:
    if not token.get_secret_value().startswith("xoxb-"):
        raise ValueError("is no bot token")
    return token


def _app_token(token: SecretStr) -> SecretStr:
    if not token.get_secret_value().startswith("xapp-"):
        raise ValueError("is no app-level token")
    return token


def _keys(keys: SecretStr) -> SecretStr:
    from cryptography.fernet import Fernet  # slow to load, and only needed by who has a key

    for key in keys.get_secret_value().split(","):
        try:
            Fernet(key.strip())
        except ValueError:
            raise ValueError("holds something that is no key") from None
    return keys


def _tenants(ids: str) -> str:
    if not all(_ID.fullmatch(one.strip()) for one in ids.split(",")):
        raise ValueError("holds something that is no directory ID")
    return ids


def _registered(id: str) -> str:
    if not _ID.fullmatch(id):
        raise ValueError("is no ID such as 12345678-90ab-cdef-1234-567890abcdef")
    return id.lower()


def _from(*variables: str, default: Any = None) -> Any:
    return Field(default=default, validation_alias=AliasChoices(*variables))


class Settings(BaseSettings):
    """What Ritme runs with, from the environment only. `load` reads it; tests may pass fields by name."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, populate_by_name=True, frozen=True, str_strip_whitespace=True, hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(_database)] = _from(
        "RITME_DATABASE_URL", default=f"{SQLITE}:///var/ritme.db"
    )
    host: Annotated[str, AfterValidator(_host)] = _from("RITME_HOST", default="127.0.0.1")
    port: Annotated[int, BeforeValidator(_port)] = _from("RITME_PORT", "PORT", default=8080)
    public_url: Annotated[str, AfterValidator(_address)] | None = _from("RITME_PUBLIC_URL")
    slack_signing_secret: Annotated[SecretStr, AfterValidator(_secret)] | None = _from("SLACK_SIGNING_SECRET")
    slack_bot_token: Annotated[SecretStr, AfterValidator(_token)] | None = _from("SLACK_BOT_TOKEN")
    slack_app_token: Annotated[SecretStr, AfterValidator(_app_token)] | None = _from("SLACK_APP_TOKEN")
    slack_client_id: str | None = _from("SLACK_CLIENT_ID")
    slack_client_secret: Annotated[SecretStr, AfterValidator(_secret)] | None = _from("SLACK_CLIENT_SECRET")
    secret_key: Annotated[SecretStr, AfterValidator(_keys)] | None = _from("RITME_SECRET_KEY")
    slack_api_url: Annotated[str, AfterValidator(lambda url: _address(url) + "/")] = _from(
        "SLACK_API_URL", default="https://slack.com/api/"
    )

    keep_events_days: Annotated[int, BeforeValidator(partial(_days, least=1))] = _from(
        "RITME_KEEP_EVENTS_DAYS", default=30
    )
    keep_deliveries_days: Annotated[int, BeforeValidator(partial(_days, least=14))] = _from(
        "RITME_KEEP_DELIVERIES_DAYS", default=90
    )
    teams_app_id: Annotated[str, AfterValidator(_registered)] | None = _from("TEAMS_APP_ID")
    teams_app_password: Annotated[SecretStr, AfterValidator(_secret)] | None = _from("TEAMS_APP_PASSWORD")
    teams_tenant_id: Annotated[str, AfterValidator(_registered)] | None = _from("TEAMS_TENANT_ID")
    teams_allowed_tenants: Annotated[str, AfterValidator(_tenants)] | None = _from("TEAMS_ALLOWED_TENANTS")
    teams_targeted: bool = _from("TEAMS_TARGETED", default=False)
    teams_auth: Literal["", "disabled-for-local-test"] = _from("TEAMS_AUTH", default="")

    @classmethod
    def load(cls) -> "Settings":
        """The settings of this environment. Raises `BadSettings`."""
        try:
            return cls()
        except ValidationError as problem:
            raise BadSettings(
                {str(error["loc"][0]): error["msg"].removeprefix("Value error, ") for error in problem.errors()}
            ) from None

    def alone(self) -> "Settings":
        """The same, with no platform and no public address: for the playground."""
        ours = ("slack_api_url", "teams_auth", "teams_targeted")
        fields = [name for name in type(self).model_fields if name.startswith(("slack_", "teams_"))]
        given: dict[str, object] = {name: None for name in fields if name not in ours}
        return self.model_copy(update={**given, "teams_auth": "", "secret_key": None, "public_url": None})

    @property
    def slack(self) -> bool:
        """Whether Slack can be served."""
        return not self._missing_for_slack()

    @property
    def teams(self) -> bool:
        """Whether Teams can be served."""
        return self._wants_teams and not self._missing_for_teams()

    @property
    def teams_trusting(self) -> bool:
        """Whether nobody has to prove who they are: for a test on this machine, which nobody else can reach."""
        return self.teams_auth != "" and self.loopback

    @property
    def tenants(self) -> frozenset[str]:
        """The organisations that may use our bot in Teams."""
        listed = self.teams_allowed_tenants or self.teams_tenant_id or ""
        return frozenset(one.strip().lower() for one in listed.split(",") if one.strip())

    @property
    def many_workspaces(self) -> bool:
        """Whether workspaces install the app themselves, rather than one having given its token."""
        return self.slack_bot_token is None and (
            self.slack_client_id is not None or self.slack_client_secret is not None
        )

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys that seal what others entrust to us: the first seals, all of them open."""
        keys = self.secret_key.get_secret_value() if self.secret_key else ""
        return tuple(key.strip() for key in keys.split(",") if key.strip())

    @property
    def base_url(self) -> str:
        """Where Ritme is reached: the public address, else the one it listens on. No slash at the end."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach Ritme directly."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; a relative one is taken from the folder Ritme is started in. None on PostgreSQL."""
        return None if self.many_processes else Path(str(make_url(self.database_url).database))

    @property
    def many_processes(self) -> bool:
        """Whether several processes can share the database: PostgreSQL carries them, a file does not."""
        return make_url(self.database_url).get_backend_name() == "postgresql"

    @property
    def database_name(self) -> str:
        """The database as it may be shown: without its password."""
        return str(self.database_file or make_url(self.database_url).set(drivername="postgresql"))

    def missing_for_serving(self) -> dict[str, str]:
        """The variables without which what was begun to be configured cannot be served, each with where to find it;
        Slack's when nothing was. Empty when all of it can."""
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
        if self.teams_auth and not self.loopback:
            needed["TEAMS_AUTH"] = None  # whoever reaches this machine could be anyone
        if not self.teams_trusting:
            needed |= {"TEAMS_APP_PASSWORD": self.teams_app_password, "TEAMS_TENANT_ID": self.teams_tenant_id}
        return {variable: CURES[variable] for variable, value in needed.items() if value is None}

    def _missing_for_slack(self) -> dict[str, str]:
        needed: dict[str, object] = {}
        if self.slack_app_token is None:
            needed["SLACK_SIGNING_SECRET"] = self.slack_signing_secret
        if self.many_workspaces:
            needed |= {
                "SLACK_CLIENT_ID": self.slack_client_id,
                "SLACK_CLIENT_SECRET": self.slack_client_secret,
                "RITME_SECRET_KEY": self.secret_key,
                "RITME_PUBLIC_URL": self.public_url,
            }
        else:
            needed["SLACK_BOT_TOKEN"] = self.slack_bot_token
        return {variable: CURES[variable] for variable, value in needed.items() if value is None}
