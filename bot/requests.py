"""Handle one intent inside a transaction: load who acts and where, call the use case, render its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot import commands, guarding, kairos, presses, wording
from bot.catalogue.base import Entry, FormEntry, InPlace, dump, list_texts, load
from bot.catalogue.guard import HELD
from bot.catalogue.offers import FormLate, FormOffered
from bot.chat import CARD, FORM, WITHIN, Account, Answer, ChatPlace, CommandSyntax, Form, Intent, Message, Reply
from bot.days_off import follow_country, follow_place
from bot.despair import hear_despair
from bot.domain.choosing import Significance
from bot.domain.connectors import Invitation
from bot.domain.delivery import ANSWER, Act, Delivery, DeliveryId, to_home, to_person
from bot.domain.door import DoorStory, StoryDoor
from bot.domain.experiment import Experiment
from bot.domain.held_words import HeldWords
from bot.domain.ids import new_id
from bot.domain.initiative import Company, Initiative, StuckEpisode
from bot.domain.magazine import Magazine
from bot.domain.movement import Member, Movement, Place, PlaceId
from bot.domain.network_question import NetworkAdvice
from bot.domain.next_step import Chance, NextStep
from bot.domain.person import KEEP_CLOSED, Person, PersonId, Workspace, WorkspaceId
from bot.domain.rhythm import Rhythm
from bot.domain.room import Room
from bot.domain.story import Story, StoryRequest
from bot.domain.typed_secrets import find_secrets, hide_secrets, without_secrets
from bot.domain.welcome import plan_welcome
from bot.errors import Invalid, Refused
from bot.guarding import GivesAway
from bot.outbox.compose import ANSWER_TTL, PRIVACY, list_button_args, remember_privacy
from bot.outside import say_readers_outside
from bot.ports import Context, Turn, UnitOfWork, Vault
from bot.presses import hash_key
from bot.sealing import seal_entry
from bot.shifts import join_group
from bot.use_cases.movements import starting
from bot.use_cases.outbox import reach
from bot.use_cases.people import introductions
from bot.use_cases.stories import held_words
from bot.wording import Reader

TYPED_WORDS = ("text", "prefill", "said")
"""Arguments that hold what was typed after a command, or is the content of a sentence."""
NAMED: Mapping[str, type] = {
    "story": Story,
    "step": NextStep,
    "episode": StuckEpisode,
    "chance": Chance,
    "initiative": Initiative,
    "experiment": Experiment,
    "rhythm": Rhythm,
    "invitation": Invitation,
    "company": Company,
    "room": Room,
    "magazine": Magazine,
    "told": DoorStory,
    "door": StoryDoor,
    "request": StoryRequest,
    "significance": Significance,
    HELD: HeldWords,
}
"""Arguments that name by its id what an intent is about: it is looked up with who acts, in one trip."""
WANT_SECRETS = frozenset({"start.join"})
"""Intents that a secret may be typed for. Of any other nothing of it is kept or shown: it was typed by mistake."""


async def handle_intent(
    work: UnitOfWork,
    *,
    intent: Intent,
    now: datetime,
    syntax: CommandSyntax,
    keeps_closed: timedelta = KEEP_CLOSED,
    feeds_url: str = "",
    works_council: bool = False,
    api_url: str = "",
    vault: Vault | None = None,
    advice: NetworkAdvice | None = None,
    computed: bytes | None = None,
) -> Reply:
    """Act on an intent, at most once per key, and once per press or form (see `bot.presses`).

    Returns the answer; None when there is nothing to say, or when it was handled before. Raises `Refused`, or `Invalid`
    for a form's values, and `NeedsNetwork` and `NeedsComputing` for what is given as `advice` and `computed` then.
    `syntax`: how commands are typed there.
    """
    if intent.name not in WANT_SECRETS:
        intent = _drop_secrets(intent, _find_typed_secrets(intent))
    if intent.name in commands.PASSIVE_EVENTS and not await _is_ours(work, intent):
        return None
    if intent.name in commands.ARRIVALS and intent.text("upgrade") and not await starting.is_unsettled(work, intent):
        return None
    decides = intent.name not in commands.REPEATABLE
    # In this order: what is loaded is as those left it who had the lock before.
    claimed, context, pressed, _ = await work.together(
        presses.claim(work, intent, now, decides=decides),
        load_context(work, intent),
        _load_card(work, intent),
        _look_ahead(work, intent),
    )
    if claimed is None:
        return None
    if is_late(intent, context):
        await presses.release(work, intent, {hash_key(intent.key), *claimed})
        return None
    heard = hear_despair(intent)
    turn = await _enter(
        work,
        heard.intent,
        context,
        now,
        syntax,
        keeps_closed=keeps_closed,
        feeds_url=feeds_url,
        works_council=works_council,
        api_url=api_url,
        vault=vault,
        advice=advice,
        computed=computed,
    )
    _confirm_by_press(turn, pressed)
    outcome = await _act_or_ask(work, turn)
    if isinstance(outcome, FormEntry) and intent.opens_forms:
        await presses.release(work, intent, claimed)
    # The answer to despair takes the place of no card: what was asked there is not answered.
    is_meant = heard.intent.name == intent.name
    reply = await render_reply(work, turn, _place_answer(intent, outcome, decides=decides and is_meant))
    if heard.answer is not None:
        await _answer_personally(work, turn, heard.answer)
    await show_home(work, turn)
    return reply


async def _look_ahead(work: UnitOfWork, intent: Intent) -> None:
    """Look up what an intent is about: nearly every use case asks for that first."""
    await work.look_ahead(
        *[(NAMED[name], given) for name in intent.args if name in NAMED and (given := intent.text(name))]
    )
    if intent.message and intent.name in {*commands.PASSIVE_EVENTS, *guarding.REPLIES}:
        await work.stories.look_in(WorkspaceId(intent.place.workspace), intent.place.channel, intent.message)


async def _load_card(work: UnitOfWork, intent: Intent) -> Delivery | None:
    """Return the personal message whose button is pressed, where it is one of ours."""
    card = intent.text(CARD)
    if not card or not intent.message or not intent.place.personal:
        return None
    return await work.deliveries.get(DeliveryId(card), WorkspaceId(intent.actor.workspace))


def _confirm_by_press(turn: Turn, pressed: Delivery | None) -> None:
    """Note that a personal message arrived whose answer was lost, now that one of its buttons is pressed: where nothing
    can be looked up, only that tells its id, by which it can be deleted."""
    intent = turn.intent
    if pressed is not None and intent.message and pressed.may_be_confirmed(turn.person.id):
        pressed.record_receipt(turn.now, intent.place.channel, intent.message)


async def _act_or_ask(work: UnitOfWork, turn: Turn) -> Entry | InPlace | None:
    """Let the use case of an intent act, or of what is meant by a choice about held words. Raises `GivesAway` when what
    it would keep for others may give a client away, and `Refused` for a choice that came too late."""
    resumed = await guarding.resume(work, turn)
    acting = turn
    if resumed is not None:
        meant = await load_turn(work, resumed.intent, turn.now, turn.syntax)
        acting = replace(  # all else, what surrounds the turn, stays as it is
            turn,
            intent=meant.intent,
            person=meant.person,
            place=meant.place,
            movement=meant.movement,
            member=meant.member,
        )
        await guarding.prepare(work, resumed, acting)
    handler = commands.HANDLERS.get(acting.intent.name)
    if handler is None:
        raise Refused("not_found")
    before = await guarding.recall_words(work, acting)
    try:
        outcome = await handler(work, acting)
    except Invalid as invalid:
        if resumed is None or turn.intent.name == guarding.TELL:
            raise
        raise Refused("words_late") from invalid  # no form is open to say it in
    if resumed is not None:
        outcome = guarding.fill_again(resumed, outcome)
        guarding.replace_kept_words(work, resumed)
        outcome = outcome or guarding.confirm_reply(resumed)
    if resumed is None or not resumed.is_settled:
        await guarding.stop_giveaways(work, acting, outcome, before)
    await kairos.notice(work, acting)
    await guarding.let_go(work, turn)
    return outcome


async def ask_about_words(
    work: UnitOfWork, *, intent: Intent, given: GivesAway, now: datetime, syntax: CommandSyntax
) -> Reply:
    """Hold the words of an intent that was rolled back, and ask its writer about them, at most once per key, press or
    form. Of a reply in a thread only that it was made counts until they chose."""
    decides = intent.name not in commands.REPEATABLE
    if await presses.claim(work, intent, now, decides=decides) is None:
        return None
    heard = hear_despair(intent)
    turn = await _enter(work, heard.intent, await load_context(work, intent), now, syntax)
    held = await guarding.hold(work, turn, given)
    if heard.answer is not None:
        await _answer_personally(work, turn, heard.answer)
    if intent.name in guarding.REPLIES:
        if intent.name != "message.edited":
            without = replace(turn, intent=replace(heard.intent, args={**heard.intent.args, "text": ""}))
            await commands.HANDLERS["thread.replied"](work, without)
        await work.deliveries.add(_as_question(turn, held, in_place=False))
        return None
    is_press = bool(presses.press_key(intent)) and not intent.on_page
    reply: Reply = None
    if intent.answerable and not intent.on_page:
        reader = reader_of(turn)
        entry = await held_words.make_question(work, held, reader.language)
        within = turn.movement.id if turn.movement and turn.place is None else None
        remember_privacy(turn.person, entry, reader)
        reply = Answer(message=_word_answer(entry, reader, within, intent), replaces=is_press)
    else:
        await work.deliveries.add(_as_question(turn, held, in_place=is_press))
    await show_home(work, turn)
    return reply


def _as_question(turn: Turn, held: HeldWords, *, in_place: bool) -> Delivery:
    """Make the delivery that asks about held words. It holds none of them: they are read when it is sent."""
    intent = turn.intent
    question = to_person(
        turn.person,
        held_words.QUESTION_KIND,
        key=f"{held_words.QUESTION_KIND}:{held.id}",
        now=turn.now,
        movement=turn.movement.id if turn.movement else None,
        subject=held.id,
        place=turn.place.id if turn.place else None,
        thread=intent.thread,
        expires_at=held.until,
    )
    if in_place and intent.answer_to:
        question.act, question.target, question.target_channel = Act.UPDATE, intent.answer_to, intent.answer_channel
    return question


async def _answer_personally(work: UnitOfWork, turn: Turn, entry: Entry) -> None:
    """Say something in the actor's own chat, beside the answer to what they did."""
    await work.deliveries.add(
        to_person(
            turn.person,
            ANSWER,
            key=f"beside:{hash_key(f'{turn.intent.actor.workspace}/{turn.intent.key}')}",
            now=turn.now,
            movement=turn.movement.id if turn.movement else None,
            args=dump(entry),
            expires_at=turn.now + ANSWER_TTL,
        )
    )


