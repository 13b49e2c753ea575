"""Lay out everything about someone as one page of HTML: to be read and printed, whole in itself, with the same as JSON.

The JSON holds every column; the page leaves out what only a machine can use. Both follow the tables by themselves: a
table or column without words here is shown under its own name.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape

from bot import wording
from bot.catalogue.meanings import MEANING_WORDS
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
    "experiments",
    "experiment_answers",
    "ripples",
    "significances",
    "practices",
    "magazine_stories",
    "magazines",
    "story_requests",
    "held_words",
    "initiatives",
    "participants",
    "rooms",
    "invitations",
    "nominations",
    "suggestions",
    "ties",
    "tie_answers",
    "members",
    "purposes",
    "coordinator_changes",
    "rhythms",
    "invite_codes",
    "calendar_feeds",
    "api_tokens",
    "story_doors",
    "webhooks",
    "slack_installations",
    "teams_conversations",
    "page_sessions",
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
        "changes",
        "round",
        "behaviour",
    }
)
"""Columns that the page leaves out, beside those that hold ids; they are in the JSON."""
CHOICES = frozenset(
    {
        "state",
        "wanted",
        "kind",
        "readers",
        "audience",
        "role",
        "figure",
        "answer",
        "shown_name",
        "dimension",
        "language",
        "story_choice",
        "on_holiday",
        "part",
        "period",
    }
)
"""Columns whose values are a choice of ours, and so have words."""
FIRST_TIMES = ("told_at", "chosen_at", "opened_at", "asked_at", "noted_at", "at", "started_at", "joined_at", "sent_at",
               "due_at", "written_at", "made_at", "last_at")  # fmt: skip
"""Columns that date a row: the first of them that it has stands at its head."""

PIECE_BYTES = 30_000
"""Bytes of JSON that are turned into base64 at a time."""
Row = Mapping[str, object]


class ExportPage:
    """Takes rows in, table by table, and lays each out as it comes: nothing takes longer than the rows of one call.

    The page loads nothing and runs nothing: its style stands in it, and the JSON is a link that holds its own target.
    """

    def __init__(self, name: str, reader: Reader) -> None:
        self._name = name
        self._reader = reader
        self._zone = reader.zone
        self._language = reader.language
        self._articles: dict[str, list[bytes]] = {}
        self._json: list[bytes] = []
        self._left = b""
        self._write_json(f'{{"made_at":"{reader.now.isoformat()}","tables":{{')

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Lay out rows. All rows of a table are added before those of the next."""
        known = self._articles.get(table)
        if known is None:
            self._write_json(f"{'],' if self._articles else ''}{json.dumps(table)}:[")
            known = self._articles[table] = []
        for row in rows:
            self._write_json(f"{',' if known else ''}{json.dumps(row, ensure_ascii=False)}")
            known.append(self._article(table, row).encode())

    def finish(self) -> Sequence[bytes]:
        """Return the page, in UTF-8, once all rows were added; in pieces, as joining megabytes takes its time."""
        self._write_json("]}}" if self._articles else "}}")
        pieces = [self._head().encode(), *self._json, b64encode(self._left), self._below_json().encode()]
        for table in self._list_tables():
            pieces.append(f'<section id="{table}"><h2>{self._title(table)}</h2>\n'.encode())
            pieces += self._articles[table]
            pieces.append(b"</section>\n")
        return [*pieces, b"</main>\n</body>\n</html>\n"]

    def _write_json(self, text: str) -> None:
        """Add to the JSON, which is kept in base64."""
        self._left += text.encode()
        if len(self._left) > PIECE_BYTES:
            # Three bytes become four letters: only whole groups can be joined.
            whole = len(self._left) // 3 * 3
            self._json.append(b64encode(self._left[:whole]))
            self._left = self._left[whole:]

    def _head(self) -> str:
        title = self._say("title", name=self._name)
        at = self._moment(self._reader.now.isoformat())
        told = "".join(f"<p>{self._say(block, at=at)}</p>\n" for block in ("made", "who_reads", "others"))
        return (
            # A chat may show the beginning of the source: it says what to do with the file.
            f"<!doctype html>\n<!-- {self._say('how_to_open').replace('--', '–')} -->\n"
            f'<html lang="{self._language.value}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{told}"
            '<p><a id="data" download="ritme.json" href="data:application/json;base64,'
        )

    def _list_tables(self) -> Sequence[str]:
        """Return the tables that have rows, in the order of the page."""
        return list(dict.fromkeys(table for table in (*ORDER, *sorted(self._articles)) if self._articles.get(table)))

    def _below_json(self) -> str:
        links = "".join(
            f'<a href="#{table}">{self._title(table)} <small>{len(self._articles[table])}</small></a>'
            for table in self._list_tables()
        )
        return f'">{self._say("as_json")}</a></p>\n<nav>{links}</nav>\n'

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
        if column == "meant":
            return _words(MEANING_WORDS, text.replace(":", "_"), self._language) or escape(text)
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
