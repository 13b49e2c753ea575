"""What a command, button or form leads to: one table for what people do, one for what Ritme sends by itself.

An intent's name is a verb of a family ("stuck", "stuck.report"); its handler is a use case. A typed command arrives as
the intent "command" with `command` ("/stuck") and `text`; `understand` turns it into the intent it means.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.catalogue.base import Entry, InPlace
from bot.chat import Intent
from bot.domain.person import Language
from bot.domain.words import Vocabulary, plain
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.use_cases.connecting import invitations, suggestions
from bot.use_cases.movements import groups, initiatives, linking, look_backs, purposes, starting
from bot.use_cases.outbox import answers, reach, trouble
from bot.use_cases.people import help, home, introductions, settings
from bot.use_cases.rhythms import changing, places, reminders
from bot.use_cases.stories import harvest, ripples, saving, sharing, telling, threads
from bot.use_cases.stuck import company, endings, follow_ups, next_steps, reporting

Handler = Callable[[UnitOfWork, Turn], Awaitable[Entry | InPlace | None]]
Concerns = Callable[[UnitOfWork, Intent], Awaitable[bool]]
Hears = Callable[[UnitOfWork, Intent, datetime], Awaitable[None]]
Composer = Callable[[UnitOfWork, Outgoing], Awaitable[Entry]]


@dataclass(frozen=True)
class Command:
    """What an intent leads to.

    `en` and `nl` are the words by which it can be typed, with spaces between them; help names the first. `form`:
    pressing its button opens a form, nearly always (some platforms have another kind of button for that).
    """

    handler: Handler
    en: str = ""
    nl: str = ""
    form: bool = False

    def words(self, language: Language) -> Sequence[str]:
        """Return the words of a language by which it can be typed."""
        return (self.nl if language is Language.NL else self.en).split()


COMMANDS: dict[str, Command] = {
    "help": Command(help.answer, en="help", nl="hulp"),
    # a page of one's own
    "home": Command(home.show, en="home", nl="thuis overzicht"),
    "home.opened": Command(home.opened),
    "home.switch": Command(home.switch),
    # movements
    "start": Command(starting.start, en="start", nl="start begin", form=True),
    "start.begin": Command(starting.begin, form=True),
    "start.save": Command(starting.save),
    "start.link": Command(starting.link),
    "start.take_on": Command(starting.take_on),
    "start.join": Command(linking.join, en="join", nl="aansluiten", form=True),
    "start.join.save": Command(linking.save),
    "start.leave": Command(linking.leave),
    "code": Command(linking.show, en="code", nl="code koppelcode"),
    "code.make": Command(linking.make),
    "code.revoke": Command(linking.revoke),
    "place.joined": Command(starting.joined),
    "purpose": Command(purposes.show, en="purpose", nl="bedoeling"),
    "purpose.change": Command(purposes.change, form=True),
    "purpose.save": Command(purposes.save),
    "purpose.earlier": Command(purposes.earlier),
    "purpose.take_back": Command(purposes.take_back),
    "initiative": Command(initiatives.show_all, en="initiative initiatives", nl="initiatief initiatieven beginnetje"),
    "initiative.look": Command(initiatives.look),
    "initiative.make": Command(initiatives.make, form=True),
    "initiative.describe": Command(initiatives.describe, form=True),
    "initiative.save": Command(initiatives.save),
    "initiative.join": Command(initiatives.join),
    "initiative.leave": Command(initiatives.leave),
    "initiative.close": Command(initiatives.close),
    "initiative.reopen": Command(initiatives.reopen),
    # rhythms
    "rhythm": Command(changing.show, en="rhythm", nl="ritme"),
    "rhythm.look": Command(changing.look),
    "rhythm.new": Command(changing.new, form=True),
    "rhythm.save": Command(changing.save),
    "rhythm.moment": Command(changing.change_moment, form=True),
    "rhythm.moment.save": Command(changing.save_moment),
    "rhythm.pause": Command(changing.pause, form=True),
    "rhythm.pause.save": Command(changing.save_pause),
    "rhythm.resume": Command(changing.resume),
    "rhythm.end": Command(changing.end),
    "rhythm.slower": Command(changing.slower),
    "rhythm.keep": Command(changing.keep),
    "rhythm.place": Command(places.show, form=True),
    "rhythm.place.save": Command(places.save),
    # groups
    "groups": Command(groups.ask, en="groups group", nl="groepen groep"),
    "groups.choose": Command(groups.choose, form=True),
    "groups.save": Command(groups.save),
    # trouble
    "trouble": Command(trouble.show, en="trouble", nl="hapering haperingen"),
    "trouble.again": Command(trouble.again),
    "trouble.leave": Command(trouble.leave),
    "trouble.place": Command(trouble.try_place),
    "trouble.knock": Command(trouble.knock),
    # stuck
    "stuck": Command(reporting.start, en="stuck", nl="vast vastgelopen", form=True),
    "stuck.new": Command(reporting.new, form=True),
    "stuck.change": Command(reporting.change, form=True),
    "stuck.report": Command(reporting.report),
    "stuck.go_on": Command(reporting.go_on),
    "stuck.not_now": Command(endings.not_now),
    "stuck.moves_again": Command(endings.moves_again),
    "stuck.let_go": Command(endings.let_go),
    # company
    "company": Command(company.offer),
    "company.ask": Command(company.ask),
    "company.give": Command(company.give, form=True),
    "company.save": Command(company.save),
    "company.decline": Command(company.decline),
    # the next step
    "step": Command(next_steps.choose, en="step", nl="stapje stap", form=True),
    "step.save": Command(next_steps.save),
    "step.smaller": Command(next_steps.smaller, form=True),
    "step.done": Command(follow_ups.done),
    "step.else": Command(follow_ups.something_else, form=True),
    "step.tell": Command(follow_ups.tell),
    "step.not_yet": Command(follow_ups.not_yet, form=True),
    "step.move": Command(follow_ups.move),
    "step.still_stuck": Command(follow_ups.still_stuck),
    "step.let_go": Command(follow_ups.let_go),
    "chance": Command(next_steps.chance, en="chance", nl="kans", form=True),
    "chance.save": Command(next_steps.save_chance),
    # connecting
    "nominate": Command(suggestions.nominate, en="nominate", nl="noem voordragen", form=True),
    "nominate.save": Command(suggestions.save_nominations),
    "suggest.yes": Command(suggestions.say_yes),
    "suggest.no": Command(suggestions.say_no),
    "connect": Command(suggestions.connect, en="connect invite", nl="verbind uitnodigen", form=True),
    "connect.look": Command(suggestions.look),
    "invite": Command(invitations.invite, form=True),
    "invite.send": Command(invitations.send),
    "invitation.accept": Command(invitations.accept),
    "invitation.decline": Command(invitations.decline),
    "invitation.later": Command(invitations.later),
    "invitation.met": Command(invitations.met),
    "invitation.not_met": Command(invitations.not_met),
    "lookback": Command(look_backs.look_back, en="lookback", nl="terugblik"),
    # people
    "me": Command(settings.me, en="me", nl="ik"),
    "me.settings": Command(settings.settings, form=True),
    "me.save": Command(settings.save),
    "me.snooze": Command(settings.snooze, form=True),
    "me.snooze.save": Command(settings.save_snooze),
    "me.wake": Command(settings.wake),
    "me.come_back": Command(settings.come_back),
    "me.export": Command(settings.export),
    "me.forget": Command(settings.forget),
    "stop": Command(settings.stop, en="stop", nl="stop"),
    # stories
    "story": Command(telling.start, en="story", nl="verhaal verhaaltje", form=True),
    "story.save": Command(telling.save),
    "story.change": Command(telling.change, form=True),
    "story.withdraw": Command(telling.withdraw),
    "story.mine": Command(telling.mine, en="stories", nl="verhalen verhaaltjes"),
    "story.read": Command(telling.read_on),
    "story.keep": Command(threads.keep),
    "story.here": Command(threads.here),
    "story.forget": Command(threads.forget),
    "story.take_back": Command(threads.take_back),
    "story.save_message": Command(saving.save),
    "saving.ask": Command(saving.ask),
    "saving.keep": Command(saving.keep),
    "saving.here": Command(saving.here),
    "saving.no": Command(saving.no),
    "saving.readers": Command(saving.change_readers),
    "thread.mentioned": Command(threads.mentioned),
    "thread.replied": Command(threads.replied),
    "message.edited": Command(threads.edited),
    "message.deleted": Command(threads.deleted),
    "reaction.added": Command(ripples.reacted),
    "reaction.removed": Command(ripples.unreacted),
    "ripple": Command(ripples.press),
    "ripple.undo": Command(ripples.undo),
    "share": Command(sharing.start, form=True),
    "share.save": Command(sharing.save),
    "harvest": Command(harvest.preview, en="harvest", nl="oogst"),
}
"""Everything people can do: by typing it, with a button, in a form, or by what they do in a thread."""

HANDLERS: dict[str, Handler] = {name: command.handler for name, command in COMMANDS.items()}
OPENS = frozenset(name for name, command in COMMANDS.items() if command.form)
VOCABULARY = Vocabulary(
    {word: name for name, command in COMMANDS.items() for language in Language for word in command.words(language)}
)

COMPOSERS: dict[str, Composer] = {
    "answer": answers.compose_answer,
    "went_quiet": answers.compose_went_quiet,
    "home": home.compose_home,
    "place_lost": reach.compose_place_lost,
    "groups_offered": groups.compose_offered,
    "place_joined": linking.compose_joined,
    "welcome": starting.compose_welcome,
    # rhythms
    "rhythm_purpose": reminders.compose_purpose,
    "rhythm_stories": reminders.compose_stories,
    "rhythm_check_in": reminders.compose_check_in,
    "rhythm_look_back": look_backs.compose_look_back,
    "pace_asked": reminders.compose_pace_asked,
    "moment_dropped": reminders.compose_moment_dropped,
    "stuck_posted": reporting.compose_stuck_posted,
    "company_asked": company.compose_company_asked,
    "company_together": company.compose_company_together,
    "step_posted": next_steps.compose_step_posted,
    "follow_up": follow_ups.compose_follow_up,
    # connecting
    "nominated": suggestions.compose_nominated,
    "invitation": invitations.compose_invitation,
    "invitation_answered": invitations.compose_answered,
    "did_you_meet": invitations.compose_did_you_meet,
    # people
    "export": settings.compose_export,
    # stories
    "story_posted": telling.compose_posted,
    "story_kept": threads.compose_kept,
    "story_asked": saving.compose_asked,
    "story_saved": saving.compose_saved,
    "story_ripple": ripples.compose_rippled,
    "story_shared": sharing.compose_shared,
    "story_travelled": sharing.compose_travelled,
    "rhythm_harvest": harvest.compose_harvest,
}
"""How each kind of delivery is worded; raises `Unwanted` when it should no longer go out."""

PASSIVE_EVENTS = frozenset(
    {"thread.replied", "message.edited", "message.deleted", "reaction.added", "reaction.removed"}
)
"""What people do with each other, not with Ritme: acted upon only where a message of ours or a story is touched."""

PLATFORM_EVENTS: dict[str, tuple[Concerns, Hears]] = {
    "person.changed": (introductions.is_known, introductions.changed),
    "place.gone": (reach.is_known, reach.gone),
    "place.back": (reach.is_known, reach.back),
    "place.renamed": (reach.is_known, reach.renamed),
    "group.changed": (groups.is_known, groups.changed),
}
"""What a platform tells by itself, nobody acting: whether it concerns us, and what follows."""


def understand(intent: Intent) -> Intent:
    """Turn a typed command into the intent it means: "/vast …", "/ritme kans …", "@Ritme stuck …", or words said to
    Ritme alone.

    What is not understood becomes "help" (in a thread "thread.mentioned"), with what was typed as `text`, and as
    `meant` the nearest intent, if any.
    """
    if intent.name != "command":
        return intent
    command, text = intent.text("command").lstrip("/"), intent.text("text")
    if plain(command) not in ("", "ritme") and (name := VOCABULARY.meaning(command)):
        return _with_guess(replace(intent, name=name, args={"text": text}))
    word, _, rest = text.partition(" ")
    name = VOCABULARY.meaning(word)
    if name:
        return _with_guess(replace(intent, name=name, args={"text": rest.strip()}))
    unclear = "thread.mentioned" if intent.thread and not intent.place.personal else "help"
    return _with_guess(replace(intent, name=unclear, args={**intent.args, "text": text}))


def typed_word(name: str, language: Language) -> str:
    """Return the word that help names for an intent; empty for one that cannot be typed."""
    words = COMMANDS[name].words(language) if name in COMMANDS else ()
    return words[0] if words else ""


def _with_guess(intent: Intent) -> Intent:
    if intent.name not in ("help", "thread.mentioned"):
        return intent
    typed = intent.text("text").partition(" ")[0]
    meant = VOCABULARY.nearest(typed) if typed else ""
    words = {f"meant_{language.value}": typed_word(meant, language) for language in Language}
    return replace(intent, args={**intent.args, "meant": meant, **words})
