"""Lay out everything about someone as one page of HTML: to be read and printed, whole in itself, with the same as JSON.

The JSON holds every column; the page leaves out what only a machine can use. Both follow the tables by themselves: a
table or column without words here is shown under its own name.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape

from bot import wording
from bot.domain.person import Language
from bot.domain.plain_text import isolate_text
from bot.wording import Reader

WORDS, KINDS, STUCK_QUESTIONS = "people/export_page.md.j2", "people/kinds.md.j2", "stuck/questions.md.j2"
ORDER = (
    "people",
    "stories",
    "next_steps",
    "stuck_episodes",
    "questions_asked",
    "companies",
    "chances",
    "ripples",
    "story_requests",
    "initiatives",
    "participants",
    "invitations",
    "nominations",
    "ties",
    "members",
    "purposes",
    "rhythms",
    "invite_codes",
    "slack_installations",
    "teams_conversations",
    "personal_files",
    "deliveries",
)
"""Tables as the page shows them: people's own words first, what was sent last."""
FOR_MACHINES = frozenset(
    {
        "id",
        "account",
        "home_mark",
        "home_movement",
        "home_digest",
        "said",
        "unanswered",
        "version",
        "thread",
        "message",
        "args",
        "act",
        "subject",
        "target",
        "target_channel",
        "priority",
        "queued_at",
        "attempted_at",
        "created_at",
        "attempts",
        "receipt",
        "receipt_channel",
        "reason",
        "channel",
        "service_url",
        "bot",
        "team",
        "member",
        "hears",
        "app_id",
        "bot_user_id",
        "scopes",
        "installed_by",
        "pace_asked_at",
        "rule",
        "created_by",
        "started_by",
        "written_by",
        "made_by",
        "sends",
        "round",
    }
)
"""Columns that the page leaves out, beside those that hold ids; they are in the JSON."""
CHOICES = frozenset(
    {
        "state",
        "kind",
        "readers",
        "audience",
        "role",
        "figure",
        "dimension",
        "language",
        "story_choice",
        "on_holiday",
        "part",
    }
)
"""Columns whose values are a choice of ours, and so have words."""
FIRST_TIMES = ("told_at", "chosen_at", "opened_at", "asked_at", "noted_at", "at", "started_at", "joined_at", "sent_at",
               "due_at", "written_at", "made_at", "last_at")  # fmt: skip
"""Columns that date a row: the first of them that it has stands at its head."""

PIECE_BYTES = 30_000
"""Bytes of JSON that are turned into base64 at a time."""
Row = Mapping[str, object]
Tables = Mapping[str, Sequence[Row]]


def lay_out(name: str, tables: Tables, reader: Reader) -> bytes:
    """Return the page, in UTF-8. It takes seconds for tens of thousands of rows: call it in a thread.

    It loads nothing and runs nothing: its style stands in it, and the JSON is a link that holds its own target.
    """
    return b"".join(part.encode() for part in _Page(name, tables, reader).parts())


