"""Invite somebody in one's own words, and answer an invitation."""

from bot import wording
from bot.catalogue.base import Entry, InPlace
from bot.catalogue.connecting import (
    GONE,
    Introduced,
    IntroductionAsked,
    InvitationAnswered,
    InvitationNews,
    InvitationReceived,
    InvitationSent,
    InvitationTakenBack,
    InvitationWithdrawn,
    InviteDraft,
    InviteForm,
)
from bot.catalogue.forms import parse_form
from bot.domain.asks import MONTH
from bot.domain.connectors import (
    ANSWER_KINDS,
    ASK_AGAIN,
    MET_AFTER,
    QUIET_AFTER,
    Invitation,
    InvitationId,
    InvitationState,
    invitation_key,
    plan_invitation,
    plan_quiet_news,
    plan_withdrawal,
)
from bot.domain.delivery import Act, Delivery, DeliveryState, Priority, to_person
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.person import Person, PersonId
from bot.domain.story import Retelling, Story, StoryId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.ports.turn import language_for, timezone_for
from bot.wording import Reader

SETTLED = (InvitationState.MET, InvitationState.NOT_MET, InvitationState.TAKEN_BACK)
"""States that an answer changes no more."""


async def invite(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form with a draft to make one's own, in the language of the one who is invited.

    The draft holds what the actor chose (whom, for which initiative, about which of their stories), and nothing of how
    they are stuck.
    """
    invitee, initiative = await _check_invitee(work, turn)
    movement = turn.require_movement()
    reader = Reader(
        language=language_for(invitee, None, movement), timezone=timezone_for(invitee, None, movement), now=turn.now
    )
    draft = InviteDraft(
        name=invitee.name,
        initiative=initiative.name if initiative else "",
        inviter=turn.person.name,
        story=await _story_text(work, turn, invitee),
    )
    own = Reader(language=turn.language, timezone=turn.timezone, now=turn.now)
    is_foreign = reader.language is not own.language
    return InviteForm(
        name=invitee.name,
        initiative=initiative.name if initiative else "",
        language=reader.language.value if is_foreign else "",
        meaning=wording.render_entry(draft, own).text if is_foreign else "",
        values={"text": wording.render_entry(draft, reader).text},
        hidden={"person": invitee.id, "initiative": initiative.id if initiative else ""},
    )


async def _story_text(work: UnitOfWork, turn: Turn, invitee: Person) -> str:
    """Return the words of the story they are asked about, if it is theirs, under their name, for the actor to read."""
    story = await work.stories.get(StoryId(turn.text("story")), turn.require_movement().id)
    is_theirs = story is not None and story.teller_id == invitee.id and story.named
    return story.text if story is not None and is_theirs and story.may_travel else ""


async def send(work: UnitOfWork, turn: Turn) -> Entry:
    """Send what was filled in, in the inviter's name: submitting the form is the confirmation. Submitted twice, it is
    sent once."""
    movement = turn.require_movement()
    text = parse_form(InviteForm, turn.intent.args).text("text")
    whom, about = PersonId(turn.text("person")), turn.text("initiative")
    before = await work.connecting.invitations_between(turn.person.id, whom, movement.id, turn.now - MONTH)
    same = next((one for one in before if (one.initiative_id or "") == about and one.text == text), None)
    if same is not None:
        known = await work.people.get(whom, movement.id)
        name = known.name if known is not None else ""
        return InvitationSent(name=name, text=text, told=turn.person.will_read(turn.now), invitation=same.id)
    invitee, initiative = await _check_invitee(work, turn)
    invitation = Invitation(
        id=InvitationId(new_id()),
        movement_id=movement.id,
        initiative_id=initiative.id if initiative else None,
        inviter_id=turn.person.id,
        invitee_id=invitee.id,
        text=text,
        place_id=turn.place.id if turn.place else None,
        sent_at=turn.now,
    )
    if not await work.deliveries.add_ask(plan_invitation(invitation, invitee, turn.now, number=0), turn.now):
        raise Refused("cannot_be_asked")
    work.connecting.add(invitation)
    await work.deliveries.add(plan_quiet_news(invitation, turn.person, turn.now, number=0))
    return InvitationSent(name=invitee.name, text=text, told=turn.person.will_read(turn.now), invitation=invitation.id)


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take back an invitation that was not answered yet: it is not sent any more, and where it stands, it is replaced
    by the words that it was taken back."""
    movement = turn.require_movement()
    invitation = await work.connecting.invitation(InvitationId(turn.text("invitation")), movement.id)
    if invitation is None or invitation.inviter_id != turn.person.id:
        raise Refused("invitation_gone")
    invitee, *sent = await work.together(
        work.people.get(invitation.invitee_id, movement.id),
        *(work.deliveries.by_key(invitation_key(invitation.id, number)) for number in (0, 1)),
    )
    replaced = plan_withdrawal([one for one in sent if one is not None], turn.now)
    name = await _name_to_inviter(work, turn.person, invitation, invitee)
    if not invitation.awaits_answer:
        answered = invitation.state is not InvitationState.TAKEN_BACK
        return InPlace(entry=InvitationWithdrawn(name=name, answered=answered, arrived=bool(replaced)))
    invitation.take_back()
    kinds = ("invitation", *ANSWER_KINDS)
    await work.together(*(work.deliveries.cancel(kind, invitation.id, "taken_back") for kind in kinds))
    for change in replaced:
        await work.deliveries.add(change)
    return InPlace(entry=InvitationWithdrawn(name=name, arrived=bool(replaced)))


async def compose_taken_back(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what replaces an invitation that was taken back."""
    invitation = await _load_invitation(work, outgoing)
    inviter = await _load_inviter(work, invitation)
    return InvitationTakenBack(inviter=inviter.name if inviter is not None else "")


async def _check_invitee(work: UnitOfWork, turn: Turn) -> tuple[Person, Initiative | None]:
    """Return whom to invite, and for which initiative.

    Raises `Refused` for one who did not agree to be suggested in this movement; with the same words for one who wants
    nothing now, was asked enough, or was invited for this initiative within a month: which, is theirs.
    """
    movement, whom = turn.require_movement(), PersonId(turn.text("person"))
    about = InitiativeId(turn.text("initiative"))
    initiative = await work.initiatives.get(about, movement.id) if about else None
    invitee, agreed, asked_enough, *invited = await work.together(
        work.people.get(whom, movement.id),
        work.people.suggestible_in(movement.id),
        work.deliveries.asked_enough([whom], turn.now),
        *([work.connecting.invited_for(about, movement.id, turn.now - MONTH)] if about else []),
    )
    if invitee is None or invitee.id == turn.person.id or invitee.id not in agreed:
        raise Refused("not_found")
    if not invitee.may_be_named_in(turn.person.workspace_id):
        raise Refused("not_found")
    if about and initiative is None:
        raise Refused("not_found")
    if not invitee.can_be_suggested(turn.now) or asked_enough or any(whom in one for one in invited):
        raise Refused("cannot_be_asked")
    return invitee, initiative


async def compose_invitation(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose an invitation. Raises `Unwanted` when it was answered meanwhile, the inviter is gone, or the invitee does
    not want to be suggested any more."""
    invitation = await _load_invitation(work, outgoing)
    if not invitation.awaits_answer or await _is_unwelcome(work, invitation):
        raise Unwanted("already_chosen")
    inviter = await _load_inviter(work, invitation)
    if inviter is None:
        raise Unwanted("taken_back")
    story = await _load_story(work, invitation)
    if invitation.story_id is not None and (
        story is None or await work.stories.ripple(story.id, invitation.inviter_id) is None
    ):
        raise Unwanted("withdrawn")
    await _await_answer(work, outgoing, invitation, inviter)
    if story is not None:
        return IntroductionAsked(
            invitation=invitation.id, name=inviter.name, text=story.text, told=inviter.will_read(outgoing.now)
        )
    return InvitationReceived(
        invitation=invitation.id,
        inviter=inviter.name,
        initiative=await _initiative_name(work, invitation),
        text=invitation.text,
        told=inviter.will_read(outgoing.now),
    )


async def _is_unwelcome(work: UnitOfWork, invitation: Invitation) -> bool:
    """Return whether the invitee took back their yes since. An invitation that they put off themselves still comes, and
    so does an offer about a story of theirs: neither rests on that."""
    if invitation.state is InvitationState.LATER or invitation.story_id is not None:
        return False
    member = await work.movements.membership(invitation.movement_id, invitation.invitee_id)
    return member is not None and member.suggestible is False


async def _await_answer(work: UnitOfWork, outgoing: Outgoing, invitation: Invitation, inviter: Person) -> None:
    """Plan the news that it stayed quiet from the moment that the invitation really goes out."""
    number = int(str(outgoing.delivery.args.get("number", 0)))
    news = plan_quiet_news(invitation, inviter, outgoing.now, number=number)
    planned = await work.deliveries.by_key(news.key)
    if planned is None:
        await work.deliveries.add(news)
    elif planned.state is DeliveryState.WAITING:
        planned.reschedule(outgoing.now + QUIET_AFTER, "")


async def accept(work: UnitOfWork, turn: Turn) -> InPlace:
    """Accept an invitation: its inviter is told now, and asked after `MET_AFTER` whether they met."""
    invitation, inviter = await _record_answer(work, turn, InvitationState.ACCEPTED)
    if inviter is not None and invitation.state is InvitationState.ACCEPTED:
        await work.deliveries.add(
            to_person(
                inviter,
                "did_you_meet",
                key=f"did_you_meet:{invitation.id}",
                now=turn.now,
                movement=invitation.movement_id,
                subject=invitation.id,
                priority=Priority.ASKED_FOR,
                due_at=turn.now + MET_AFTER,
            )
        )
    return await _confirm(work, turn, invitation, inviter)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Decline an invitation; its inviter is told."""
    return await _confirm(work, turn, *await _record_answer(work, turn, InvitationState.DECLINED))


async def postpone(work: UnitOfWork, turn: Turn) -> InPlace:
    """Answer later: the invitation is sent once more after `ASK_AGAIN`, or when they were asked less."""
    invitation, inviter = await _record_answer(work, turn, InvitationState.LATER)
    if inviter is not None and invitation.state is InvitationState.LATER:
        again = plan_invitation(invitation, turn.person, turn.now, number=1, due_at=turn.now + ASK_AGAIN)
        if await work.deliveries.add_ask(again, turn.now, postpone=True):
            return await _confirm(work, turn, invitation, inviter, planned=again)
    return await _confirm(work, turn, invitation, inviter)


async def _record_answer(work: UnitOfWork, turn: Turn, state: InvitationState) -> tuple[Invitation, Person | None]:
    """Record an answer, and tell the inviter of a new one; return the invitation and who sent it.

    An answer may be changed until they met (or not). It stays what it was when the inviter is gone (None).
    """
    movement = turn.require_movement()
    invitation = await work.connecting.invitation(InvitationId(turn.text("invitation")), movement.id)
    if invitation is None or invitation.invitee_id != turn.person.id:
        raise Refused("invitation_gone")
    inviter = await _load_inviter(work, invitation)
    if inviter is None or invitation.state in (state, *SETTLED):
        return invitation, inviter
    invitation.state, invitation.answered_at = state, turn.now
    await work.together(
        work.deliveries.cancel("did_you_meet", invitation.id, "already_chosen"),
        work.deliveries.cancel("invitation", invitation.id, "already_chosen"),
        # News that waits is worded from the answer as it is when it is sent: one is enough.
        *(work.deliveries.cancel(kind, invitation.id, "newer") for kind in ANSWER_KINDS),
    )
    await work.deliveries.add(
        to_person(
            inviter,
            "invitation_answered",
            key=f"invitation_answered:{invitation.id}:{turn.now.isoformat()}",
            now=turn.now,
            movement=movement.id,
            subject=invitation.id,
            priority=Priority.ASKED_FOR,
        )
    )
    return invitation, inviter


async def _load_inviter(work: UnitOfWork, invitation: Invitation) -> Person | None:
    """Return who sent an invitation; None when they were forgotten, left, or have no account any more."""
    inviter = await work.people.get(invitation.inviter_id, invitation.movement_id)
    return inviter if inviter is not None and inviter.account and inviter.deactivated_at is None else None


async def _confirm(
    work: UnitOfWork,
    turn: Turn,
    invitation: Invitation,
    inviter: Person | None,
    *,
    planned: Delivery | None = None,
) -> InPlace:
    """Return the card that replaces the invitation: what was answered, and what happens now. `planned`: the invitation
    that is sent once more, when it was planned just now."""
    again = None
    story = await _load_story(work, invitation)
    if story is not None and inviter is not None and invitation.said_yes:
        return InPlace(entry=Introduced(name=inviter.name, text=story.text, own=True))
    if invitation.state is InvitationState.LATER:
        planned = planned or await work.deliveries.by_key(invitation_key(invitation.id, 1))
        waits = planned is not None and planned.state is DeliveryState.WAITING
        again = planned.due_at if planned is not None and waits else None
    return InPlace(
        entry=InvitationAnswered(
            state=invitation.state.value if inviter is not None else GONE,
            inviter=inviter.name if inviter is not None else "",
            initiative=await _initiative_name(work, invitation),
            initiative_id=invitation.initiative_id or "",
            told=inviter is not None and inviter.suppression_reason(turn.now) is None,
            again=again,
        )
    )


async def compose_answer(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for an inviter how their invitation stands; two who both want it are introduced, and read the
    story again. Raises `Unwanted` when the invitee is gone."""
    invitation, delivery = await _load_invitation(work, outgoing), outgoing.delivery
    invitee = await work.people.get(invitation.invitee_id, invitation.movement_id)
    is_open = invitation.state in (InvitationState.SENT, InvitationState.TAKEN_BACK)
    if invitee is None or invitee.account is None or is_open or outgoing.person is None:
        raise Unwanted("taken_back")
    story = await _load_story(work, invitation)
    if invitation.story_id is not None and invitation.said_yes:
        if story is not None and delivery.act is Act.POST:
            work.stories.add(Retelling(story_id=story.id, delivery_id=delivery.id, movement_id=invitation.movement_id))
        return Introduced(name=invitee.name, text=story.text if story is not None else "")
    return InvitationNews(
        state="accepted" if invitation.said_yes else invitation.state.value,
        name=await _name_to_inviter(work, outgoing.person, invitation, invitee),
        invitation=invitation.id if invitation.story_id is None else "",
        story=invitation.story_id is not None,
    )


async def compose_quiet(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for an inviter that nothing was heard. Raises `Unwanted` when it was answered, when they heard
    this before, or when the invitee is gone."""
    invitation = await _load_invitation(work, outgoing)
    invitee = await work.people.get(invitation.invitee_id, invitation.movement_id)
    if invitee is None or invitee.account is None or outgoing.person is None:
        raise Unwanted("taken_back")
    told = await work.deliveries.about("invitation_quiet", invitation.id, invitation.movement_id)
    if not invitation.awaits_answer or any(one.may_have_arrived for one in told if one.id != outgoing.delivery.id):
        raise Unwanted("already_chosen")
    return InvitationNews(
        state="quiet",
        name=await _name_to_inviter(work, outgoing.person, invitation, invitee),
        invitation=invitation.id if invitation.story_id is None else "",
        story=invitation.story_id is not None,
    )


async def _load_story(work: UnitOfWork, invitation: Invitation) -> Story | None:
    """Return the story that two may be introduced about; None when there is none (any more)."""
    if invitation.story_id is None:
        return None
    story = await work.stories.get(invitation.story_id, invitation.movement_id)
    return story if story is not None and story.is_told else None


async def _name_to_inviter(work: UnitOfWork, inviter: Person, invitation: Invitation, invitee: Person | None) -> str:
    """Return the name of who was invited as the inviter may read it: of who told a story without a name, only once they
    said yes."""
    if invitee is None:
        return ""
    if invitation.story_id is None or invitation.said_yes:
        return invitee.name
    story = await work.stories.get(invitation.story_id, invitation.movement_id)
    return story.credit(invitee, inviter.workspace_id) if story is not None else ""


async def _load_invitation(work: UnitOfWork, outgoing: Outgoing) -> Invitation:
    invitation = await work.connecting.invitation(
        InvitationId(outgoing.delivery.subject), outgoing.require_movement().id
    )
    if invitation is None:
        raise Unwanted("taken_back")
    return invitation


async def _initiative_name(work: UnitOfWork, invitation: Invitation) -> str:
    if invitation.initiative_id is None:
        return ""
    initiative = await work.initiatives.get(invitation.initiative_id, invitation.movement_id)
    return initiative.name if initiative is not None else ""