def is_late(intent: Intent, context: Context) -> bool:
    """Return whether an intent arrives from where Ritme was removed: nothing is kept of it, or sent for it."""
    if context.workspace is not None and context.workspace.is_removed:
        return True
    place = context.place if intent.name not in commands.ARRIVALS else None
    return place is not None and place.was_lost_by(intent.at)


def _place_answer(intent: Intent, outcome: Entry | InPlace | None, *, decides: bool) -> Entry | InPlace | None:
    """Return an outcome as it is answered: what a press decided takes the place of the card, whose buttons have had
    their time. A home page shows its outcome by itself, or it is answered beside it."""
    is_press = bool(presses.press_key(intent))
    closes = decides and (intent.name not in commands.LASTING if is_press else intent.name in commands.CLOSING)
    if not closes or intent.on_page or outcome is None or isinstance(outcome, InPlace):
        return outcome
    return outcome if isinstance(outcome, FormEntry) and intent.opens_forms else InPlace(entry=outcome)


async def _is_ours(work: UnitOfWork, intent: Intent) -> bool:
    """Return whether a passive event touches a message of ours or a story; nothing is stored about any other."""
    lane, channel = WorkspaceId(intent.place.workspace), intent.place.channel
    return await work.stories.is_known(lane, channel, thread=intent.thread or "", message=intent.message or "")


