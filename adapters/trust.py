"""Compose what a works council and the privacy pages read, from the settings and from what the code really keeps."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.settings import Settings
from adapters.slack.permissions import SCOPES
from adapters.teams.package import RESOURCE_PERMISSIONS
from adapters.tracing import ENDPOINT_VARIABLES
from bot import __version__, wording
from bot.chat import CommandSyntax
from bot.domain.door import UNREAD_FOR
from bot.domain.held_words import HELD_FOR
from bot.domain.kept_data import KEPT_ABOUT_PEOPLE, KeptUntil, ReadIn
from bot.domain.person import KEPT_AFTER_REMOVAL, Language
from bot.wording import Reader

PACK_WORDS = "trust/pack.md.j2"
PACK = (
    "short", "why", "kept", "cannot", "flow", "slack", "teams", "processors", "settings", "rights", "legal", "wor",
    "dpia", "weak", "agree", "leave",
)  # fmt: skip
"""The sections of the works-council pack, in order."""
PRIVACY_SECTIONS = (
    "short",
    "kept",
    "cannot",
    "flow",
    "slack",
    "teams",
    "processors",
    "rights",
    "legal",
    "weak",
    "leave",
)
"""The sections of a privacy page, in order."""
PLATFORM_NAMES = {"slack": "Slack", "teams": "Microsoft Teams"}
_DPIA_ROWS = 6
_ONE_PLATFORM = {"slack": "slack_installations", "teams": "teams_conversations"}
_SETTINGS = (
    "chats", "address", "database", "council", "closed", "deliveries", "events", "left", "removed", "traces", "pages",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrustTable:
    """A table: its headings, and its rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class TrustSection:
    """A section: its paragraphs, then a table, then a list, then paragraphs after those."""

    name: str
    title: str
    paragraphs: tuple[str, ...]
    table: TrustTable | None = None
    items: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataFlow:
    """A line of the picture of where data goes one way: from where, to where each, and when (empty: always)."""

    start: str
    ends: tuple[str, ...]
    when: str = ""


@dataclass(frozen=True, kw_only=True)
class TrustPack:
    """All that a pack or page says, in one language. `flow` and `beside` are the picture: what stands in a row, to and
    fro, and what goes one way."""

    title: str
    language: Language
    made: str
    sections: tuple[TrustSection, ...]
    flow: tuple[str, ...]
    beside: tuple[DataFlow, ...]
    flow_text: str


