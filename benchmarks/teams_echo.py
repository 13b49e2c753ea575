"""Serve an echo bot on botbuilder's adapter with all of Ritme's around it: the least that Ritme's own way in and out
takes.

The web application, the check of tokens, the activity and the connector are Ritme's, each as in service, but that the
connector is let through without TLS and asks for no token. Nothing is understood, kept or worded.

Usage: python -m benchmarks.teams_echo PORT METADATA_URL
"""

import asyncio
import sys

import aiohttp

from adapters.clock import SystemClock
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import connect
from adapters.heap import collect_seldom, freeze_heap
from adapters.teams.apologies import Apologies
from adapters.teams.auth import TokenValidator
from adapters.teams.cards import dump_json
from adapters.teams.connector import Connector
from adapters.teams.credentials import NoCredentials
from adapters.teams.messages_endpoint import MessagesEndpoint
from adapters.teams.payloads import ActivityPayload
from adapters.teams.platform import AppRegistration, TeamsPlatform
from adapters.web import listen, make_app, serve_apps
from benchmarks.microsoft import APP


class _LocalValidator(TokenValidator):
    """Lets in what comes from this machine."""

    def _is_allowed_url(self, url: str) -> bool:
        return True


async def main(port: int, metadata: str) -> None:
    """Serve until told to stop, on `/teams/messages`."""
    clock = SystemClock()
    registration = AppRegistration(app_id=APP, metadata=metadata)
    teams = TeamsPlatform(registration, SqlConversations(connect("sqlite+aiosqlite://")), clock, opens=frozenset())
    async with aiohttp.ClientSession(json_serialize=dump_json) as session:
        connector = Connector(session, NoCredentials(), clock)

        async def echo(activity: ActivityPayload) -> None:
            answer = {"type": "message", "text": f"Echo: {activity.text}"}
            await connector.send_activity(activity.service_url, activity.conversation.id, answer)

        validator = _LocalValidator(teams.keys, clock, app_id=APP, tenants=frozenset())
        apologies = Apologies(teams.messenger, teams.syntax, clock)
        endpoint = MessagesEndpoint(echo, validator, apologies)
        await serve_apps([(make_app(mounts=[endpoint.mount]), listen("127.0.0.1", port))], freeze_heap)
    await teams.close()


if __name__ == "__main__":
    collect_seldom()
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
