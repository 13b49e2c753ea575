"""Define where bot tokens come from: one from the environment, or stored and encrypted ones of installs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.vault import SecretVault

TOKEN_RETRY_DELAY = timedelta(seconds=5)
"""How long to wait with sending while a token cannot be read, or is being renewed by another process."""
NOT_INSTALLED = "not_installed"
"""Code of `NoToken` for a workspace where the app is not installed."""


def slack_error_code(problem: SlackApiError) -> str:
    """Return Slack's error code; "no_answer" when the answer was not Slack's, such as the error page of a proxy."""
    data = getattr(problem.response, "data", None)
    return str(data.get("error") or "no_answer") if isinstance(data, dict) else "no_answer"


class NoToken(Exception):
    """No token is available for a workspace; `code` says why, in the form of Slack's own errors."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TokenSource(Protocol):
    """The bot tokens by workspace; `team` is Slack's id of it."""

    def is_known(self, team: str) -> bool:
        """Return whether the app is installed in this workspace as far as is known without asking."""

    async def is_installed(self, team: str) -> bool:
        """Return whether the app is installed in this workspace, so that its requests are ours to answer."""

    async def bot_user(self, team: str) -> str:
        """Return our own user in a workspace; empty when that is not known."""

    async def get_token(self, team: str) -> str:
        """Return the token of a workspace. Raises `NoToken`, or `RetryAfter` while another process renews it."""

    async def replace_token(self, expired: str, team: str) -> str | None:
        """Return another token than the one Slack called expired; None when there is none."""


class StaticToken:
    """The bot token of the environment, for one workspace: `team`, in which it is the user `bot`. Both are empty until
    Slack told which they are."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.team = self.bot = ""

    def is_known(self, team: str) -> bool:
        return team == self.team or not self.team

    async def is_installed(self, team: str) -> bool:
        return self.is_known(team)

    async def bot_user(self, team: str) -> str:
        return self.bot

    async def get_token(self, team: str) -> str:
        if not self.is_known(team):
            raise NoToken(NOT_INSTALLED)
        return self._token

    async def replace_token(self, expired: str, team: str) -> str | None:
        return None


class Installations(Protocol):
    """Storage of one row per installed workspace, with encrypted tokens, and of the OAuth states that are used up.

    Every method raises `StorageUnavailable` when the database gives no answer.
    """

    async def get(self, team: str) -> Mapping[str, Any] | None:
        """Return the row of a team."""

    async def save(self, row: Mapping[str, Any]) -> None:
        """Insert a team's row, in place of the one it had."""

    async def remove(self, team: str, installed_before: datetime) -> bool:
        """Delete a team's row if it was installed before that moment; return whether it was."""

    async def claim_renewal(self, team: str, sealed: str, now: datetime, until: datetime) -> bool:
        """Claim the renewal with this encrypted refresh token, until then; return False when another has the claim."""

    async def renew(self, team: str, *, spent: str, bot_token: str, refresh_token: str, expires_at: datetime) -> None:
        """Replace the tokens of the row that still holds the `spent` refresh token, and end the claim."""

    async def use_state(self, digest: str, expires_at: datetime, now: datetime) -> bool:
        """Note that the state of an install is used up, until it expires; return False when it was already."""


class TokenCipher:
    """Encrypts with the first of its Fernet keys, decrypts with any of them.

    To rotate, put a new key in front; the old one may go once every token was renewed or installed again.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._vault = SecretVault(keys)

    def encrypt(self, secret: str) -> str:
        """Return a secret as it is stored."""
        return self._vault.seal(secret)

    def decrypt(self, sealed: str) -> str:
        """Return a secret from its stored form. Raises `NoToken` when no key fits."""
        secret = self._vault.reveal(sealed)
        if secret is None:
            raise NoToken("sealed_with_another_key")
        return secret


@dataclass(frozen=True, kw_only=True)
class AppCredentials:
    """The OAuth credentials of the Slack app itself."""

    client_id: str
    client_secret: str

    async def request_token(self, client: AsyncWebClient, **granted: str) -> AsyncSlackResponse:
        """Exchange a grant, an authorization code or a refresh token, for a token. Raises `SlackApiError`."""
        credentials = {"client_id": self.client_id, "client_secret": self.client_secret}
        # Not `client.oauth_v2_access`: it signs in a way that aiohttp is about to drop.
        return await client.api_call("oauth.v2.access", data={**credentials, **granted})
