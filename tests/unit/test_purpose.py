"""Parts of a purpose are said in turn."""

from datetime import UTC, datetime

from bot.domain.movement import MovementId, Purpose, PurposeId


def test_a_part_that_was_added_after_years_is_said_in_turn_and_not_many_times_in_a_row() -> None:
    purpose = Purpose(
        id=PurposeId("p"),
        movement_id=MovementId("m"),
        version=2,
        vision="Samen doen wat kan.",
        mission="Wij vragen eerst.",
        core_messages=["Een kleine stap telt."],
        written_by=None,
        written_at=datetime(2027, 3, 1, tzinfo=UTC),
    )
    said = ["vision", "mission"] * 100
    for _ in range(6):
        said.append(purpose.next_part(said)[0])
    assert said[-6:] == ["core_message:0", "vision", "mission"] * 2
