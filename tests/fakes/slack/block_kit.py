"""Check messages and views against Slack's documented rules (docs.slack.dev/reference/block-kit).

`slack_sdk.models` lets through empty texts, duplicate ids, 51 blocks, inputs without a submit button and unknown keys;
here each of those is a problem. Only what Ritme uses is known: anything else is a problem too.
"""

import json
import re
from collections.abc import Iterator
from datetime import date, time
from typing import Any

Json = dict[str, Any]
MENTION = re.compile(r"<[@#!]|<https?:|<mailto:")
STYLES = ("primary", "danger")


def problems_in_message(said: Json) -> list[str]:
    """List why Slack would refuse, or wrongly show, a message."""
    return list(_message(said))


def problems_in_view(view: Json) -> list[str]:
    """List why Slack would refuse a modal view."""
    return list(_view(view))


def problems_in_home(view: Json) -> list[str]:
    """List why Slack would refuse a Home tab."""
    return list(_home(view))


def _home(view: Json) -> Iterator[str]:
    yield from _keys(view, {"type", "blocks"}, {"callback_id", "private_metadata", "external_id"}, "home")
    if view.get("type") != "home":
        yield "view is no home"
    yield from _between(view.get("private_metadata", ""), 0, 3000, "private_metadata")
    blocks = view.get("blocks", [])
    if not 1 <= len(blocks) <= 100:
        yield f"{len(blocks)} blocks"
    if len(json.dumps(view).encode()) > 250_000:
        yield "view_too_large"
    yield from _blocks(blocks, {"rich_text", "context", "actions", "section", "header"})


def _message(said: Json) -> Iterator[str]:
    text, blocks = said.get("text", ""), said.get("blocks", [])
    yield from _between(text, 1, 4000, "text")
    if text != text.strip():
        yield "text starts or ends with white space"
    if MENTION.search(text) or re.search(r"&(?!(amp|lt|gt);)", text) or "<" in text or ">" in text:
        yield f"text is not escaped: {text[:80]!r}"
    if "parse" in said or "link_names" in said:
        yield "text is parsed for names"
    if not 1 <= len(blocks) <= 50:
        yield f"{len(blocks)} blocks"
    if sum(len(one) for one in _texts(blocks)) > 13_000:
        yield "msg_blocks_too_long"
    yield from _blocks(blocks, {"rich_text", "context", "actions", "section"})


def _view(view: Json) -> Iterator[str]:
    yield from _keys(view, {"type", "title", "blocks"}, {"submit", "close", "callback_id", "private_metadata"}, "view")
    if view.get("type") != "modal":
        yield "view is no modal"
    for name in ("title", "submit", "close"):
        if name in view:
            yield from _plain(view[name], 24, name)
    yield from _between(view.get("callback_id", "-"), 1, 255, "callback_id")
    yield from _between(view.get("private_metadata", ""), 0, 3000, "private_metadata")
    blocks = view.get("blocks", [])
    if not 1 <= len(blocks) <= 100:
        yield f"{len(blocks)} blocks"
    if any(block.get("type") == "input" for block in blocks) and "submit" not in view:
        yield "input without submit"
    if len(json.dumps(view).encode()) > 250_000:
        yield "view_too_large"
    yield from _blocks(blocks, {"input", "context", "section", "actions"})


def _blocks(blocks: list[Json], allowed: set[str]) -> Iterator[str]:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id twice"
    for block in blocks:
        kind = block.get("type")
        if kind not in allowed:
            yield f"{kind} does not belong here"
            continue
        if "block_id" in block:
            yield from _between(block["block_id"], 1, 255, "block_id")
        yield from BLOCKS[kind](block)


def _section(block: Json) -> Iterator[str]:
    yield from _keys(block, {"type", "text"}, {"block_id"}, "section")
    yield from _plain(block.get("text"), 3000, "section")


def _header(block: Json) -> Iterator[str]:
    yield from _keys(block, {"type", "text"}, {"block_id"}, "header")
    yield from _plain(block.get("text"), 150, "header")


