"""Page → the view of the App Home."""

import json

from adapters.slack import limits
from adapters.slack.render import Json, blocks, plain
from bot.chat import Page, Section


def home(page: Page) -> Json:
    """The view to publish: a header over every titled section, and each item's buttons right under it."""
    made: list[Json] = []
    size = 0
    for number, section in enumerate(page.sections):
        part = _section(section, number)
        size += len(json.dumps(part))
        if len(made) + len(part) > limits.VIEW_BLOCKS - 1 or size > limits.VIEW:
            # The core says what it leaves out and keeps well within this; a page cut here is still a page.
            made.append({"type": "context", "elements": [plain("…", limits.PARAGRAPH)]})
            break
        made += part
    return {"type": "home", "blocks": made}


def _section(section: Section, number: int) -> list[Json]:
    header = {"type": "header", "text": plain(section.title, limits.HEADER)}
    said = blocks(section.message)
    for one in said:
        if "block_id" in one:  # unique in a view, as in a message
            one["block_id"] = f"{number}-{one['block_id']}"
    return [header, *said] if section.title else said
