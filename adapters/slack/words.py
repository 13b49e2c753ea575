"""Read the words of a Slack message: what a person sees there, as plain text, without Ritme's own name in it.

Slack gives a message twice: as `text` in its own markup, and as `rich_text` blocks, which hold what was typed exactly,
without marks for bold, with the characters of emoji. The blocks are read where they are there; else the text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from adapters.door import BadInput, CleanText, Inbound, check_body
from bot.domain.plain_text import clean_text

NAMELESS = "…"
"""Stands for a name that Slack does not tell and Ritme does not know."""
MAX_MENTIONS = 20
"""MentionNames that are looked up for one message, at most."""
_OWN = "\x00"
"""Where Ritme was mentioned, until it is taken out; cleaned text holds no such character."""
_TOKEN = re.compile(r"<([^<>]*)>")
_MENTION = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]+)(?:\|[^<>]*)?>")
_SKIN_TONE = re.compile(r":([a-z0-9_+'-]+)::skin-tone-[2-6]:")
_OWN_AT_START = re.compile(rf"^\s*(?:{_OWN}\s*)+[:,]?\s*")
_OWN_INSIDE = re.compile(rf"[ \t]?{_OWN}")
_BROADCASTS = frozenset({"here", "channel", "everyone"})

MentionNames = Mapping[str, str]
"""Id of a person or channel → its name."""


class _Rich(Inbound):
    """An element of a rich text block, of any type."""

    type: str = Field(max_length=40)
    style: Any = None
    elements: "tuple[_Rich, ...]" = Field(default=(), strict=False)
    text: CleanText = ""
    url: CleanText = ""
    name: str = ""
    unicode: str = ""
    user_id: str = ""
    channel_id: str = ""
    usergroup_id: str = ""
    range: str = ""
    fallback: CleanText = ""
    value: CleanText = ""
    indent: int = Field(default=0, ge=0, le=20)
    offset: int = Field(default=0, ge=0, le=10_000)


class _RichBlock(_Rich):
    type: Literal["rich_text"]


def read_words(message: Mapping[str, Any], *, bot: str = "", names: MentionNames | None = None) -> str:
    """Return what a message says. `bot` is our own user, whose mentions are taken out everywhere; `names` those of the
    people and channels in it (see `list_mentions`), for where Slack gives none."""
    known = names or {}
    rich = _read_blocks(message, bot, known)
    return rich if rich is not None else clean_own(detokenise(str(message.get("text") or ""), bot=bot, names=known))


def detokenise(tokenised: str, *, bot: str = "", names: MentionNames | None = None) -> str:
    """Return text as it was typed, from Slack's form: `<@U1|ann>` → @ann, `<https://a.b|a.b>` → a.b, `&amp;` → &.

    Mentions of `bot` become a sign, which `clean_own` takes out.
    """
    known = names or {}
    shown = _TOKEN.sub(lambda token: _token_text(token.group(1), bot, known), tokenised)
    shown = _SKIN_TONE.sub(r":\1:", shown)
    # `&amp;` comes last: before, a typed "&lt;", which Slack sends as "&amp;lt;", would become "<".
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def clean_own(text: str) -> str:
    """Return text without the signs for our own mentions, and without the space or colon that went with them."""
    return _OWN_INSIDE.sub("", _OWN_AT_START.sub("", text)).strip()


def list_mentions(*messages: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of people and channels whose names Slack leaves out of messages, at most `MAX_MENTIONS`."""
    found: dict[str, None] = {}
    for message in messages:
        found |= dict.fromkeys(_MENTION.findall(str(message.get("text") or "")))
        for element in _walk(_parse_blocks(message) or ()):
            found |= dict.fromkeys(filter(None, (element.user_id, element.channel_id, element.usergroup_id)))
    return tuple(found)[:MAX_MENTIONS]


def is_mentioned(message: Mapping[str, Any], bot: str) -> bool:
    """Return whether a message mentions our own user, by its id."""
    return bool(bot) and re.search(rf"<@{re.escape(bot)}(\|[^<>]*)?>", str(message.get("text") or "")) is not None