def _context(block: Json) -> Iterator[str]:
    yield from _keys(block, {"type", "elements"}, {"block_id"}, "context")
    if not 1 <= len(block.get("elements", [])) <= 10:
        yield "context without or with too many elements"
    for one in block.get("elements", []):
        yield from _plain(one, 3000, "context")


def _rich_text(block: Json) -> Iterator[str]:
    yield from _keys(block, {"type", "elements"}, {"block_id"}, "rich_text")
    if not block.get("elements"):
        yield "rich_text without elements"
    for element in block.get("elements", []):
        match element.get("type"):
            case "rich_text_section" | "rich_text_quote":
                yield from _spans(element)
            case "rich_text_list":
                yield from _keys(element, {"type", "style", "elements"}, {"indent"}, "list")
                if element.get("style") not in ("bullet", "ordered") or not element.get("elements"):
                    yield "list without style or items"
                for item in element.get("elements", []):
                    yield from _spans(item)
            case kind:
                yield f"unknown rich text {kind}"


def _spans(element: Json) -> Iterator[str]:
    yield from _keys(element, {"type", "elements"}, set(), "rich text")
    if not element.get("elements"):
        yield "rich text without text"
    for span in element.get("elements", []):
        if span.get("type") == "link" and len(element["elements"]) == 1:
            yield from _link(span)
            continue
        yield from _keys(span, {"type", "text"}, {"style"}, "span")
        if span.get("type") != "text":
            yield f"{span.get('type')}: nothing but literal text is ours"
        yield from _between(span.get("text"), 1, 3000, "span")
        if not set(span.get("style", {"bold": True})) <= {"bold", "italic"} or span.get("style") == {}:
            yield "unknown style"


def _link(span: Json) -> Iterator[str]:
    """Check the one kind of link there is: a line of its own, to a file or pages of the reader's, to
    what is kept here, or to a message."""
    yield from _keys(span, {"type", "url", "text"}, set(), "link")
    known = ("/slack/files/", "/pages/open/", "/privacy/slack?", ".slack.com/archives/")
    if not any(part in span.get("url", "") for part in known):
        yield "a link to elsewhere"
    yield from _between(span.get("text"), 1, 75, "link")


def _actions(block: Json) -> Iterator[str]:
    yield from _keys(block, {"type", "elements"}, {"block_id"}, "actions")
    buttons = block.get("elements", [])
    if not 1 <= len(buttons) <= 25:
        yield f"{len(buttons)} buttons"
    ids = [one.get("action_id") for one in buttons]
    if len(ids) != len(set(ids)):
        yield "action_id twice"
    for one in buttons:
        yield from _keys(one, {"type", "action_id", "text", "value"}, {"style", "confirm"}, "button")
        yield from _between(one.get("action_id"), 1, 255, "action_id")
        yield from _plain(one.get("text"), 75, "button")
        yield from _between(one.get("value"), 1, 2000, "value")
        if one.get("style", "primary") not in STYLES:
            yield "unknown style"
        if "confirm" in one:
            yield from _confirm(one["confirm"])


def _confirm(confirm: Json) -> Iterator[str]:
    yield from _keys(confirm, {"title", "text", "confirm", "deny"}, {"style"}, "confirm")
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from _plain(confirm.get(name), most, f"confirm {name}")
    if confirm.get("style", "primary") not in STYLES:
        yield "unknown style"


def _input(block: Json) -> Iterator[str]:
    yield from _keys(block, {"type", "block_id", "label", "element"}, {"optional", "hint"}, "input")
    yield from _plain(block.get("label"), 2000, "label")
    if "hint" in block:
        yield from _plain(block["hint"], 2000, "hint")
    element = block.get("element", {})
    kind = element.get("type")
    if kind not in ELEMENTS:
        yield f"unknown input {kind}"
        return
    yield from _keys(element, {"type", "action_id"}, ELEMENTS[kind], kind)
    yield from _between(element.get("action_id"), 1, 255, "action_id")
    if "placeholder" in element:
        yield from _plain(element["placeholder"], 150, "placeholder")
    yield from _initial(element)


