"""A visitor walks through the playground's page in Chromium: on a laptop and on a phone, in Dutch and in English."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.chat import Message, Paragraph, Span
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState
from bot.domain.movement import PlaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from tests.support.chromium import chromium
from tests.support.playground import LANE, MOVEMENT, ServedPlayground, serve_playground

pytestmark = pytest.mark.browser
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
LAPTOP, PHONE = (1280, 800), (390, 844)
SCREENS = [
    pytest.param(LAPTOP, "nl", id="laptop-nl"),
    pytest.param(LAPTOP, "en", id="laptop-en"),
    pytest.param(PHONE, "nl", id="phone-nl"),
    pytest.param(PHONE, "en", id="phone-en"),
]
LOCALES = {"nl": "nl-NL", "en": "en-GB"}
OTHER = {"nl": "jan", "en": "kwame"}


@dataclass
class Visitor:
    """Someone in front of the page, who records its errors and the hosts it talked with."""

    page: Page
    served: ServedPlayground
    name: str
    phone: bool
    troubles: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    pictures: int = 0

    async def picture(self, what: str) -> None:
        """Save a screenshot to look at."""
        self.pictures += 1
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{self.name}-{self.pictures:02}-{what}.png"
        await self.page.screenshot(path=path, animations="disabled")  # at their end

    async def arrive(self) -> None:
        await self.page.goto(self.served.address)
        await expect(self.page.locator("body:not([aria-busy])")).to_be_attached()

    async def rooms(self) -> None:
        """Show the channels and people; on a phone they are in another pane."""
        if self.phone and not await self.page.locator("#rooms").is_visible():
            back = self.page.locator("[data-back]:visible")
            if await back.count():
                await back.first.click()
            await self.page.locator("#talk .icon.only-narrow").click()

    async def be(self, persona: str) -> None:
        await self.rooms()
        await self.page.locator("#persona").click()
        await self.page.locator(f"dialog [data-persona={persona}]").click()
        await expect(self.page.locator("dialog")).to_have_count(0)
        # Who comes in as someone else is brought to where people talk, once all of theirs is there.
        await expect(self.page.locator("body:not([data-pane=rooms])")).to_be_attached()

    async def go(self, channel: str) -> None:
        await self.rooms()
        await self.page.locator(f'#rooms a[href="#/{channel}"]').click()
        await expect(self.page.locator("#messages")).to_be_visible()

    async def turn(self, to: str) -> None:
        """Turn the clock."""
        if self.phone:
            await self.page.locator("#time-chip").click()
        await self.page.locator(f"[data-turn={to}]").click()
        await expect(self.page.locator('#clock[aria-busy="false"]')).to_be_visible()
        if self.phone:
            await self.page.locator("#side [data-back]").click()

    def message(self, words: str) -> Locator:
        return self.page.locator("article:visible", has_text=words)

    async def fits(self) -> None:
        """Check that nothing sticks out sideways."""
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def visitor(
    browser: Browser, served: ServedPlayground, screen: tuple[int, int], language: str, name: str
) -> Visitor:
    width, height = screen
    phone = screen == PHONE
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale=LOCALES[language],
        has_touch=phone,
        color_scheme="dark" if (phone and language == "nl") else "light",
    )
    page = await context.new_page()
    page.set_default_timeout(8000)
    made = Visitor(page, served, name, phone)
    page.on("console", lambda said: made.troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: made.troubles.append(str(error)))
    page.on("request", lambda asked: made.hosts.add(urlsplit(asked.url).netloc))
    return made


async def reminder(served: ServedPlayground, words: str) -> str:
    """Add a reminder of the purpose, sent this morning, whose thread gathers stories."""
    now = served.clock.now()
    message = Message(paragraphs=(Paragraph(spans=(Span(text=words),)),))
    said = await served.playground.chat.post(author="ritme", channel="samen-vooruit", at=now, said=message)
    async with served.begin() as work:
        rhythm = Rhythm(
            id=RhythmId("purpose"),
            movement_id=MOVEMENT,
            place_id=PlaceId("samen-vooruit"),
            kind=RhythmKind.PURPOSE,
            rule="FREQ=WEEKLY;BYDAY=MO",
            starts_on=date(2027, 3, 1),
            at=time(9),
            timezone="Europe/Amsterdam",
            created_by=None,
            created_at=now,
        )
        work.rhythms.add(rhythm)
        sent = Delivery(
            id=DeliveryId("reminder"),
            workspace_id=LANE,
            movement_id=MOVEMENT,
            place_id=PlaceId("samen-vooruit"),
            kind="rhythm_purpose",
            subject=rhythm.id,
            args={"part": "vision", "on": "2027-03-01"},
            key="rhythm:purpose:2027-03-01",
            due_at=now,
            created_at=now,
        )
        sent.record_receipt(now, "samen-vooruit", said.id)
        sent.state = DeliveryState.SENT
        await work.deliveries.add(sent)
    return said.id


@pytest.mark.parametrize(("screen", "language"), SCREENS)
async def test_a_visitor_lives_through_it(
    browser: Browser, tmp_path: Path, screen: tuple[int, int], language: str, request: pytest.FixtureRequest
) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        root = await reminder(served, "Mensen blijven langer thuis in beweging. Waar zag jij dat?")
        someone = await visitor(browser, served, screen, language, request.node.callspec.id)
        await walk(someone, language, root)
        await someone.page.context.close()
    assert someone.troubles == []
    assert someone.hosts == {urlsplit(served.address).netloc}


async def walk(someone: Visitor, language: str, root: str) -> None:
    page = someone.page
    await someone.arrive()
    await expect(page.locator("#guide")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await expect(page.locator("#guide li button[aria-current]")).to_have_count(1)
    await expect(page.locator("#talk-title")).to_have_text("#samen-vooruit" if language == "nl" else "#night-shift")
    await someone.fits()
    await someone.picture("arrived")

    await someone.rooms()
    await page.locator("#persona").click()
    await someone.picture("people")
    await page.keyboard.press("Escape")
    await someone.be(OTHER[language])
    await someone.go("samen-vooruit")

    # Stuck: through the suggestions, a form, an error beside its field.
    composer = page.locator("#composer textarea")
    await composer.fill("/")
    await expect(page.locator("#composer [role=option]").first).to_be_visible()
    await someone.picture("suggestions")
    await composer.press("ArrowDown")
    await composer.press("Enter")
    form = page.locator("dialog.asks")
    await form.locator("[name=text]").fill("De nachtdienst hoort het als laatste")
    await form.locator("button[type=submit]").click()
    wrong = form.locator(".wrong:visible")
    await expect(wrong).to_have_count(2)
    described = await form.locator("[name=kind]").first.get_attribute("aria-describedby")
    assert str(await wrong.first.get_attribute("id")) in str(described)
    await expect(form.locator("[name=text]")).to_have_value("De nachtdienst hoort het als laatste")
    await someone.picture("errors")
    await form.locator("[name=kind][value=reach]").check()
    await form.locator("[name=audience][value=me]").check()
    await form.locator("button[type=submit]").click()
    await expect(form).to_have_count(0)
    answer = page.locator("#messages article.private")
    await expect(answer.locator("li")).to_have_count(3)
    await someone.fits()
    await someone.picture("welcomed")

    # A small step, and the dial.
    await answer.locator("[data-button=choose_step]").click()
    await form.locator("[name=cue]").fill("de overdracht begint")
    await form.locator("[name=action]").fill("vraag ik Sanne wat zij ziet")
    await form.locator("[name=on_my_own][value=yes]").check()
    await someone.picture("step")
    await form.locator("button[type=submit]").click()
    await expect(form).to_have_count(0)
    await someone.picture("planned")
    await someone.turn("next")
    personal = f"dm-{OTHER[language]}"
    await someone.rooms()
    await expect(page.locator(f'#rooms a[href="#/{personal}"] .dot')).to_be_visible()
    await someone.picture("it-came-back")
    await someone.go(personal)
    await expect(page.locator("#messages [data-button=done]")).to_be_visible()
    await someone.picture("follow-up")

    # A story in a thread, and what it sets in motion.
    await someone.go("samen-vooruit")
    await page.locator(f"article[data-key={root}]").hover()
    await page.locator(f"article[data-key={root}]").focus()
    await page.locator(f"article[data-key={root}] .tools a").click()
    reply = page.locator("#thread-composer textarea")
    await reply.fill("De buurvrouw liep zelf naar de brievenbus.")
    await reply.press("Enter")
    told = page.locator("#replies article", has_text="brievenbus")
    await expect(told.locator(".reaction")).to_be_visible()
    await expect(page.locator("#replies [data-button=keep]")).to_be_visible()
    await someone.fits()
    await someone.picture("told")
    await page.locator("#replies [data-button=keep]").click()
    await expect(page.locator("#replies [data-button=keep]")).to_have_count(0)
    await someone.be("wim")
    await someone.go("samen-vooruit")
    await page.locator(f"article[data-key={root}] .replies").click()
    await told.hover()
    await told.focus()
    await told.locator(".tools button").first.click()
    await page.locator(".palette button").nth(2).click()
    await expect(told.locator(".reaction")).to_have_count(2)
    await someone.picture("rippled")
    async with someone.served.begin() as work:
        story = await work.stories.by_message(PlaceId("samen-vooruit"), str(await told.get_attribute("data-key")))
        assert story is not None
        assert await work.stories.ripples(story.id, MOVEMENT) == 1

    # What Ritme did stands in the panel, and all it says in the gallery.
    if someone.phone:
        await page.locator("#thread [data-back]").first.click()
        await page.locator("#time-chip").click()
    else:
        await page.keyboard.press("Escape")
    await expect(page.locator("#done li.sent").first).to_be_visible()
    await someone.fits()
    await someone.picture("panel")
    await page.goto(f"{someone.served.address}/playground/gallery")
    await page.locator("#search").fill("StuckWelcomed")
    await expect(page.locator(".entry")).to_have_count(1)
    await someone.fits()
    await someone.picture("gallery")


async def test_a_form_with_the_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        someone = await visitor(browser, served, LAPTOP, "nl", "keyboard")
        page, keys = someone.page, someone.page.keyboard
        await someone.arrive()
        await keys.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.locator("#composer textarea").focus()
        await keys.type("/vast")
        await keys.press("Enter")
        form = page.locator("dialog.asks")
        await expect(form.locator("select")).to_be_focused()
        await keys.press("Tab")
        await keys.type("Niemand komt")
        await keys.press("Escape")
        await expect(form.locator(".foot:visible button.danger")).to_be_focused()
        await someone.picture("leave")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(form.locator("[name=text]")).to_have_value("Niemand komt")
        await expect(form.locator("select")).to_be_focused()
        await keys.press("Tab")
        await keys.press("Tab")
        await keys.press("Space")
        await keys.press("Tab")
        await keys.press("Space")
        for _ in range(20):
            if await page.evaluate("document.activeElement.type === 'submit'"):
                break
            await keys.press("Tab")
        await keys.press("Enter")
        await expect(form).to_have_count(0)
        await expect(page.locator("article.private")).to_be_visible()
        await expect(page.locator("#composer textarea")).to_be_focused()
        await keys.press("Shift+Tab")
        for _ in range(6):
            if await page.evaluate("document.activeElement.matches('article, article *')"):
                break
            await keys.press("Shift+Tab")
        assert await page.evaluate("document.activeElement.matches('article *, article')")
        assert someone.troubles == []
        await page.context.close()


async def test_what_was_typed_stays_when_the_connection_is_gone(browser: Browser, tmp_path: Path) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        someone = await visitor(browser, served, LAPTOP, "en", "offline")
        page = someone.page
        await someone.arrive()
        await someone.go("samen-vooruit")
        await page.context.set_offline(True)
        await page.locator("#composer textarea").fill("Are you there?")
        await page.locator("#composer textarea").press("Enter")
        await expect(page.locator(".toast")).to_be_visible()
        await expect(page.locator("#composer textarea")).to_have_value("Are you there?")
        box = "one => one.getBoundingClientRect().toJSON()"
        notice, composer = [await page.locator(one).evaluate(box) for one in (".toast", "#composer")]
        assert notice["bottom"] <= composer["top"], "a notice never covers where one writes"
        await someone.picture("offline")
        await page.context.set_offline(False)
        await page.locator("#composer textarea").press("Enter")
        await expect(someone.message("Are you there?")).to_have_count(1)
        await page.context.close()


async def test_a_dialog_half_filled_in_survives_a_reload(browser: Browser, tmp_path: Path) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        someone = await visitor(browser, served, PHONE, "nl", "reload")
        page = someone.page
        await someone.arrive()
        await page.locator("#composer textarea").fill("/vast")
        await page.locator("#composer textarea").press("Enter")
        form = page.locator("dialog.asks")
        await form.locator("[name=text]").fill("De overdracht loopt niet")
        await form.locator("[name=audience][value=me]").check()
        await page.reload()
        await expect(form.locator("[name=text]")).to_have_value("De overdracht loopt niet")
        await expect(form.locator("[name=audience][value=me]")).to_be_checked()
        await someone.picture("reloaded")
        await form.locator("[name=kind][value=reach]").check()
        await form.locator("button[type=submit]").click()
        await expect(form).to_have_count(0)
        await expect(page.locator("article.private")).to_be_visible()
        await page.reload()
        await expect(page.locator("body:not([aria-busy])")).to_be_attached()
        await expect(form).to_have_count(0)
        assert someone.troubles == []
        await page.context.close()


async def test_today_is_another_day_once_the_clock_is_turned(browser: Browser, tmp_path: Path) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        someone = await visitor(browser, served, LAPTOP, "nl", "today")
        page = someone.page
        await someone.arrive()
        await page.locator("#composer textarea").fill("Goedemorgen")
        await page.locator("#composer textarea").press("Enter")
        await expect(page.locator("#messages .day").last).to_have_text("vandaag")
        await someone.turn("day")
        await expect(page.locator("#messages .day").last).to_have_text("gisteren")
        await expect(page.locator("#guide .did")).to_have_count(0)  # no step was chosen
        await page.context.close()


async def test_two_pages_see_each_other_live(browser: Browser, tmp_path: Path) -> None:
    async with serve_playground(tmp_path / "demo.db") as served:
        one = await visitor(browser, served, LAPTOP, "nl", "live-one")
        other = await visitor(browser, served, LAPTOP, "en", "live-other")
        for someone in (one, other):
            await someone.arrive()
            await someone.go("samen-vooruit")
        await one.page.locator("#composer textarea").fill("<b>Hoi</b> **allemaal** <!channel>")
        await one.page.locator("#composer textarea").press("Enter")
        await expect(other.message("<b>Hoi</b> **allemaal** <!channel>")).to_be_visible()
        await other.page.locator("#composer textarea").fill("/stuck")
        await other.page.locator("#composer textarea").press("Enter")
        await expect(other.page.locator("dialog.asks")).to_be_visible()
        await expect(one.page.locator("dialog")).to_have_count(0)
        for someone in (one, other):
            assert someone.troubles == []
            await someone.page.context.close()
