"""Draw what someone sees in Slack as an HTML page. It looks like a chat program, not like Slack's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.slack.server import BOT, SlackServer
from tests.fakes.slack.state import Json, Modal, Shown, Tab

WORDS = {
    "en": {
        "private": "Only visible to you",
        "replies": "Thread",
        "answers": ("1 reply", "{} replies"),
        "tabs": ("Home", "Messages", "About"),
        "choose": "Choose",
        "optional": "(optional)",
    },
    "nl": {
        "private": "Alleen zichtbaar voor jou",
        "replies": "Draadje",
        "answers": ("1 antwoord", "{} antwoorden"),
        "tabs": ("Home", "Berichten", "Info"),
        "choose": "Kies",
        "optional": "(optioneel)",
    },
}
"""Texts of the chat program itself, by language."""
STYLE = Path(__file__).with_suffix(".css")
COLOURS = ("#8a5a44", "#3f6f8f", "#7a5c8e", "#6b7a3a", "#a0683a")


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Draws the screen of `user`, with the chat program in `language`: "nl" or "en"."""

    server: SlackServer
    user: str
    language: str
    words: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", WORDS[self.language])

    def channel(self, channel: str, *, thread: str | None = None, since: str = "0", over: str = "") -> str:
        """Draw a channel from a moment on; beside it a thread, and over it a form, when given."""
        place = self.server.channels[channel]
        shown = [one for one in self.server.visible(channel, self.user) if float(one.ts) >= float(since)]
        roots = [one for one in shown if one.thread is None]
        side = ""
        if thread is not None:
            said = [one for one in shown if thread in (one.ts, one.thread)]
            side = f"<aside><header>{self.words['replies']}</header>{''.join(map(self._message, said))}</aside>"
        main = f"<main><header># {escape(place.name)}</header>{''.join(self._root(one, shown) for one in roots)}</main>"
        return _page(
            self.language, f'<div class="window{" dim" if over else ""}">{main}{side}</div>{over}', wide=bool(side)
        )

    def home(self, tab: Tab) -> str:
        """Draw the Home tab of the app."""
        names = "".join(
            f"<span{' class=on' if not at else ''}>{one}</span>" for at, one in enumerate(self.words["tabs"])
        )
        blocks = "".join(map(self._block, tab.view["blocks"]))
        top = f'<header>Ritme<nav>{names}</nav></header><section class="home">{blocks}</section>'
        return _page(self.language, f'<div class="window"><main>{top}</main></div>')

    def form(self, modal: Modal, values: Mapping[str, str]) -> str:
        """Draw a form, filled in with these values so far."""
        view = modal.view
        inside = "".join(
            self._input(block, values.get(block["block_id"], "")) if block["type"] == "input" else self._block(block)
            for block in view["blocks"]
        )
        close = f'<span class="button">{_text(view["close"])}</span>' if "close" in view else ""
        send = f'<span class="button primary">{_text(view["submit"])}</span>'
        return (
            f'<div class="modal"><header>{_text(view["title"])}<i>✕</i></header><section>{inside}</section>'
            f"<footer>{close}{send}</footer></div>"
        )

    # -- messages ---------------------------------------------------------------------------------------------------

    def _root(self, shown: Shown, among: Sequence[Shown]) -> str:
        answers = sum(one.thread == shown.ts and one.ts != shown.ts for one in among)
        one, many = self.words["answers"]
        under = f'<p class="answers">{one if answers == 1 else many.format(answers)}</p>' if answers else ""
        return self._message(shown, under)

    def _message(self, shown: Shown, under: str = "") -> str:
        user = self.server.users[shown.by]
        ours = shown.by == BOT
        colour = "#1f5d57" if ours else COLOURS[list(self.server.users).index(shown.by) % len(COLOURS)]
        zone = ZoneInfo(self.server.users[self.user].tz)
        at = datetime.fromtimestamp(float(shown.ts), UTC).astimezone(zone).strftime("%H:%M")
        said = "".join(map(self._block, shown.blocks)) or f"<p>{self._show_mentions(shown.text)}</p>"
        reactions = "".join(
            f'<span class="reaction">{_EMOJI.get(name, name)} 1</span>' for _, name in sorted(shown.reactions)
        )
        private = f'<p class="private">◉ {self.words["private"]}</p>' if shown.only_for else ""
        return (
            f'<article{" class=only" if shown.only_for else ""}><b class="face" style="background:{colour}">'
            f"{escape(user.name[:1])}</b><div>{private}"
            f'<p class="who"><b>{escape(user.name)}</b>{"<i>APP</i>" if ours else ""}<span>{at}</span></p>'
            f"{said}{reactions}{under}</div></article>"
        )

    def _show_mentions(self, text: str) -> str:
        for user in self.server.users.values():
            text = text.replace(f"<@{user.id}>", f"<em>@{escape(user.name)}</em>")
        return text

    # -- blocks -----------------------------------------------------------------------------------------------------

    def _block(self, block: Json) -> str:
        match block["type"]:
            case "header":
                return f"<h2>{_text(block['text'])}</h2>"
            case "section":
                return f"<p>{_text(block['text'])}</p>"
            case "context":
                return f'<p class="small">{" ".join(_text(one) for one in block["elements"])}</p>'
            case "actions":
                buttons = (
                    f'<span class="button {one.get("style", "")}">{_text(one["text"])}</span>'
                    for one in block["elements"]
                )
                return f'<p class="actions">{"".join(buttons)}</p>'
            case "rich_text":
                return "".join(map(_rich, block["elements"]))
        raise AssertionError(f"no picture of {block['type']}")

    def _input(self, block: Json, value: str) -> str:
        element = block["element"]
        optional = f" <small>{self.words['optional']}</small>" if block["optional"] else ""
        hint = f'<p class="small">{_text(block["hint"])}</p>' if "hint" in block else ""
        return f"<label>{_text(block['label'])}{optional}</label>{self._element(element, value)}{hint}"

    def _element(self, element: Json, value: str) -> str:
        kind = element["type"]
        if kind in ("radio_buttons", "checkboxes"):
            first = element.get("initial_option", {}).get("value", "")
            mark = {"radio_buttons": "◯◉", "checkboxes": "☐☑"}[kind]
            return "".join(
                f'<p class="choice"><b>{mark[one["value"] == (value or first)]}</b> {_text(one["text"])}</p>'
                for one in element["options"]
            )
        shown = (
            value or element.get("initial_value") or element.get("initial_date") or element.get("initial_time") or ""
        )
        chosen = next(
            (one for one in element.get("options", []) if one["value"] == value), element.get("initial_option")
        )
        inside = escape(shown) if shown and not chosen else _text(chosen["text"]) if chosen else ""
        example = _text(element["placeholder"]) if "placeholder" in element else ""
        menu = "" if kind == "plain_text_input" else "<i>⌄</i>"
        example = example or (self.words["choose"] if menu else "")
        big = " big" if element.get("multiline") else ""
        return f'<p class="field{big}">{inside or f"<u>{example}</u>"}{menu}</p>'


def _rich(element: Json) -> str:
    match element["type"]:
        case "rich_text_section":
            return f"<p>{_runs(element)}</p>"
        case "rich_text_quote":
            return f"<blockquote>{_runs(element)}</blockquote>"
        case "rich_text_list":
            return f"<ul>{''.join(f'<li>{_runs(one)}</li>' for one in element['elements'])}</ul>"
    raise AssertionError(f"no picture of {element['type']}")


def _runs(element: Json) -> str:
    made = ""
    for run in element["elements"]:
        text = escape(run["text"]).replace("\n", "<br>")
        for style, tag in (("bold", "strong"), ("italic", "em")):
            if run.get("style", {}).get(style):
                text = f"<{tag}>{text}</{tag}>"
        made += text
    return made


def _text(said: Json) -> str:
    return escape(said["text"]).replace("\n", "<br>")


_EMOJI = {"heart": "❤️", "seedling": "🌱", "ocean": "🌊"}


def _page(language: str, inside: str, *, wide: bool = False) -> str:
    style = STYLE.read_text()
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><style>{style}</style>'
        f'<body class="{"wide" if wide else ""}">{inside}'
    )
