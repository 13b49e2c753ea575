"""Make a magazine of stories: choose them, ask each teller whether theirs may be printed, and give it as a file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.catalogue.base import MAX_FORM_OPTIONS, NO, YES, Entry, InPlace, Pick
from bot.catalogue.forms import Filled, parse_form, read_form
from bot.catalogue.magazines import (
    MAGAZINES_LISTED,
    OWN_LISTED,
    PRINTABLE_LISTED,
    MagazineChoiceForm,
    MagazineComing,
    MagazineDesk,
    MagazineFile,
    MagazineForm,
    MagazineList,
    MagazinePage,
    MagazineShown,
    OtherMagazine,
    OwnPrinted,
    PrintableStory,
    PrintAgreed,
    PrintAsked,
    PrintDeclined,
    PrintTakenBack,
)
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.magazine import (
    Magazine,
    MagazineId,
    PaperSize,
    PrintAnswer,
    PrintCandidate,
    PrintConsent,
    PrintName,
    choose_for_print,
    credit_in_print,
)
from bot.domain.person import Person, PersonId
from bot.domain.personal_file import LINK_TTL, MAGAZINE_FILE, PersonalFile, PersonalFileId
from bot.domain.story import Dimension, Story, StoryId
from bot.domain.story_search import SEARCH_PERIODS, Period, StoryFilters, StoryMatch, StoryReader
from bot.errors import Refused, Unwanted
from bot.magazines import find_initiatives_of, load_print, make_page, may_read
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.wording import Reader, shorten

ASKED, ASKED_NEXT = "print_asked", "print_next"
"""Kinds of the question to a teller: the first one, which is an ask of them, and those that follow on their answer."""
ASK_TTL = timedelta(days=60)
"""How long the question waits for room among what somebody is asked."""
PRINT_DELAY = timedelta(seconds=1)
"""How long after the answer that announces it a file is sent."""
MAX_LABEL_CHARS = 70
"""Characters of a story in a choice."""
MAGAZINES_KEPT_OPEN = 50
"""MagazineList of a movement, the newest, that are looked through."""

_Around = tuple[Sequence[Magazine], set[InitiativeId]]
"""The magazines of a movement, and the initiatives that the actor carries."""


# -- making ------------------------------------------------------------------------------------------------------------


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the magazine that the actor makes, the one named or the newest; to anybody else those they can read."""
    turn.require_movement()
    if turn.text("magazine"):
        return await _show_desk(work, turn, await _load_own_magazine(work, turn), await _look_around(work, turn))
    around = await _look_around(work, turn)
    every, carried = around
    made = [one for one in every if _makes(turn, one, carried)]
    if made:
        return await _show_desk(work, turn, made[0], around)
    readable = [one for one in every if one.shown_at is not None][:MAGAZINES_LISTED]
    return MagazineList(magazines=_list_others(readable), makes=_coordinates(turn) or bool(carried))


