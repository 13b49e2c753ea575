"""Messages about inviting people: naming key figures, suggesting them, and the invitation itself."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.domain.connectors import MAX_NOMINEES, KeyFigure, Reason

MAX_INVITATION_CHARS = 600
"""Characters."""
GONE = "gone"
"""The state of an invitation whose inviter is not there any more, beside those of `InvitationState`."""


class NominateForm(FormEntry):
    """The form to name key figures, five names at most: who passes things on, who knows most, whom people trust."""

    intent: ClassVar[str] = "nominate.save"
    asks: ClassVar[tuple[Ask, ...]] = tuple(
        Ask(name=figure.value, kind="people", required=False, max_items=MAX_NOMINEES) for figure in KeyFigure
    )

    @classmethod
    def example(cls) -> Self:
        return cls()


class NominationsKept(Entry):
    """Thanks to the nominator. The words are the same whatever the named were asked or chose before."""

    names: tuple[str, ...]

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="connect", intent="connect"),)

    @classmethod
    def example(cls) -> Self:
        return cls(names=("Sanne", "Wim"))


class Nominated(Entry):
    """The question to someone who was named in the movement `name`, and as what, not by whom: may they be suggested?"""

    movement: str
    name: str
    figures: tuple[KeyFigure, ...]

    def buttons(self) -> tuple[Press, ...]:
        about = {"movement": self.movement, "figures": " ".join(self.figures)}
        return (
            Press(name="yes", intent="suggest.yes", args=about, style="primary"),
            Press(name="no", intent="suggest.no", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(movement="m1", name="Samen vooruit", figures=(KeyFigure.CONNECTOR, KeyFigure.MAVEN))


class MayBeSuggested(Entry):
    """The reply to their answer, yes or no, about the movement of this name; both are fine. A yes is taken back with
    one press, in the movement of the id `withdraw`."""

    yes: bool
    movement: str = ""
    movement_id: str = ""
    """The movement in which one press ends it, after a yes."""

    def buttons(self) -> tuple[Press, ...]:
        settings = Press(name="settings", intent="me")
        if not self.yes or not self.movement_id:
            return (settings,)
        return (Press(name="withdraw", intent="suggest.no", args={"movement": self.movement_id}), settings)

    @classmethod
    def example(cls) -> Self:
        return cls(yes=True, movement="Samen vooruit", movement_id="m1")


class ConnectForm(FormEntry):
    """The form to look for people to invite: for which initiative, and which kind of key figure."""

    intent: ClassVar[str] = "connect.look"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="initiative", kind="choice"),
        Ask(name="figure", kind="choice", options=tuple(KeyFigure)),
    )

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class SuggestedPerson:
    """A suggested person, with one `reason`: named by colleagues or said by themselves to be `figure`, knowing people
    in groups (`reaches`), belonging to `group` (empty when it may not be named, or takes part already), or only that
    they agreed. And who of the initiative knows them, "" when nobody of whom that may be told."""

    id: str
    name: str
    figure: KeyFigure
    known_by: str
    known_by_you: bool
    group: str
    reason: str = Reason.SAID.value
    reaches: tuple[str, ...] = ()


class Suggested(Entry):
    """The people suggested together for an initiative, with the reasons. `together`: the groups that several of them
    reach, which are not in it yet; `strangers`: as far as may be told, they do not know each other."""

    initiative: str
    initiative_name: str
    people: tuple[SuggestedPerson, ...]
    figure: str = KeyFigure.CONNECTOR.value
    together: tuple[str, ...] = ()
    strangers: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.initiative, "people": " ".join(one.id for one in self.people)}
        return (
            *(
                Press(
                    name=f"invite_{number}",
                    intent="invite",
                    args={"initiative": self.initiative, "person": one.id},
                    style="primary" if number == 1 else "normal",
                )
                for number, one in enumerate(self.people, 1)
            ),
            Press(name="why_these", intent="connect.why", args=about),
            Press(name="someone_else", intent="connect.other", args={**about, "figure": self.figure}),
            Press(name="set_aside", intent="connect.not_now", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        sanne = SuggestedPerson(
            id="p1",
            name="Sanne",
            figure=KeyFigure.CONNECTOR,
            known_by="Fatima",
            known_by_you=False,
            group="Nachtdienst",
            reason=Reason.NAMED.value,
        )
        wim = SuggestedPerson(
            id="p2",
            name="Wim",
            figure=KeyFigure.CONNECTOR,
            known_by="Jan",
            known_by_you=True,
            group="",
            reason=Reason.REACHES.value,
            reaches=("Thuiszorg",),
        )
        priya = replace(wim, id="p3", name="Priya", known_by="", known_by_you=False, reason=Reason.AGREED.value)
        return cls(
            initiative="i1",
            initiative_name="Wandelen na het eten",
            people=(sanne, wim, priya),
            together=("Nachtdienst", "Thuiszorg"),
            strangers=True,
        )


@dataclass(frozen=True, kw_only=True)
class GroupInPicture:
    """A group in the picture: whether somebody of it takes part, and who of those suggested belong to it or know people
    in it (`by`)."""

    name: str
    inside: bool
    by: tuple[str, ...] = ()


class WhyThese(Entry):
    """A small picture of the groups of a movement, with nobody in it but those who were suggested (`names`), and how
    Ritme chooses. `more`: there are more groups."""

    names: tuple[str, ...]
    groups: tuple[GroupInPicture, ...]
    more: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="nominate", intent="nominate"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            names=("Sanne", "Wim"),
            groups=(
                GroupInPicture(name="Nachtdienst", inside=False, by=("Sanne", "Wim")),
                GroupInPicture(name="Dagdienst", inside=True),
                GroupInPicture(name="Staf", inside=False),
            ),
        )


class SuggestionsRest(Entry):
    """The answer to who does not want to invite those who were suggested now: they are left out for a while."""

    names: tuple[str, ...]
    initiative: str = ""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="connect", intent="connect", args={"initiative": self.initiative}),)

    @classmethod
    def example(cls) -> Self:
        return cls(names=("Sanne", "Wim"), initiative="i1")


class TooFewTies(Entry):
    """The plain answer that nobody can be suggested, or nobody else (`more`); naming colleagues helps."""

    figure: KeyFigure
    more: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="nominate", intent="nominate", style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(figure=KeyFigure.CONNECTOR)


class InviteForm(FormEntry):
    """The form with a drafted invitation, sent in the inviter's name when submitted.

    `language` and `meaning` when the draft is not in the inviter's language: which it is, and what it says in theirs.
    """

    intent: ClassVar[str] = "invite.send"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="text", kind="long_text", max_length=MAX_INVITATION_CHARS),)
    name: str = ""
    initiative: str = ""
    language: str = ""
    meaning: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Sanne",
            initiative="Wandelen na het eten",
            language="en",
            meaning="Hoi Sanne, mag ik je iets vragen over Wandelen na het eten? Groet, Fatima",
            values={"text": "Hi Sanne, may I ask you something about Wandelen na het eten? Best, Fatima"},
        )


class InviteDraft(Entry):
    """The draft that prefills `InviteForm`, in the language of the invited person; never sent by itself. `story`: the
    words of a story of theirs that it is about."""

    name: str
    initiative: str
    inviter: str
    story: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(name="Sanne", initiative="Wandelen na het eten", inviter="Fatima")


class InvitationSent(Entry):
    """Confirmation to the inviter, with the text that was sent. `told`: they hear the answer; not when they stopped
    Ritme. `invitation`: the one that they may take back until it is answered."""

    name: str
    text: str
    told: bool = True
    invitation: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.invitation:
            return ()
        return (Press(name="take_back", intent="invitation.take_back", args={"invitation": self.invitation}),)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Sanne", text="Hoi Sanne, heb je zin om eens mee te denken?", invitation="v1")


class InvitationWithdrawn(Entry):
    """The answer to the inviter who takes an invitation back. `answered`: it was answered before, so it stands;
    `arrived`: the invitee may have read it, and sees that it was taken back."""

    name: str
    answered: bool = False
    arrived: bool = True

    @classmethod
    def example(cls) -> Self:
        return cls(name="Sanne")


class InvitationTakenBack(Entry):
    """The words that replace an invitation which the inviter took back, in the chat of who was invited."""

    inviter: str

    @classmethod
    def example(cls) -> Self:
        return cls(inviter="Fatima")


def answers_to(invitation: str) -> tuple[Press, ...]:
    """Return the buttons by which an invitation is answered."""
    about = {"invitation": invitation}
    return (
        Press(name="accept", intent="invitation.accept", args=about, style="primary"),
        Press(name="later", intent="invitation.later", args=about),
        Press(name="decline", intent="invitation.decline", args=about),
    )


class InvitationReceived(Entry):
    """The invitation as the invited person reads it, in the inviter's words. `told`: the inviter hears the answer; not
    while they want no messages."""

    invitation: str
    inviter: str
    initiative: str
    text: str
    told: bool = True

    def buttons(self) -> tuple[Press, ...]:
        return answers_to(self.invitation)

    @classmethod
    def example(cls) -> Self:
        return cls(
            invitation="v1",
            inviter="Fatima",
            initiative="Wandelen na het eten",
            text="Hoi Sanne, heb je zin om eens mee te denken over de avonden?",
        )


class InvitationAnswered(Entry):
    """The reply to the invited person's answer. `state` is that of the invitation, or `GONE`.

    `told`: the inviter hears the answer; not when they have stopped or snoozed Ritme. `again`: from when on it is asked
    once more, if it is.
    """

    state: str
    inviter: str
    initiative: str
    initiative_id: str
    told: bool = True
    again: datetime | None = None

    def buttons(self) -> tuple[Press, ...]:
        if self.state != "accepted" or not self.initiative_id:
            return ()
        return (Press(name="join", intent="initiative.join", args={"initiative": self.initiative_id}),)

    @classmethod
    def example(cls) -> Self:
        return cls(state="accepted", inviter="Fatima", initiative="Wandelen na het eten", initiative_id="i1")


class InvitationNews(Entry):
    """The invited person's answer, for the inviter, or ("quiet") that there is none yet. `invitation`: the one after
    which they may look further, without that person. `story`: it was about being introduced to who told a story, whose
    `name` is empty when it was told without one."""

    state: str
    name: str
    invitation: str = ""
    story: bool = False

    def buttons(self) -> tuple[Press, ...]:
        if self.state == "accepted" or self.story:
            return ()
        return (Press(name="connect", intent="connect", args={"invitation": self.invitation}),)

    @classmethod
    def example(cls) -> Self:
        return cls(state="accepted", name="Sanne")


class IntroductionOffered(Entry):
    """Confirmation to somebody who lets the teller of a story (`name`; empty for a nameless one) know that they do this
    too. `told`: they hear the answer; not when they stopped Ritme. They may take it back until it is answered."""

    name: str
    invitation: str
    told: bool = True

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="take_back", intent="invitation.take_back", args={"invitation": self.invitation}),)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima", invitation="v1")


class IntroductionAsked(Entry):
    """The question to the teller of a story whether they want to meet `name`, who does this too. `told`: they hear the
    answer."""

    invitation: str
    name: str
    text: str
    told: bool = True

    def buttons(self) -> tuple[Press, ...]:
        return answers_to(self.invitation)

    @classmethod
    def example(cls) -> Self:
        return cls(invitation="v1", name="Jan", text="We liepen na het eten een rondje. Mevrouw liep mee.")


class Introduced(Entry):
    """The introduction, in the own chat of each of two who do the same and both wanted it: who the other is, and the
    story; `own` to who told it. `text` is empty when it was taken back since."""

    name: str
    text: str
    own: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(name="Jan", text="We liepen na het eten een rondje. Mevrouw liep mee.", own=True)


class DidYouMeet(Entry):
    """The question to the inviter, a week after a yes, whether they met `name`; and then to the invitee, `to_confirm`
    what the inviter said. `introduced`: about a story, without an invitation of their own."""

    invitation: str
    name: str
    to_confirm: bool = False
    introduced: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"invitation": self.invitation}
        return (
            Press(name="met", intent="invitation.met", args=about, style="primary"),
            Press(name="not_met", intent="invitation.not_met", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(invitation="v1", name="Sanne")


class MeetingNoted(Entry):
    """Thanks for telling whether they met; after a meeting a story is welcome. `invitation`: the one after which the
    inviter may look further; empty when that was offered before."""

    met: bool
    name: str
    initiative: str
    invitation: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.met and self.invitation:
            return (Press(name="connect", intent="connect", args={"invitation": self.invitation}),)
        if not self.met:
            return ()
        about = {"initiative": self.initiative} if self.initiative else {}
        return (Press(name="tell", intent="story", args=about, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(met=True, name="Sanne", initiative="i1")
