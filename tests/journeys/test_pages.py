"""People open their pages by a link of their own, read what they may read, and change it as they would in chat."""

import re
from asyncio import gather
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from adapters.database.repositories.people import SqlPeople
from bot import counting
from bot.domain.movement import Movement, MovementId, Role
from bot.domain.person import Language, PersonId, WorkspaceId
from tests.support.playground import LANE, MOVEMENT, ServedPlayground, serve_playground
from tests.support.visitors import SAME_SITE, a_browser, ask_link, visit

PAGES = ("movement", "me", "coordinator")
OURS = "/pages/m/movement"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        yield running


async def test_a_link_opens_once_and_only_by_its_button(served: ServedPlayground) -> None:
    link = await ask_link(served, "fatima", "pagina")
    async with a_browser(served) as program, a_browser(served) as fatima, a_browser(served) as thief:
        for _ in range(3):  # mail and chat programs look at a link before people do
            await program.get(link)
            await program.session.head(link)
        assert program.status == 200
        assert not program.session.cookie_jar.filter_cookies(served.address)  # type: ignore[arg-type]
        await fatima.get(link)
        assert "Fatima" not in fatima.text  # whoever has the link learns nothing by looking
        action, data = next(iter(fatima.buttons.values()))
        await fatima.post(action, data)
        assert (fatima.path, fatima.status) == (f"{OURS}/movement", 200)
        assert "Wandelen na het eten" in fatima.text
        await thief.post(action, data)
        assert thief.status == 410
        await thief.get(link)
        assert thief.status == 410
        assert (await fatima.get(f"{OURS}/me")).status == 200


async def test_a_late_foreign_or_older_link_opens_nothing(served: ServedPlayground) -> None:
    older, link = await ask_link(served, "fatima"), await ask_link(served, "fatima")
    async with a_browser(served) as someone:
        path, _, query = link.partition("?")
        session, expires, mark = path.rpartition("/")[2].split(".")
        forged = [
            older,
            f"/pages/open/{session}.{int(expires) + 999}.{mark}?{query}",
            f"/pages/open/{'0' * 32}.{expires}.{mark}",
            f"/pages/open/{session}..{mark}",
            f"/pages/open/{session}.{expires}.",
        ]
        for one in forged:
            assert (await someone.get(one)).status == 410, one
            assert (await someone.post(one, {})).status == 410, one
        served.clock.set(served.clock.now() + timedelta(minutes=10))
        assert (await someone.post(link, {})).status == 410
        assert "pagina" in someone.text or "board" in someone.text  # how to get a new one
        assert (await someone.get("/pages")).status == 401


async def test_a_session_ends_after_eight_hours_on_request_and_with_its_reason(served: ServedPlayground) -> None:
    async with visit(served, "iris") as desk, visit(served, "iris") as phone, visit(served, "iris") as late:
        # Ended on another device.
        await desk.get(f"{OURS}/me")
        assert desk.text.count("dit apparaat") == 1
        assert "Je bent hier als Iris" in desk.text
        await phone.get(f"{OURS}/me")
        await phone.press("Sluit mijn pagina’s")
        assert "Afgesloten" in phone.text
        assert (await phone.get(f"{OURS}/me")).status == 401
        assert (await desk.get(f"{OURS}/coordinator")).status == 200
        # Ended with the role: it was opened by somebody who coordinates.
        async with served.begin() as work:
            member = await work.movements.membership(MOVEMENT, PersonId("iris"))
            assert member is not None
            member.role = Role.MEMBER
        assert (await desk.get(f"{OURS}/movement")).status == 401
        async with served.begin() as work:
            member = await work.movements.membership(MOVEMENT, PersonId("iris"))
            assert member is not None
            member.role = Role.COORDINATOR
        assert (await desk.get(f"{OURS}/movement")).status == 401  # it does not come back
        served.clock.set(served.clock.now() + timedelta(hours=8))
        assert (await late.get(f"{OURS}/movement")).status == 401