async def begin(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form of a new magazine. Raises `Refused` for who neither coordinates nor carries an initiative."""
    return await _open_form(work, turn, None)


async def edit(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form of a magazine, filled."""
    return await _open_form(work, turn, await _load_own_magazine(work, turn))


async def _open_form(work: UnitOfWork, turn: Turn, magazine: Magazine | None) -> Entry:
    offered = await _find_initiatives(work, turn)
    if not offered and not _coordinates(turn):
        raise Refused("coordinators_only")
    values = {
        "name": magazine.title if magazine is not None else "",
        "words": magazine.words if magazine is not None else "",
        "initiative": magazine.initiative_id or "" if magazine is not None else "",
        "dimension": magazine.dimension.value if magazine is not None and magazine.dimension else "",
        "period": magazine.period if magazine is not None else "",
        "history": YES if magazine is None or magazine.history else NO,
    }
    if not _coordinates(turn) and not values["initiative"]:
        values["initiative"] = offered[0].id
    picks = tuple(Pick(value=one.id, label=one.name) for one in offered[:MAX_FORM_OPTIONS])
    hidden = {"magazine": magazine.id} if magazine is not None else {}
    stands = magazine is not None and await _is_asked_about(work, magazine)
    return MagazineForm(values=values, options={"initiative": picks}, hidden=hidden, stands=stands)


async def _is_asked_about(work: UnitOfWork, magazine: Magazine) -> bool:
    """Return whether a teller was asked: what they say yes to is this title, and these words, and so these stand."""
    return bool(await work.magazines.candidates(magazine.id, magazine.movement_id))


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep the form of a magazine. Raises `Invalid`, and `Refused` for who may not make it."""
    movement = turn.require_movement()
    kept = await _load_own_magazine(work, turn) if turn.text("magazine") else None
    filled = await _read_magazine(work, turn, kept)
    about = filled.text("initiative")
    if kept is not None:
        magazine = kept
    else:
        magazine = Magazine(
            id=MagazineId(new_id()), movement_id=movement.id, title="", made_by=turn.person.id, begun_at=turn.now
        )
        work.magazines.add(magazine)
    magazine.title, magazine.words = filled.text("name"), filled.text("words")
    magazine.initiative_id = InitiativeId(about) if about else None
    magazine.dimension = Dimension(filled.text("dimension")) if filled.text("dimension") else None
    magazine.period, magazine.history = filled.text("period"), filled.text("history") != NO
    await work.flush()
    return await _show_desk(work, turn, magazine, await _look_around(work, turn))


async def _read_magazine(work: UnitOfWork, turn: Turn, kept: Magazine | None) -> Filled:
    offered = {one.id for one in await _find_initiatives(work, turn)}
    if not offered and not _coordinates(turn):
        raise Refused("coordinators_only")
    args = dict(turn.intent.args)
    standing = {"name": kept.title, "words": kept.words} if kept and await _is_asked_about(work, kept) else {}
    # The form does not ask for what stands; one that was open before somebody was asked may hold something else.
    changed = [name for name, stood in standing.items() if name in args and turn.text(name) != stood]
    filled = read_form(MagazineForm, {**args, **standing})
    for name in changed:
        filled.problems.add(name, "stands_as_asked")
    about = filled.text("initiative")
    if about and about not in offered:
        filled.problems.add("initiative", "unknown_choice")
    if not about and not _coordinates(turn):
        filled.problems.add("initiative", "missing_choice")
    filled.problems.raise_if_any()
    return filled


async def choose(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to choose stories: those that were chosen, and others that may travel."""
    magazine = await _load_own_magazine(work, turn)
    candidates, offered = await _find_stories(work, turn, magazine)
    if not offered:
        raise Refused("nothing_to_print")
    chosen = tuple(one.story.id for one in candidates if one.may_be_asked)
    picks = tuple(
        Pick(value=story.id, label=_label(story.credit(teller, turn.person.workspace_id), story.text))
        for story, teller in offered
    )
    return MagazineChoiceForm(values={"stories": chosen}, options={"stories": picks}, hidden={"magazine": magazine.id})


async def save_choice(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep which stories were chosen, and plan the question to each teller who was not asked yet."""
    magazine = await _load_own_magazine(work, turn)
    filled = parse_form(MagazineChoiceForm, turn.intent.args)
    wanted = set(filled.many("stories"))
    candidates, found = await _find_stories(work, turn, magazine)
    known = {one.story.id: one.consent for one in candidates}
    offered = {story.id: story for story, _ in found}
    if not wanted <= set(offered):
        filled.problems.add("stories", "unknown_choice")
        raise filled.problems.to_invalid()
    for one, consent in known.items():
        # A story that is not among those offered now was not taken out either.
        if one in offered:
            consent.chosen = one in wanted
    added = [told for one, told in offered.items() if one in wanted and one not in known]
    for story in added:
        work.magazines.add(
            PrintConsent(
                magazine_id=magazine.id,
                story_id=story.id,
                movement_id=magazine.movement_id,
                person_id=story.teller_id,
                asked_at=turn.now,
            )
        )
    chosen, around, planned = await work.together(
        _load_chosen(work, magazine),
        _look_around(work, turn),
        work.deliveries.by_keys([_question_key(magazine.id, one) for one in {*wanted, *known}]),
    )
    await _plan_questions(work, turn, magazine, chosen, planned)
    # Not whether a question is planned now: that tells who answered one before, and so who said no.
    return _word_desk(turn, magazine, chosen, around, await _name_initiative(work, magazine), asked=bool(added))


async def change_readership(work: UnitOfWork, turn: Turn) -> InPlace:
    """Let everyone in the movement read a magazine, or not any more."""
    magazine = await _load_own_magazine(work, turn)
    is_shown, was_shown = turn.text("on") != NO, magazine.shown_at is not None
    magazine.shown_at = (magazine.shown_at or turn.now) if is_shown else None
    if is_shown != was_shown and _coordinates(turn):
        record_change(work, turn, CoordinatorAct.MAGAZINE_SHOWN if is_shown else CoordinatorAct.MAGAZINE_HIDDEN)
    return InPlace(entry=await _show_desk(work, turn, magazine, await _look_around(work, turn)))


async def _look_around(work: UnitOfWork, turn: Turn) -> _Around:
    every, carried = await work.together(
        work.magazines.of_movement(turn.require_movement().id, MAGAZINES_KEPT_OPEN), _find_own_initiatives(work, turn)
    )
    return every, {one.id for one in carried}


async def _show_desk(work: UnitOfWork, turn: Turn, magazine: Magazine, around: _Around) -> MagazineDesk:
    chosen, initiative = await work.together(_load_chosen(work, magazine), _name_initiative(work, magazine))
    return _word_desk(turn, magazine, chosen, around, initiative)


async def _name_initiative(work: UnitOfWork, magazine: Magazine) -> str:
    return await work.initiatives.name(magazine.initiative_id, magazine.movement_id)


def _word_desk(
    turn: Turn,
    magazine: Magazine,
    chosen: Sequence[PrintCandidate],
    around: _Around,
    initiative: str,
    *,
    asked: bool = False,
) -> MagazineDesk:
    every, carried = around
    printed = choose_for_print(chosen)
    others = [one for one in every if one.id != magazine.id and _makes(turn, one, carried)][:MAGAZINES_LISTED]
    return MagazineDesk(
        magazine=magazine.id,
        title=magazine.title,
        words=magazine.words,
        initiative=initiative,
        chosen=len(chosen),
        printable=tuple(PrintableStory(text=one.story.text, teller=one.credit) for one in printed[:PRINTABLE_LISTED]),
        more=max(0, len(printed) - PRINTABLE_LISTED),
        shown=magazine.shown_at is not None,
        asked=asked,
        others=_list_others(others),
    )


def _list_others(some: Sequence[Magazine]) -> tuple[OtherMagazine, ...]:
    return tuple(OtherMagazine(magazine=one.id, title=one.title, draft=one.shown_at is None) for one in some)


async def _load_own_magazine(work: UnitOfWork, turn: Turn) -> Magazine:
    """Return the magazine of an intent. Raises `Refused` for who does not make it."""
    magazine = await work.magazines.get(MagazineId(turn.text("magazine")), turn.require_movement().id)
    if magazine is None:
        raise Refused("not_found")
    if not _coordinates(turn) and magazine.initiative_id not in {
        one.id for one in await _find_own_initiatives(work, turn)
    }:
        raise Refused("coordinators_only")
    return magazine


async def _load_chosen(work: UnitOfWork, magazine: Magazine) -> list[PrintCandidate]:
    """Return the chosen stories that are still there to be printed or asked about."""
    found = await work.magazines.candidates(magazine.id, magazine.movement_id)
    return [one for one in found if one.may_be_asked]


def _coordinates(turn: Turn) -> bool:
    return turn.member is not None and turn.member.coordinates


def _makes(turn: Turn, magazine: Magazine, carried: set[InitiativeId]) -> bool:
    return _coordinates(turn) or magazine.initiative_id in carried


async def _find_own_initiatives(work: UnitOfWork, turn: Turn) -> list[Initiative]:
    """Return the initiatives that the actor carries."""
    return await find_initiatives_of(work, turn.person.id, turn.require_movement().id)


async def _find_initiatives(work: UnitOfWork, turn: Turn) -> Sequence[Initiative]:
    """Return the initiatives of which the actor can make a magazine."""
    if _coordinates(turn):
        return await work.initiatives.of_movement(turn.require_movement().id, closed=True)
    return await _find_own_initiatives(work, turn)


async def _find_stories(
    work: UnitOfWork, turn: Turn, magazine: Magazine
) -> tuple[Sequence[PrintCandidate], list[tuple[Story, Person]]]:
    """Return what was asked about for a magazine, and the stories that it can hold: those that were chosen first, then
    the newest."""
    filters = StoryFilters(
        initiative=magazine.initiative_id,
        dimension=magazine.dimension,
        since=turn.now - SEARCH_PERIODS[Period(magazine.period)] if magazine.period else None,
    )
    reader = StoryReader(person=turn.person.id, workspace=turn.person.workspace_id)
    search = work.stories.search(magazine.movement_id, reader, filters, None)
    candidates, found = await work.together(
        work.magazines.candidates(magazine.id, magazine.movement_id),
        search.find(StoryMatch(every=()), MAX_FORM_OPTIONS),
    )
    chosen = [(one.story, one.teller) for one in candidates if one.may_be_asked]
    known = {story.id for story, _ in chosen}
    others = [
        (story, teller)
        for story, teller in found
        if story.id not in known and story.may_travel and story.text and _can_answer(teller)
    ]
    return candidates, [*chosen, *others][:MAX_FORM_OPTIONS]


def _can_answer(teller: Person) -> bool:
    return teller.account is not None and teller.deactivated_at is None


def _label(teller: str, text: str) -> str:
    return shorten(f"{teller}: {text}" if teller else text, MAX_LABEL_CHARS)


# -- asking ------------------------------------------------------------------------------------------------------------


async def _plan_questions(
    work: UnitOfWork,
    turn: Turn,
    magazine: Magazine,
    chosen: Sequence[PrintCandidate],
    planned: Mapping[str, Delivery],
) -> None:
    """Plan the question to each teller who was not asked about this magazine, or answered all they were. Their other
    stories follow on their answer. `planned`: the questions about its stories that there are, by their keys."""
    by_teller = defaultdict[str, list[PrintCandidate]](list)
    for one in chosen:
        if one.consent.answer is PrintAnswer.ASKED:
            by_teller[one.teller.id].append(one)
    questions = []
    for _, waiting in sorted(by_teller.items()):  # in one order: two who ask several do not wait for each other
        if any(_question_key(magazine.id, one.story.id) in planned for one in waiting):
            continue
        question = to_person(
            waiting[0].teller,
            ASKED,
            key=_question_key(magazine.id, waiting[0].story.id),
            now=turn.now,
            movement=magazine.movement_id,
            subject=magazine.id,
            priority=Priority.FROM_A_PERSON,
            expires_at=turn.now + ASK_TTL,
            args={"story": waiting[0].story.id, "by": turn.person.id},
        )
        questions.append(question)
    await work.together(*(work.deliveries.add_ask(one, turn.now, postpone=True) for one in questions))


def _question_key(magazine: MagazineId, story: str) -> str:
    return f"{ASKED}:{magazine}:{story}"


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question to a teller about one story, with its page. Raises `Unwanted` when there is none (any more)
    that they did not answer about."""
    movement, teller, args = outgoing.require_movement(), outgoing.person, outgoing.delivery.args
    magazine = await work.magazines.get(MagazineId(outgoing.delivery.subject), movement.id)
    if magazine is None or teller is None:
        raise Unwanted("gone")
    waiting = [
        one
        for one in await _load_chosen(work, magazine)
        if one.teller.id == teller.id and one.consent.answer is PrintAnswer.ASKED
    ]
    if not waiting:
        raise Unwanted("answered")
    asked = next((one for one in waiting if one.story.id == args.get("story")), waiting[0])
    by = await work.people.get(PersonId(str(args.get("by", ""))), movement.id)
    return PrintAsked(
        magazine=magazine.id,
        title=magazine.title,
        story=asked.story.id,
        text=asked.story.text,
        words=magazine.words,
        name=teller.name if asked.story.named else "",
        by=by.name_in(teller.workspace_id) if by is not None and by.account is not None else "",
        movement=movement.name,
        about=await work.initiatives.name(asked.story.initiative_id, movement.id),
        more=len(waiting) - 1,
    )


async def agree(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that a story of the actor's own may be printed, and under which name."""
    magazine, consent, story = await _load_own(work, turn)
    name = PrintName(turn.text("name")) if turn.text("name") in tuple(PrintName) else PrintName.NONE
    consent.agree(name if story.named else PrintName.NONE, turn.now)
    await _ask_next(work, turn, magazine)
    return InPlace(
        entry=PrintAgreed(
            magazine=magazine.id,
            story=story.id,
            title=magazine.title,
            name=credit_in_print(story, turn.person, consent.shown_name),
        )
    )


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that a story of the actor's own is not to be printed; nobody hears of it."""
    magazine, consent, _ = await _load_own(work, turn)
    consent.decline(turn.now)
    await _ask_next(work, turn, magazine)
    return InPlace(entry=PrintDeclined(title=magazine.title))


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take back a yes: the story is gone from the page, and from every later print."""
    magazine, consent, _ = await _load_own(work, turn)
    consent.decline(turn.now)
    return InPlace(entry=PrintTakenBack(title=magazine.title), on_page=True)


async def _load_own(work: UnitOfWork, turn: Turn) -> tuple[Magazine, PrintConsent, Story]:
    """Return a magazine, and the actor's own story in it. Raises `Refused` for another's, and one that is gone."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    consent = await work.magazines.consent(
        MagazineId(turn.text("magazine")), StoryId(turn.text("story")), turn.person.id
    )
    magazine = await work.magazines.get(consent.magazine_id, consent.movement_id) if consent is not None else None
    if story is None or not story.is_told or consent is None or magazine is None:
        raise Refused("not_found")
    return magazine, consent, story


async def _ask_next(work: UnitOfWork, turn: Turn, magazine: Magazine) -> None:
    """Plan the question about another story of the actor, who is answering now."""
    await work.flush()
    waiting = [
        one
        for one in await _load_chosen(work, magazine)
        if one.teller.id == turn.person.id and one.consent.answer is PrintAnswer.ASKED
    ]
    if waiting:
        await work.deliveries.add(
            to_person(
                turn.person,
                ASKED_NEXT,
                key=f"{ASKED_NEXT}:{magazine.id}:{waiting[0].story.id}",
                now=turn.now,
                movement=magazine.movement_id,
                subject=magazine.id,
                due_at=turn.now + PRINT_DELAY,
                expires_at=turn.now + ASK_TTL,
                args={"story": waiting[0].story.id},
            )
        )


# -- reading -----------------------------------------------------------------------------------------------------------


async def look(work: UnitOfWork, turn: Turn) -> Entry:
    """Show a magazine in chat: what it is, and the actor's own stories in it."""
    movement = turn.require_movement()
    magazine = await _load_readable(work, turn)
    stories = choose_for_print(await work.magazines.candidates(magazine.id, movement.id))
    own = [one.story for one in stories if one.teller.id == turn.person.id]
    page = _choose_page(turn.text("page"), len(own))
    listed = own[OWN_LISTED * page : OWN_LISTED * (page + 1)]
    return MagazineShown(
        magazine=magazine.id,
        title=magazine.title,
        words=magazine.words,
        count=len(stories),
        own=tuple(OwnPrinted(story=story.id, text=story.text) for story in listed),
        page=page,
        more=len(own) - OWN_LISTED * page - len(listed),
    )


def _choose_page(typed: str, many: int) -> int:
    """Return the page that is asked for; the first where that is not there (any more)."""
    page = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else 0
    return page if OWN_LISTED * page < many else 0


async def show_page(work: UnitOfWork, turn: Turn) -> MagazinePage:
    """Show a magazine on a page of its own."""
    magazine = await _load_readable(work, turn)
    printed, own = await work.together(
        load_print(work, turn.require_movement(), magazine.id), _find_own_initiatives(work, turn)
    )
    if printed is None:
        raise Refused("not_found")
    carried = {one.id for one in own}
    reader = Reader(language=turn.language, timezone=turn.timezone, now=turn.now)
    return make_page(printed, reader, turn.person.id, making=_makes(turn, magazine, carried))


async def show_shelf(work: UnitOfWork, turn: Turn) -> MagazineList:
    """Show the magazines that everyone can read, on the page of the movement. Raises `Refused` when there are none."""
    every = await work.magazines.of_movement(turn.require_movement().id, MAGAZINES_KEPT_OPEN)
    readable = [one for one in every if one.shown_at is not None][:MAGAZINES_LISTED]
    if not readable:
        raise Refused("nothing_to_print")
    return MagazineList(magazines=_list_others(readable))


async def show_newest(work: UnitOfWork, turn: Turn) -> MagazineList:
    """Show the newest magazines that a coordinator makes, who can begin one too; others may not read them yet."""
    every = await work.magazines.of_movement(turn.require_coordinator().id, MAGAZINES_LISTED)
    return MagazineList(magazines=_list_others(every), makes=True)


async def _load_readable(work: UnitOfWork, turn: Turn) -> Magazine:
    """Return a magazine that the actor may read: everyone can, or they make it."""
    magazine = await work.magazines.get(MagazineId(turn.text("magazine")), turn.require_movement().id)
    if magazine is None or not await may_read(work, magazine, turn.person.id):
        raise Refused("not_found")
    return magazine


# -- printing ----------------------------------------------------------------------------------------------------------


async def ask_print(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the file with a magazine for the actor; pressed twice, it comes once. Raises `Refused` when no story may be
    printed now."""
    movement, now = turn.require_movement(), turn.now
    magazine = await _load_readable(work, turn)
    if not choose_for_print(await _load_chosen(work, magazine)):
        raise Refused("nothing_to_print")
    paper = PaperSize(turn.text("paper")) if turn.text("paper") in tuple(PaperSize) else PaperSize.A4
    key = f"{MAGAZINE_FILE}:{magazine.id}:{paper.value}:{turn.person.id}:{now:%Y%m%dT%H%M}"
    if await work.deliveries.by_key(key) is not None:
        return MagazineComing(title=magazine.title)
    file = PersonalFile.ask(turn.person, now, f"magazine_{paper.value}", subject=magazine.id)
    file.made_at = now
    work.files.add(file)
    file.send_again(now)
    await work.deliveries.add(
        to_person(
            turn.person,
            MAGAZINE_FILE,
            key=key,
            now=now,
            movement=movement.id,
            subject=file.id,
            due_at=now if turn.intent.answerable else now + PRINT_DELAY,
            expires_at=file.expires_at,
        )
    )
    return MagazineComing(title=magazine.title)


async def compose_file(work: UnitOfWork, outgoing: Outgoing) -> MagazineFile:
    """Word the message with a magazine, which is set when it is given. Raises `Unwanted` when no story may be printed
    any more, or its reader may not read it."""
    movement = outgoing.require_movement()
    file = await work.files.get(PersonalFileId(outgoing.delivery.subject))
    if file is None or outgoing.person is None or file.person_id != outgoing.person.id:
        raise Unwanted("gone")
    magazine = await work.magazines.get(MagazineId(file.subject), movement.id)
    if magazine is None or not await may_read(work, magazine, outgoing.person.id):
        raise Unwanted("gone")
    printed = choose_for_print(await _load_chosen(work, magazine))
    if not printed:
        raise Unwanted("withdrawn")
    return MagazineFile(
        file=file.id,
        until=outgoing.now + LINK_TTL,
        magazine=magazine.id,
        name=magazine.title,
        paper=file.kind.removeprefix("magazine_"),
        count=len(printed),
    )
