"""Fill the form for being stuck, and check what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalogue.base import Entry, Pick
from bot.catalogue.forms import Filled
from bot.catalogue.stuck import MAX_FIELD_CHARS, StuckForm, StuckTooLong
from bot.chat import Value
from bot.domain.initiative import MAX_STUCK_CHARS, Audience, Initiative, InitiativeId, StuckEpisode, StuckKind
from bot.domain.movement import Place, PlaceState
from bot.domain.person import Person, PersonId
from bot.ports import Turn, UnitOfWork

MAX_INITIATIVES_OFFERED = 50
"""Initiatives to choose from; one's own come first."""


@dataclass(frozen=True, kw_only=True)
class StuckReport:
    """A checked report of being stuck: about which initiative, in which words, and who may read it."""

    initiative: Initiative | None
    text: str
    kind: StuckKind
    audience: Audience
    helpers: Sequence[Person] = ()

    @property
    def initiative_id(self) -> InitiativeId | None:
        return self.initiative.id if self.initiative else None


async def fill_form(
    work: UnitOfWork,
    turn: Turn,
    episode: StuckEpisode | None = None,
    *,
    text: str = "",
    values: dict[str, str] | None = None,
) -> Entry:
    """Return the form, filled with an episode if there is one, then with `values` and `text`.

    A text that no form can hold is given back whole, as `StuckTooLong`.
    """
    if len(text) > MAX_FIELD_CHARS:
        return StuckTooLong(text=text)
    movement = turn.require_movement()
    own = await work.initiatives.of_person(turn.person.id, movement.id)
    others = [
        one for one in await work.initiatives.of_movement(movement.id, most=MAX_INITIATIVES_OFFERED) if one not in own
    ]
    picks = [Pick(value=one.id, label=one.name) for one in (*own, *others)][:MAX_INITIATIVES_OFFERED]
    filled: dict[str, Value] = {"initiative": own[0].id if own else ""}
    if episode is not None:
        filled |= await _episode_values(work, turn, episode)
        if episode.initiative_id and all(pick.value != episode.initiative_id for pick in picks):
            # Closed, or beyond the limit: an episode keeps its initiative all the same.
            name = await work.initiatives.name(episode.initiative_id, episode.movement_id)
            picks.insert(0, Pick(value=episode.initiative_id, label=name))
    channel = await find_channel(work, turn, episode)
    audiences = tuple(Pick(value=one.value) for one in Audience if one is not Audience.CHANNEL or channel is not None)
    filled |= values or {}
    if text:
        filled["text"] = text
    return StuckForm(
        values=filled,
        options={"initiative": tuple(picks), "audience": audiences},
        hidden={"episode": episode.id} if episode else {},
        place=channel or "",
        too_long=len(text) > MAX_STUCK_CHARS,
        read_by_others=episode is not None and await was_shown_to_others(work, episode),
    )


async def check_report(work: UnitOfWork, turn: Turn, filled: Filled, changed: StuckEpisode | None) -> StuckReport:
    """Check what was filled in against what exists now. `changed`: the episode it changes, if any.

    Raises `Invalid` for an initiative, helper or audience that cannot be chosen (any more), and for helpers who would
    not get to read it.
    """
    initiative = await _load_initiative(work, turn, filled, changed)
    if initiative is None and filled.text("initiative"):
        filled.problems.add("initiative", "unknown_choice")
    audience, helpers = filled.text("audience"), await _load_helpers(work, turn, filled)
    if audience == Audience.CHANNEL and await find_channel(work, turn, changed) is None:
        filled.problems.add("audience", "unknown_choice")
    reason = _find_helpers_problem(turn, filled, helpers, changed)
    if reason:
        filled.problems.add("helpers", reason)
    filled.problems.raise_if_any()
    return StuckReport(
        initiative=initiative,
        text=filled.text("text"),
        kind=StuckKind(filled.text("kind")),
        audience=Audience(audience),
        helpers=[one for one in helpers if one is not None] if audience == Audience.HELPERS else (),
    )


def _find_helpers_problem(
    turn: Turn, filled: Filled, helpers: Sequence[Person | None], changed: StuckEpisode | None
) -> str:
    """Return what is wrong with the people picked to read along (a block of `errors/fields.md.j2`), or ""."""
    audience = filled.text("audience")
    if audience != Audience.HELPERS:
        # Names that the form brought along, and nobody touched, are no contradiction.
        is_untouched = changed is not None and {one.id for one in helpers if one} <= set(changed.helpers)
        unread = {Audience.ME.value: "helpers_unread", Audience.CHANNEL.value: "helpers_in_channel"}
        return unread.get(audience, "") if helpers and not is_untouched else ""
    if not helpers:
        return "helpers_missing"
    if None in helpers:
        return "not_in_movement"
    return "not_yourself" if any(one is not None and one.id == turn.person.id for one in helpers) else ""


async def find_channel(work: UnitOfWork, turn: Turn, episode: StuckEpisode | None) -> str | None:
    """Return the name of the channel an episode can be shown in: where it was told, or where they are.

    None in a personal chat, and in a channel outside the movement.
    """
    place = await _find_place(work, turn, episode)
    return place.name if place is not None else None


async def is_held(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> bool:
    """Return whether what is meant for a channel waits until that can be reached again."""
    if episode.audience is not Audience.CHANNEL:
        return False
    place = await _find_place(work, turn, episode)
    return place is not None and place.state is PlaceState.UNREACHABLE


async def _find_place(work: UnitOfWork, turn: Turn, episode: StuckEpisode | None) -> Place | None:
    place = await work.movements.place(episode.place_id) if episode and episode.place_id else turn.place
    if place is None or place.movement_id != turn.require_movement().id:
        return None
    return place


async def was_shown_to_others(work: UnitOfWork, episode: StuckEpisode) -> bool:
    """Return whether colleagues were asked to think along about words that are for oneself alone: they read those."""
    if episode.audience is not Audience.ME:
        return False
    return bool(await work.stuck.company_of(episode.id, episode.movement_id))


async def _episode_values(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> dict[str, Value]:
    people = [await work.people.in_workspace(PersonId(one), turn.person.workspace_id) for one in episode.helpers]
    return {
        "initiative": episode.initiative_id or "",
        "text": episode.text,
        "kind": episode.kind.value,
        "audience": episode.audience.value,
        "helpers": tuple(person.account for person in people if person is not None and person.account is not None),
    }


async def _load_initiative(
    work: UnitOfWork, turn: Turn, filled: Filled, changed: StuckEpisode | None
) -> Initiative | None:
    """Return the initiative that was chosen, None when there is none to be chosen by that id; a closed one only where
    the episode was about it before."""
    if not filled.text("initiative"):
        return None
    initiative = await work.initiatives.get(InitiativeId(filled.text("initiative")), turn.require_movement().id)
    is_kept = changed is not None and initiative is not None and changed.initiative_id == initiative.id
    is_closed = initiative is not None and initiative.closed_at is not None
    return None if is_closed and not is_kept else initiative


async def _load_helpers(work: UnitOfWork, turn: Turn, filled: Filled) -> list[Person | None]:
    """Return the people that were picked; None for one who is not in the movement."""
    found: list[Person | None] = []
    for account in filled.many("helpers"):
        person = await work.people.by_account(turn.person.workspace_id, account)
        known = person is not None and await work.people.get(person.id, turn.require_movement().id) is not None
        found.append(person if known else None)
    return found
