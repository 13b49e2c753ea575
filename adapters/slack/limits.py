"""Slack's documented limits (docs.slack.dev/reference/block-kit), in characters unless said otherwise."""

MAX_TEXT = 3_900  # of the 4,000 after which Slack splits or truncates a message
MAX_PARAGRAPH = 3_000
MAX_MESSAGE_TEXT = 10_000  # of all paragraphs; from about 13,000, buttons included, Slack answers msg_blocks_too_long
MAX_MESSAGE_BLOCKS = 50
MAX_ROW_BUTTONS = 25
MAX_BUTTON_LABEL = 75
MAX_BUTTON_VALUE = 2_000
MAX_CONFIRM_TITLE = 100
MAX_CONFIRM_TEXT = 300
MAX_CONFIRM_BUTTON = 30
MAX_MODAL_TITLE = 24
MAX_HEADER = 150
MAX_PRIVATE_METADATA = 3_000
MAX_CARRIED_TEXT = 2_000  # of a message, in the private metadata of a form about it; the rest says where it was
MAX_VIEW_BLOCKS = 100
MAX_VIEW_BYTES = 240_000  # bytes of JSON, of the 250 kB of a view
MAX_INPUT_LABEL = 2_000
MAX_PLACEHOLDER = 150
MAX_INPUT_TEXT = 3_000
MAX_OPTION_LABEL = 75
MAX_OPTIONS = 100
MAX_CHECKBOXES = 10

# A zero-width joiner or a variation selector at the end would change how the ellipsis, or the last emoji, is drawn.
_JOINERS = "\u200d\ufe0e\ufe0f"


def truncate_text(text: str, most: int) -> str:
    """Return `text`, or as much of it as fits in `most` characters, cut at a word and ending in an ellipsis."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    at_word = head.rsplit(maxsplit=1)[0] if any(one.isspace() for one in head.strip()) else head
    # A word longer than half of what fits is cut itself: better than showing almost nothing.
    kept = at_word if len(at_word) > most // 2 else head
    return kept.rstrip(" \n\t,.;:-" + _JOINERS) + "…"
