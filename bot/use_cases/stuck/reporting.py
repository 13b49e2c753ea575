"""Being stuck: reported, welcomed, asked about with curiosity, shown to whom it is meant for, ended in good grace."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalogue.base import Entry, Pick
from bot.catalogue.forms import Filled, read
from bot.catalogue.stuck import (
    LONGEST_FIELD,
    StuckAlready,
    StuckForm,
    StuckPosted,
    StuckStands,
    StuckTooLong,
    StuckWelcomed,
)
from bot.chat import Value
from bot.domain import company, stuck_post
from bot.domain.curiosity import fresh_questions, kind_meant, noted
from bot.domain.delivery import Act
from bot.domain.ids import new_id
from bot.domain.initiative import (
    LONGEST_STUCK,
    Audience,
    CompanyState,
    EpisodeId,
    Initiative,
    InitiativeId,
    StuckEpisode,
    StuckKind,
)
from bot.domain.person import Person, PersonId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

MOST_OFFERED = 50
"""Initiatives to choose from; one's own come first."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What someone told about being stuck, checked."""

    text: str
    kind: StuckKind
    audience: Audience
    helpers: Sequence[Person] = ()


# -- telling -------------------------------------------------------------------------------------------------------


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """`/stuck`: the form, or what is open already; `/stuck <text>`: told at once, with defaults to change after."""
    movement = turn.the_movement()
    text = turn.text("text")
    if not text:
        is_open = await work.stuck.latest_open(turn.person.id, movement.id)
        if is_open is None:
            return await _form(work, turn)
        return StuckAlready(episode=is_open.id, initiative=await _name_of(work, is_open), text=is_open.text)
    mine = await work.initiatives.of_person(turn.person.id, movement.id)
    initiative = mine[0] if mine else None
    kind = kind_meant(text)
    is_open = await work.stuck.open_of(turn.person.id, initiative.id if initiative else None, movement.id)
    if is_open is not None and is_open.audience is not Audience.ME:
        # One line is for oneself; what others already read along with is added to only when that is chosen again.
        return await _form(work, turn, is_open, text=_joined(is_open.text, text))
    if len(text) > LONGEST_STUCK:
        values = {"initiative": initiative.id if initiative else "", "kind": kind.value, "audience": Audience.ME.value}
        return await _form(work, turn, is_open, text=text, values=values)
    told = Told(text=text, kind=kind if is_open is None or kind is not StuckKind.OTHER else is_open.kind,
                audience=Audience.ME)  # fmt: skip
    return await _tell(work, turn, initiative, told, is_open)


async def new(work: UnitOfWork, turn: Turn) -> Entry:
    """The empty form, whatever else is open."""
    turn.the_movement()
    return await _form(work, turn)


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    """The form, filled with what was told."""
    episode = await _mine(work, turn)
    return (
        await _form(work, turn, episode) if episode.is_open else StuckStands.of(episode, await _name_of(work, episode))
    )


async def report(work: UnitOfWork, turn: Turn) -> Entry:
    """The submitted form; with an `episode` it changes that one."""
    movement = turn.the_movement()
    filled = read(StuckForm, turn.intent.args)
    changed = await _mine(work, turn) if turn.text("episode") else None
    if changed is not None and not changed.is_open:
        return StuckStands.of(changed, await _name_of(work, changed))
    initiative = None
    if filled.text("initiative"):
        initiative = await work.initiatives.get(InitiativeId(filled.text("initiative")), movement.id)
        kept = changed is not None and initiative is not None and changed.initiative_id == initiative.id
        if initiative is None or (initiative.closed_at is not None and not kept):
            raise Invalid({"initiative": "unknown_choice"})
    told = Told(
        text=filled.text("text"),
        kind=StuckKind(filled.text("kind")),
        audience=Audience(filled.text("audience")),
        helpers=await _helpers(work, turn, filled),
    )
    if told.audience is Audience.CHANNEL and await _channel(work, turn, changed) is None:
        raise Invalid({"audience": "unknown_choice"})
    about = initiative.id if initiative else None
    other = await work.stuck.open_of(turn.person.id, about, movement.id)
    if changed is None:
        return await _tell(work, turn, initiative, told, other)
    if other is not None and other.id != changed.id:
        raise Invalid({"initiative": "stuck_already"})
    changed.initiative_id = about
    return await _welcome(work, turn, await _retold(work, turn, changed, told))