async def test_a_session_ends_when_its_person_leaves_or_is_forgotten(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan, visit(served, "kwame") as kwame, visit(served, "fatima") as fatima:
        async with served.begin() as work:
            person = await work.people.by_account(LANE, "jan")
            assert person is not None
            person.deactivated_at = served.clock.now()
        assert (await jan.get(f"{OURS}/movement")).status == 401
        async with served.begin() as work:
            person = await work.people.by_account(LANE, "jan")
            assert person is not None
            person.deactivated_at = None
        assert (await jan.get(f"{OURS}/movement")).status == 401
        await fatima.get(f"{OURS}/me")
        await fatima.press("Vergeet mij")
        assert fatima.status == 200, fatima.text
        assert (await fatima.get(f"{OURS}/me")).status == 401
        assert (await kwame.get(f"{OURS}/me")).status == 200
        async with served.begin() as work:
            workspace = await work.people.workspace(WorkspaceId(LANE))
            assert workspace is not None
            workspace.record_removal(served.clock.now())
        assert (await kwame.get(f"{OURS}/me")).status == 401


async def test_what_is_changed_on_a_page_is_changed_as_in_chat(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan:
        await served.say("fatima", "samen-vooruit", "/verhaal We liepen <b>samen</b> & de buurvrouw liep mee")
        await jan.get(f"{OURS}/movement")
        assert "We liepen <b>samen</b> & de buurvrouw" in jan.text
        assert "<b>samen" not in jan.html
        again = jan.buttons["Doe ik ook"]
        await jan.press("Doe ik ook")
        assert "Fatima" in jan.text
        await jan.post(*again)  # sent twice: once
        async with served.begin() as work:
            (told,) = await work.stories.told_in(MOVEMENT, None)
            assert told.ripples == 1
        # A form: what is wrong is said beside it, and what was typed stays.
        await jan.get(f"{OURS}/me")
        await jan.press("Noteer een kans")
        await jan.fill_in(text="")
        assert jan.status == 422
        await jan.fill_in(text="De wethouder komt <vrijdag>", share="no")
        assert jan.status == 200, jan.text
        await jan.get(f"{OURS}/me")
        assert "De wethouder komt <vrijdag>" in jan.text


async def test_forms_of_other_sites_and_forged_presses_do_nothing(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan, visit(served, "iris") as iris:
        await jan.get(f"{OURS}/movement")
        await iris.get(f"{OURS}/movement")
        path, data = jan.buttons["Begin iets"]
        foreign = (
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "null", "Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        )
        for headers in foreign:
            assert (await jan.post(path, data, headers)).status == 403, headers
        _, of_iris = iris.buttons["Begin iets"]
        assert (await jan.post(path, of_iris)).status == 403  # sealed for another session
        assert (await jan.post(path, {"act": data["act"][:-1] + "x"})).status == 403
        assert (await jan.post(path, {})).status == 403
        assert (await jan.post(path, {**data, **{f"x{n}": "" for n in range(200)}})).status == 400
        async with a_browser(served) as stranger:
            assert (await stranger.post(path, data)).status == 401
        older = {"Origin": str(served.address).rstrip("/")}  # a browser that does not say from which site
        assert (await jan.post(path, data, older)).status == 200


async def test_odd_bytes_are_turned_away(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan, a_browser(served) as odd:
        headers = {**SAME_SITE, "Content-Type": "application/x-www-form-urlencoded"}
        for body in (b"act=\xff\xfe", b"act=%ff", b"&" * 500):
            async with jan.session.post("/pages/act", data=body, headers=headers) as response:
                assert response.status == 400, body
        upload = aiohttp.FormData()
        upload.add_field("act", b"file", filename="act")
        async with jan.session.post("/pages/act", data=upload, headers=SAME_SITE) as response:
            assert response.status in (400, 403)
        for path in ("initiative/%00", "initiative/%ff%fe", f"initiative/{'x' * 500}", "me/%00", "%00"):
            assert (await jan.get(f"{OURS}/{path}")).status == 404, path
        for path in ("/pages/open/%00.9.%ff", "/pages/open/x.9.\u2603", "/pages/m/%00/me"):
            assert (await odd.get(path)).status in (401, 404, 410), path
        for cookie in ("ritme_pages=\u00ff\u00fe", "ritme_pages=%00", "ritme_pages="):
            assert (await odd.get(f"{OURS}/me", Cookie=cookie)).status == 401, cookie


async def test_pages_tell_browsers_to_keep_them_to_themselves(served: ServedPlayground) -> None:
    link = await ask_link(served, "fatima")
    async with visit(served, "iris") as iris, a_browser(served) as someone:
        paths = [f"{OURS}/{page}" for page in PAGES]
        for shown in (*[(iris, path) for path in paths], (someone, link), (someone, "/pages")):
            browser, path = shown
            await browser.get(path)
            policy = browser.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "script" not in browser.html
            assert browser.headers["Referrer-Policy"] == "same-origin"
            assert browser.headers["Cache-Control"] == "no-store"
            assert "http" not in browser.html.replace(served.address, "")  # nothing of another host
        (cookie,) = iris.session.cookie_jar
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


async def test_who_is_no_member_or_no_coordinator_finds_no_page(served: ServedPlayground) -> None:
    async with served.begin() as work:
        now = served.clock.now()
        work.movements.add(Movement(id=MovementId("other"), name="Elders", language=Language.NL, started_at=now))
    async with visit(served, "jan") as jan:
        for path in (f"{OURS}/coordinator", f"{OURS}/nothing", f"{OURS}/initiative/nothing", "/pages/m/other/movement"):
            assert (await jan.get(path)).status == 404, path
            assert "Elders" not in jan.text
        assert "Coördinator" not in (await jan.get(f"{OURS}/me")).text


async def test_what_a_page_counts_anew_is_kept_once_whoever_looks(
    served: ServedPlayground, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[object] = []
    lock = SqlPeople.lock_movement

    async def note(people: SqlPeople, *of: object) -> None:
        waited.append(of[-1])
        await lock(people, *of)  # type: ignore[arg-type]

    draws: list[str] = []

    def count_draws(name: str) -> None:
        draw = getattr(counting, name)

        def note_draw(*of: object) -> object:
            draws.append(name)
            return draw(*of)

        monkeypatch.setattr(counting, name, note_draw)

    monkeypatch.setattr(SqlPeople, "lock_movement", note)
    for name in ("draw_picture", "settle_weeks"):
        count_draws(name)
    async with visit(served, "iris") as iris:
        # Only who keeps what was counted, a kind at a time, waits for others who act.
        first, later = ["movement", "movement"], list[str]()
        for page, waits in (("movement", []), ("me", []), ("coordinator", first), ("coordinator", later)):
            waited.clear()
            assert (await iris.get(f"{OURS}/{page}")).status == 200
            assert waited == waits, page
        assert sorted(draws) == ["draw_picture", "settle_weeks"]
    draws.clear()
    served.clock.set(served.clock.now() + timedelta(days=7))
    async with visit(served, "iris") as desk, visit(served, "iris") as phone:
        for one in await gather(*(one.get(f"{OURS}/coordinator") for one in (desk, phone))):
            assert one.status == 200
    assert sorted(draws) == ["draw_picture", "settle_weeks"]


async def test_from_every_page_there_is_a_way_back_and_one_sees_where_one_is(served: ServedPlayground) -> None:
    to_movement = f'href="{OURS}/movement"'
    async with visit(served, "iris") as iris:
        for name in PAGES:
            await iris.get(f"{OURS}/{name}")
            assert iris.html.count(f'href="{OURS}/{name}" aria-current="page"') == 1
            assert iris.html.count('aria-current="') == 1
            parts = re.findall(r'<h2 id="(part-\d+)">(.*?)</h2>', iris.html)
            listed = re.findall(r'<a href="#(part-\d+)">(.*?)</a>', iris.html)
            assert listed == (parts if len(parts) >= 5 else [])
        for name in ("initiative/walk", "search?text=x"):
            await iris.get(f"{OURS}/{name}")
            assert f'{to_movement} aria-current="true"' in iris.html  # below that page
            assert f'<a class="press" {to_movement}>Naar de beweging</a>' in iris.html
        await iris.get(f"{OURS}/initiative/walk")
        assert "<p><strong>Wandelen na het eten</strong></p>" not in iris.html  # it stands above
        await iris.get(f"{OURS}/me")
        assert 'href="/privacy?language=nl">Lees over privacy</a>' in iris.html
        await iris.press("Instellingen")
        assert f'<a class="press" href="{OURS}/me">' in iris.html
        assert (await iris.get(f"{OURS}/initiative/nothing")).status == 404
        assert 'class="press" href="/pages"' in iris.html