def _token_text(token: str, bot: str, names: MentionNames) -> str:
    target, _, label = token.partition("|")
    kind, who = target[:1], target[1:]
    if kind == "@":
        return _OWN if bot and who == bot else f"@{names.get(who) or label or NAMELESS}"
    if kind == "#":
        return f"#{names.get(who) or label or NAMELESS}"
    if kind == "!":
        return _special_text(who, label, names)
    return label or re.sub(r"^(mailto|tel):", "", target)


def _special_text(target: str, label: str, names: MentionNames) -> str:
    """Return what is seen of `<!here>`, `<!subteam^S1|@nurses>` or `<!date^…|fallback>`."""
    kind, _, rest = target.partition("^")
    if kind in _BROADCASTS and label in ("", kind):
        return f"@{kind}"
    if kind == "subteam":
        return f"@{names.get(rest) or label.removeprefix('@') or NAMELESS}"
    return label or NAMELESS


# -- rich text --------------------------------------------------------------------------------------------------------


def _parse_blocks(message: Mapping[str, Any]) -> tuple[_RichBlock, ...] | None:
    """Return the blocks of a message; None unless all of them are rich text as Slack documents it."""
    blocks = message.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        return None
    try:
        return tuple(check_body(_RichBlock, block) for block in blocks)
    except BadInput:
        return None


def _walk(elements: tuple[_Rich, ...]) -> Iterator[_Rich]:
    for element in elements:
        yield element
        yield from _walk(element.elements)


def _read_blocks(message: Mapping[str, Any], bot: str, names: MentionNames) -> str | None:
    """Return the words of the rich text of a message; None when it has none that Ritme can read in full."""
    blocks = _parse_blocks(message)
    if blocks is None:
        return None
    parts = [part for block in blocks for part in block.elements]
    shown = [_part_text(part, bot, names) for part in parts]
    if any(one is None for one in shown):
        return None
    text = ""
    for one in filter(None, shown):
        text += one if not text or text.endswith("\n") else f"\n{one}"
    return clean_own(text) or None


def _part_text(part: _Rich, bot: str, names: MentionNames) -> str | None:
    """Return the lines of a section, list, quote or piece of code; None for what is none of these."""
    if part.type == "rich_text_list":
        lines = []
        for number, item in enumerate(part.elements, start=part.offset + 1):
            item_text = _line(item, bot, names)
            if item_text is None:
                return None
            mark = f"{number}." if part.style == "ordered" else "•"
            lines.append(f"{'    ' * part.indent}{mark} {item_text}")
        return "\n".join(lines)
    line = _line(part, bot, names)
    if line is None or part.type in ("rich_text_section", "rich_text_preformatted"):
        return line
    if part.type == "rich_text_quote":
        return "\n".join(f"> {one}" for one in line.rstrip("\n").split("\n"))
    return None


def _line(section: _Rich, bot: str, names: MentionNames) -> str | None:
    shown = [_element_text(element, bot, names) for element in section.elements]
    return None if any(one is None for one in shown) else "".join(one or "" for one in shown)


def _element_text(element: _Rich, bot: str, names: MentionNames) -> str | None:
    """Return what is seen of one element; None for a type that Ritme does not know."""
    match element.type:
        case "text":
            return element.text
        case "link":
            return element.text or re.sub(r"^(mailto|tel):", "", element.url)
        case "emoji":
            return _emoji(element)
        case "user":
            return _OWN if bot and element.user_id == bot else f"@{names.get(element.user_id) or NAMELESS}"
        case "channel":
            return f"#{names.get(element.channel_id) or NAMELESS}"
        case "usergroup":
            return f"@{names.get(element.usergroup_id) or NAMELESS}"
        case "broadcast":
            return f"@{element.range}"
        case "date":
            return element.fallback or NAMELESS
        case "color":
            return element.value
    return None


def _emoji(element: _Rich) -> str:
    """Return an emoji as its characters, given in hexadecimal ("1f44b-1f3fd"); one of the workspace's own by name."""
    try:
        shown = "".join(chr(int(code, 16)) for code in element.unicode.split("-") if code)
    except (ValueError, OverflowError):
        shown = ""
    return clean_text(shown) or f":{element.name}:"
