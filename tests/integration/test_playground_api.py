"""The playground's HTTP API: privacy, forms, the clock, live updates, and requests from other sites refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.playground.clock_control import next_monday
from adapters.playground.page_texts import describe_kind
from adapters.playground.personas import PERSONAS
from bot.chat import Message as Words
from bot.chat import Paragraph, Post, Span
from bot.commands import COMPOSERS
from bot.domain.delivery import Priority, to_person, to_place
from bot.domain.movement import PlaceId
from bot.domain.person import Language, PersonId
from tests.fuzz.mutations import VALUES, apply, list_paths
from tests.support.playground import LANE, MOVEMENT, START, ServedPlayground, serve_playground

FILLED = {"text": "De nachtdienst hoort het als laatste", "kind": "reach", "audience": "me"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as served:
        yield served


async def report_stuck(
    served: ServedPlayground, persona: str = "fatima", channel: str = "samen-vooruit"
) -> dict[str, Any]:
    """Submit the stuck form; return Ritme's answer."""
    form = (await served.say(persona, channel, "/vast"))["form"]
    answered: dict[str, Any] = await served.submit(persona, form, FILLED)
    return answered["reply"]


async def plan_message(
    served: ServedPlayground, persona: str, *, due: datetime, key: str = "q", priority: Priority
) -> None:
    """Put a message of Ritme's for someone in the outbox."""
    async with served.begin() as work:
        person = await work.people.in_workspace(PersonId(persona), LANE)
        assert person is not None
        now = served.clock.now()
        await work.deliveries.add(
            to_person(person, "went_quiet", key=key, now=now, movement=MOVEMENT, due_at=due, priority=priority)
        )


class TestPrivacy:
    async def test_an_answer_in_a_channel_is_seen_by_one_person_only(self, served: ServedPlayground) -> None:
        reply = await report_stuck(served)
        assert reply["private"]
        assert [said["id"] for said in await served.seen_by("fatima")] == [reply["id"]]
        for other in PERSONAS:
            if other.id != "fatima":
                assert await served.seen_by(other.id) == []

    async def test_a_personal_chat_is_seen_by_one_person_only(self, served: ServedPlayground) -> None:
        await served.say("fatima", "dm-fatima", "ik weet het even niet")
        assert len(await served.seen_by("fatima")) == 2
        assert await served.seen_by("jan") == []
        await served.say("jan", "dm-fatima", "mag ik meelezen?", status=404)

    async def test_what_others_cannot_see_they_cannot_press_react_to_or_answer(self, served: ServedPlayground) -> None:
        reply = await report_stuck(served)
        await served.press("jan", reply["id"], "choose_step", status=404)
        await served.call("PUT", f"/messages/{reply['id']}/reactions/heart?persona=jan", status=404)
        await served.say("jan", "samen-vooruit", "stiekem", thread=reply["id"], status=404)
        await served.call("DELETE", f"/messages/{reply['id']}?persona=jan", status=404)

    async def test_a_dialog_belongs_to_who_opened_it(self, served: ServedPlayground) -> None:
        form = (await served.say("fatima", "samen-vooruit", "/vast"))["form"]
        await served.submit("jan", form, FILLED, status=404)
        await served.submit("fatima", form, FILLED)
        assert await served.submit("fatima", form, FILLED) == {"reply": None}  # a second tap
        await served.submit("jan", form, FILLED, status=404)

    async def test_live_updates_tell_a_page_only_what_its_persona_sees(self, served: ServedPlayground) -> None:
        async with served.session.get("/playground/api/events?persona=jan") as jan:
            assert jan.content_type == "text/event-stream"
            await report_stuck(served)
            await served.say("fatima", "samen-vooruit", "hallo allemaal")
            told = await first_message(jan.content)
        assert told["text"] == "hallo allemaal"

    async def test_putting_a_private_message_away_is_for_good(self, served: ServedPlayground) -> None:
        reply = await report_stuck(served)
        await served.call("DELETE", f"/messages/{reply['id']}?persona=fatima")
        assert await served.seen_by("fatima") == []


async def first_message(lines: Any) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while (line := (await lines.readline()).decode()) != "event: message\n":
            assert line
        found: dict[str, Any] = json.loads((await lines.readline()).decode().removeprefix("data: "))
        return found


