"""Turn a catalogue entry into words for a reader. The only user of Jinja2 in the core."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from babel.core import get_global
from babel.dates import format_date, format_datetime, format_time, get_day_names, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_decimal
from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace

from bot.catalogue.base import (
    Ask,
    Entry,
    FileEntry,
    FormEntry,
    OutsideEntry,
    PageEntry,
    Pick,
    PictureEntry,
    Press,
    ThreadEntry,
    ToPrivacy,
)
from bot.chat import (
    DEFAULT_SYNTAX,
    Button,
    CommandSyntax,
    Confirm,
    Field,
    Form,
    Message,
    Option,
    Page,
    PostedFile,
    PostedPicture,
    Section,
)
from bot.compiled import PROMPTS, compiled_folder, keep_templates
from bot.domain.person import Language
from bot.domain.plain_text import isolate_text
from bot.domain.story import truncate
from bot.markup import parse_paragraphs, to_plain_line, wrap_atom

LOCALES = {Language.NL: "nl", Language.EN: "en_GB"}
"""How dates and lists are written: in British English, "Jan, Samira and Bea"."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The context to word a message in: the reader's language and time zone, `now` (aware UTC), and how commands are
    typed where it is read: `syntax`, in the `personal` chat or not, in a thread or not.

    `knows_privacy`: they were told before that nobody else reads their personal chat. `on_page`: it is read on a page
    in a browser, which is as personal, but is not that chat.
    """

    language: Language
    timezone: str
    now: datetime
    syntax: CommandSyntax = DEFAULT_SYNTAX
    personal: bool = False
    in_thread: bool = False
    knows_privacy: bool = False
    on_page: bool = False

    @property
    def country(self) -> str:
        """The country of the reader's time zone, in two small letters; "other" when a zone tells none."""
        return (get_global("zone_territories").get(self.timezone) or "other").lower()

    @property
    def app(self) -> str:
        """The name of the app where this is read."""
        return self.syntax.app

    @property
    def platform(self) -> str:
        """The platform where this is read: "slack", "teams" or "playground"."""
        return self.syntax.platform

    def spell(self, word: str) -> str:
        """Return what to type for a word where this is read, such as "/ritme stop"; see `CommandSyntax.spell`."""
        return self.syntax.spell(word, personal=self.personal, in_thread=self.in_thread)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def render_page(entry: PageEntry, reader: Reader) -> Page:
    """Word a page and its sections for a reader."""
    return Page(
        sections=tuple(render_section(one, reader) for one in (entry, *entry.sections())),
        language=reader.language.value,
    )


def render_section(entry: Entry, reader: Reader) -> Section:
    """Word an entry as a section of a page: under its own title, if it has one."""
    words = _Words(entry.template, _values(entry), reader)
    title = words.line("title") if words.has("title") else ""
    picture = render_picture(entry, reader) if isinstance(entry, PictureEntry) else None
    return Section(title=title, message=_message(entry, reader), picture=picture)


def render_entry(entry: Entry, reader: Reader, carried: Mapping[str, str] | None = None) -> Message:
    """Word an entry for a reader; a page becomes one message. With what its buttons have `carried` it is worded for one
    of them only, and not kept for others."""
    if isinstance(entry, PageEntry):
        return render_page(entry, reader).message.carry(carried or {})
    return _message(entry, reader) if carried is None else _build_message(entry, reader, carried)


def _message(entry: Entry, reader: Reader) -> Message:
    try:
        return _cached_message(entry, reader)
    except TypeError:  # an entry with a mapping has no hash, so it cannot be a cache key
        return _build_message(entry, reader)


@lru_cache(maxsize=256)
def _cached_message(entry: Entry, reader: Reader) -> Message:
    """Word an entry once for many places: on a Monday morning the same reminder goes to all of them.

    Entries are compared by value and `now` is part of the reader, so a cached message never shows an old day.
    """
    return _build_message(entry, reader)


def _build_message(entry: Entry, reader: Reader, carried: Mapping[str, str] = MappingProxyType({})) -> Message:
    words = _Words(entry.template, _values(entry), reader)
    said = words.render(entry.body if words.has(entry.body) else _variant_block(entry, reader.language))
    if outside := _tell_outside(entry, reader):
        said = f"{said}\n\n~ {outside}"
    return Message(
        paragraphs=parse_paragraphs(said),
        buttons=tuple(_button(press, words, carried) for press in entry.buttons()),
        language=reader.language.value,
    )


def render_link(entry: ThreadEntry, reader: Reader) -> str:
    """Word the label of the link to a thread."""
    return _Words(entry.template, _values(entry), reader).line("open")


