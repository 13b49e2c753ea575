"""Personal data: count it, delete it for one person or a whole workspace.

Which tables hold personal data is read from their foreign keys, so a new table takes part by itself. The foreign keys
are deferred: they are checked when the transaction commits, so the order of deletions is free.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)

from adapters.database.inline import InlineSession
from adapters.database.repositories.networks import count_circle_change
from adapters.database.tables import (
    api_tokens,
    chances,
    companies,
    coordinator_changes,
    deliveries,
    door_stories,
    episodes,
    experiment_answers,
    experiments,
    history_answers,
    history_rounds,
    initiatives,
    invitations,
    magazine_stories,
    magazines,
    meeting_guests,
    meetings,
    metadata,
    moment_changes,
    movements,
    nominations,
    old_messages,
    people,
    places,
    purposes,
    questions_asked,
    retellings,
    rhythms,
    rooms,
    slack_installations,
    steps,
    stories,
    story_doors,
    suggestions,
    teams_conversations,
    tie_answers,
    webhooks,
)
from bot.domain.delivery import Act, DeliveryState
from bot.domain.magazine import PrintAnswer
from bot.domain.person import PersonId, WorkspaceId


def _refers_to(column: Column[Any], table: Table) -> bool:
    return any(key.column.table is table for key in column.foreign_keys)


_PERSON_COLUMNS: dict[Table, list[Column[Any]]] = {
    table: columns
    for table in metadata.sorted_tables
    if (
        columns := [
            column for column in table.c if (table is people and column.name == "id") or _refers_to(column, people)
        ]
    )
}
"""Every table with rows about people, and its columns that say about whom."""
_KEPT_TABLES = (
    people,
    stories,
    deliveries,
    purposes,
    coordinator_changes,
    initiatives,
    rhythms,
    experiments,
    magazines,
    story_doors,
)
"""Tables whose rows stay when their person is forgotten, nameless: others live with them, or, in `deliveries`, they
carry deletions of messages that are still to be sent."""
_ENDINGS = {
    steps: steps.c.closed_at,
    chances: chances.c.noted_at,
    nominations: nominations.c.at,
    tie_answers: tie_answers.c.at,
    invitations: invitations.c.sent_at,
    rooms: rooms.c.ends_at,
    door_stories: door_stories.c.ended_at,
    suggestions: suggestions.c.at,
    coordinator_changes: coordinator_changes.c.at,
}
"""Tables of matters that end by themselves, but for stuck episodes, each with the moment from which they are kept."""


def person_columns(table: Table) -> Sequence[Column[Any]]:
    """Return the columns of a table that say about whom its rows are; none when they are about nobody."""
    return _PERSON_COLUMNS.get(table, ())


async def count_rows(session: InlineSession, person: PersonId, tables: Collection[str]) -> dict[str, int]:
    """Count the rows about a person in these tables, in one query; tables without any are left out. Of a withdrawn
    story nothing is left that counts."""
    counts = [
        select(func.count())
        .select_from(table)
        .where(is_about(person, columns), stories.c.withdrawn_at.is_(None) if table is stories else true())
        .scalar_subquery()
        .label(table.name)
        for table, columns in _PERSON_COLUMNS.items()
        if table.name in tables
    ]
    found = await session.execute(select(*counts))
    return {name: many for name, many in found.mappings().one().items() if many}


async def forget_person(session: InlineSession, person: PersonId) -> None:
    """Delete the rows about a person, except in `_KEPT_TABLES`; drop and empty what was, or would be, sent to them."""
    # First: who deletes old deliveries locks those before what hangs on them, too; the other way round is a deadlock.
    await count_circle_change(session, person)
    await _drop_waiting(session, person)
    await _empty_deliveries(session, person)
    theirs = select(episodes.c.id).where(episodes.c.person_id == person)
    # Others kept this person company: those rows name the others, but belong to an episode that is deleted.
    await session.post(delete(companies).where(companies.c.episode_id.in_(theirs)))
    # What they tried by themselves; an experiment of an initiative is of those who take part in it, too.
    alone = select(experiments.c.id).where(experiments.c.person_id == person, experiments.c.initiative_id.is_(None))
    await _delete_experiments(session, alone)
    # A message in their chat may name others, who have a row for it of their own.
    spot = (old_messages.c.workspace_id, old_messages.c.channel, old_messages.c.message)
    removed = select(*spot).where(old_messages.c.person_id == person)
    await session.post(delete(old_messages).where(tuple_(*spot).in_(removed)))
    # A key, and an address, belong to the movement: programs go on with them.
    for kept in (api_tokens, webhooks):
        await session.post(update(kept).where(kept.c.made_by == person).values(made_by=None))
    for table, columns in _PERSON_COLUMNS.items():
        if table not in _KEPT_TABLES:
            await session.post(delete(table).where(is_about(person, columns)))
    # No foreign key leads here: these tables know people by their account.
    whose = select(people.c.workspace_id, people.c.account).where(people.c.id == person)
    chat = tuple_(teams_conversations.c.workspace_id, teams_conversations.c.account).in_(whose)
    await session.post(delete(teams_conversations).where(chat))
    installer = tuple_(literal("slack:") + slack_installations.c.team_id, slack_installations.c.installed_by)
    await session.post(update(slack_installations).where(installer.in_(whose)).values(installed_by=""))
    await session.post(update(people).where(people.c.id == person).values(home_mark=None, suggestible=None))


async def _drop_waiting(session: InlineSession, person: PersonId) -> None:
    waiting = (deliveries.c.person_id == person) & (deliveries.c.state == DeliveryState.WAITING)
    # The revision: whoever read one of these before this update cannot write over it.
    await session.post(
        update(deliveries)
        .where(waiting)
        .values(state=DeliveryState.DROPPED, reason="forgotten", revision=deliveries.c.revision + 1)
    )


async def _empty_deliveries(session: InlineSession, person: PersonId) -> None:
    account = select(people.c.account).where(people.c.id == person).scalar_subquery()
    under_way = (deliveries.c.act == Act.POST) & deliveries.c.state.in_((DeliveryState.SENDING, DeliveryState.UNKNOWN))
    await session.post(
        update(deliveries)
        .where(deliveries.c.person_id == person)
        .values(
            args={},
            # Kept until it is settled: without it, nobody could look up whether it arrived.
            target=case((under_way, account), else_=None),
            target_channel=None,
            receipt=None,
            receipt_channel=None,
            revision=deliveries.c.revision + 1,
        )
    )


async def delete_past_matters(session: InlineSession, before: datetime, limit: int) -> int:
    """Delete what was over before a moment, at most `limit` rows of each kind, with all that hangs on it. Returns how
    many."""
    old = select(episodes.c.id).where(episodes.c.closed_at < before).limit(limit)
    closed = list(await session.scalars(old.with_for_update(skip_locked=True)))
    if closed:
        for table in (companies, questions_asked):
            await session.execute(delete(table).where(table.c.episode_id.in_(closed)))
        # A step that outlives its episode: it is still to be done, or was done later.
        await session.execute(update(steps).where(steps.c.episode_id.in_(closed)).values(episode_id=None))
        await session.execute(delete(episodes).where(episodes.c.id.in_(closed)))
    deleted = len(closed)
    met = list(await session.scalars(select(meetings.c.id).where(meetings.c.proposed_at < before).limit(limit)))
    if met:
        await session.execute(delete(meeting_guests).where(meeting_guests.c.meeting_id.in_(met)))
        await session.execute(delete(meetings).where(meetings.c.id.in_(met)))
    deleted += len(met)
    over = list(await session.scalars(select(experiments.c.id).where(experiments.c.ends_at < before).limit(limit)))
    if over:
        await _delete_experiments(session, over)
    deleted += len(over)
    told = list(
        await session.scalars(select(history_rounds.c.id).where(history_rounds.c.told_at < before).limit(limit))
    )
    if told:
        await session.execute(delete(history_answers).where(history_answers.c.round_id.in_(told)))
        await session.execute(delete(history_rounds).where(history_rounds.c.id.in_(told)))
    deleted += len(told)
    deleted += await _delete_old_asks(session, before, limit)
    for table, ended_at in _ENDINGS.items():
        ids = select(table.c.id).where(ended_at < before).limit(limit)
        done = await session.execute(delete(table).where(table.c.id.in_(ids)))
        deleted += int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider
    return deleted


async def _delete_old_asks(session: InlineSession, before: datetime, limit: int) -> int:
    """Delete what was asked before a moment about stories in print, and did not become a yes. Returns how many."""
    keys = (magazine_stories.c.magazine_id, magazine_stories.c.story_id)
    over = (magazine_stories.c.asked_at < before) & (magazine_stories.c.answer != PrintAnswer.AGREED)
    old = select(*keys).where(over).limit(limit)
    done = await session.execute(delete(magazine_stories).where(tuple_(*keys).in_(old)))
    return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider


async def _delete_experiments(session: InlineSession, some: Collection[str] | Select[Any]) -> None:
    """Delete experiments with what was said of them; steps of theirs stay."""
    await session.post(update(steps).where(steps.c.experiment_id.in_(some)).values(experiment_id=None))
    await session.post(delete(experiment_answers).where(experiment_answers.c.experiment_id.in_(some)))
    await session.post(delete(experiments).where(experiments.c.id.in_(some)))


async def erase_workspace(session: InlineSession, workspace: WorkspaceId) -> None:
    """Delete a workspace's places, all that was said and planned there, and the movements that live nowhere else.

    Its people stay, to be forgotten one by one.
    """
    its_places = select(places.c.id).where(places.c.workspace_id == workspace)
    # Read now: the deletions below would make the query find others.
    orphaned = list(await session.scalars(_movements_only_in(workspace)))
    its_deliveries = select(deliveries.c.id).where(deliveries.c.workspace_id == workspace)
    its_rhythms = select(rhythms.c.id).where(rhythms.c.place_id.in_(its_places))
    # These hang on rows that go below, but have neither a workspace nor a place of their own.
    await session.execute(delete(retellings).where(retellings.c.delivery_id.in_(its_deliveries)))
    await session.execute(delete(moment_changes).where(moment_changes.c.rhythm_id.in_(its_rhythms)))
    for table in metadata.sorted_tables:
        if table not in (places, movements) and "movement_id" in table.c:
            await session.execute(delete(table).where(table.c.movement_id.in_(orphaned)))
    for table in metadata.sorted_tables:
        if table is not people and "workspace_id" in table.c and table is not places:
            await session.execute(delete(table).where(table.c.workspace_id == workspace))
        for column in table.c:
            if _refers_to(column, places):
                # A row that can do without its place stays: it is of a movement that lives elsewhere, too.
                change = update(table).values({column: None}) if column.nullable else delete(table)
                await session.execute(change.where(column.in_(its_places)))
    await session.execute(delete(places).where(places.c.workspace_id == workspace))
    await session.execute(delete(movements).where(movements.c.id.in_(orphaned)))


def _movements_only_in(workspace: WorkspaceId) -> Any:
    elsewhere = select(places.c.movement_id).where(
        places.c.workspace_id != workspace, places.c.movement_id.is_not(None)
    )
    here = select(places.c.movement_id).where(places.c.workspace_id == workspace, places.c.movement_id.is_not(None))
    return select(movements.c.id).where(movements.c.id.in_(here), movements.c.id.not_in(elsewhere))


def is_about(person: PersonId, columns: Collection[Column[Any]]) -> ColumnElement[bool]:
    """Match rows of which one of these columns is this person."""
    return or_(*(column == person for column in columns))
