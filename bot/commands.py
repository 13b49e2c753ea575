"""What a command, button or form leads to: one table for what people do, one for what Ritme sends by itself.

An intent's name is a verb of a family ("stuck", "stuck.report"); its handler is a use case. A typed command arrives as
the intent "command" with `command` ("/stuck") and `text`; `understand` turns it into the intent it means.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.catalogue.base import Entry, InPlace
from bot.chat import Intent
from bot.domain.words import meaning, plain
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.use_cases import (
    company,
    connecting,
    deliveries,
    endings,
    follow_ups,
    groups,
    harvest,
    help,
    home,
    initiatives,
    introductions,
    invitations,
    linking,
    look_backs,
    movements,
    next_steps,
    people,
    places,
    purposes,
    reach,
    reminders,
    rhythms,
    ripples,
    saving,
    sharing,
    stories,
    stuck,
    threads,
    trouble,
)

Handler = Callable[[UnitOfWork, Turn], Awaitable[Entry | InPlace | None]]
Concerns = Callable[[UnitOfWork, Intent], Awaitable[bool]]
Hears = Callable[[UnitOfWork, Intent, datetime], Awaitable[None]]
Composer = Callable[[UnitOfWork, Outgoing], Awaitable[Entry]]

HANDLERS: dict[str, Handler] = {
    "help": help.answer,
    # a page of one's own
    "home": home.show,
    "home.opened": home.opened,
    "home.switch": home.switch,
    # movements
    "start": movements.start,
    "start.begin": movements.begin,
    "start.save": movements.save,
    "start.link": movements.link,
    "start.take_on": movements.take_on,
    "start.join": linking.join,
    "start.join.save": linking.save,
    "start.leave": linking.leave,
    "code": linking.show,
    "code.make": linking.make,
    "code.revoke": linking.revoke,
    "place.joined": movements.joined,
    "purpose": purposes.show,
    "purpose.change": purposes.change,
    "purpose.save": purposes.save,
    "purpose.earlier": purposes.earlier,
    "purpose.take_back": purposes.take_back,
    "initiative": initiatives.show_all,
    "initiative.look": initiatives.look,
    "initiative.make": initiatives.make,
    "initiative.describe": initiatives.describe,
    "initiative.save": initiatives.save,
    "initiative.join": initiatives.join,
    "initiative.leave": initiatives.leave,
    "initiative.close": initiatives.close,
    "initiative.reopen": initiatives.reopen,
    # rhythms
    "rhythm": rhythms.show,
    "rhythm.look": rhythms.look,
    "rhythm.new": rhythms.new,
    "rhythm.save": rhythms.save,
    "rhythm.moment": rhythms.change_moment,
    "rhythm.moment.save": rhythms.save_moment,
    "rhythm.pause": rhythms.pause,
    "rhythm.pause.save": rhythms.save_pause,
    "rhythm.resume": rhythms.resume,
    "rhythm.end": rhythms.end,
    "rhythm.slower": rhythms.slower,
    "rhythm.keep": rhythms.keep,
    "rhythm.place": places.show,
    "rhythm.place.save": places.save,
    # groups
    "groups": groups.ask,
    "groups.choose": groups.choose,
    "groups.save": groups.save,
    # trouble
    "trouble": trouble.show,
    "trouble.again": trouble.again,
    "trouble.leave": trouble.leave,
    "trouble.place": trouble.try_place,
    "trouble.knock": trouble.knock,
    # stuck
    "stuck": stuck.start,
    "stuck.new": stuck.new,
    "stuck.change": stuck.change,
    "stuck.report": stuck.report,
    "stuck.go_on": stuck.go_on,
    "stuck.not_now": endings.not_now,
    "stuck.moves_again": endings.moves_again,
    "stuck.let_go": endings.let_go,
    # company
    "company": company.offer,
    "company.ask": company.ask,
    "company.give": company.give,
    "company.save": company.save,
    "company.decline": company.decline,
    # the next step
    "step": next_steps.choose,
    "step.save": next_steps.save,
    "step.smaller": next_steps.smaller,
    "step.done": follow_ups.done,
    "step.else": follow_ups.something_else,
    "step.tell": follow_ups.tell,
    "step.not_yet": follow_ups.not_yet,
    "step.move": follow_ups.move,
    "step.still_stuck": follow_ups.still_stuck,
    "step.let_go": follow_ups.let_go,
    "chance": next_steps.chance,
    "chance.save": next_steps.save_chance,
    # connecting
    "nominate": connecting.nominate,
    "nominate.save": connecting.save_nominations,
    "suggest.yes": connecting.say_yes,
    "suggest.no": connecting.say_no,
    "connect": connecting.connect,
    "connect.look": connecting.look,
    "invite": invitations.invite,
    "invite.send": invitations.send,
    "invitation.accept": invitations.accept,
    "invitation.decline": invitations.decline,
    "invitation.later": invitations.later,
    "invitation.met": invitations.met,
    "invitation.not_met": invitations.not_met,
    "lookback": look_backs.look_back,
    # people
    "me": people.me,
    "me.settings": people.settings,
    "me.save": people.save,
    "me.snooze": people.snooze,
    "me.snooze.save": people.save_snooze,
    "me.wake": people.wake,
    "me.come_back": people.come_back,
    "me.export": people.export,
    "me.forget": people.forget,
    "stop": people.stop,
    # stories
    "story": stories.start,
    "story.save": stories.save,
    "story.change": stories.change,
    "story.withdraw": stories.withdraw,
    "story.mine": stories.mine,
    "story.read": stories.read_on,
    "story.keep": threads.keep,
    "story.here": threads.here,
    "story.forget": threads.forget,
    "story.take_back": threads.take_back,
    "story.save_message": saving.save,
    "saving.ask": saving.ask,
    "saving.keep": saving.keep,
    "saving.here": saving.here,
    "saving.no": saving.no,
    "saving.readers": saving.change_readers,
    "thread.mentioned": threads.mentioned,
    "thread.replied": threads.replied,
    "message.edited": threads.edited,
    "message.deleted": threads.deleted,
    "reaction.added": ripples.reacted,
    "reaction.removed": ripples.unreacted,
    "ripple": ripples.press,
    "ripple.undo": ripples.undo,
    "share": sharing.start,
    "share.save": sharing.save,
    "harvest": harvest.preview,
}
COMPOSERS: dict[str, Composer] = {
    "answer": deliveries.compose_answer,
    "went_quiet": deliveries.compose_went_quiet,
    "home": home.compose_home,
    "place_lost": reach.compose_place_lost,
    "groups_offered": groups.compose_offered,
    "place_joined": linking.compose_joined,
    "welcome": movements.compose_welcome,
    # rhythms
    "rhythm_purpose": reminders.compose_purpose,
    "rhythm_stories": reminders.compose_stories,
    "rhythm_check_in": reminders.compose_check_in,
    "rhythm_look_back": look_backs.compose_look_back,
    "pace_asked": reminders.compose_pace_asked,
    "moment_dropped": reminders.compose_moment_dropped,
    "stuck_posted": stuck.compose_stuck_posted,
    "company_asked": company.compose_company_asked,
    "company_together": company.compose_company_together,
    "step_posted": next_steps.compose_step_posted,
    "follow_up": follow_ups.compose_follow_up,
    # connecting
    "nominated": connecting.compose_nominated,
    "invitation": invitations.compose_invitation,
    "invitation_answered": invitations.compose_answered,
    "did_you_meet": invitations.compose_did_you_meet,
    # people
    "export": people.compose_export,
    # stories
    "story_posted": stories.compose_posted,
    "story_kept": threads.compose_kept,
    "story_asked": saving.compose_asked,
    "story_saved": saving.compose_saved,
    "story_ripple": ripples.compose_rippled,
    "story_shared": sharing.compose_shared,
    "story_travelled": sharing.compose_travelled,
    "rhythm_harvest": harvest.compose_harvest,
}
"""How each kind of delivery is worded; raises `Unwanted` when it should no longer go out."""

OPENS = frozenset(
    {
        "chance",
        "company.give",
        "connect",
        "groups.choose",
        "initiative.describe",
        "initiative.make",
        "invite",
        "me.settings",
        "me.snooze",
        "nominate",
        "purpose.change",
        "rhythm.moment",
        "rhythm.new",
        "rhythm.pause",
        "rhythm.place",
        "share",
        "start",
        "start.begin",
        "start.join",
        "step",
        "step.else",
        "step.not_yet",
        "step.smaller",
        "story",
        "story.change",
        "stuck",
        "stuck.change",
        "stuck.new",
    }
)
"""What opens a form when its button is pressed, nearly always: some platforms have another kind of button for that."""

OVERHEARD = frozenset({"thread.replied", "message.edited", "message.deleted", "reaction.added", "reaction.removed"})
"""What people do with each other, not with Ritme: acted upon only where a message of ours or a story is touched."""

NEWS: dict[str, tuple[Concerns, Hears]] = {
    "person.changed": (introductions.is_known, introductions.changed),
    "place.gone": (reach.is_known, reach.gone),
    "place.back": (reach.is_known, reach.back),
    "place.renamed": (reach.is_known, reach.renamed),
    "group.changed": (groups.is_known, groups.changed),
}
"""What a platform tells by itself, nobody acting: whether it concerns us, and what follows."""


def understand(intent: Intent) -> Intent:
    """A typed command as the intent it means: "/vast …", "/ritme kans …", "@Ritme stuck …", or words said to it alone.

    What is not understood becomes "help", with what was typed as its text.
    """
    if intent.name != "command":
        return intent
    command, text = intent.text("command").lstrip("/"), intent.text("text")
    if plain(command) not in ("", "ritme") and meaning(command):
        return replace(intent, name=meaning(command), args={"text": text})
    word, _, rest = text.partition(" ")
    name = meaning(word)
    if not name:
        unclear = "thread.mentioned" if intent.thread and not intent.place.personal else "help"
        return replace(intent, name=unclear, args={**intent.args, "text": text})
    return replace(intent, name=name, args={"text": rest.strip()})
