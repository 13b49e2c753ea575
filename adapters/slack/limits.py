"""Slack's documented limits (docs.slack.dev/reference/block-kit), and cutting what is only shown to fit them."""

TEXT = 3_900  # of the 4,000 after which Slack splits or truncates a message
PARAGRAPH = 3_000
MESSAGE = 10_000  # all paragraphs; from about 13,000, buttons included, Slack answers msg_blocks_too_long
MESSAGE_BLOCKS = 50
ACTIONS = 25
BUTTON = 75
VALUE = 2_000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
TITLE = 24
HEADER = 150
METADATA = 3_000
CARRIED = 2_000  # of a message, in a form about it: the rest of METADATA is where it was
VIEW_BLOCKS = 100
VIEW = 240_000  # bytes of JSON, of the 250 kB of a view
LABEL = 2_000
PLACEHOLDER = 150
INPUT = 3_000
OPTION = 75
OPTIONS = 100
CHECKBOXES = 10

_JOINERS = "\u200d\ufe0e\ufe0f"


def cut(text: str, most: int) -> str:
    """`text`, or as much of it as fits in `most` characters, cut at a word and ending in an ellipsis."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    at_word = head.rsplit(maxsplit=1)[0] if any(one.isspace() for one in head.strip()) else head
    # A word longer than half of what fits is cut itself: better than showing almost nothing.
    kept = at_word if len(at_word) > most // 2 else head
    return kept.rstrip(" \n\t,.;:-" + _JOINERS) + "…"
