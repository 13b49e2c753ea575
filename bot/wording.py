"""Turn a catalogue entry into words for a reader. The only user of Jinja2."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, get_day_names
from babel.lists import format_list
from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from bot.catalogue.base import Ask, Entry, FormEntry, PageEntry, Pick, Press
from bot.chat import Button, Confirm, Field, Form, Message, Option, Page, Section
from bot.domain.person import Language
from bot.domain.story import beginning
from bot.markup import atom, paragraphs, plain

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads: in which language, in which zone, and when it is now (aware UTC)."""

    language: Language
    timezone: str
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def page(entry: PageEntry, reader: Reader) -> Page:
    """Words a page for a reader."""
    return Page(
        sections=tuple(_section(one, reader) for one in (entry, *entry.sections())), language=reader.language.value
    )


def _section(entry: Entry, reader: Reader) -> Section:
    titled = "title" in blocks(entry.template, reader.language)
    title = plain(_render(entry.template, "title", _values(entry), reader)) if titled else ""
    return Section(title=title, message=_message(entry, reader))


def message(entry: Entry, reader: Reader) -> Message:
    """Words an entry for a reader; a page as one message."""
    return page(entry, reader).message if isinstance(entry, PageEntry) else _message(entry, reader)


def _message(entry: Entry, reader: Reader) -> Message:
    try:
        return _message_once(entry, reader)
    except TypeError:  # something in it has no hash
        return _message_anew(entry, reader)


@lru_cache(maxsize=256)
def _message_once(entry: Entry, reader: Reader) -> Message:
    """On a Monday morning the same is said in many places: it is worded once."""
    return _message_anew(entry, reader)


def _message_anew(entry: Entry, reader: Reader) -> Message:
    body = entry.body if entry.body in blocks(entry.template, reader.language) else _variant(entry, reader.language)
    values = _values(entry)
    return Message(
        paragraphs=paragraphs(_render(entry.template, body, values, reader)),
        buttons=tuple(_button(press, entry, values, reader) for press in entry.buttons()),
        language=reader.language.value,
    )


def form(entry: FormEntry, reader: Reader) -> Form:
    """Words a form for a reader."""
    values = _values(entry)

    def words(block: str) -> str:
        return plain(_render(entry.template, block, values, reader))

    def optional(block: str) -> str:
        return words(block) if block in blocks(entry.template, reader.language) else ""

    def asked(ask: Ask) -> Field:
        picks = entry.options.get(ask.name) or tuple(Pick(value=value) for value in ask.options)
        return Field(
            name=ask.name,
            kind=ask.kind,
            label=words(ask.name),
            example=optional(f"{ask.name}_example"),
            hint=optional(f"{ask.name}_hint"),
            required=ask.required,
            value=entry.values.get(ask.name, ""),
            options=tuple(Option(value=p.value, label=p.label or words(f"{ask.name}_{p.value}")) for p in picks),
            max_length=ask.max_length,
            max_items=ask.max_items,
            earliest=entry.earliest if ask.kind == "date" else None,
            latest=entry.latest if ask.kind == "date" else None,
        )

    return Form(
        intent=entry.intent,
        title=words("title"),
        submit=words("submit"),
        cancel=plain(_render("errors/fields.md.j2", "cancel", {}, reader)),
        note=optional("note"),
        fields=tuple(asked(ask) for ask in entry.shown()),
        hidden=dict(entry.hidden),
        language=reader.language.value,
    )


def sentence(template: str, block: str, reader: Reader, values: Mapping[str, object] | None = None) -> str:
    """One plain sentence from a block, such as the words beside a wrong field or the reason of a dropped delivery."""
    return plain(_render(template, block, dict(values or {}), reader))


def blocks(template: str, language: Language) -> frozenset[str]:
    """The names of a template's blocks; raises `jinja2.TemplateNotFound` when a language lacks it."""
    return frozenset(_template(template, language).blocks)


def variants(template: str, language: Language) -> int:
    """How many forms a message has."""
    return sum(1 for block in blocks(template, language) if re.fullmatch(r"body_\d+", block)) or 1


def _values(entry: Entry) -> dict[str, object]:
    return {one.name: getattr(entry, one.name) for one in fields(entry)}


def _variant(entry: Entry, language: Language) -> str:
    return f"body_{entry.variant % variants(entry.template, language) + 1}"


def _button(press: Press, entry: Entry, values: dict[str, object], reader: Reader) -> Button:
    def words(block: str) -> str:
        return plain(_render(entry.template, block, values, reader))

    confirm = None
    if press.confirm:
        name = press.name
        confirm = Confirm(question=words(f"{name}_confirm"), yes=words(f"{name}_yes"), no=words(f"{name}_no"))
    return Button(
        name=press.name,
        label=words(press.name),
        intent=press.intent,
        args=press.args,
        style=press.style,
        confirm=confirm,
    )


def _render(template: str, block: str, values: dict[str, object], reader: Reader) -> str:
    found = _template(template, reader.language)
    context = found.new_context({**values, "reader": reader})
    return "".join(found.blocks[block](context))


@cache
def _template(name: str, language: Language) -> Template:
    return environment(language).get_template(name)


@cache
def environment(language: Language) -> SandboxedEnvironment:
    """The templates of one language, with our filters."""
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(PROMPTS / language.value),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    code = language.value

    def local(value: datetime, reader: Reader) -> datetime:
        return value.astimezone(reader.zone)

    def day(value: date | datetime, reader: Reader) -> str:
        on = local(value, reader).date() if isinstance(value, datetime) else value
        ahead = (on - reader.now.astimezone(reader.zone).date()).days
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(ahead)
        if near:
            return "".join(_block("errors/days.md.j2", near, language))
        pattern = "EEEE d MMMM" if abs(ahead) < 180 else "d MMMM y"
        return format_date(on, pattern, locale=code)

    def clock(value: time | datetime, reader: Reader) -> str:
        moment = local(value, reader).time() if isinstance(value, datetime) else value
        return format_time(moment, "HH:mm", locale=code)

    def moment(value: datetime, reader: Reader) -> str:
        return f"{day(value, reader)} {_block('errors/days.md.j2', 'at', language)} {clock(value, reader)}"

    def month(value: datetime, reader: Reader) -> str:
        return format_datetime(local(value, reader), "d MMM y", locale=code)

    def words(key: str, template: str, otherwise: str = "") -> str:
        known = key in blocks(template, language)
        return _block(template, key if known or not otherwise else otherwise, language)

    def weekdays(days: Iterable[int]) -> str:
        return format_list([str(get_day_names("wide", locale=code)[day]) for day in days], locale=code)

    environment.filters.update(
        weekdays=weekdays,
        day=day,
        clock=clock,
        moment=moment,
        month=month,
        words=words,
        listing=lambda items: format_list([str(item) for item in items], locale=code),
        shorten=shorten,
        beginning=beginning,
    )
    return environment


@cache
def _block(template: str, block: str, language: Language) -> str:
    """A block that needs no values, such as a curious question."""
    found = _template(template, language)
    return "".join(found.blocks[block](found.new_context({}))).strip()


def shorten(text: str, most: int) -> str:
    """`text` cut at a word to at most `most` characters, ending in an ellipsis when something was left out."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    cut = text[: most - 1].rpartition(" ")[0] or text[: most - 1]
    return cut.rstrip(" ,.;:-") + "…"


def _finalize(value: object) -> object:
    # StrictUndefined raises when it is printed; wrapping it would hide that.
    return value if isinstance(value, StrictUndefined) else atom(value)