async def _tell(
    work: UnitOfWork, turn: Turn, initiative: Initiative | None, told: Told, is_open: StuckEpisode | None
) -> Entry:
    """Opens an episode, or goes on with the one that is open about this initiative: there is never a second."""
    episode = is_open
    if episode is None:
        episode = StuckEpisode(
            id=EpisodeId(new_id()),
            movement_id=turn.the_movement().id,
            initiative_id=initiative.id if initiative else None,
            person_id=turn.person.id,
            place_id=None,
            text="",
            opened_at=turn.now,
        )
        work.stuck.add(episode)
    elif told.audience in (episode.audience, Audience.ME):
        # Earlier words stay; only words meant for fewer eyes than the new ones are not carried along.
        text = _joined(episode.text, told.text)
        if len(text) > LONGEST_STUCK:
            values = {"kind": told.kind.value, "audience": told.audience.value}
            return await _form(work, turn, episode, text=text, values=values)
        told = Told(text=text, kind=told.kind, audience=told.audience, helpers=told.helpers)
    return await _welcome(work, turn, await _retold(work, turn, episode, told, first=is_open is None))


async def _retold(
    work: UnitOfWork, turn: Turn, episode: StuckEpisode, told: Told, *, first: bool = False
) -> StuckEpisode:
    """The episode says what was told, and those who may read it get it. The `first` time nobody has anything yet."""
    if turn.place is not None and turn.place.movement_id == episode.movement_id and episode.place_id is None:
        episode.place_id = turn.place.id
    episode.text, episode.kind, episode.audience = told.text, told.kind, told.audience
    episode.helpers = [str(helper.id) for helper in told.helpers]
    if first and told.audience is Audience.ME:
        return episode
    await work.flush()
    await _keep_posted(work, turn, episode)
    await _take_back(work, episode)
    asked_before = {person.id for _, person in await work.stuck.company_of(episode.id, episode.movement_id)}
    await _ask_along(work, turn, episode, [one for one in told.helpers if one.id not in asked_before])
    return episode


async def _take_back(work: UnitOfWork, episode: StuckEpisode) -> None:
    """Who was picked before, is not any more and was not reached yet, never gets to read it."""
    for one, person in await work.stuck.company_of(episode.id, episode.movement_id):
        waits = one.picked and person.id not in episode.helpers and one.state is CompanyState.ASKED
        if waits and await work.deliveries.cancel("company_asked", one.id, "taken_back"):
            await work.delete(one)
    await work.flush()


async def _ask_along(work: UnitOfWork, turn: Turn, episode: StuckEpisode, helpers: Sequence[Person]) -> None:
    if not helpers:
        return
    before = [one for one, _ in await work.stuck.company_of(episode.id, episode.movement_id)]
    asked, messages = company.begin_round(
        episode,
        turn.person,
        company.Peers(asked=tuple(helpers)),
        picked=True,
        before=before,
        movement=turn.the_movement(),
        now=turn.now,
    )
    for one in asked:
        work.stuck.add(one)
    for message in messages:
        await work.deliveries.add(message)


