"""Normalise what people write in Teams: every shape that a message comes in becomes the text that a person typed.

Teams sends a message twice: as `text`, without lists, links and emoji, and as HTML among the attachments, its mirror.
There an emoji is a picture whose character stands in `alt`; beside it the same picture comes as if it were a file. So
the mirror counts where there is one. In `text` only mentions are marked up, unless `textFormat` says otherwise.

A mention is a mark, and an entity that says of whom. The two are matched by name, else by number, else in order: the
entity may have no text (a name with "&"), another name, or a part of it. Whether it is ours, its id alone decides.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from itertools import islice

from adapters.teams.payloads import ActedOnMessage, ActivityPayload, AttachmentPayload

MAX_FILE_NAME = 75
MAX_MATCHED_MENTIONS = 200
"""Mentions of one message whose marks are looked for, at most; those of others keep their names all the same."""
BLOCKS = frozenset(("p", "div", "ul", "ol", "li", "tr", "table", "blockquote", "pre", "codeblock"))
"""Elements that stand on lines of their own."""
SILENT = frozenset(("script", "style", "title"))
"""Elements whose text is none that people read."""
BOT_PREFIX = "28:"
"""Stands before the id of an app in the id of its bot."""
_MARKED = re.compile(r"<at\b([^<>]{0,200})>(.{0,300}?)</at\s*>", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"<quoted\b[^<>]{0,200}>(?:\s*</quoted\s*>)?", re.IGNORECASE)
_NUMBER = re.compile(r"""\bid\s*=\s*["']?(\d{1,4})\b""", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]{0,200}>", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\((https?://[^\s()]{1,2000})\)")
_MARKDOWN_STYLE = re.compile(r"(?<!\w)(\*\*|__|~~|`)(?=\S)([^\n]{1,300}?)(?<=\S)\1(?!\w)")
_MARKDOWN_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!~>|-])")


@dataclass(frozen=True, kw_only=True)
class Mention:
    """The id of who is mentioned, and the names that its mark may have; `number` is where it stands among mentions."""

    id: str
    names: frozenset[str]
    number: int
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """A marked-up name."""

    name: str
    number: int | None


_Piece = str | _Mark


@dataclass(kw_only=True)
class _Read:
    """A text taken apart. `emoji`: addresses of pictures that stand for a character; `pictures`: how many others."""

    pieces: list[_Piece]
    emoji: list[str] = field(default_factory=list)
    pictures: int = 0


def typed_text(activity: ActivityPayload) -> str:
    """Return what a person typed: without mentions of us and what they quote, others by name, and no markup."""
    mentions = _activity_mentions(activity)
    mirror = _read_mirror(activity)
    if mirror is not None and (text := _join(mirror.pieces, mentions, _our_ids(activity))):
        return text
    return _join(_read_text(activity), mentions, _our_ids(activity))


def is_addressed_to_bot(activity: ActivityPayload) -> bool:
    """Return whether a message in a channel or group chat mentions us, or was a slash command, which only we see."""
    ours = _our_ids(activity)
    return activity.recipient.is_targeted or any(one.id in ours for one in _activity_mentions(activity))


def typed_files(activity: ActivityPayload) -> tuple[str, ...]:
    """Return the names of the files of a message. The files themselves are never fetched."""
    return _name_files(activity.attachments, _read_mirror(activity))


