"""Names are taken out of what people wrote, and no cell of a table is a formula."""

import pytest

from bot.domain.takeaway import NameMask, make_cell

MASK = NameMask(
    ["Fatima El Amrani", "Jan de Vries", "Wil Bos", "Anne-Marie", "José"],
    "een collega",
    ordinary=["wil", "bos"],
    particles=["de", "el", "van"],
)


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("Fatima El Amrani zei Jan de Vries: ik wil bos.", "een collega zei een collega: ik wil bos."),
        ("Jans fiets en Anne's hond", "een collega fiets en een collega hond"),
        ("fatima belde, Wil liep mee", "een collega belde, een collega liep mee"),
        ("ANNE-MARIE en marie", "een collega en een collega"),
        ("Niemand van de groep", "Niemand van de groep"),
        ("Fatima. De Vries kwam.", "een collega. De een collega kwam."),
        ("Mail f.elamrani@zorg.example of @wim-b, om 9@ huis.", "Mail een collega of een collega, om 9@ huis."),
        ("", ""),
    ],
)  # fmt: skip
def test_names_of_people_are_taken_out(written: str, masked: str) -> None:
    assert MASK.mask(written) == masked


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1", "|cmd", "%0A"])
def test_a_cell_is_never_a_formula(value: str) -> None:
    assert make_cell(value) == f"'{value}"


def test_other_cells_stay_as_they_are() -> None:
    assert [make_cell(one) for one in ("We liepen.", 3, None, "1-2")] == ["We liepen.", "3", "", "1-2"]