async def _keep_posted(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> None:
    place = await work.movements.place(episode.place_id) if episode.place_id else None
    rows = await work.deliveries.about(stuck_post.KIND, episode.id, episode.movement_id)
    post = stuck_post.follow(episode, place, rows, turn.now) if place is not None else None
    if post is not None:
        await work.deliveries.add(post)


async def _helpers(work: UnitOfWork, turn: Turn, filled: Filled) -> Sequence[Person]:
    """The people picked, when they are to read along."""
    if filled.text("audience") != Audience.HELPERS:
        return ()
    if not filled.many("helpers"):
        raise Invalid({"helpers": "helpers_missing"})
    found: list[Person] = []
    for account in dict.fromkeys(filled.many("helpers")):
        person = await work.people.by_account(turn.person.workspace_id, account)
        if person is None or await work.people.get(person.id, turn.the_movement().id) is None:
            raise Invalid({"helpers": "not_in_movement"})
        if person.id == turn.person.id:
            raise Invalid({"helpers": "not_yourself"})
        found.append(person)
    return found


async def _channel(work: UnitOfWork, turn: Turn, episode: StuckEpisode | None) -> str | None:
    """The name of the channel it can be shown in: where it was told, or where they are; None in a personal chat."""
    place = await work.movements.place(episode.place_id) if episode and episode.place_id else turn.place
    if place is None or place.movement_id != turn.the_movement().id:
        return None
    return place.name


async def _form(
    work: UnitOfWork,
    turn: Turn,
    episode: StuckEpisode | None = None,
    *,
    text: str = "",
    values: dict[str, str] | None = None,
) -> Entry:
    """The form, filled with an episode if there is one, then with `values` and `text`."""
    if len(text) > LONGEST_FIELD:
        return StuckTooLong(text=text)
    movement = turn.the_movement()
    own = await work.initiatives.of_person(turn.person.id, movement.id)
    others = [one for one in await work.initiatives.of_movement(movement.id) if one not in own]
    picks = [Pick(value=one.id, label=one.name) for one in (*own, *others)][:MOST_OFFERED]
    filled: dict[str, Value] = {"initiative": own[0].id if own else ""}
    if episode is not None:
        filled |= {
            "initiative": episode.initiative_id or "",
            "text": episode.text,
            "kind": episode.kind.value,
            "audience": episode.audience.value,
            "helpers": await _accounts(work, turn, episode),
        }
        if episode.initiative_id and all(pick.value != episode.initiative_id for pick in picks):
            picks.insert(0, Pick(value=episode.initiative_id, label=await _name_of(work, episode)))
    channel = await _channel(work, turn, episode)
    audiences = tuple(Pick(value=one.value) for one in Audience if one is not Audience.CHANNEL or channel is not None)
    filled |= values or {}
    if text:
        filled["text"] = text
    return StuckForm(
        values=filled,
        options={"initiative": tuple(picks), "audience": audiences},
        hidden={"episode": episode.id} if episode else {},
        place=channel or "",
        too_long=len(text) > LONGEST_STUCK,
    )


async def _accounts(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> tuple[str, ...]:
    people = [await work.people.in_workspace(PersonId(one), turn.person.workspace_id) for one in episode.helpers]
    return tuple(person.account for person in people if person is not None and person.account is not None)


def _joined(before: str, text: str) -> str:
    """Earlier and newer words; what was said already is not said twice."""
    return before if text in before else f"{before}\n{text}"


# -- welcoming -------------------------------------------------------------------------------------------


async def go_on(work: UnitOfWork, turn: Turn) -> Entry:
    """Three other questions about what is open."""
    episode = await _mine(work, turn)
    return (
        await _welcome(work, turn, episode)
        if episode.is_open
        else StuckStands.of(episode, await _name_of(work, episode))
    )


async def _welcome(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> Entry:
    """Welcomed in other words than before, with three questions this initiative has not heard lately."""
    variant = await work.stuck.rounds_of(turn.person.id, episode.movement_id)
    asked = await work.stuck.questions_asked(episode.movement_id, episode.initiative_id, turn.person.id)
    questions = fresh_questions(episode.kind, asked)
    await work.stuck.ask(noted(episode, questions, turn.now))
    helpers = [await work.people.get(PersonId(one), episode.movement_id) for one in episode.helpers]
    names = tuple(one.name for one in helpers if one is not None)
    return StuckWelcomed(
        episode=episode.id,
        initiative=await _name_of(work, episode),
        questions=tuple(questions),
        audience=episode.audience,
        helpers=names if all(names) else (),
        place=await _channel(work, turn, episode) or "",
        variant=variant,
    )


async def _mine(work: UnitOfWork, turn: Turn) -> StuckEpisode:
    """The episode an intent is about; only the one who is stuck acts on it."""
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.the_movement().id)
    if episode is None:
        raise Refused("not_found")
    return episode


async def _name_of(work: UnitOfWork, episode: StuckEpisode) -> str:
    return await work.initiatives.name(episode.initiative_id, episode.movement_id)


async def compose_stuck_posted(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """What the channel reads, as it stands now."""
    episode = await work.stuck.episode(EpisodeId(outgoing.delivery.subject), outgoing.the_movement().id)
    if episode is None or episode.audience is not Audience.CHANNEL:
        raise Unwanted("taken_back")
    if not episode.is_open and outgoing.delivery.act is Act.POST:
        raise Unwanted("no_longer_stuck")
    person = await work.people.get(episode.person_id, episode.movement_id)
    if person is None or person.account is None:
        raise Unwanted("forgotten")
    return StuckPosted(
        name=person.name, initiative=await _name_of(work, episode), text=episode.text, state=episode.state
    )