async def load_turn(work: UnitOfWork, intent: Intent, now: datetime, syntax: CommandSyntax) -> Turn:
    """Load who acts and where, and add those that are new: acting is all it takes to belong, nobody is enrolled
    otherwise."""
    await work.people.lock_movement(*presses.locate(intent))
    return await _enter(work, intent, await load_context(work, intent), now, syntax)


async def load_context(work: UnitOfWork, intent: Intent) -> Context:
    """Load who acts and where, as far as they are known. What an intent is about is locked before: two people who act
    in one movement at the same moment must see each other's changes."""
    return await work.people.load_context(*presses.locate(intent))


async def _enter(
    work: UnitOfWork, intent: Intent, context: Context, now: datetime, syntax: CommandSyntax, **surroundings: Any
) -> Turn:
    """Return the turn of who acts, and where, with what surrounds it; add those that are new."""
    actor, spot, lane = intent.actor, intent.place, WorkspaceId(intent.actor.workspace)
    person, place, movement, member = context.person, context.place, context.movement, context.member
    if context.workspace is None:
        work.people.add(Workspace(id=lane))
    if person is None:
        person = await _add_person(work, actor, now)
    was_in = person.timezone
    _update_profile(person, actor)
    if not spot.personal:
        place = _add_or_rename_place(work, place, lane, spot, now)
        if _is_heard_from(intent, place):
            await reach.reopen(work, place, now)
    is_new = (member is None and not person.days_off) or person.timezone != was_in
    if movement is not None and member is None:
        member = Member(movement_id=movement.id, person_id=person.id, joined_at=now)
        work.movements.add(member)
        await join_group(work, person, now)
        await work.deliveries.add(plan_welcome(person, movement.id, now, later=intent.name == "conversation.crisis"))
    if not person.name or (place is not None and not place.name):
        work.woken.add(lane)  # the directory sync before the next drain asks the platform for names
    await _follow_days_off(work, intent, person, place, movement, now, is_new=is_new)
    await _record_answer(work, person, now)
    if person.deactivated_at is not None and intent.name not in commands.PASSIVE_EVENTS:
        person.deactivated_at = None  # who acts has an account that is used
    return Turn(
        intent=intent,
        now=now,
        person=person,
        place=place,
        movement=movement,
        member=member,
        syntax=syntax,
        **surroundings,
    )