class _Page:
    def __init__(self, name: str, tables: Tables, reader: Reader) -> None:
        self._name = name
        self._tables = tables
        self._reader = reader
        self._zone = reader.zone
        self._language = reader.language

    def parts(self) -> Iterator[str]:
        """Yield the page, piece by piece."""
        title = self._say("title", name=self._name)
        # A chat may show the beginning of the source: it says what to do with the file.
        yield f"<!doctype html>\n<!-- {self._say('how_to_open').replace('--', '–')} -->\n"
        yield f'<html lang="{self._language.value}">\n<head>\n<meta charset="utf-8">\n'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        yield '<meta name="referrer" content="no-referrer">\n'
        yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        for block in ("made", "who_reads", "others"):
            yield f"<p>{self._say(block, at=self._moment(self._reader.now.isoformat()))}</p>\n"
        yield '<p><a id="data" download="ritme.json" href="data:application/json;base64,'
        yield from self._json()
        yield f'">{self._say("as_json")}</a></p>\n'
        shown = [table for table in (*ORDER, *sorted(self._tables)) if self._tables.get(table)]
        shown = list(dict.fromkeys(shown))
        yield "<nav>"
        for table in shown:
            yield f'<a href="#{table}">{self._title(table)} <small>{len(self._tables[table])}</small></a>'
        yield "</nav>\n"
        for table in shown:
            yield f'<section id="{table}"><h2>{self._title(table)}</h2>\n'
            for row in self._tables[table]:
                yield self._article(table, row)
            yield "</section>\n"
        yield "</main>\n</body>\n</html>\n"

    def _json(self) -> Iterator[str]:
        """Yield the JSON in base64, piece by piece: one call for all would hold every other thread meanwhile."""
        left = b""
        for text in self._json_parts():
            left += text.encode()
            # Three bytes become four letters: only whole groups can be joined.
            whole = len(left) // 3 * 3 if len(left) > PIECE_BYTES else 0
            if whole:
                yield b64encode(left[:whole]).decode("ascii")
                left = left[whole:]
        yield b64encode(left).decode("ascii")

    def _json_parts(self) -> Iterator[str]:
        yield f'{{"made_at":"{self._reader.now.isoformat()}","tables":{{'
        for number, (table, rows) in enumerate(self._tables.items()):
            yield f"{',' if number else ''}{json.dumps(table)}:["
            for position, row in enumerate(rows):
                yield f"{',' if position else ''}{json.dumps(row, ensure_ascii=False)}"
            yield "]"
        yield "}}"

    def _article(self, table: str, row: Row) -> str:
        dated = next((column for column in FIRST_TIMES if isinstance(row.get(column), str)), "")
        head = f"<h3>{self._value(table, dated, row[dated])}</h3>" if dated else ""
        terms = "".join(
            f"<dt>{self._column(column)}</dt><dd>{self._value(table, column, value)}</dd>"
            for column, value in row.items()
            if column != dated and not column.endswith("_id") and column not in FOR_MACHINES
        )
        return f"<article>{head}<dl>{terms}</dl></article>\n"

    def _value(self, table: str, column: str, value: object) -> str:
        if isinstance(value, bool):
            return self._say("yes" if value else "no")
        if isinstance(value, list):
            return "<br>".join(self._value(table, "", one) for one in value)
        if isinstance(value, dict):
            return escape(json.dumps(value, ensure_ascii=False))
        text = str(value)
        if "T" in text and (column == "at" or column.endswith(("_at", "_until"))):
            return self._moment(text)
        if column == "question" and table == "questions_asked":
            return _words(STUCK_QUESTIONS, text, self._language) or escape(text)
        if column in CHOICES:
            template, block = (KINDS, text) if table == "deliveries" and column == "kind" else (WORDS, f"value_{text}")
            return _words(template, block, self._language) or escape(text)
        if column == "place":
            return escape(isolate_text(wording.format_channel(text)))
        return escape(isolate_text(text)).replace("\n", "<br>")

    def _moment(self, text: str) -> str:
        at = datetime.fromisoformat(text).astimezone(self._zone)
        return f"{at.day} {_words(WORDS, f'month_{at.month}', self._language)} {at.year}, {at:%H:%M}"

    def _title(self, table: str) -> str:
        return _words(WORDS, f"table_{table}", self._language) or escape(table)

    def _column(self, column: str) -> str:
        return _words(WORDS, f"column_{column}", self._language) or escape(column.replace("_", " "))

    def _say(self, block: str, **values: object) -> str:
        if not values:
            return _words(WORDS, block, self._language)
        return escape(wording.render_sentence(WORDS, block, self._reader, values))


@cache
def _words(template: str, block: str, language: Language) -> str:
    """Return the words of a block without values, escaped; empty when there is no such block."""
    if block not in wording.block_names(template, language):
        return ""
    reader = Reader(language=language, timezone="UTC", now=datetime.min.replace(tzinfo=UTC))
    return escape(wording.render_sentence(template, block, reader))


_STYLE = """
body { font: 17px/1.55 system-ui, sans-serif; color: #22302c; background: #f6f5f0; margin: 0; }
main { max-width: 44rem; margin: 0 auto; padding: 1.25rem; }
h1 { font: 600 1.6rem/1.25 Georgia, serif; }
h2 { font: 600 1.25rem/1.3 Georgia, serif; margin: 2rem 0 .5rem; }
h3 { font-size: .9rem; margin: 0 0 .25rem; color: #5b6a65; }
a { color: #1f5d57; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
nav a { padding: .4rem 0; }
small { color: #5b6a65; }
article { background: #fffefb; border: 1px solid #dddbd2; border-radius: 12px; padding: .75rem 1rem; margin: .5rem 0;
  content-visibility: auto; contain-intrinsic-size: auto 6rem; overflow-wrap: anywhere; }
dl { margin: 0; }
dt { font-size: .8rem; color: #5b6a65; }
dd { margin: 0 0 .4rem; }
@media (prefers-color-scheme: dark) {
  body { color: #e8ece9; background: #17201d; }
  article { background: #1f2a26; border-color: #35423d; }
  a { color: #7cc3aa; }
  h3, small, dt { color: #a9b6b0; }
}
@media print {
  body { background: none; color: #000; font-size: 11pt; }
  nav, #data { display: none; }
  article { content-visibility: visible; break-inside: avoid; border-color: #999; }
}
"""
