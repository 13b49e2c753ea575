"""How the code speaks is held to the rules of CONTRIBUTING.md, and the check itself can fail."""

from pathlib import Path

import pytest

from tests import naming


def test_nothing_breaks_the_rules() -> None:
    assert [str(one) for one in naming.problems()] == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('LIMIT = 1\n"""A limit."""\n', "LIMIT is defined in 2 places"),
        ('"""A module."""\n\ndef act() -> None:\n    """The same, later."""\n', "The same, later."),
        ('"""A module."""\n\ndef act() -> None:\n    """What came of it."""\n', "What came of it."),
        ('"""Who goes first."""\n', "Who goes first."),
        ('"""A module."""\nSIZE = 1\n"""Whether it fits."""\n', "Whether it fits."),
        ('"""A module."""\n\ndef act() -> None:\n    pass\n', "act has no docstring"),
        ('"""A module."""\n\ndef _recorded() -> None:\n    pass\n', "_recorded() is named by a participle"),
        ('"""A module."""\nlog.error("record_broke")\n', "log event 'record_broke'"),
        ('"""A module."""\nlog.error("it went wrong")\n', "log event 'it went wrong'"),
    ],
)
def test_each_rule_finds_what_breaks_it(tmp_path: Path, source: str, said: str) -> None:
    for folder in naming.FOLDERS:
        (tmp_path / folder).mkdir()
    (tmp_path / "bot" / "other.py").write_text('"""Another module."""\nLIMIT = 2\n', encoding="utf-8")
    (tmp_path / "bot" / "one.py").write_text(source, encoding="utf-8")
    (tmp_path / "adapters" / "well.py").write_text(
        '"""Keep rows."""\n\ndef record() -> None:\n    """Record them."""\n', encoding="utf-8"
    )
    found = naming.problems(tmp_path)
    assert any(said in one.text for one in found)
    assert {one.path for one in found} <= {"bot/one.py", "bot/other.py"}