def acted_on_words(message: ActedOnMessage, bot: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of a message that somebody acts on, and the names of its files; `bot` is our id."""
    mentions = tuple(
        Mention(
            id=f"{BOT_PREFIX}{one.mentioned.application.id}" if one.mentioned.application.id else one.mentioned.user.id,
            names=_spellings(one.mention_text, one.mentioned.user.name, one.mentioned.application.name),
            number=one.id,
        )
        for one in message.mentions[:MAX_MATCHED_MENTIONS]
    )
    is_html = message.body.content_type != "text"
    read = read_html(message.body.content) if is_html else _Read(pieces=_read_marks(message.body.content))
    return _join(read.pieces, mentions, {bot}), _name_files(message.attachments, read)


def _our_ids(activity: ActivityPayload) -> set[str]:
    return {activity.recipient.id} - {""}


def _activity_mentions(activity: ActivityPayload) -> tuple[Mention, ...]:
    found = (one for one in activity.entities if one.type == "mention" and one.mentioned.id)
    return tuple(
        Mention(
            id=one.mentioned.id,
            names=_spellings(_MARKED.sub(r"\2", one.text), one.mentioned.name),
            number=number,
            text=one.text,
        )
        for number, one in enumerate(islice(found, MAX_MATCHED_MENTIONS))
    )


def _spellings(*names: str) -> frozenset[str]:
    return frozenset(_spell(name) for name in names) - {""}


def _spell(name: str) -> str:
    """Return a name as it is compared: unescaped twice at most, as Teams escapes it in one place more than another."""
    return " ".join(unescape(unescape(_TAG.sub("", name))).split()).removeprefix("@").casefold()


def _read_mirror(activity: ActivityPayload) -> _Read | None:
    html = next((one.html for one in activity.attachments if one.html), "")
    return read_html(html) if html else None


def _read_text(activity: ActivityPayload) -> list[_Piece]:
    match activity.text_format.lower():
        case "xml" | "html":
            return read_html(activity.text).pieces
        case "markdown":
            plain = _MARKDOWN_LINK.sub(_spell_out_link, activity.text)
            plain = _MARKDOWN_STYLE.sub(r"\2", plain)
            return read_html(_MARKDOWN_ESCAPE.sub(r"\1", plain).replace("\n", "<br>")).pieces
    mentioned = (one.text for one in _activity_mentions(activity) if one.text and not _MARKED.search(one.text))
    return _read_marks(activity.text, tuple(mentioned))


def _spell_out_link(found: re.Match[str]) -> str:
    name, address = found.groups()
    return address if name == address else f"{name} ({address})"


def _read_marks(text: str, unmarked: Sequence[str] = ()) -> list[_Piece]:
    """Take a text apart in which only mentions are marked up; `unmarked`: texts that stand for a mention as well."""
    text = _QUOTED.sub("", text)
    pieces: list[_Piece] = []
    end = 0
    for found in _MARKED.finditer(text):
        pieces += [_plain(text[end : found.start()]), _mark(found.group(2), found.group(1))]
        end = found.end()
    pieces.append(_plain(text[end:]))
    for one in unmarked:
        pieces = _split_out(pieces, one)
    return pieces


def _plain(text: str) -> str:
    return unescape(text).replace("\xa0", " ")


def _mark(name: str, attributes: str) -> _Mark:
    number = _NUMBER.search(attributes)
    return _Mark(name=" ".join(_plain(_TAG.sub("", name)).split()), number=int(number.group(1)) if number else None)


def _split_out(pieces: list[_Piece], name: str) -> list[_Piece]:
    """Make a mark of the first place where a name stands as it is."""
    for at, piece in enumerate(pieces):
        if isinstance(piece, str) and name in piece:
            before, _, after = piece.partition(name)
            return [*pieces[:at], before, _Mark(name=name, number=None), after, *pieces[at + 1 :]]
    return pieces


def _join(pieces: Sequence[_Piece], mentions: Sequence[Mention], ours: Collection[str]) -> str:
    """Put a text together again: our name is left out, others are named once, also where a name came in parts."""
    whom = iter(_match_marks([one for one in pieces if isinstance(one, _Mark)], mentions))
    parts: list[str] = []
    last = ""  # whose name stands last, with nothing but space after it
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
            last = last if not piece.strip() else ""
            continue
        mention = next(whom)
        about = mention.id if mention is not None else ""
        if about in ours and about:
            continue
        parts.append(piece.name if about and about == last else f"@{piece.name.removeprefix('@')}")
        last = about
    lines = (re.sub(r" {2,}", " ", line).rstrip() for line in "".join(parts).strip().splitlines())
    return "\n".join(lines).replace("\xa0", " ").strip()


def _match_marks(marks: Sequence[_Mark], mentions: Sequence[Mention]) -> list[Mention | None]:
    """Return whom each mark is about, None where nothing tells."""
    left = list(mentions)
    found = [_take(left, mentions, _spell(mark.name)) for mark in marks]
    for at, mark in enumerate(marks):
        if found[at] is None and left:
            numbered = [one for one in left if one.number == mark.number]
            found[at] = (numbered or left)[0]
            left.remove((numbered or left)[0])
    return found


def _take(left: list[Mention], every: Sequence[Mention], name: str) -> Mention | None:
    """Take a mention of this name out of those that are left; one of us twice may come as one entity."""
    for one in left:
        if name in one.names:
            left.remove(one)
            return one
    return next((one for one in every if name in one.names), None)


def _name_files(attachments: Sequence[AttachmentPayload], mirror: _Read | None) -> tuple[str, ...]:
    """Return the names of attached files: neither the message itself, nor cards, nor pictures of its emoji."""
    files = [one for one in attachments if one.name and not one.html and ".card." not in one.content_type]
    if mirror is not None and mirror.emoji:
        emoji = frozenset(mirror.emoji)
        pictures = [one for one in files if one.content_type.startswith("image/")]
        real = [one for one in pictures if one.content_url not in emoji]
        # Without an address that tells, there are as many real ones as pictures in the message.
        kept = {id(one) for one in (real[: mirror.pictures] if len(real) == len(pictures) else real)}
        files = [one for one in files if not one.content_type.startswith("image/") or id(one) in kept]
    return tuple(one.name[:MAX_FILE_NAME] for one in files)


def read_html(html: str) -> "_Read":
    """Take a message's HTML apart."""
    parser = _MessageParser()
    # What follows the last ">" has no tags: the parser would look for the end of each "<" in it anew.
    end = html.rfind(">") + 1
    parser.feed(html[:end])
    parser.close()
    parser.handle_data(unescape(html[end:]))
    parser.end_mark()
    return _Read(pieces=parser.pieces, emoji=parser.emoji, pictures=parser.pictures)


def _is_block(tag: str) -> bool:
    return tag in BLOCKS or (len(tag) == 2 and tag[0] == "h" and tag[1].isdecimal())


class _MessageParser(HTMLParser):
    """Keeps the words of a message's HTML and the marks in it: a line per block, no markup, no quoted message."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[_Piece] = []
        self.emoji: list[str] = []
        self.pictures = 0
        self._skipped: list[str] = []
        self._skipped_tags: Counter[str] = Counter()
        self._marked: list[str] | None = None
        self._mark_tag, self._mark_number, self._mark_depth = "", "", 0
        self._lists: list[int] = []
        self._link: tuple[str, int] | None = None
        self._preformatted = 0

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        data = data.replace(" ", "\xa0") if self._preformatted else re.sub(r"[ \t\r\n\xa0]+", " ", data)
        self._say(data)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if self._skipped or tag in SILENT or (tag == "blockquote" and told.get("itemtype", "").endswith("/Reply")):
            self._skip(tag)
        elif self._marked is not None:
            self._mark_depth += tag == self._mark_tag
        elif tag == "at" or told.get("itemtype", "").endswith("/Mention"):
            self._marked, self._mark_tag, self._mark_depth = [], tag, 1
            self._mark_number = told.get("itemid") or told.get("id") or ""
        elif tag in ("img", "emoji"):
            self._show_picture(tag, told)
        elif tag == "a":
            # Ends a link that it stands in, as in browsers: each piece is looked at for one link.
            self._end_link()
            self._link = (told.get("href", ""), len(self.pieces))
        else:
            self._begin_block(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ("br", "img"):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            # Counted: looking through all that is open, for each of the ends that have no beginning, takes for ever.
            while self._skipped_tags[tag]:
                ended = self._skipped.pop()
                self._skipped_tags[ended] -= 1
                if ended == tag:
                    break
        elif self._marked is not None:
            self._mark_depth -= tag == self._mark_tag
            if not self._mark_depth:
                self.end_mark()
        elif tag == "a":
            self._end_link()
        elif _is_block(tag):
            self._end_block(tag)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Skip what stands between "<![" and ">", as browsers do; the standard library raises for most of it."""
        end = self.rawdata.find(">", i)
        return end + 1 if end >= 0 else -1

    def end_mark(self) -> None:
        """Add the mark that was read, if any."""
        if self._marked is not None:
            name = " ".join("".join(self._marked).split())
            number = int(self._mark_number) if self._mark_number.isdecimal() and len(self._mark_number) < 5 else None
            self._marked = None
            self.pieces.append(_Mark(name=name, number=number))

    def _skip(self, tag: str) -> None:
        if tag not in ("br", "img", "hr"):
            self._skipped.append(tag)
            self._skipped_tags[tag] += 1

    def _say(self, text: str) -> None:
        if self._marked is not None:
            self._marked.append(text)
        elif text.strip(" ") or not self._is_at_line_start():
            self.pieces.append(text.lstrip(" ") if self._is_at_line_start() else text)

    def _show_picture(self, tag: str, told: dict[str, str]) -> None:
        if tag == "img" and not told.get("itemtype", "").endswith("Emoji"):
            self.pictures += 1
            return
        self.emoji.append(told.get("src", ""))
        self._say(told.get("alt") or told.get("title") or "")

    def _begin_block(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._say(" ")
        if _is_block(tag) or tag in ("br", "hr"):
            self._begin_line(always=tag == "br")
        if tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else 0)
        if tag == "li":
            number = self._lists[-1] if self._lists else 0
            self.pieces.append(f"{number}. " if number else "- ")
            if number:
                self._lists[-1] += 1
        self._preformatted += tag in ("pre", "codeblock")

    def _end_block(self, tag: str) -> None:
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        self._preformatted -= tag in ("pre", "codeblock") and self._preformatted > 0
        self._begin_line()

    def _begin_line(self, *, always: bool = False) -> None:
        if self.pieces and (always or not self._is_at_line_start()):
            self.pieces.append("\n")

    def _is_at_line_start(self) -> bool:
        last = self.pieces[-1] if self.pieces else "\n"
        return isinstance(last, str) and last.endswith("\n")

    def _end_link(self) -> None:
        """Add the address of the link that is open, if any, unless it is what the link says."""
        if self._link is None:
            return
        (address, since), self._link = self._link, None
        said = "".join(one for one in self.pieces[since:] if isinstance(one, str)).strip()
        is_said = address.rstrip("/").removeprefix("https://") in said or address.startswith("mailto:")
        if said and address.startswith(("http://", "https://", "mailto:")) and not is_said:
            last = self.pieces[-1]
            self._say(f" ({address}){' ' if isinstance(last, str) and last.endswith(' ') else ''}")
