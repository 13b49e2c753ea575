"""Values stay as people typed them, and empty ones leave no gap in what is said."""

from bot.markup import parse_paragraphs, wrap_atom


def read(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in parse_paragraphs(text)]


def test_an_empty_value_leaves_no_space_behind() -> None:
    nothing = wrap_atom("")
    assert read(f"~ {nothing} Type stop.") == [("small", "Type stop.")]
    assert read(f"~ Seven days. {nothing}") == [("small", "Seven days.")]
    assert read(f"~ Kept. {nothing} Two a week.") == [("small", "Kept. Two a week.")]
    assert read(f"~ {nothing}") == []


def test_spaces_and_lines_within_a_value_stay() -> None:
    assert read(f"> {wrap_atom('two  spaces' + chr(10) + 'two lines')}") == [("quote", "two  spaces\ntwo lines")]