async def _follow_days_off(
    work: UnitOfWork,
    intent: Intent,
    person: Person,
    place: Place | None,
    movement: Movement | None,
    now: datetime,
    *,
    is_new: bool,
) -> None:
    """Let who acts keep the days off of where they work: of the place of the movement they act in; in their own chat,
    where they or their time zone are new (`is_new`), of its place in the country of that."""
    if movement is None or intent.name in commands.PASSIVE_EVENTS:
        return
    if place is not None and place.movement_id == movement.id:
        follow_place(person, place, now)
    elif place is None and is_new:
        await follow_country(work, person, movement)


async def _record_answer(work: UnitOfWork, person: Person, now: datetime) -> None:
    """Record that a person is there; when Ritme was quiet towards them, what they asked for meanwhile comes now."""
    if person.record_answer():
        for held in await work.deliveries.held_while_quiet(person.id):
            held.requeue(now)
            work.woken.add(held.workspace_id)


def _is_heard_from(intent: Intent, place: Place) -> bool:
    """Return whether an intent shows that a place out of reach is back: an event of a message there, which we get only
    where we are. Buttons stay when we go, and slash commands and shortcuts work everywhere."""
    is_event = intent.message is not None and not intent.opens_forms and not presses.press_key(intent)
    return is_event and place.revives_when_heard