def render_file(entry: FileEntry, reader: Reader) -> PostedFile:
    """Word a file for a reader, still without its content."""
    words = _Words(entry.template, _values(entry), reader)

    def message(block: str) -> Message:
        return Message(paragraphs=parse_paragraphs(words.render(block)), language=reader.language.value)

    return PostedFile(
        id=entry.file,
        name=words.line("name"),
        title=words.line("title"),
        label=words.line("open"),
        until=entry.until,
        linked=message("linked"),
        refused=message("refused"),
    )


def render_picture(entry: PictureEntry, reader: Reader) -> PostedPicture:
    """Word a picture for a reader, still to be drawn: by a `Typesetter`, as PNG for a chat or as SVG for a page."""
    template, own = f"print/{entry.snake}.md.j2", _values(entry)

    def tell(block: str, **values: object) -> str:
        return _Words(template, {**own, **values}, reader).line(block)

    return PostedPicture(
        drawing=entry.snake,
        name=tell("name"),
        title=tell("title"),
        text=render_entry(entry, reader).text,
        data={**entry.draw(tell), "language": reader.language.value},
    )


def render_form_entry(entry: FormEntry, reader: Reader, heard: str = "") -> Form:
    """Word a form for a reader. `heard`: what they typed that no field holds, to be shown before the note."""
    words = _Words(entry.template, _values(entry), reader)

    def optional(block: str) -> str:
        return words.line(block) if words.has(block) else ""

    def field(ask: Ask) -> Field:
        picks = entry.options.get(ask.name) or tuple(Pick(value=value) for value in ask.options)
        return Field(
            name=ask.name,
            kind=ask.kind,
            label=words.line(ask.name),
            example=optional(f"{ask.name}_example"),
            hint=optional(f"{ask.name}_hint"),
            required=ask.required,
            value=entry.values.get(ask.name, ""),
            options=tuple(
                Option(
                    value=p.value,
                    label=isolate_text(format_channel(p.label) if ask.channels else p.label)
                    or words.line(f"{ask.name}_{p.value}"),
                )
                for p in picks
            ),
            max_length=ask.max_length,
            max_items=ask.max_items,
            earliest=entry.earliest if ask.kind == "date" else None,
            latest=entry.latest if ask.kind == "date" else None,
        )

    return Form(
        intent=entry.intent,
        title=words.line("title"),
        submit=words.line("submit"),
        cancel=render_sentence("errors/fields.md.j2", "cancel", reader),
        note=" ".join(
            filter(None, (_typed_quote(heard, reader), optional("note"), to_plain_line(_tell_outside(entry, reader))))
        ),
        fields=tuple(field(ask) for ask in entry.visible_asks()),
        hidden=dict(entry.hidden),
        language=reader.language.value,
    )


def _tell_outside(entry: Entry, reader: Reader) -> str:
    """Return which programs outside read what is decided by an entry; empty where none does."""
    outside = entry.said_outside if isinstance(entry, OutsideEntry) else ""
    return _Words("outside/readers.md.j2", {}, reader).render(outside).strip() if outside else ""


def _typed_quote(text: str, reader: Reader) -> str:
    return render_sentence("errors/fields.md.j2", "heard", reader, {"text": text}) if text else ""


def render_sentence(template: str, block: str, reader: Reader, values: Mapping[str, object] | None = None) -> str:
    """Render one block as a plain line, such as the words beside a wrong field or the reason of a dropped delivery."""
    return _Words(template, values or {}, reader).line(block)


def render_text(template: str, block: str, reader: Reader, values: Mapping[str, object] | None = None) -> str:
    """Render one block as plain text of which lines stay lines, for a file."""
    rendered = _Words(template, values or {}, reader).render(block)
    return "\n".join(to_plain_line(line) for line in rendered.split("\n")).strip()


def block_names(template: str, language: Language) -> frozenset[str]:
    """Return the names of a template's blocks. Raises `jinja2.TemplateNotFound` when a language lacks it."""
    return frozenset(_template(template, language).blocks)


def tells_privacy(entry: Entry, language: Language) -> bool:
    """Return whether an entry's words say who reads it where that is news (the filter `news`)."""
    return "| news(reader)" in _source(entry.template, language)


@cache
def count_variants(template: str, language: Language) -> int:
    """Count the variants a message has: blocks `body_1` … `body_n`, or 1 when it has a single `body`."""
    return sum(1 for block in block_names(template, language) if re.fullmatch(r"body_\d+", block)) or 1


def _values(entry: Entry) -> Mapping[str, object]:
    return MappingProxyType(vars(entry))


def _variant_block(entry: Entry, language: Language) -> str:
    return f"body_{entry.variant % count_variants(entry.template, language) + 1}"