def collect_facts(settings: Settings, platforms: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the words are filled with: how Ritme is set up here; of these platforms only, where any are named."""
    served = {"slack": settings.serves_slack, "teams": settings.serves_teams}
    shown = {name: on and (not platforms or name in platforms) for name, on in served.items()}
    names = [PLATFORM_NAMES[name] for name, on in shown.items() if on]
    return {
        **shown,
        "platforms": names,
        "address": settings.public_url or "",
        "database": "sqlite" if settings.database_file is not None else "postgresql",
        "events_days": settings.keep_events_days,
        "deliveries_days": settings.keep_deliveries_days,
        "closed_days": settings.keep_closed_days,
        "left_days": settings.forget_left_days,
        "removed_days": KEPT_AFTER_REMOVAL.days,
        "words_days": HELD_FOR.days,
        "unread_days": UNREAD_FOR.days,
        "council": settings.works_council,
        "traces": any(os.environ.get(variable) for variable in ENDPOINT_VARIABLES),
        "pages": bool(settings.public_url),
        "calls_out": bool(settings.secret_key),
        "slack_many": settings.is_multi_workspace,
        "slack_socket": settings.slack_app_token is not None,
        "slack_scopes": ", ".join(SCOPES),
        "teams_tenants": len(settings.tenants),
        "teams_permissions": ", ".join(RESOURCE_PERMISSIONS),
        "version": __version__,
    }


def compose_pack(
    settings: Settings, language: Language, now: datetime, *, sections: Sequence[str] = PACK, platform: str = ""
) -> TrustPack:
    """Compose the pack, or with the `sections` of a privacy page that; of one platform, where one is named."""
    facts = collect_facts(settings, (platform,) if platform else ())
    command = settings.slack_commands[0] if facts["slack"] or not facts["teams"] else ""
    there = "teams" if facts["teams"] and not facts["slack"] else "slack"
    syntax = CommandSyntax(platform=there, app=settings.app_name, command=command)
    reader = Reader(language=language, timezone="Europe/Amsterdam", now=now, syntax=syntax, personal=True)
    writer = _Writer(reader, facts)
    shown = [name for name in sections if name not in PLATFORM_NAMES or facts[name]]
    return TrustPack(
        title=writer.say("privacy_title" if sections is PRIVACY_SECTIONS else "pack_title"),
        language=language,
        made=writer.say("privacy_made" if sections is PRIVACY_SECTIONS else "made"),
        sections=tuple(writer.write(name, platform) for name in shown),
        flow=tuple(writer.say(one) for one in ("flow_people", "chats", "flow_bot", "settings_value_database")),
        beside=tuple(writer.list_flows()),
        flow_text=writer.say("flow_picture"),
    )


class _Writer:
    """Writes sections in the words of one language, with one set of facts."""

    def __init__(self, reader: Reader, facts: Mapping[str, Any]) -> None:
        self._reader, self._facts = reader, {**facts, "now": reader.now}
        self._facts["chats"] = self.say("chats")
        self._facts["asked"] = tuple(self.say(f"flow_asked_{one}") for one in _list_requests(facts))
        self._blocks = wording.block_names(PACK_WORDS, reader.language)

    def say(self, block: str) -> str:
        return wording.render_sentence(PACK_WORDS, block, self._reader, self._facts)

    def list_flows(self) -> Iterator[DataFlow]:
        """List what goes one way."""
        bot = self.say("flow_bot")
        always = ("flow_log", "flow_traces") if self._facts["traces"] else ("flow_log",)
        yield DataFlow(start=bot, ends=tuple(map(self.say, always)))
        yield DataFlow(start=bot, ends=self._facts["asked"], when=self.say("flow_on_request"))
        if self._facts["pages"]:
            yield DataFlow(start=self.say("flow_door"), ends=(bot,))

    def write(self, name: str, platform: str) -> TrustSection:
        paragraphs = self._list(f"{name}_")
        tables = {"kept": self._write_kinds, "settings": self._write_settings, "dpia": self._write_risks}
        first = 1 if name == "kept" else len(paragraphs)
        return TrustSection(
            name=name,
            title=self.say(f"{name}_title"),
            paragraphs=paragraphs[:first],
            table=tables[name](platform) if name in tables else None,
            items=self._list(f"{name}_item_"),
            after=paragraphs[first:],
        )

    def _list(self, prefix: str) -> tuple[str, ...]:
        """Return the numbered blocks with this prefix that say something here."""
        numbers = sorted(int(one.removeprefix(prefix)) for one in self._blocks if _is_numbered(one, prefix))
        return tuple(filter(None, (self.say(f"{prefix}{number}") for number in numbers)))

    def _write_kinds(self, platform: str) -> TrustTable:
        elsewhere = {table for name, table in _ONE_PLATFORM.items() if not self._facts[name]} if platform else set()
        return TrustTable(
            head=tuple(self.say(f"kept_head_{one}") for one in ("what", "readers", "until")),
            rows=tuple(
                (
                    self.say(f"kept_what_{table}"),
                    self.say(f"kept_readers_{kept.readers.value}"),
                    self.say(f"kept_until_{kept.until.value}"),
                )
                for table, kept in KEPT_ABOUT_PEOPLE.items()
                if table not in elsewhere
            ),
        )

    def _write_settings(self, platform: str) -> TrustTable:
        return TrustTable(
            head=(self.say("settings_head_name"), self.say("settings_head_value")),
            rows=tuple((self.say(f"settings_name_{one}"), self.say(f"settings_value_{one}")) for one in _SETTINGS),
        )

    def _write_risks(self, platform: str) -> TrustTable:
        parts = ("risk", "measure", "rest")
        return TrustTable(
            head=tuple(self.say(f"dpia_head_{one}") for one in parts),
            rows=tuple(
                tuple(self.say(f"dpia_{part}_{number}") for part in parts) for number in range(1, _DPIA_ROWS + 1)
            ),
        )


def _list_requests(facts: Mapping[str, Any]) -> Iterator[str]:
    """List where data goes only when somebody asks for it, as the words call it."""
    if facts["pages"]:
        yield from ("calendar", "browser", "program")
    if facts["calls_out"]:
        yield "address"
    yield "file"


def _is_numbered(block: str, prefix: str) -> bool:
    return block.startswith(prefix) and block.removeprefix(prefix).isdecimal()


def list_registry_blocks() -> frozenset[str]:
    """Return the names of the blocks that name a kind of data, its readers or its retention."""
    return frozenset(
        [f"kept_what_{table}" for table in KEPT_ABOUT_PEOPLE]
        + [f"kept_readers_{one.value}" for one in ReadIn]
        + [f"kept_until_{one.value}" for one in KeptUntil]
    )


def dump_pack(pack: TrustPack) -> dict[str, object]:
    """Return a pack as JSON values, for the template of the PDF."""
    return {
        "title": pack.title,
        "language": pack.language.value,
        "made": pack.made,
        "flow": list(pack.flow),
        "beside": [{"start": one.start, "ends": list(one.ends), "when": one.when} for one in pack.beside],
        "flow_text": pack.flow_text,
        "sections": [
            {
                "name": one.name,
                "title": one.title,
                "paragraphs": list(one.paragraphs),
                "table": {"head": list(one.table.head), "rows": [list(row) for row in one.table.rows]}
                if one.table is not None
                else None,
                "items": list(one.items),
                "after": list(one.after),
            }
            for one in pack.sections
        ],
    }


def _format_flow(one: DataFlow) -> str:
    when = f" ({one.when})" if one.when else ""
    return f"- {one.start} → {', '.join(one.ends)}{when}"


def format_markdown(pack: TrustPack) -> str:
    """Return a pack as Markdown, as `docs/trust/` shows it."""
    lines = [f"# {pack.title}", "", pack.made, ""]
    for one in pack.sections:
        lines += [f"## {one.title}", ""]
        for text in one.paragraphs:
            lines += [text, ""]
        if one.name == "flow":
            lines += [" ⇄ ".join(pack.flow), "", *map(_format_flow, pack.beside), ""]
        if one.table is not None:
            lines += [f"| {' | '.join(one.table.head)} |", "|" + "---|" * len(one.table.head)]
            lines += [f"| {' | '.join(row)} |" for row in one.table.rows]
            lines.append("")
        lines += [f"- {text}" for text in one.items]
        lines += [""] if one.items else []
        for text in one.after:
            lines += [text, ""]
    return "\n".join(lines).rstrip() + "\n"