async def _add_person(work: UnitOfWork, actor: Account, now: datetime) -> Person:
    lane = WorkspaceId(actor.workspace)
    person = Person(id=PersonId(new_id()), workspace_id=lane, account=actor.id, created_at=now, looked_up_at=now)
    work.people.add(person)
    await introductions.request_group_members(work, lane)
    return person


def _add_or_rename_place(
    work: UnitOfWork, place: Place | None, lane: WorkspaceId, spot: ChatPlace, now: datetime
) -> Place:
    if place is None:
        place = Place(id=PlaceId(new_id()), workspace_id=lane, channel=spot.channel, name=spot.name, created_at=now)
        work.movements.add(place)
    elif spot.name and place.name != spot.name:
        place.name = spot.name
    return place


def _update_profile(person: Person, actor: Account) -> None:
    """Take over what a request tells of who acts; what a person chose themselves stays. What is as it was is not set:
    whatever is set has to be looked at before the next look-up."""
    if actor.name and person.name != actor.name:
        person.name = actor.name
    if actor.timezone not in (None, "", person.timezone) and "timezone" not in person.chose:
        person.timezone = actor.timezone
    person.follow_language(actor.language)
    if actor.guest:
        person.guest = True


def reader_of(turn: Turn) -> Reader:
    """Return the context to word the answer to a turn in."""
    return Reader(
        language=turn.language,
        timezone=turn.timezone,
        now=turn.now,
        syntax=turn.syntax,
        personal=turn.place is None,
        in_thread=turn.place is not None and turn.intent.thread is not None,
        knows_privacy=bool(turn.person.said.get(PRIVACY)),
        on_page=turn.intent.on_page,
    )


async def render_reply(work: UnitOfWork, turn: Turn, outcome: Entry | InPlace | None) -> Reply:
    """Word an outcome and return it; where the platform cannot show it in its answer, put it in the outbox and return
    None. A form that cannot be opened here becomes a message with a button that opens it."""
    if outcome is None:
        return None
    entry, in_place = (outcome.entry, True) if isinstance(outcome, InPlace) else (outcome, False)
    entry, intent = _hide_typed_secrets(entry, turn.intent)
    if isinstance(outcome, InPlace) and intent.on_page:
        if not outcome.on_page:
            return None  # the refreshed home page shows it
        in_place = False
    entry, mark = await work.together(say_readers_outside(work, turn, entry), _make_mark(work, intent, entry, turn.now))
    reader = reader_of(turn)
    within = turn.movement.id if turn.movement and turn.place is None else None
    if isinstance(entry, FormEntry):
        heard = _text_without_field(entry, intent)
        form = wording.render_form_entry(entry, reader, heard)
        if intent.opens_forms:
            form = replace(form, hidden={**guarding.note_opener(intent), **form.hidden, FORM: mark})
            late = _word_answer(_offer_again(form, entry, intent), reader, within, intent)
            return replace(form, hidden={**form.hidden, WITHIN: within} if within else form.hidden, late=late)
        args = {name: value for name, value in intent.args.items() if isinstance(value, str) and name != CARD}
        args[presses.REOPENS] = mark
        opener = entry.opener or intent.name
        entry = FormOffered(title=form.title, intent=opener, args=args, heard=_typed_text(intent))
    if intent.answerable:
        remember_privacy(turn.person, entry, reader)
        return Answer(message=_word_answer(entry, reader, within, intent), replaces=in_place)
    answer = _as_delivery(turn, entry, in_place=in_place)
    if await work.deliveries.add_new(answer, wakes=False):
        work.answer, work.answer_entry = answer, entry
        await work.people.note_mentions(answer.id, answer.workspace_id, turn.person.id, list_texts(entry))
    return None


def _word_answer(entry: Entry, reader: Reader, within: str | None, intent: Intent) -> Message:
    """Word what is answered at once; its buttons carry what `list_button_args` says, with the request as their card."""
    return wording.render_entry(entry, reader, list_button_args(entry, within, hash_key(intent.key)))


async def _make_mark(work: UnitOfWork, intent: Intent, entry: Entry, now: datetime) -> str:
    """Return the id of the form that is an answer; empty for any other."""
    return await presses.make_form_mark(work, intent, now) if isinstance(entry, FormEntry) else ""