def _button(press: Press, words: "_Words", carried: Mapping[str, str]) -> Button:
    if press.words:
        words = words.of(press.words)
    confirm = None
    if press.confirm:
        question, yes, no = (words.line(f"{press.name}_{one}") for one in ("confirm", "yes", "no"))
        confirm = Confirm(question=question, yes=yes, no=no)
    return Button(
        name=press.name,
        label=words.line(press.name),
        intent=press.intent,
        args={**press.args, **carried},
        style=press.style,
        confirm=confirm,
        form=press.form,
        url=_page_link(press, words.reader),
    )


def _page_link(press: Press, reader: Reader) -> str:
    to, pages, language = press.leads, reader.syntax.pages, reader.language.value
    if to is None or pages is None:
        return ""
    if isinstance(to, ToPrivacy):
        return pages.find_privacy(reader.syntax.platform, language)
    return pages.make_link(to.session, to.until, to.movement, language)


class _Words:
    """The blocks of a template for a reader, all rendered over one context: to make one takes longer than a block."""

    def __init__(self, template: str, values: Mapping[str, object], reader: Reader) -> None:
        self.reader = reader
        self._name, self._values = template, values
        self._template = _template(template, reader.language)
        self._context: Context | None = None

    def of(self, template: str) -> "_Words":
        """Return the words of another template, with the same values."""
        return _Words(template, self._values, self.reader)

    def has(self, block: str) -> bool:
        """Return whether the template has a block."""
        return block in self._template.blocks

    def render(self, block: str) -> str:
        """Render a block, its values still wrapped as atoms."""
        fixed = _fixed_block(self._name, block, self.reader.language)
        if fixed is not None:
            return fixed
        if self._context is None:
            self._context = self._template.new_context({**self._values, "reader": self.reader})
        return "".join(self._template.blocks[block](self._context))

    def line(self, block: str) -> str:
        """Render a block as a plain line."""
        fixed = _fixed_line(self._name, block, self.reader.language)
        return fixed if fixed is not None else to_plain_line(self.render(block))


class _NoValues(Context):
    """A context in which nothing can be looked up. Raises LookupError."""

    def resolve_or_missing(self, key: str) -> object:
        raise LookupError(key)

    def get_all(self) -> dict[str, object]:  # for an include
        raise LookupError


@cache
def _fixed_block(template: str, block: str, language: Language) -> str | None:
    """Render a block that needs no values, as that of most buttons, once per language; None for any other."""
    found = _template(template, language)
    try:
        return "".join(found.blocks[block](_NoValues(found.environment, {}, found.name, found.blocks)))
    except LookupError:
        return None


@cache
def _fixed_line(template: str, block: str, language: Language) -> str | None:
    """Render a block that needs no values as a plain line, once per language; None for any other."""
    fixed = _fixed_block(template, block, language)
    return to_plain_line(fixed) if fixed is not None else None


@cache
def _template(name: str, language: Language) -> Template:
    return environment(language).get_template(name)


@cache
def _source(name: str, language: Language) -> str:
    return (PROMPTS / language.value / name).read_text(encoding="utf-8")


@cache
def environment(language: Language) -> SandboxedEnvironment:
    """Return the template environment of one language, with our filters. Its templates are read once and kept.

    Every value that a template prints passes `_finalize`, which wraps it so that no value can become markup.
    """
    jinja = SandboxedEnvironment(
        loader=FileSystemLoader(PROMPTS / language.value),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=keep_templates(compiled_folder()),
    )
    # Each context, and each include, copies the globals: this is all that our templates use of Jinja's.
    jinja.globals = {"namespace": Namespace}
    jinja.filters.update(_filters(language))
    return jinja


def load_templates() -> None:
    """Load every template in every language, so that what is compiled is kept."""
    for language in Language:
        names = environment(language).list_templates(extensions=["j2"])
        for name in names:
            environment(language).get_template(name)