class TestForms:
    async def test_errors_come_back_by_field_and_the_form_stays(self, served: ServedPlayground) -> None:
        form = (await served.say("fatima", "samen-vooruit", "/vast"))["form"]
        assert [one["name"] for one in form["fields"]][:2] == ["initiative", "text"]
        wrong = await served.submit("fatima", form, {**FILLED, "text": " ", "kind": "nonsense"})
        assert set(wrong["errors"]) == {"text", "kind"}
        assert (await served.submit("fatima", form, FILLED))["reply"]["private"]

    async def test_a_field_the_form_does_not_have_is_refused(self, served: ServedPlayground) -> None:
        form = (await served.say("fatima", "samen-vooruit", "/vast"))["form"]
        refused = await served.submit("fatima", form, {**FILLED, "movement": "other"}, status=400)
        assert refused["error"] == "no_such_field"

    async def test_each_reads_their_own_language(self, served: ServedPlayground) -> None:
        dutch, english = [(await served.say(who, "kantoor", "/stuck"))["form"] for who in ("wim", "priya")]
        assert (dutch["language"], english["language"]) == ("nl", "en")
        await served.call("POST", "/language", {"persona": "wim", "language": "en"})
        assert (await served.say("wim", "kantoor", "/stuck"))["form"]["language"] == "en"


class TestTalking:
    async def test_a_command_is_not_posted_and_a_mention_is(self, served: ServedPlayground) -> None:
        await served.say("jan", "samen-vooruit", "/vast niemand komt")
        await served.say("jan", "samen-vooruit", "@Ritme vast niemand komt")
        assert [said["text"] for said in await served.seen_by("fatima")] == ["@Ritme vast niemand komt"]

    async def test_threads_edits_and_deletions(self, served: ServedPlayground) -> None:
        root = (await served.say("jan", "samen-vooruit", "Wie loopt er mee?"))["message"]
        reply = (await served.say("fatima", "samen-vooruit", "Ik!", thread=root["id"]))["message"]
        under = (await served.say("wim", "samen-vooruit", "Ik ook", thread=reply["id"]))["message"]
        assert under["thread"] == root["id"]
        edited = (await served.call("PATCH", f"/messages/{reply['id']}", {"persona": "fatima", "text": "Ik, morgen"}))[
            "message"
        ]
        assert (edited["text"], edited["edited"]) == ("Ik, morgen", True)
        await served.call("PATCH", f"/messages/{reply['id']}", {"persona": "jan", "text": "Nee"}, status=403)
        await served.call("DELETE", f"/messages/{root['id']}?persona=jan")
        seen = {said["id"]: said for said in await served.seen_by("sanne")}
        assert seen[root["id"]]["deleted"]
        assert seen[root["id"]]["text"] == ""
        await served.call("DELETE", f"/messages/{reply['id']}?persona=fatima")
        await served.call("DELETE", f"/messages/{under['id']}?persona=wim")
        assert await served.seen_by("sanne") == []

    async def test_reactions(self, served: ServedPlayground) -> None:
        root = (await served.say("jan", "samen-vooruit", "Gelukt"))["message"]
        path = f"/messages/{root['id']}/reactions"
        await served.call("PUT", f"{path}/heart?persona=fatima")
        await served.call("PUT", f"{path}/heart?persona=fatima")
        await served.call("PUT", f"{path}/heart?persona=wim")
        assert (await served.seen_by("jan"))[0]["reactions"] == {"heart": ["fatima", "wim"]}
        await served.call("DELETE", f"{path}/heart?persona=fatima")
        assert (await served.seen_by("jan"))[0]["reactions"] == {"heart": ["wim"]}
        await served.call("PUT", f"{path}/<script>?persona=fatima", status=400)

    async def test_unread_until_read(self, served: ServedPlayground) -> None:
        await served.say("jan", "samen-vooruit", "Hoi")
        assert (await served.get("/state?persona=fatima"))["unread"] == {"samen-vooruit": 1}
        assert (await served.get("/state?persona=jan"))["unread"] == {}
        await served.call("POST", "/read", {"persona": "fatima", "channel": "samen-vooruit"})
        assert (await served.get("/state?persona=fatima"))["unread"] == {}


class TestMessenger:
    async def test_a_delivery_is_posted_once_and_found_again(self, served: ServedPlayground) -> None:
        post = Post(delivery="d1", workspace=LANE, channel="kantoor", message=Words(paragraphs=(text("hoi"),)))
        first, second = [await served.playground.messenger.send(post) for _ in range(2)]
        assert first == second == await served.playground.messenger.find(post, START)
        assert len(await served.seen_by("wim")) == 1

    async def test_changing_reacting_and_taking_away(self, served: ServedPlayground) -> None:
        def post(act: Any, target: str, words: str = "", reaction: str = "") -> Post:
            message = Words(paragraphs=(text(words),)) if words else None
            return Post(
                delivery=f"d-{act}",
                workspace=LANE,
                act=act,
                channel="kantoor",
                target=target,
                message=message,
                reaction=reaction,
            )

        send = served.playground.messenger.send
        target = (await send(post("post", "", "een"))).message
        await send(post("update", target, "twee"))
        await send(post("react", target, reaction="seedling"))
        [seen] = await served.seen_by("wim")
        assert (seen["said"]["text"], seen["reactions"]) == ("twee", {"seedling": ["ritme"]})
        await send(post("unreact", target, reaction="seedling"))
        await send(post("delete", target))
        assert await served.seen_by("wim") == []


