"""Messages to Teams: once, within its rate limits, whatever the connector answers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.clock import SettableClock
from adapters.database.tables import metadata
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import connect
from adapters.teams.platform import AppRegistration, TeamsPlatform
from adapters.teams.rate_limiter import CONVERSATION_LIMITS, RateLimiter
from adapters.teams.references import Conversation
from bot.chat import Account, Message, Paragraph, Post, Receipt, Span
from bot.ports import LookupUnsupported, OutcomeUnknown, RetryAfter, StorageUnavailable, Unreachable
from tests.fakes.teams.microsoft import Fault, Microsoft, microsoft
from tests.support.world import MONDAY

TENANT, CHANNEL, GROUP = "00000000-0000-0000-0000-00000000feed", "19:team@thread.tacv2", "19:groep@thread.v2"
LANE = f"teams:{TENANT}"
HELLO = Message(paragraphs=(Paragraph(spans=(Span(text="Hallo <at>iedereen</at> **vet**"),)),))


@dataclass
class TeamsSetup:
    """The adapter for Teams, and the fake connector it posts to."""

    platform: TeamsPlatform
    microsoft: Microsoft
    clock: SettableClock

    async def send(self, **more: Any) -> Receipt:
        post = {"delivery": "d1", "workspace": LANE, "channel": CHANNEL, "message": HELLO, **more}
        return await self.platform.messenger.send(Post(**post))


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[TeamsSetup]:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    clock = SettableClock(MONDAY, running=False)
    async with microsoft(MONDAY) as theirs:
        registration = AppRegistration(app_id="app", password="geheim", tenant=TENANT, authority=theirs.url)
        platform = TeamsPlatform(registration, SqlConversations(database), clock, opens=frozenset(), timeout=2)
        for channel, more in ((CHANNEL, {"team": "19:team"}), (GROUP, {}), ("a:fatima", {"account": "fatima"})):
            told = Conversation(
                workspace_id=LANE, channel=channel, service_url=f"{theirs.url}/connector/", bot="28:app", **more
            )
            await platform.references.record(told)
        yield TeamsSetup(platform=platform, microsoft=theirs, clock=clock)
        await platform.close()
    await database.dispose()


class TestAPost:
    async def test_in_a_channel_begins_a_thread(self, setup: TeamsSetup) -> None:
        assert await setup.send() == Receipt(channel=CHANNEL, message="77")
        ((method, path, body),) = setup.microsoft.calls
        assert (method, path) == ("POST", "conversations")
        assert body["channelData"] == {"channel": {"id": CHANNEL}, "tenant": {"id": TENANT}}
        assert setup.microsoft.bearers == {"Bearer ours-1"}

    async def test_in_a_thread_in_a_group_and_to_a_person(self, setup: TeamsSetup) -> None:
        await setup.send(thread="77")
        await setup.send(channel=GROUP)
        await setup.send(channel=None, account="fatima")
        await setup.send(account="fatima")
        paths = [path for _, path, _ in setup.microsoft.calls]
        assert paths[0] == "conversations/19:team@thread.tacv2;messageid=77/activities"
        assert paths[1] == "conversations/19:groep@thread.v2/activities"
        assert paths[2:] == ["conversations/a:fatima/activities"] * 2

    async def test_to_someone_new_makes_their_chat_once(self, setup: TeamsSetup) -> None:
        await setup.send(channel=None, account="jan")
        await setup.send(channel=None, account="jan")
        assert [path for _, path, _ in setup.microsoft.calls].count("conversations") == 1
        _, _, made = setup.microsoft.calls[0]
        assert made["members"] == [{"id": "jan"}]

    async def test_what_anyone_wrote_is_no_mention_and_no_markup(self, setup: TeamsSetup) -> None:
        await setup.send(channel=GROUP)
        ((_, _, body),) = setup.microsoft.calls
        assert "text" not in body
        assert "<at>" not in body["summary"]
        assert "entities" not in body
        card = body["attachments"][0]["content"]
        assert {one["type"] for one in card["body"]} == {"RichTextBlock"}

    async def test_is_changed_and_deleted_where_it_stands(self, setup: TeamsSetup) -> None:
        await setup.send(act="update", target="77")
        await setup.send(act="delete", target="77")
        assert [(method, path.rpartition("/")[2]) for method, path, _ in setup.microsoft.calls] == [
            ("PUT", "77"),
            ("DELETE", "77"),
        ]


@pytest.mark.parametrize("status", [412, 429, 502, 504])
async def test_a_rate_limit_waits_as_long_as_teams_says(setup: TeamsSetup, status: int) -> None:
    setup.microsoft.faults = [Fault(status=status, retry_after="17")]
    with pytest.raises(RetryAfter) as later:
        await setup.send()
    assert later.value.until == MONDAY + timedelta(seconds=17)
    assert not later.value.whole_workspace
    assert setup.microsoft.calls == []


@pytest.mark.parametrize(
    ("fault", "reason", "place", "workspace"),
    [
        (Fault(status=403, code="MessageWritesBlocked"), "person_gone", False, False),
        (Fault(status=403, code="BotNotInConversationRoster"), "not_in_place", True, False),
        (Fault(status=404, code="ConversationNotFound"), "place_gone", True, False),
        (Fault(status=401), "not_allowed", False, True),
        (Fault(status=400, code="BadSyntax"), "not_accepted", False, False),
    ],
)
async def test_refused_it_says_why(setup: TeamsSetup, fault: Fault, reason: str, place: bool, workspace: bool) -> None:
    setup.microsoft.faults = [fault]
    with pytest.raises(Unreachable) as refused:
        await setup.send()
    assert (refused.value.reason, refused.value.place_is_gone, refused.value.workspace_is_gone) == (
        reason,
        place,
        workspace,
    )


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=503, after=True), Fault(hang_up=True, after=True)])
async def test_without_an_answer_the_outcome_is_unknown_and_not_retried(setup: TeamsSetup, fault: Fault) -> None:
    setup.microsoft.faults = [fault]
    with pytest.raises(OutcomeUnknown):
        await setup.send()
    post = Post(delivery="d1", workspace=LANE, channel=CHANNEL, message=HELLO)
    with pytest.raises(LookupUnsupported):
        await setup.platform.messenger.find(post, MONDAY)
    assert len(setup.microsoft.calls) == fault.after


@pytest.mark.parametrize(
    "to", [{}, {"thread": "77"}, {"channel": None, "account": "jan"}, {"act": "delete", "target": "5"}]
)
async def test_a_post_whose_reference_cannot_be_looked_up_waits_unsent(
    setup: TeamsSetup, monkeypatch: pytest.MonkeyPatch, to: dict[str, Any]
) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable("gone")

    setup.clock.set(MONDAY + timedelta(minutes=2))  # what was read before is gone by
    with monkeypatch.context() as gone:
        for question in ("get", "with_person", "latest"):
            gone.setattr(SqlConversations, question, away)
        with pytest.raises(RetryAfter) as later:
            await setup.send(**to)
    assert later.value.until > setup.clock.now()
    assert setup.microsoft.calls == []
    await setup.send(**to)
    assert setup.microsoft.calls


async def test_a_card_that_is_gone_is_said_by_itself_to_its_reader(setup: TeamsSetup) -> None:
    setup.microsoft.faults = [Fault(status=404, code="ActivityNotFoundInConversation")]
    await setup.send(act="update", target="5", target_channel="a:fatima", channel=None, account="fatima")
    ((method, path, _),) = setup.microsoft.calls
    assert (method, path) == ("POST", "conversations/a:fatima/activities")


async def test_a_name_is_asked_of_teams_and_not_in_vain_again(setup: TeamsSetup) -> None:
    setup.microsoft.absent["jan"] = Fault(status=500)
    someone = Account(workspace=LANE, id="jan")
    assert await setup.platform.directory.profile(someone) is None
    assert await setup.platform.directory.profile(someone) is None
    setup.microsoft.absent.clear()
    assert await setup.platform.directory.profile(someone) is None
    setup.clock.set(MONDAY + timedelta(minutes=11))
    assert await setup.platform.directory.profile(someone) is not None


def test_rate_limits_hold_over_windows_of_any_length() -> None:
    clock = SettableClock(MONDAY, running=False)
    limiter, sent = RateLimiter(clock), []
    while len(sent) < 200:
        try:
            limiter.acquire(LANE, CHANNEL)
        except RetryAfter as later:
            clock.set(max(later.until, clock.now() + timedelta(microseconds=1)))
        else:
            sent.append(clock.now())
    for most, seconds in CONVERSATION_LIMITS:
        for index in range(len(sent) - most):
            assert sent[index + most] - sent[index] >= timedelta(seconds=seconds)
    assert sent[-1] - sent[0] < timedelta(minutes=2)


def test_a_rate_limited_conversation_blocks_no_other_and_an_organisation_all_its_own() -> None:
    clock = SettableClock(MONDAY, running=False)
    limiter = RateLimiter(clock)
    for number in range(50):
        limiter.acquire(LANE, f"c{number}")
    with pytest.raises(RetryAfter) as later:
        limiter.acquire(LANE, "another")
    assert later.value.whole_workspace
    limiter.acquire("teams:elsewhere", "c1")