def _filters(language: Language) -> dict[str, Callable[..., str]]:
    """Return the filters of the templates. Those of a date or time need the reader: `{{ at | moment(reader) }}`.

    With a zone (`{{ at | moment(reader, zone) }}`) they say it as people there do, and name the city where its clocks
    differ from the reader's. With `on=true` they fit inside a sentence: "on Tuesday 1 December", but "tomorrow".
    """
    code = LOCALES[language]

    def day(value: date | datetime, reader: Reader, zone: str = "", *, on: bool = False) -> str:
        there = ZoneInfo(zone) if zone else reader.zone
        shown = value.astimezone(there).date() if isinstance(value, datetime) else value
        ahead = (shown - reader.now.astimezone(there).date()).days
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(ahead)
        if near:
            return "".join(_block("errors/days.md.j2", near, language))
        # Within half a year the weekday helps more than the year.
        pattern = "EEEE d MMMM" if abs(ahead) < 180 else "d MMMM y"
        words = format_date(shown, pattern, locale=code)
        return render_sentence("errors/days.md.j2", "on", reader, {"day": words}) if on else words

    def month(value: date, pattern: str = "MMMM") -> str:
        return format_date(value, pattern, locale=code).rstrip(".")

    def clock(value: time | datetime, reader: Reader, zone: str = "") -> str:
        there = ZoneInfo(zone) if zone else reader.zone
        shown = value.astimezone(there).time() if isinstance(value, datetime) else value
        words = format_time(shown, "HH:mm", locale=code)
        if not zone or not _differs(value, reader, there):
            return words
        kind = "in_zone" if "/" in zone and not zone.startswith("Etc/") else "of_zone"
        # "Argentina/Buenos Aires" is how Babel says it.
        city = get_timezone_location(zone, locale=code, return_city=True).rpartition("/")[2]
        return f"{words} ({render_sentence('errors/days.md.j2', kind, reader, {'city': city})})"

    def moment(value: datetime, reader: Reader, zone: str = "", *, on: bool = False) -> str:
        at = _block("errors/days.md.j2", "at", language)
        return f"{day(value, reader, zone, on=on)} {at} {clock(value, reader, zone)}"

    def short_date(value: datetime, reader: Reader) -> str:
        return format_datetime(value.astimezone(reader.zone), "d MMM y", locale=code)

    def words(key: str, template: str, otherwise: str = "") -> str:
        known = key in _template(template, language).blocks
        return _block(template, key if known or not otherwise else otherwise, language)

    def weekdays(days: Iterable[int]) -> str:
        return format_list([str(get_day_names("wide", locale=code)[day]) for day in days], locale=code)

    return {
        "typed": lambda word, reader: reader.spell(word),
        "typed_in_channel": lambda word, reader: reader.syntax.spell(word),
        "news": lambda line, reader: "" if reader.personal and reader.knows_privacy else line,
        "channel": format_channel,
        "file_name": lambda text: re.sub(r"[^\w-]+", "-", text.casefold()).strip("-") or "ritme",
        "weekdays": weekdays,
        "day": day,
        "month": month,
        **_lasting_filters(language, clock),
        "sentence_case": lambda text: f"{text[:1].upper()}{text[1:]}",
        "clock": clock,
        "moment": moment,
        "short_date": short_date,
        "words": words,
        "listing": lambda items: format_list([isolate_text(str(item)) for item in items], locale=code),
        "number": lambda value: format_decimal(value + 0.0, "#,##0.0", locale=code),  # + 0.0: no minus before nothing
        "shorten": shorten,
        "beginning": truncate,
    }


def _lasting_filters(language: Language, clock: Callable[..., str]) -> dict[str, Callable[..., str]]:
    """Return the filters of a date in what lasts, a file or a print: a whole date. "Tomorrow" is read another day."""
    code = LOCALES[language]

    def full_day(value: date | datetime, reader: Reader, zone: str = "") -> str:
        there = ZoneInfo(zone) if zone else reader.zone
        shown = value.astimezone(there).date() if isinstance(value, datetime) else value
        return format_date(shown, "EEEE d MMMM y", locale=code)

    def full_moment(value: datetime, reader: Reader, zone: str = "") -> str:
        at = _block("errors/days.md.j2", "at", language)
        return f"{full_day(value, reader, zone)} {at} {clock(value, reader, zone)}"

    return {"full_day": full_day, "full_moment": full_moment}


def _differs(value: time | datetime, reader: Reader, zone: ZoneInfo) -> bool:
    """Return whether the clocks of a zone differ from the reader's at a moment; for a time of every week, ever in a
    year."""
    moments = (value,) if isinstance(value, datetime) else tuple(reader.now + timedelta(weeks=n) for n in range(53))
    return any(one.astimezone(zone).utcoffset() != one.astimezone(reader.zone).utcoffset() for one in moments)


@cache
def _block(template: str, block: str, language: Language) -> str:
    """Render a block that needs no values, such as a curious question; once per language."""
    found = _template(template, language)
    return "".join(found.blocks[block](found.new_context({}))).strip()


def shorten(text: str, most: int) -> str:
    """Return `text` on one line of at most `most` characters, cut after a word and ending in an ellipsis when longer.

    White space becomes single spaces, and a comma, period or dash before the ellipsis is left out; `truncate` of
    `bot.domain.story` keeps the line breaks.
    """
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    cut = text[: most - 1].rpartition(" ")[0] or text[: most - 1]
    return cut.rstrip(" ,.;:-") + "…"


def format_channel(name: str) -> str:
    """Return a channel's name as people write it, "#zorg"; empty when there is no name."""
    return name if not name or name.startswith("#") else f"#{name}"


def _finalize(value: object) -> object:
    # StrictUndefined raises when it is printed; wrapping it would hide that.
    return value if isinstance(value, StrictUndefined) else wrap_atom(value)