def text(words: str) -> Paragraph:
    return Paragraph(spans=(Span(text=words),))


class TestClock:
    async def test_every_planned_moment_happens_at_its_own_time(self, served: ServedPlayground) -> None:
        soon, later = START + timedelta(hours=1), START + timedelta(hours=3)
        await plan_message(served, "jan", due=soon, key="a", priority=Priority.ASKED_FOR)
        await plan_message(served, "wim", due=later, key="b", priority=Priority.ASKED_FOR)
        clock = await served.get("/clock?language=en")
        assert datetime.fromisoformat(clock["next"]["at"]) == soon
        assert (clock["next"]["kind"], clock["next"]["persona"]) == ("went_quiet", "jan")
        await served.set_clock("day")
        [to_jan], [to_wim] = await served.seen_by("jan"), await served.seen_by("wim")
        for said, due in ((to_jan, soon), (to_wim, later)):
            assert timedelta(0) <= datetime.fromisoformat(said["at"]) - due < timedelta(seconds=5)

    async def test_next_without_anything_planned(self, served: ServedPlayground) -> None:
        assert (await served.set_clock("next", status=409))["error"] == "nothing_planned"

    @pytest.mark.parametrize(
        "to", ["yesterday", "2020-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00", "2027-03-02"]
    )
    async def test_only_forward_to_a_real_moment(self, served: ServedPlayground, to: str) -> None:
        before = served.clock.now()
        await served.set_clock(to, status=400)
        assert served.clock.now() - before < timedelta(seconds=5)

    async def test_monday_is_nine_in_the_morning_over_the_change_to_summer_time(self) -> None:
        winter = next_monday(datetime.fromisoformat("2027-03-26T12:00:00+00:00"))
        assert winter.isoformat() == "2027-03-29T07:00:00+00:00"
        assert next_monday(winter).isoformat() == "2027-04-05T07:00:00+00:00"

    async def test_the_side_panel_tells_what_happened_and_why(self, served: ServedPlayground) -> None:
        async with served.begin() as work:
            place = await work.movements.place(PlaceId("kantoor"))
            assert place is not None
            for number in range(4):
                nudge = to_place(
                    place, "went_quiet", key=f"n{number}", now=served.clock.now(), priority=Priority.RHYTHM
                )
                await work.deliveries.add(nudge)
        await served.set_clock("hour")
        told = await served.get("/activity?language=nl")
        assert [row["state"] for row in told["done"]] == ["sent", "sent", "sent"]
        [held] = told["planned"]
        assert (held["state"], held["channel"]) == ("held", "kantoor")
        assert held["why"]
        assert held["why"] != (await served.get("/activity?language=en"))["planned"][0]["why"]


