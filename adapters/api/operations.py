"""The operations of the API: one table from which its routes and its description are both made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from adapters.api import models
from adapters.api.cursors import read_cursor, write_cursor
from bot.api import ApiAnswer, ApiPage, ApiReader
from bot.domain.api_token import Scope

AskCore = Callable[[ApiReader, str, Mapping[str, str], Any], Awaitable[ApiAnswer[Any]]]
"""Asks the core, with the secret of a key, the parts of the path and the query."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Something that can be read: at which path, by a key that opens which part, as which body."""

    id: str
    path: str
    summary: str
    body: type[models.ApiModel]
    ask: AskCore
    scope: Scope | None = None
    query: type[models.ApiModel] = models.NoQuery

    @property
    def may_be_missing(self) -> bool:
        """True when what is asked for may not be there."""
        return "{" in self.path or self.query is models.StoriesQuery or self.body is models.PurposeBody


OPERATIONS = (
    Operation(
        id="getMovement",
        path="/movement",
        summary="The movement of this key",
        body=models.MovementBody,
        ask=lambda core, secret, _path, _query: core.movement(secret),
    ),
    Operation(
        id="getPurpose",
        path="/purpose",
        summary="What the movement reminds itself of",
        body=models.PurposeBody,
        scope=Scope.PURPOSE,
        ask=lambda core, secret, _path, _query: core.purpose(secret),
    ),
    Operation(
        id="listRhythms",
        path="/rhythms",
        summary="Rhythms and their next moments",
        body=models.RhythmsPage,
        scope=Scope.RHYTHMS,
        query=models.PageQuery,
        ask=lambda core, secret, _path, query: core.rhythms(secret, _after(query), query.limit),
    ),
    Operation(
        id="listInitiatives",
        path="/initiatives",
        summary="Initiatives",
        body=models.InitiativesPage,
        scope=Scope.INITIATIVES,
        query=models.PageQuery,
        ask=lambda core, secret, _path, query: core.initiatives(secret, _after(query), query.limit),
    ),
    Operation(
        id="getInitiative",
        path="/initiatives/{id}",
        summary="An initiative",
        body=models.InitiativeBody,
        scope=Scope.INITIATIVES,
        ask=lambda core, secret, path, _query: core.initiative(secret, path["id"]),
    ),
    Operation(
        id="listStories",
        path="/stories",
        summary="Stories that may be read outside the movement",
        body=models.StoriesPage,
        scope=Scope.STORIES,
        query=models.StoriesQuery,
        ask=lambda core, secret, _path, query: core.stories(secret, query.initiative, _after(query), query.limit),
    ),
    Operation(
        id="getStory",
        path="/stories/{id}",
        summary="A story, as long as it may be read outside the movement",
        body=models.StoryBody,
        scope=Scope.STORIES,
        ask=lambda core, secret, path, _query: core.story(secret, path["id"]),
    ),
    Operation(
        id="getFigures",
        path="/figures",
        summary="The movement in rounded figures",
        body=models.FiguresBody,
        scope=Scope.FIGURES,
        ask=lambda core, secret, _path, _query: core.figures(secret),
    ),
)


def _after(query: models.PageQuery) -> Any:
    return read_cursor(query.cursor) if query.cursor is not None else None


def make_body(operation: Operation, facts: object) -> BaseModel:
    """Return the body of an answer."""
    if isinstance(facts, ApiPage):
        following = write_cursor(facts.next) if facts.next is not None else None
        return operation.body.model_validate({"items": list(facts.items), "next_cursor": following})
    return operation.body.model_validate(facts)
