"""Make the keys by which programs outside read what a movement shows, show which there are, and revoke them."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import parse_form
from bot.catalogue.outside import ApiKeyForm, ApiKeyMade, ApiKeys, ApiUnserved, KeptKey
from bot.changes import record_change
from bot.domain.api_token import MAX_TOKENS, ApiToken, ApiTokenId, Lifetime, Scope
from bot.domain.change import CoordinatorAct
from bot.domain.movement import Movement
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork


async def show_keys(work: UnitOfWork, turn: Turn) -> Entry:
    """Show every member what reads along from outside; coordinators may change it."""
    movement = turn.require_movement()
    return await _list_keys(work, turn, movement) if turn.api_url else ApiUnserved(name=movement.name)


async def open_key_form(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask a coordinator what a new key is for. Raises `Refused` when there are as many as there may be."""
    movement = turn.require_coordinator()
    if not turn.api_url or turn.vault is None:
        return ApiUnserved(name=movement.name, reachable=bool(turn.api_url))
    if len(await work.outside.tokens(movement.id)) >= MAX_TOKENS:
        raise Refused("keys_full")
    return ApiKeyForm(values={"opens": (Scope.PURPOSE.value, Scope.STORIES.value), "lasts": Lifetime.YEAR.value})


async def make_key(work: UnitOfWork, turn: Turn) -> Entry:
    """Make a key, shown this once: only its digest is stored."""
    movement = turn.require_coordinator()
    if not turn.api_url or turn.vault is None:
        return ApiUnserved(name=movement.name, reachable=bool(turn.api_url))
    filled = parse_form(ApiKeyForm, turn.intent.args)
    if len(await work.outside.tokens(movement.id)) >= MAX_TOKENS:
        raise Refused("keys_full")
    opens = [Scope(one) for one in filled.many("opens")]
    lasts = Lifetime(filled.text("lasts"))
    token, secret = ApiToken.make(movement.id, filled.text("name"), opens, turn.person.id, lasts, turn.now)
    work.outside.add(token)
    record_change(work, turn, CoordinatorAct.TOKEN_MADE, token.name)
    return ApiKeyMade(
        id=token.id,
        name=token.name,
        key=secret,
        scopes=tuple(token.scopes),
        until=token.expires_at,
        address=turn.api_url,
    )


async def revoke_key(work: UnitOfWork, turn: Turn) -> InPlace:
    """Revoke a key: from now on nothing is read by it. Pressed again, it says the same."""
    movement = turn.require_coordinator()
    token = await work.outside.token(ApiTokenId(turn.text("token")), movement.id)
    if token is not None:
        record_change(work, turn, CoordinatorAct.TOKEN_REVOKED, token.name)
        await work.delete(token)
        await work.flush()  # the list has to see it
    return InPlace(entry=await _list_keys(work, turn, movement, revoked=True))


async def _list_keys(work: UnitOfWork, turn: Turn, movement: Movement, *, revoked: bool = False) -> ApiKeys:
    coordinates = turn.member is not None and turn.member.coordinates
    shown = []
    for one in await work.outside.tokens(movement.id):
        if not coordinates and not one.lasts(turn.now):
            continue
        maker = await work.people.get(one.made_by, movement.id) if one.made_by is not None and coordinates else None
        shown.append(
            KeptKey(
                id=one.id,
                name=one.name,
                scopes=tuple(one.scopes),
                until=one.expires_at,
                used_on=one.used_on,
                by=maker.name_in(turn.person.workspace_id) if maker is not None else "",
                ended=not one.lasts(turn.now),
            )
        )
    return ApiKeys(
        name=movement.name, address=turn.api_url, keys=tuple(shown), coordinates=coordinates, revoked=revoked
    )
