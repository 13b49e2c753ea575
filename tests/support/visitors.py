"""Somebody with a browser that runs no script: opens links, follows them, presses buttons, fills in forms."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlsplit

import aiohttp

from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.person import PersonId
from tests.support.playground import MOVEMENT, ServedPlayground

SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
"""Headers that a browser sends with a form that is sent from a page of ours."""
_FORM = re.compile(
    r'<form method="post" action="([^"]+)"[^>]*>\s*<input type="hidden" name="(\w+)" value="([^"]*)">'
    r"\s*<button[^>]*>(.*?)</button>"
)


@dataclass
class WebVisitor:
    """One browser. `text` is the last page as people read it, `html` as it came; `status` and `path` say how."""

    session: aiohttp.ClientSession
    html: str = ""
    status: int = 0
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        body = re.sub(r"<style>.*?</style>", "", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    @property
    def buttons(self) -> dict[str, tuple[str, dict[str, str]]]:
        """The buttons of the page: label → where it goes, with what."""
        found = _FORM.findall(self.html)
        return {unescape(label): (action, {name: unescape(value)}) for action, name, value, label in found}

    async def get(self, path: str, **headers: str) -> "WebVisitor":
        async with self.session.get(path, headers=headers) as response:
            return await self._take(response)

    async def post(self, path: str, data: Mapping[str, str], headers: Mapping[str, str] = SAME_SITE) -> "WebVisitor":
        async with self.session.post(path, data=data, headers=headers) as response:
            return await self._take(response)

    async def press(self, label: str, **more: str) -> "WebVisitor":
        action, data = self.buttons[label]
        return await self.post(action, {**data, **more})

    async def fill_in(self, **values: str) -> "WebVisitor":
        """Send the form that the page is."""
        sealed = re.search(r'name="act" value="([^"]+)"', self.html)
        assert sealed is not None
        return await self.post("/pages/act", {"act": sealed[1], **{f"f-{name}": one for name, one in values.items()}})

    async def _take(self, response: aiohttp.ClientResponse) -> "WebVisitor":
        self.html, self.status = await response.text(), response.status
        self.path, self.headers = response.url.path, response.headers
        return self


async def ask_link(served: ServedPlayground, who: str, word: str = "board") -> str:
    """Ask Ritme for a link to the pages, and return its address."""
    said = await served.say(who, f"dm-{who}", f"/ritme {word}")
    url: str = said["reply"]["said"]["buttons"][0]["url"]
    assert not urlsplit(url).netloc
    return url


@asynccontextmanager
async def a_browser(served: ServedPlayground) -> AsyncIterator[WebVisitor]:
    """Yield a browser in which no pages are open."""
    # An address of numbers: this jar would else take no cookie for it.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(served.address, cookie_jar=jar) as session:
        yield WebVisitor(session)


@asynccontextmanager
async def visit(served: ServedPlayground, who: str) -> AsyncIterator[WebVisitor]:
    """Yield a browser in which somebody opened their pages."""
    async with a_browser(served) as browser:
        await browser.get(await ask_link(served, who))
        action, data = next(iter(browser.buttons.values()))
        await browser.post(action, data)
        assert browser.path == "/pages/m/movement/movement", browser.text
        yield browser


async def start_rhythm(served: ServedPlayground) -> None:
    """Give the movement a purpose, and a reminder of it every Monday at nine."""
    form = (await served.say("iris", "samen-vooruit", "/ritme bedoeling"))["form"]
    purpose = "Wie thuis zorg krijgt, doet zelf wat zelf nog kan, en wij doen mee."
    behaviours = "Handen op je rug\nEén vraag stellen\nIets doorgeven"
    await served.submit("iris", form, {"vision": purpose, "core_messages": "Vraag eerst.", "behaviours": behaviours})
    said = await served.say("iris", "dm-iris", "/ritme ritme elke maandag om 9 uur een herinnering in #samen-vooruit")
    await served.press("iris", said["reply"]["id"], "save")


async def add_patch(served: ServedPlayground, name: str) -> None:
    """Add an initiative that Jan carries: two make a quilt."""
    async with served.begin() as work:
        now, jan, tea = served.clock.now(), PersonId("jan"), InitiativeId("tea")
        work.initiatives.add(Initiative(id=tea, movement_id=MOVEMENT, name=name, started_by=jan, started_at=now))
        work.initiatives.add(
            Participant(initiative_id=tea, person_id=jan, movement_id=MOVEMENT, initiator=True, joined_at=now)
        )
