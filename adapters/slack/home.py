"""Render a `Page` as the view of the App Home tab."""

import json

from adapters.slack import limits
from adapters.slack.render import BlockKit, plain_text_object, render_blocks
from bot.chat import Page, Section


def render_home(page: Page) -> BlockKit:
    """Return the view to publish: a header over every titled section, and each item's buttons right under it."""
    made: list[BlockKit] = []
    size = 0
    for number, section in enumerate(page.sections):
        part = _section(section, number)
        size += len(json.dumps(part))
        if len(made) + len(part) > limits.MAX_VIEW_BLOCKS - 1 or size > limits.MAX_VIEW_BYTES:
            # Slack refuses a larger view altogether. The core keeps well within this, and says itself what it left out.
            made.append({"type": "context", "elements": [plain_text_object("…", limits.MAX_PARAGRAPH)]})
            break
        made += part
    return {"type": "home", "blocks": made}


def _section(section: Section, number: int) -> list[BlockKit]:
    header = {"type": "header", "text": plain_text_object(section.title, limits.MAX_HEADER)}
    blocks = render_blocks(section.message)
    for block in blocks:
        if "block_id" in block:  # unique in a message; Slack wants it unique in the whole view
            block["block_id"] = f"{number}-{block['block_id']}"
    return [header, *blocks] if section.title else blocks