def _initial(element: Json) -> Iterator[str]:
    match element["type"]:
        case "plain_text_input":
            most = element.get("max_length", 3000)
            if not 1 <= most <= 3000:
                yield "max_length out of range"
            yield from _between(element.get("initial_value", ""), 0, most, "initial_value")
            if "\n" in element.get("initial_value", "") and not element.get("multiline"):
                yield "a line break in one line"
        case "datepicker" if "initial_date" in element:
            date.fromisoformat(element["initial_date"])
        case "timepicker" if "initial_time" in element:
            if not re.fullmatch(r"\d\d:\d\d", element["initial_time"]) or not time.fromisoformat(
                element["initial_time"]
            ):
                yield "no time"
        case "static_select" | "radio_buttons" | "checkboxes" | "multi_static_select":
            yield from _options(element)
        case "users_select" | "multi_users_select":
            yield from _users(element)


def _users(element: Json) -> Iterator[str]:
    chosen = [
        *element.get("initial_users", []),
        *([element["initial_user"]] if "initial_user" in element else []),
    ]
    if not all(re.fullmatch(r"[UW][A-Z0-9]+", one) for one in chosen):
        yield "no user"
    if element.get("max_selected_items", 1) < max(1, len(element.get("initial_users", []))):
        yield "too many chosen"


def _options(element: Json) -> Iterator[str]:
    most = 10 if element["type"] in ("checkboxes", "radio_buttons") else 100
    options = element.get("options", [])
    if not 1 <= len(options) <= most:
        yield f"{len(options)} options"
    for one in options:
        yield from _keys(one, {"text", "value"}, set(), "option")
        yield from _plain(one.get("text"), 75, "option")
        yield from _between(one.get("value"), 1, 150, "option value")
    if len({one["value"] for one in options}) != len(options):
        yield "option twice"
    chosen = element.get("initial_options", [element["initial_option"]] if "initial_option" in element else None)
    if chosen is not None and (not chosen or any(one not in options for one in chosen)):
        yield "chosen but not offered"
    if chosen and len(chosen) > element.get("max_selected_items", 100):
        yield "too many chosen"


PLACEHOLDER = {"placeholder"}
ELEMENTS: dict[str, set[str]] = {
    "plain_text_input": {"multiline", "max_length", "min_length", "initial_value", "placeholder"},
    "static_select": {"options", "initial_option", "placeholder"},
    "radio_buttons": {"options", "initial_option"},
    "checkboxes": {"options", "initial_options"},
    "multi_static_select": {"options", "initial_options", "max_selected_items", "placeholder"},
    "users_select": {"initial_user", "placeholder"},
    "multi_users_select": {"initial_users", "max_selected_items", "placeholder"},
    "datepicker": {"initial_date", "placeholder"},
    "timepicker": {"initial_time", "placeholder"},
}
BLOCKS = {
    "section": _section,
    "header": _header,
    "context": _context,
    "rich_text": _rich_text,
    "actions": _actions,
    "input": _input,
}


def _keys(found: Json, needed: set[str], optional: set[str], what: str) -> Iterator[str]:
    if missing := needed - set(found):
        yield f"{what} lacks {sorted(missing)}"
    if unknown := set(found) - needed - optional:
        yield f"{what} has unknown {sorted(unknown)}"


def _plain(text: Any, most: int, what: str) -> Iterator[str]:
    """Allow `plain_text` only: in mrkdwn a person's words could become a mention."""
    if not isinstance(text, dict) or text.get("type") != "plain_text":
        yield f"{what} is no plain_text"
        return
    yield from _keys(text, {"type", "text"}, {"emoji"}, what)
    yield from _between(text.get("text"), 1, most, what)


def _between(text: Any, least: int, most: int, what: str) -> Iterator[str]:
    if not isinstance(text, str):
        yield f"{what} is no text"
    elif not least <= len(text) <= most or (least and not text.strip()):
        yield f"{what} has {len(text)} characters: {text[:40]!r}"


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        for name, value in found.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(found, list):
        for one in found:
            yield from _texts(one)