def _hide_typed_secrets(entry: Entry, intent: Intent) -> tuple[Entry, Intent]:
    """Return an answer, and the intent it is made of, without the secrets that were typed: a code or key is not shown
    once more, nor does it lie in a button or in the outbox."""
    secrets = _find_typed_secrets(intent)
    if not secrets:
        return entry, intent
    dumped = dump(entry)
    return load({**dumped, "values": hide_secrets(dumped["values"], secrets)}), _drop_secrets(intent, secrets)


def _find_typed_secrets(intent: Intent) -> tuple[str, ...]:
    """Return what may be a secret in what was typed after a command, or said in a sentence."""
    return find_secrets(map(intent.text, TYPED_WORDS)) if not intent.text(FORM) else ()


def _drop_secrets(intent: Intent, secrets: Sequence[str]) -> Intent:
    """Return an intent without the secrets that were typed; words that hold nothing else are left out."""
    if not secrets:
        return intent
    kept = {name: without_secrets(intent.text(name), secrets) for name in TYPED_WORDS}
    args = {name: kept.get(name, value) for name, value in intent.args.items() if kept.get(name, value)}
    return replace(intent, args=args)


def _offer_again(form: Form, entry: FormEntry, intent: Intent) -> FormLate:
    """Return what is said where a form opens too late: a button opens the same one, with the same words in it. What was
    chosen about a message has to be chosen there again."""
    texts = {name: value for name, value in intent.args.items() if isinstance(value, str) and name != CARD}
    if any(not isinstance(value, str) for value in intent.args.values()):
        return FormLate(title=form.title)
    opener = entry.opener or intent.name
    args = {**texts, presses.REOPENS: form.hidden[FORM]}
    heard = "" if presses.press_key(intent) else _typed_text(intent)
    return FormLate(title=form.title, intent=opener, args=args, heard=heard)


def _typed_text(intent: Intent) -> str:
    """Return what was typed after a command, or is the content of a sentence."""
    return intent.text("text") or intent.text("prefill")


def _text_without_field(form: FormEntry, intent: Intent) -> str:
    """Return what was typed to open a form, unless one of its fields holds it: nothing typed is passed over in
    silence."""
    text = _typed_text(intent) if not form.opener else ""  # a form with an opener has read the words itself
    held = any(isinstance(value, str) and len(value) > 1 and text.startswith(value) for value in form.values.values())
    return "" if held else text


def _as_delivery(turn: Turn, entry: Entry, *, in_place: bool) -> Delivery:
    """Make the delivery that answers a turn later; `in_place` replaces the message whose button was pressed."""
    intent = turn.intent
    answer = to_person(
        turn.person,
        ANSWER,
        key=f"answer:{hash_key(f'{intent.actor.workspace}/{intent.key}')}",
        now=turn.now,
        movement=turn.movement.id if turn.movement else None,
        place=turn.place.id if turn.place else None,
        thread=intent.thread,
        args=seal_entry(entry, turn.vault),
        expires_at=turn.now + ANSWER_TTL,
    )
    if in_place and intent.answer_to:
        answer.act, answer.target, answer.target_channel = Act.UPDATE, intent.answer_to, intent.answer_channel
    if turn.person.account is None:
        # Just forgotten: the last word replaces the message they pressed, and is stored under nobody's name.
        answer.person_id = answer.place_id = None
        answer.add_args(invited_by=turn.person.id)  # whose language it is worded in
    return answer


async def show_home(work: UnitOfWork, turn: Turn) -> None:
    """Refresh the actor's home page, if they ever opened it."""
    person, intent = turn.person, turn.intent
    if intent.on_page and person.account is not None:
        person.record_home_visit(blank=False)
    if person.has_home:
        key = hash_key(f"{intent.actor.workspace}/{intent.key}")
        movement = turn.movement.id if turn.movement else None
        await work.deliveries.add(to_home(person, key=key, now=turn.now, movement=movement))
