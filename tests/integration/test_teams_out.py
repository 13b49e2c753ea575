"""Messages to Teams: once, at the pace it takes, whatever the connector answers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.clock import DialClock
from adapters.database.tables import metadata
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import connect
from adapters.teams import Bot, TeamsPlatform
from adapters.teams.rate_limiter import CONVERSATION, RateLimiter
from adapters.teams.references import Conversation
from bot.chat import Account, Message, Paragraph, Post, Receipt, Span
from bot.ports import LookupUnsupported, OutcomeUnknown, RetryAfter, StorageUnavailable, Unreachable
from tests.fakes.teams.microsoft import Fault, Microsoft, microsoft
from tests.support.world import MONDAY

TENANT, CHANNEL, GROUP = "00000000-0000-0000-0000-00000000feed", "19:team@thread.tacv2", "19:groep@thread.v2"
LANE = f"teams:{TENANT}"
HELLO = Message(paragraphs=(Paragraph(spans=(Span(text="Hallo <at>iedereen</at> **vet**"),)),))


@dataclass
class Here:
    platform: TeamsPlatform
    microsoft: Microsoft
    clock: DialClock

    async def send(self, **more: Any) -> Receipt:
        post = {"delivery": "d1", "workspace": LANE, "channel": CHANNEL, "message": HELLO, **more}
        return await self.platform.messenger.send(Post(**post))


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    clock = DialClock(MONDAY, running=False)
    async with microsoft(MONDAY) as theirs:
        bot = Bot(app_id="app", password="geheim", tenant=TENANT, authority=theirs.url)
        platform = TeamsPlatform(bot, SqlConversations(database), clock, opens=frozenset(), patience=2)
        for channel, more in ((CHANNEL, {"team": "19:team"}), (GROUP, {}), ("a:fatima", {"account": "fatima"})):
            told = Conversation(
                workspace_id=LANE, channel=channel, service_url=f"{theirs.url}/connector/", bot="28:app", **more
            )
            await platform.references.note(told)
        yield Here(platform=platform, microsoft=theirs, clock=clock)
        await platform.close()
    await database.dispose()


class TestAPost:
    async def test_in_a_channel_begins_a_thread(self, here: Here) -> None:
        assert await here.send() == Receipt(channel=CHANNEL, message="77")
        ((method, path, body),) = here.microsoft.calls
        assert (method, path) == ("POST", "conversations")
        assert body["channelData"] == {"channel": {"id": CHANNEL}, "tenant": {"id": TENANT}}
        assert here.microsoft.bearers == {"Bearer ours-1"}

    async def test_in_a_thread_in_a_group_and_to_a_person(self, here: Here) -> None:
        await here.send(thread="77")
        await here.send(channel=GROUP)
        await here.send(channel=None, account="fatima")
        await here.send(account="fatima")
        paths = [path for _, path, _ in here.microsoft.calls]
        assert paths[0] == "conversations/19:team@thread.tacv2;messageid=77/activities"
        assert paths[1] == "conversations/19:groep@thread.v2/activities"
        assert paths[2:] == ["conversations/a:fatima/activities"] * 2

    async def test_to_someone_new_makes_their_chat_once(self, here: Here) -> None:
        await here.send(channel=None, account="jan")
        await here.send(channel=None, account="jan")
        assert [path for _, path, _ in here.microsoft.calls].count("conversations") == 1
        _, _, made = here.microsoft.calls[0]
        assert made["members"] == [{"id": "jan"}]

    async def test_what_anyone_wrote_is_no_mention_and_no_markup(self, here: Here) -> None:
        await here.send(channel=GROUP)
        ((_, _, body),) = here.microsoft.calls
        assert "text" not in body
        assert "<at>" not in body["summary"]
        assert "entities" not in body
        card = body["attachments"][0]["content"]
        assert {one["type"] for one in card["body"]} == {"RichTextBlock"}

    async def test_is_changed_and_deleted_where_it_stands(self, here: Here) -> None:
        await here.send(act="update", target="77")
        await here.send(act="delete", target="77")
        assert [(method, path.rpartition("/")[2]) for method, path, _ in here.microsoft.calls] == [
            ("PUT", "77"),
            ("DELETE", "77"),
        ]


@pytest.mark.parametrize("status", [412, 429, 502, 504])
async def test_busy_it_waits_as_long_as_teams_says(here: Here, status: int) -> None:
    here.microsoft.faults = [Fault(status=status, retry_after="17")]
    with pytest.raises(RetryAfter) as later:
        await here.send()
    assert later.value.until == MONDAY + timedelta(seconds=17)
    assert not later.value.whole_workspace
    assert here.microsoft.calls == []


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
async def test_refused_it_says_why(here: Here, fault: Fault, reason: str, place: bool, workspace: bool) -> None:
    here.microsoft.faults = [fault]
    with pytest.raises(Unreachable) as refused:
        await here.send()
    assert (refused.value.reason, refused.value.place_is_gone, refused.value.workspace_is_gone) == (
        reason,
        place,
        workspace,
    )


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=503, after=True), Fault(hang_up=True, after=True)])
async def test_without_an_answer_nobody_can_tell_and_it_is_not_sent_again(here: Here, fault: Fault) -> None:
    here.microsoft.faults = [fault]
    with pytest.raises(OutcomeUnknown):
        await here.send()
    post = Post(delivery="d1", workspace=LANE, channel=CHANNEL, message=HELLO)
    with pytest.raises(LookupUnsupported):
        await here.platform.messenger.find(post, MONDAY)
    assert len(here.microsoft.calls) == fault.after


@pytest.mark.parametrize(
    "to", [{}, {"thread": "77"}, {"channel": None, "account": "jan"}, {"act": "delete", "target": "5"}]
)
async def test_where_it_is_to_go_cannot_be_looked_up_now_it_waits_and_nothing_was_sent(
    here: Here, monkeypatch: pytest.MonkeyPatch, to: dict[str, Any]
) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable("gone")

    here.clock.set(MONDAY + timedelta(minutes=2))  # what was read before is gone by
    with monkeypatch.context() as gone:
        for question in ("get", "with_person", "latest"):
            gone.setattr(SqlConversations, question, away)
        with pytest.raises(RetryAfter) as later:
            await here.send(**to)
    assert later.value.until > here.clock.now()
    assert here.microsoft.calls == []
    await here.send(**to)
    assert here.microsoft.calls


async def test_a_card_that_is_gone_is_said_by_itself_to_its_reader(here: Here) -> None:
    here.microsoft.faults = [Fault(status=404, code="ActivityNotFoundInConversation")]
    await here.send(act="update", target="a:fatima/5", channel=None, account="fatima")
    ((method, path, _),) = here.microsoft.calls
    assert (method, path) == ("POST", "conversations/a:fatima/activities")


async def test_a_name_is_asked_of_teams_and_not_in_vain_again(here: Here) -> None:
    here.microsoft.faults = [Fault(status=404)]
    someone = Account(workspace=LANE, id="jan")
    assert await here.platform.directory.profile(someone) is None
    assert await here.platform.directory.profile(someone) is None
    here.clock.set(MONDAY + timedelta(minutes=11))
    assert await here.platform.directory.profile(someone) is not None


def test_no_window_of_any_length_holds_more_than_teams_takes() -> None:
    clock = DialClock(MONDAY, running=False)
    pace, sent = RateLimiter(clock), []
    while len(sent) < 200:
        try:
            pace.take_turn(LANE, CHANNEL)
        except RetryAfter as later:
            clock.set(max(later.until, clock.now() + timedelta(microseconds=1)))
        else:
            sent.append(clock.now())
    for most, seconds in CONVERSATION:
        for index in range(len(sent) - most):
            assert sent[index + most] - sent[index] >= timedelta(seconds=seconds)
    assert sent[-1] - sent[0] < timedelta(minutes=2)


def test_one_conversation_holds_no_other_and_an_organisation_all_of_its_own() -> None:
    clock = DialClock(MONDAY, running=False)
    pace = RateLimiter(clock)
    for number in range(50):
        pace.take_turn(LANE, f"c{number}")
    with pytest.raises(RetryAfter) as later:
        pace.take_turn(LANE, "another")
    assert later.value.whole_workspace
    pace.take_turn("teams:elsewhere", "c1")