async def test_a_story_round_gathers_stories_and_ripples(served: ServedPlayground) -> None:
    """A coordinator makes a rhythm, Monday comes, someone answers in the thread, someone else is moved by it."""
    rhythms = (await served.say("iris", "samen-vooruit", "/ritme ritme"))["reply"]
    form = (await served.press("iris", rhythms["id"], "new"))["form"]
    filled = {one["name"]: one["value"] for one in form["fields"]}
    await served.submit("iris", form, {**filled, "kind": "stories", "place": "samen-vooruit"})
    assert (await served.get("/clock"))["next"]["kind"] == "rhythm_stories"
    await served.set_clock("monday")
    [asked] = [said for said in await served.seen_by("wim") if said["author"] == "ritme"]
    told = (await served.say("jan", "samen-vooruit", "De buurvrouw liep zelf.", thread=asked["id"]))["message"]
    await served.set_clock("hour")
    marked = next(said for said in await served.seen_by("wim") if said["id"] == told["id"])
    assert marked["reactions"] == {"seedling": ["ritme"]}
    [kept] = [said for said in await served.seen_by("jan") if said["private"]]
    await served.press("jan", kept["id"], "keep")
    await served.call("PUT", f"/messages/{told['id']}/reactions/heart?persona=wim")
    async with served.begin() as work:
        story = await work.stories.by_message(PlaceId("samen-vooruit"), told["id"])
        assert story is not None
        assert await work.stories.ripples(story.id, MOVEMENT) == 1
    await served.call("DELETE", f"/messages/{told['id']}?persona=jan")
    async with served.begin() as work:
        story = await work.stories.by_message(PlaceId("samen-vooruit"), told["id"])
        assert story is None or not story.is_told
    done = (await served.get("/activity?language=en"))["done"]
    assert {"rhythm_stories", "story_kept"} <= {row["kind"] for row in done if row["state"] == "sent"}


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        await report_stuck(served)
        await served.say("jan", "samen-vooruit", "Hoi")
        form = (await served.say("wim", "kantoor", "/vast"))["form"]
        await served.set_clock("monday")
        await served.call("POST", "/read", {"persona": "wim", "channel": "samen-vooruit"})
        await served.call("POST", "/language", {"persona": "wim", "language": "en"})
        seen, now = await served.get("/state?persona=fatima"), served.clock.now()
    async with serve_playground(tmp_path / "demo.db", with_movement=False) as served:
        assert await served.get("/state?persona=fatima") == seen
        assert now <= served.clock.now() < now + timedelta(seconds=30)
        assert (await served.get("/state?persona=wim"))["unread"] == {}
        assert (await served.submit("wim", form, FILLED))["reply"]["said"]["language"] == "en"
        assert int((await served.say("jan", "kantoor", "Weer"))["message"]["number"]) > int(form["id"][1:])


