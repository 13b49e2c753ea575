"""The file with what a movement may take along."""

from datetime import UTC, datetime
from typing import Self

from bot.catalogue.base import Entry, FileEntry


class TakeawayComing(Entry):
    """Announcement of the file, which comes in the reader's own chat. `made_at`: it was made before, within the hour,
    and is given once more as it was; a new one is made from `renewable_at` on."""

    name: str
    made_at: datetime | None = None
    renewable_at: datetime | None = None

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit")


class TakeawayFile(FileEntry):
    """The file with what a movement of this name may take along, made at `made_at`."""

    name: str
    made_at: datetime

    @classmethod
    def example(cls) -> Self:
        made = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
        return cls(file="f1", name="Samen vooruit", made_at=made, until=made.replace(hour=9))
