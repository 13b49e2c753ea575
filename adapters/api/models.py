"""The bodies of the API, from which its description is generated: what is said of a field is what a reader is told."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adapters.api.cursors import MAX_CURSOR_CHARS
from bot.api import MAX_API_PAGE

PAGE_LIMIT = 50
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class ApiModel(BaseModel):
    """A body that is made of what the core tells."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class MovementBody(ApiModel):
    """The movement that a key belongs to, and what the key opens."""

    id: str
    name: str
    language: Literal["nl", "en"]
    timezone: str = Field(description="IANA name", examples=["Europe/Amsterdam"])
    started_on: date
    scopes: list[str] = Field(description="What this key opens", examples=[["purpose", "stories"]])
    expires_at: datetime = Field(description="When this key stops working; ask a coordinator for another before then")


class PurposeBody(ApiModel):
    """The parts of what the movement reminds itself of. A part that is not filled in is an empty text or list."""

    version: int
    written_at: datetime
    vision: str
    mission: str
    identity: str
    norms: str
    values: str
    core_messages: list[str]
    behaviours: list[str]


class RhythmBody(ApiModel):
    """A recurring moment. In which channel it comes is not told."""

    id: str
    kind: str = Field(
        description="purpose, stories, check_in, harvest, look_back, quilt or meeting; others may be added",
        examples=["stories"],
    )
    timezone: str
    created_at: datetime
    next_moments: list[datetime] = Field(
        description="The next moments at which it comes, at most five, quiet hours and days off reckoned with; "
        "empty while it rests or cannot come"
    )


class InitiativeBody(ApiModel):
    """One local attempt. Who takes part, and how they describe it, is not told."""

    id: str
    name: str
    state: Literal["going", "resting", "ended"]
    seeks_somebody: bool = Field(description="Nobody carries it now, and somebody is looked for")
    started_at: datetime
    ended_at: datetime | None


class StoryBody(ApiModel):
    """A story whose teller chose that everyone may read it, outside the movement too, in their own words.

    A teller may take it back, or their name, at any time: it is then gone here at once. Whoever keeps a copy reads it
    again at least once a day, and removes it when it is answered with 404.
    """

    id: str
    text: str
    teller: str | None = Field(description="Their name, where they agreed that it is shown beyond their own workspace")
    told_at: datetime
    initiative_id: str | None
    dimension: Literal["broaden", "deepen", "steer"] | None


class GroupBody(ApiModel):
    """How far the movement reaches in a group of five or more, in rounded figures."""

    group: str
    reached_well: int = Field(description="Take part, or know two or more who do")
    reached_once: int = Field(description="Know one who takes part")
    not_reached: int = Field(description="Know nobody who takes part, as far as is known")


class FiguresBody(ApiModel):
    """The movement in figures. Each is rounded, by chance, to the multiple of five below or above it, and stands for a
    week: no difference between two of them tells of a person. Groups under five are never shown."""

    counted_at: datetime
    members: int
    taking_part: int = Field(description="Members who take part in an initiative")
    stories: int = Field(description="Told in the thirty days before, for the movement or for everyone")
    ripples: int = Field(description='"I do this too", in the thirty days before')
    groups_counted_at: datetime
    groups: list[GroupBody]


class RhythmsPage(ApiModel):
    """Rhythms, the oldest first."""

    items: list[RhythmBody]
    next_cursor: str | None = Field(description="`cursor` of the next page; null after the last")


class InitiativesPage(ApiModel):
    """Initiatives, the newest first."""

    items: list[InitiativeBody]
    next_cursor: str | None = Field(description="`cursor` of the next page; null after the last")


class StoriesPage(ApiModel):
    """Stories, the newest first."""

    items: list[StoryBody]
    next_cursor: str | None = Field(description="`cursor` of the next page; null after the last")


class ProblemBody(ApiModel):
    """The problem, and what to do about it (RFC 9457)."""

    type: str = Field(examples=["urn:ritme:problem:no-token"])
    title: str
    status: int
    detail: str = Field(description="What to do")
    reference: str | None = Field(default=None, description="By which whoever runs Ritme finds it in the log")


class NoQuery(ApiModel):
    """No parameters."""


class PageQuery(ApiModel):
    """Which part of a list is asked for."""

    limit: int = Field(default=PAGE_LIMIT, ge=1, le=MAX_API_PAGE, description="How many at most")
    cursor: str | None = Field(
        default=None,
        max_length=MAX_CURSOR_CHARS,
        description="`next_cursor` of the page before; leave out for the first",
    )


class StoriesQuery(PageQuery):
    """Which stories are asked for."""

    initiative: Id | None = Field(default=None, description="Only those of this initiative")