class TestRequests:
    async def test_the_same_key_acts_once(self, served: ServedPlayground) -> None:
        body, key = {"persona": "jan", "channel": "kantoor", "text": "Een keer"}, {"Idempotency-Key": "12345678-a"}
        answers = await asyncio.gather(*(served.call("POST", "/messages", body, headers=key) for _ in range(5)))
        assert all(answer == answers[0] for answer in answers)
        assert len(await served.seen_by("wim")) == 1

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://elsewhere.example"},
            {"Origin": "null"},
            {"Origin": "http://["},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec-Fetch-Site": "cross-site"},
        ],
    )
    async def test_a_page_elsewhere_has_no_say(self, served: ServedPlayground, headers: dict[str, str]) -> None:
        body = {"persona": "jan", "channel": "kantoor", "text": "gekaapt"}
        assert (await served.call("POST", "/messages", body, headers=headers, status=403))["error"] == "wrong_origin"
        await served.get("/state?persona=jan", headers=headers, status=403)
        assert await served.seen_by("jan") == []

    async def test_another_name_for_this_machine_is_refused(self, served: ServedPlayground) -> None:
        for name in ("rebound.example", "[", "127.0.0.1.rebound.example", "0.0.0.0"):
            await served.get("/state?persona=jan", headers={"Host": name}, status=421)
        await served.get("/state?persona=jan", headers={"Host": "localhost"})

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/playground",
            "/playground/",
            "/playground/gallery",
            "/playground/static/index.html",
            "/playground/static/none",
            "/playground/api/events?persona=jan",
            "/playground/api/gallery",
            "/playground/api/messages/m1/file?persona=jan",
            "/playground/nowhere",
            "/healthz",
            "/nowhere",
        ],
    )
    async def test_no_path_is_open_to_another_site(self, served: ServedPlayground, path: str) -> None:
        for headers, status in (
            ({"Host": "rebound.example"}, 421),
            ({"Origin": "https://elsewhere.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
        ):
            async with served.session.get(path, headers=headers, allow_redirects=False) as page:
                assert page.status == status
                assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
                assert page.headers["X-Content-Type-Options"] == "nosniff"

    async def test_served_to_others_it_answers_under_its_addresses_and_names_only(self, tmp_path: Path) -> None:
        async with serve_playground(tmp_path / "demo.db", hosts=("0.0.0.0", "demo.example.org")) as served:
            for name in ("192.168.1.20", "192.168.1.20:8080", "demo.example.org", "localhost"):
                await served.get("/state?persona=jan", headers={"Host": name})
            await served.get("/state?persona=jan", headers={"Host": "rebound.example"}, status=421)

    async def test_its_own_page_may(self, served: ServedPlayground) -> None:
        own = {"Origin": served.address, "Sec-Fetch-Site": "same-origin"}
        body = {"persona": "jan", "channel": "kantoor", "text": "hoi"}
        await served.call("POST", "/messages", body, headers=own)

    async def test_only_json_comes_in(self, served: ServedPlayground) -> None:
        async with served.session.post("/playground/api/messages", data={"persona": "jan"}) as response:
            assert response.status == 415

    @pytest.mark.parametrize(
        "raw",
        [
            "{",
            "[]",
            '{"persona": "jan"}',
            '{"persona": "jan", "channel": 3, "text": "x"}',
            '{"persona": "nobody", "channel": "kantoor", "text": "x"}',
            '{"persona": "jan", "channel": "kantoor", "text": "x", "extra": 1}',
            '{"persona": "jan", "channel": "kantoor", "text": "   "}',
            '{"persona": "jan", "channel": "kantoor", "text": "\\ud800"}',
        ],
    )
    async def test_a_bad_body_is_explained(self, served: ServedPlayground, raw: str) -> None:
        headers = {"Content-Type": "application/json"}
        async with served.session.post("/playground/api/messages", data=raw.encode(), headers=headers) as response:
            assert response.status == 400
            assert (await response.json())["detail"]

    async def test_too_much_is_refused(self, served: ServedPlayground) -> None:
        assert (await served.say("jan", "kantoor", "x" * 70_000, status=413))["error"] == "too_large"
        assert (await served.say("jan", "kantoor", "x" * 4001, status=400))["error"] == "too_long"
        await served.say("jan", "kantoor", "👩‍⚕️ " * 800)

    async def test_an_unknown_persona_channel_or_message_is_refused(self, served: ServedPlayground) -> None:
        await served.get("/state?persona=mallory", status=400)
        await served.say("jan", "directie", "hoi", status=404)
        await served.press("jan", "m999", "x", status=404)
        await served.get("/words?language=de", status=400)

    async def test_the_page_asks_nothing_of_another_host(self, served: ServedPlayground) -> None:
        async with served.session.get("/") as page:
            assert page.status == 200
            assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
            assert "http" not in await page.text()


async def test_the_gallery_shows_everything_in_both_languages(served: ServedPlayground) -> None:
    entries = (await served.get("/gallery"))["entries"]
    names = {(entry["name"], entry["language"]) for entry in entries}
    assert {(name, "nl") for name, _ in names} | {(name, "en") for name, _ in names} == names
    assert all(("message" in entry) != ("form" in entry) for entry in entries)
    assert all(entry["platforms"]["slack"] for entry in entries)


async def test_the_panel_has_words_for_whatever_ritme_sends(served: ServedPlayground) -> None:
    for language in Language:
        for kind in COMPOSERS:
            words = describe_kind(kind, language, START)
            assert words != describe_kind("nothing", language, START), kind


async def test_the_page_has_the_same_words_in_both_languages(served: ServedPlayground) -> None:
    dutch, english = [(await served.get(f"/words?language={one}"))["words"] for one in ("nl", "en")]
    assert set(dutch) == set(english)
    assert all({*dutch.values(), *english.values()})


WRONG = (*VALUES, "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00")
WRONG_BODIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/messages", {"persona": "fatima", "channel": "kantoor", "text": "hoi", "thread": ""}),
    ("PATCH", "/messages/{said}", {"persona": "fatima", "text": "anders"}),
    ("POST", "/messages/{said}/press", {"persona": "fatima", "button": "stop"}),
    ("POST", "/forms/{form}", {"persona": "fatima", "values": {"text": "hoi", "kind": "reach", "audience": "me"}}),
    ("POST", "/read", {"persona": "fatima", "channel": "kantoor"}),
    ("POST", "/language", {"persona": "fatima", "language": "nl"}),
    ("POST", "/clock", {"to": "hour"}),
)


class TestBadInput:
    @pytest.mark.parametrize(("method", "path", "body"), WRONG_BODIES, ids=lambda one: str(one)[:30])
    async def test_whatever_a_body_holds_is_acted_on_or_refused(
        self, served: ServedPlayground, method: str, path: str, body: dict[str, Any]
    ) -> None:
        said = (await served.say("fatima", "kantoor", "hoi"))["message"]["id"]
        form = (await served.say("fatima", "kantoor", "/vast"))["form"]["id"]
        address = "/playground/api" + path.format(said=said, form=form)
        for at in list_paths(body):
            for value in WRONG:
                wrong = apply(body, [("value", at, value)])
                async with served.session.request(method, address, json=wrong) as answer:
                    assert answer.status in (200, 400, 404, 409), (at, value, await answer.text())
                    assert answer.status == 200 or set(await answer.json()) == {"error", "detail"}

    @pytest.mark.parametrize("raw", [b"", b"{", b"[" * 50_000, b"\xff", b"null", b"[]", b'{"persona": NaN}'])
    async def test_what_is_no_body_is_refused(self, served: ServedPlayground, raw: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        async with served.session.post("/playground/api/messages", data=raw, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]) == (400, "bad_request")
