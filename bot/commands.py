"""The routing tables: the handler of every intent, the composer of every kind of delivery.

An intent's name is a verb of a family ("stuck", "stuck.report"); its handler is a use case. A typed command arrives as
the intent "command" with `command` ("/stuck") and `text`; `understand` turns it into the intent it means.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.conversation import GUESSES
from bot.chat import Intent
from bot.despair import THREAD_WORDS
from bot.domain.choosing import CHOICE_ROUND, CHOICE_TOLD
from bot.domain.coverage import GROUP_OUT, NAMES_ROUND, TIES_ROUND
from bot.domain.holdout import HOLDOUT_SAID
from bot.domain.person import Language
from bot.domain.story import has_words
from bot.domain.webhook import ENDED_KIND
from bot.domain.words import MIN_PREFIX, Vocabulary, normalize_word
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.understanding import CRISIS, OTHER, Reading, read_for_despair, understand_sentence
from bot.use_cases.connecting import (
    acquaintances,
    cards,
    coverage,
    gatherings,
    invitations,
    meetings,
    nominations,
    suggestions,
)
from bot.use_cases.movements import (
    carrying,
    council,
    experiments,
    groups,
    hours,
    initiatives,
    linking,
    look_backs,
    purposes,
    quilts,
    rooms,
    spreading,
    starting,
    steering,
    takeaways,
    welcomes,
)
from bot.use_cases.outbox import answers, reach, trouble
from bot.use_cases.outside import keys, webhooks
from bot.use_cases.pages import sessions
from bot.use_cases.people import conversation, coordinators, help, home, introductions, personal_data, settings
from bot.use_cases.rhythms import calendars, changing, closing, countries, holdouts, places, reminders, year
from bot.use_cases.stories import (
    choosing,
    doors,
    harvest,
    hearing,
    held_words,
    magazines,
    meanings,
    reading,
    ripples,
    saving,
    searching,
    sharing,
    telling,
    threads,
)
from bot.use_cases.stuck import (
    chances,
    company,
    endings,
    follow_ups,
    next_steps,
    reporting,
    returning,
    solving,
)

Handler = Callable[[UnitOfWork, Turn], Awaitable[Entry | InPlace | None]]
"""Acts on an intent and returns the answer; None to stay silent. Raises `Refused`, or `Invalid` for a form's values."""
RelevanceCheck = Callable[[UnitOfWork, Intent], Awaitable[bool]]
"""Returns whether an event concerns us: nothing is stored about any other."""
EventHandler = Callable[[UnitOfWork, Intent, datetime], Awaitable[None]]
"""Applies an event that a platform tells by itself."""
Composer = Callable[[UnitOfWork, Outgoing], Awaitable[Entry]]
"""Returns the entry that a due delivery is worded from."""


@dataclass(frozen=True)
class Command:
    """The handler of an intent, and the words by which it can be typed.

    `en` and `nl` hold those words with spaces between them; help names the first. `form`: pressing its button opens a
    form, nearly always (some platforms have another kind of button for that). `again`: its button may be pressed again,
    as it only shows something or can be undone; unless said otherwise, only one that opens a form. Any other has its
    effect once, and its answer takes the place of the card. `closes`: whether it does; unless said otherwise, a press
    does and the sending of a form does not.
    """

    handler: Handler
    en: str = ""
    nl: str = ""
    form: bool = False
    again: bool | None = None
    closes: bool | None = None

    @property
    def is_repeatable(self) -> bool:
        """True when its button may be pressed again."""
        return self.form if self.again is None else self.again

    def words(self, language: Language) -> Sequence[str]:
        """Return the words of a language by which it can be typed."""
        return (self.nl if language is Language.NL else self.en).split()


COMMANDS: dict[str, Command] = {
    "help": Command(help.answer, en="help", nl="hulp", again=True),
    # plain sentences
    "conversation.thanks": Command(conversation.return_thanks),
    "conversation.small_talk": Command(conversation.return_small_talk),
    "conversation.unsure": Command(conversation.ask_meaning),
    "conversation.crisis": Command(conversation.answer_crisis),
    # a page of one's own
    "home": Command(home.show, en="home", nl="thuis overzicht", again=True),
    "home.opened": Command(home.record_visit),
    "home.switch": Command(home.switch, again=True),
    "board": Command(sessions.give_link, en="board page pages", nl="pagina bord pagina's paginas", again=True),
    "board.end": Command(sessions.end),
    # movements
    "start": Command(starting.start, en="start", nl="start begin", form=True),
    "start.begin": Command(starting.begin, form=True),
    "start.save": Command(starting.save),
    "start.link": Command(starting.link),
    "start.take_on": Command(starting.take_on),
    "start.join": Command(linking.join, en="join", nl="aansluiten", form=True),
    "start.join.save": Command(linking.save),
    "start.leave": Command(linking.leave),
    "code": Command(linking.show_code, en="code", nl="code koppelcode", again=True),
    "code.make": Command(linking.make_code),
    "code.revoke": Command(linking.revoke_code),
    "place.joined": Command(starting.handle_arrival),
    "purpose": Command(purposes.show, en="purpose", nl="bedoeling", again=True),
    "purpose.change": Command(purposes.change, form=True),
    "purpose.save": Command(purposes.save),
    "behaviour": Command(purposes.press_behaviour, again=True),
    "purpose.earlier": Command(purposes.show_earlier, again=True),
    "purpose.take_back": Command(purposes.restore),
    "initiative": Command(
        initiatives.show_all, en="initiative initiatives", nl="initiatief initiatieven beginnetje", again=True
    ),
    "initiative.look": Command(initiatives.show_one, again=True),
    "initiative.make": Command(initiatives.create, form=True),
    "initiative.describe": Command(initiatives.describe, form=True),
    "initiative.save": Command(initiatives.save),
    "initiative.join": Command(initiatives.join),
    "initiative.leave": Command(initiatives.leave),
    "initiative.close": Command(initiatives.close),
    "initiative.reopen": Command(initiatives.reopen),
    # experiments
    "experiment": Command(experiments.start, en="experiment experiments", nl="proef proeven", form=True),
    "experiment.save": Command(experiments.save),
    "experiment.look": Command(experiments.look, again=True),
    "experiment.move": Command(experiments.move, form=True, again=False),
    "experiment.move.save": Command(experiments.save_move, closes=True),
    "experiment.end": Command(experiments.end),
    "experiment.answer": Command(experiments.answer, form=True, again=False),
    "experiment.answer.save": Command(experiments.save_answer, closes=True),
    "initiative.carry": Command(carrying.carry),
    "initiative.going": Command(carrying.go_on),
    "initiative.rest": Command(carrying.rest),
    # room from leaders
    "room.ask": Command(rooms.ask, form=True),
    "room.send": Command(rooms.send),
    "room.take_back": Command(rooms.take_back),
    "room.grant": Command(rooms.grant),
    "room.limit": Command(rooms.open_limit, form=True, again=False),
    "room.limit.save": Command(rooms.grant_within_limit, closes=True),
    "room.talk": Command(rooms.talk_first),
    "room.decline": Command(rooms.decline),
    "room.end": Command(rooms.end),
    "support.give": Command(rooms.open_support, form=True, again=False),
    "support.save": Command(rooms.give_support, closes=True),
    "support.undo": Command(rooms.take_back_support),
    # rhythms
    "rhythm": Command(changing.show, en="rhythm", nl="ritme", again=True),
    "rhythm.year": Command(year.ask_year, en="year", nl="jaar jaarplaat", again=True),
    "rhythm.look": Command(changing.show_one, again=True),
    "rhythm.new": Command(changing.create, form=True),
    "rhythm.more": Command(changing.create_whole, form=True),
    "rhythm.save": Command(changing.save),
    "rhythm.double": Command(changing.save_double),
    "rhythm.edit": Command(changing.open_editor, form=True),
    "rhythm.apply": Command(changing.apply_edit),
    "rhythm.copy": Command(changing.duplicate, form=True),
    "rhythm.undo": Command(changing.undo),
    "rhythm.heard.save": Command(changing.save_preview),
    "rhythm.moment": Command(changing.change_moment, form=True),
    "rhythm.moment.save": Command(changing.save_moment),
    "rhythm.pause": Command(changing.pause, form=True),
    "rhythm.pause.save": Command(changing.save_pause),
    "rhythm.resume": Command(changing.resume),
    "rhythm.end": Command(changing.end),
    "rhythm.slower": Command(changing.slow_down),
    "rhythm.keep": Command(changing.keep_pace),
    "rhythm.closed": Command(closing.show_days_off, again=True),
    "rhythm.closed.add": Command(closing.open_days_off, form=True),
    "rhythm.closed.save": Command(closing.add_days_off),
    "rhythm.closed.drop": Command(closing.drop_days_off),
    "rhythm.place": Command(places.show, form=True),
    "rhythm.place.save": Command(places.save),
    "rhythm.zone": Command(places.choose_zone),
    "rhythm.fit": Command(places.fit),
    # calendars
    "calendar": Command(calendars.show, en="calendar", nl="agenda kalender", again=True),
    "calendar.make": Command(calendars.renew),
    "calendar.revoke": Command(calendars.revoke),
    "calendar.file": Command(calendars.give_file, closes=False),
    # programs outside
    "api": Command(keys.show_keys, en="api", nl="api", again=True),
    "api.new": Command(keys.open_key_form, form=True),
    "api.make": Command(keys.make_key),
    "api.revoke": Command(keys.revoke_key),
    "webhook": Command(webhooks.show_webhooks, en="webhook webhooks", nl="webhook webhooks", again=True),
    "webhook.new": Command(webhooks.open_webhook_form, form=True),
    "webhook.save": Command(webhooks.save_webhook),
    "webhook.test": Command(webhooks.try_webhook, closes=False),
    "webhook.on": Command(webhooks.turn_on),
    "webhook.remove": Command(webhooks.remove),
    "country": Command(countries.show, en="country holidays", nl="land feestdagen", again=True),
    "country.choose": Command(countries.choose, form=True),
    "country.look": Command(countries.look),
    "country.days": Command(countries.adjust, form=True),
    "country.propose": Command(countries.propose),
    "country.save": Command(countries.save),
    # groups
    "groups": Command(groups.request_groups, en="groups group", nl="groepen groep"),
    "groups.choose": Command(groups.choose, form=True),
    "groups.save": Command(groups.save),
    "hours": Command(hours.show, en="hours", nl="uren", again=True),
    "hours.set": Command(hours.open_hours, form=True),
    "hours.save": Command(hours.save),
    "hours.keep": Command(hours.keep),
    # does it help?
    "effect": Command(holdouts.show_effect, en="effect", nl="effect", again=True),
    "effect.begin": Command(holdouts.begin_lot),
    "effect.end": Command(holdouts.end_lot),
    # what coordinators change, and what the works council said
    "changes": Command(council.show_changes, en="changes", nl="wijzigingen", again=True),
    "council": Command(council.show_council, en="council", nl="ondernemingsraad or", again=True),
    "council.agree": Command(council.record_agreement),
    "council.withdraw": Command(council.record_withdrawal),
    # trouble
    "trouble": Command(trouble.show, en="trouble", nl="storing storingen hapering haperingen", again=True),
    "trouble.again": Command(trouble.try_again),
    "trouble.leave": Command(trouble.dismiss),
    "trouble.place": Command(trouble.try_place),
    "trouble.knock": Command(trouble.retry_workspaces),
    # stuck
    "stuck": Command(reporting.start, en="stuck", nl="vast vastgelopen", form=True),
    "stuck.new": Command(reporting.start_another, form=True),
    "stuck.change": Command(reporting.change, form=True),
    "stuck.report": Command(reporting.report),
    "stuck.go_on": Command(reporting.ask_new_questions, closes=False),
    "stuck.solved": Command(solving.show, again=True),
    "stuck.other": Command(reporting.show_other),
    "stuck.take_apart": Command(reporting.take_apart),
    "stuck.not_now": Command(endings.postpone, closes=False),
    "stuck.return": Command(returning.choose),
    "stuck.moves_again": Command(endings.break_through, closes=False),
    "stuck.let_go": Command(endings.let_go, closes=False),
    # company
    "company": Command(company.offer, again=True),
    "company.ask": Command(company.ask),
    "company.give": Command(company.give, form=True, again=False),
    "company.save": Command(company.save, closes=True),
    "company.decline": Command(company.decline),
    "company.rest": Command(company.rest),
    # the next step
    "step": Command(next_steps.hear_step, en="step", nl="stap stapje", form=True),
    "step.save": Command(next_steps.save),
    "step.smaller": Command(next_steps.choose_smaller, form=True, again=False),
    "step.done": Command(follow_ups.complete, form=True, again=False),
    "step.else": Command(follow_ups.complete_otherwise, form=True, again=False),
    "step.tell": Command(follow_ups.save_outcome, closes=True),
    "step.not_yet": Command(follow_ups.postpone, form=True, again=False),
    "step.move": Command(follow_ups.reschedule, closes=True),
    "step.pick_up": Command(follow_ups.pick_up),
    "step.still_stuck": Command(follow_ups.report_still_stuck),
    "step.let_go": Command(follow_ups.let_go),
    "chance": Command(chances.note, en="chance", nl="kans", form=True),
    "chance.save": Command(chances.save),
    "chance.look": Command(chances.look, again=True),
    "chance.seize": Command(chances.seize),
    "chance.keep": Command(chances.keep_open),
    "chance.let_pass": Command(chances.let_pass),
    # connecting
    "nominate": Command(nominations.nominate, en="nominate", nl="noem voordragen", form=True),
    "nominate.save": Command(nominations.save_nominations),
    "reach": Command(coverage.show, en="reach network", nl="bereik netwerk", again=True),
    "reach.names": Command(coverage.ask_names, form=True),
    "reach.names.save": Command(coverage.save_names_round),
    "reach.names.here": Command(coverage.ask_names_here),
    "reach.not_now": Command(coverage.let_rest),
    "reach.ties": Command(coverage.ask_ties, form=True),
    "reach.ties.save": Command(coverage.save_ties_round),
    "reach.take_back": Command(coverage.take_back),
    "reach.end": Command(coverage.end_round),
    "ties": Command(acquaintances.answer, form=True),
    "ties.save": Command(acquaintances.save),
    "ties.take_back": Command(acquaintances.take_back),
    "ties.confirm": Command(acquaintances.confirm),
    "ties.deny": Command(acquaintances.deny),
    "suggest.yes": Command(nominations.say_yes),
    "suggest.no": Command(nominations.say_no),
    "connect": Command(suggestions.connect, en="connect invite", nl="verbind uitnodigen", form=True),
    "connect.look": Command(suggestions.search),
    "connect.why": Command(suggestions.explain, again=True),
    "connect.other": Command(suggestions.look_further),
    "connect.not_now": Command(suggestions.set_aside),
    "invite": Command(invitations.invite, form=True),
    "invite.send": Command(invitations.send),
    "invitation.accept": Command(invitations.accept),
    "invitation.decline": Command(invitations.decline),
    "invitation.later": Command(invitations.postpone),
    "invitation.take_back": Command(invitations.take_back),
    "invitation.met": Command(meetings.confirm),
    "invitation.not_met": Command(meetings.deny),
    "meeting.join": Command(gatherings.join),
    "meeting.leave": Command(gatherings.leave),
    "meeting.come": Command(gatherings.come),
    "meeting.decline": Command(gatherings.decline),
    "meeting.card": Command(cards.open_form, form=True),
    "meeting.card.save": Command(cards.save),
    "meeting.card.print": Command(cards.print_card, closes=False),
    "meeting.met": Command(gatherings.tell_met),
    "meeting.not_met": Command(gatherings.tell_not_met),
    "history.begin": Command(look_backs.begin),
    "history.answer": Command(look_backs.answer, form=True),
    "history.save": Command(look_backs.save),
    "quilt.draw": Command(quilts.ask_quilt, en="quilt", nl="lappendeken quilt", again=True),
    "lookback.draw": Command(look_backs.ask_drawing, again=True),
    "lookback": Command(look_backs.look_back, en="lookback", nl="terugblik", again=True),
    # people
    "me": Command(personal_data.show, en="me", nl="ik", again=True),
    "me.settings": Command(settings.change, form=True),
    "me.save": Command(settings.save),
    "me.snooze": Command(settings.snooze, form=True),
    "me.snooze.save": Command(settings.save_snooze),
    "me.wake": Command(settings.wake),
    "me.come_back": Command(settings.come_back),
    "me.export": Command(personal_data.export, again=True),
    "me.forget": Command(personal_data.forget),
    "coordinators.ask": Command(coordinators.ask),
    "stop": Command(settings.stop, en="stop", nl="stop"),
    "stop.me": Command(settings.stop_personal_messages),
    # stories
    "story": Command(telling.start, en="story", nl="verhaal verhaaltje", form=True),
    "story.save": Command(telling.save),
    "story.change": Command(telling.change, form=True),
    "story.withdraw": Command(telling.withdraw),
    "story.mine": Command(reading.show_own, en="stories", nl="verhalen verhaaltjes", again=True),
    "meaning": Command(meanings.say, again=True),
    "meaning.other": Command(meanings.show_choices, again=True),
    "meaning.clear": Command(meanings.clear, again=True),
    "cloud": Command(meanings.ask_cloud, en="cloud", nl="wolk", again=True),
    "cloud.choose": Command(meanings.choose_scale, form=True),
    "cloud.save": Command(meanings.save_scale),
    "choice": Command(choosing.begin, en="significant", nl="betekenisvol", form=True),
    "choice.save": Command(choosing.save),
    "choice.end": Command(choosing.end),
    "choice.pick": Command(choosing.pick, form=True),
    "choice.tell": Command(choosing.tell),
    "choice.agree": Command(choosing.agree),
    "choice.decline": Command(choosing.decline),
    "choice.forget": Command(choosing.remove_whys),
    "map": Command(spreading.ask_map, en="map", nl="kaart", again=True),
    "search": Command(searching.search, en="search find", nl="zoek zoeken", again=True),
    "search.narrow": Command(searching.narrow, form=True),
    "search.filled": Command(searching.submit_search),
    "story.read": Command(reading.show_whole, again=True),
    "story.keep": Command(threads.keep_for_movement),
    "story.here": Command(threads.keep_here),
    "story.forget": Command(threads.keep_nothing),
    "story.take_back": Command(threads.take_back),
    "story.save_message": Command(saving.save),
    "saving.ask": Command(saving.ask),
    "saving.keep": Command(saving.agree_for_movement),
    "saving.here": Command(saving.agree_for_thread),
    "saving.no": Command(saving.refuse),
    "saving.readers": Command(saving.change_readers),
    "guard.without": Command(held_words.choose),
    "guard.change": Command(held_words.change, form=True),
    "guard.fine": Command(held_words.choose),
    "guard.tell": Command(held_words.choose, closes=True),
    "thread.mentioned": Command(threads.handle_mention),
    "thread.replied": Command(threads.handle_reply),
    "message.edited": Command(threads.handle_edit),
    "message.deleted": Command(threads.handle_deletion),
    "message.restored": Command(threads.handle_restoration),
    "reaction.added": Command(ripples.handle_reaction),
    "reaction.removed": Command(ripples.handle_reaction_removal),
    "ripple": Command(ripples.press, again=True),
    "ripple.undo": Command(ripples.undo),
    "ripple.introduce": Command(ripples.offer_introduction),
    "share": Command(sharing.start, form=True),
    "share.save": Command(sharing.save),
    "takeaway": Command(takeaways.ask, en="takeaway", nl="meenemen", again=True),
    # people without an account
    "door": Command(doors.show_all, en="door doors", nl="deur deuren verhaaldeur", again=True),
    "door.open": Command(doors.open_form, form=True),
    "door.save": Command(doors.save),
    "door.look": Command(doors.show_one, again=True),
    "door.card": Command(doors.ask_card, again=True),
    "door.read": Command(doors.ask_waiting, again=True),
    "door.close": Command(doors.close),
    "door.let_in": Command(doors.let_in),
    "door.not_this": Command(doors.decline),
    "harvest": Command(harvest.preview, en="harvest", nl="oogst", again=True),
    "magazine": Command(magazines.show, en="magazine magazines", nl="magazine magazines", again=True),
    "magazine.begin": Command(magazines.begin, form=True),
    "magazine.edit": Command(magazines.edit, form=True),
    "magazine.save": Command(magazines.save),
    "magazine.choose": Command(magazines.choose, form=True),
    "magazine.chosen": Command(magazines.save_choice),
    "magazine.show": Command(magazines.change_readership),
    "magazine.look": Command(magazines.look, again=True),
    "magazine.print": Command(magazines.ask_print, again=True),
    "magazine.agree": Command(magazines.agree),
    "magazine.decline": Command(magazines.decline),
    "magazine.take_back": Command(magazines.take_back),
}
"""Everything people can do: by typing it, with a button, in a form, or by what they do in a thread."""

HANDLERS: dict[str, Handler] = {name: command.handler for name, command in COMMANDS.items()}
OPENS = frozenset(name for name, command in COMMANDS.items() if command.form)
"""Intents that open a form when their button is pressed."""
REPEATABLE = frozenset(name for name, command in COMMANDS.items() if command.is_repeatable)
"""Intents whose button may be pressed again; pressing any other twice is pressing it once."""
CLOSING = frozenset(name for name, command in COMMANDS.items() if command.closes)
"""Intents of forms whose answer takes the place of the card that they were opened from."""
LASTING = frozenset(name for name, command in COMMANDS.items() if command.closes is False)
"""Intents of buttons whose card may hold what is worth keeping: their handlers say whether it is replaced."""
VOCABULARY = Vocabulary(
    {word: name for name, command in COMMANDS.items() for language in Language for word in command.words(language)}
)

COMPOSERS: dict[str, Composer] = {
    "answer": answers.compose_answer,
    "went_quiet": answers.compose_went_quiet,
    "home": home.compose_home,
    "place_lost": reach.compose_place_loss,
    ENDED_KIND: webhooks.compose_webhook_end,
    "groups_offered": groups.compose_groups_offer,
    "group_hours": hours.compose_hours,
    "place_joined": linking.compose_join_notice,
    "welcome": starting.compose_welcome,
    "welcomed": welcomes.compose_welcome,
    "initiative_joined": welcomes.compose_newcomers,
    "carry_offered": carrying.compose_offer,
    "silence_asked": carrying.compose_silence,
    "initiative_settled": carrying.compose_outcome,
    "room_asked": rooms.compose_request,
    "room_taken_back": rooms.compose_taken_back,
    "room_answered": rooms.compose_answer,
    "room_unanswered": rooms.compose_answer,
    "room_ending": rooms.compose_ending,
    "support_given": rooms.compose_support,
    # rhythms
    "rhythm_purpose": reminders.compose_purpose,
    HOLDOUT_SAID: holdouts.compose_lot,
    "rhythm_stories": reminders.compose_stories,
    "rhythm_check_in": reminders.compose_check_in,
    "rhythm_look_back": look_backs.compose_look_back,
    "history_asked": look_backs.compose_question,
    "history_posted": look_backs.compose_history,
    "history_given": look_backs.compose_history,
    "rhythm_quilt": quilts.compose_quilt,
    "initiatives_alike": quilts.compose_alike,
    "calendar_file": calendars.compose_file,
    "pace_asked": reminders.compose_pace_question,
    "year_drawn": year.compose_year,
    "quilt_drawn": quilts.compose_drawn_quilt,
    "history_drawn": look_backs.compose_drawing,
    CHOICE_ROUND: choosing.compose_round,
    CHOICE_TOLD: choosing.compose_why,
    "spread_drawn": spreading.compose_map,
    "cloud_drawn": meanings.compose_cloud,
    "moment_dropped": reminders.compose_dropped_moment,
    "stuck_posted": reporting.compose_channel_post,
    "company_asked": company.compose_request,
    "company_together": company.compose_answers,
    "stuck_return": returning.compose_return,
    "step_posted": next_steps.compose_step,
    "follow_up": follow_ups.compose_follow_up,
    "steering_asked": steering.compose_steering,
    "chance_asked": chances.compose_chance_question,
    "experiment_ends": experiments.compose_end_question,
    # connecting
    NAMES_ROUND: coverage.compose_names_round,
    TIES_ROUND: coverage.compose_ties_round,
    GROUP_OUT: coverage.compose_group_out,
    "nominated": nominations.compose_question,
    "invitation": invitations.compose_invitation,
    "invitation_answered": invitations.compose_answer,
    "invitation_taken_back": invitations.compose_taken_back,
    "invitation_quiet": invitations.compose_quiet,
    "did_you_meet": meetings.compose_question,
    "rhythm_meeting": gatherings.compose_round,
    "meeting_proposed": gatherings.compose_proposal,
    "meeting_set": gatherings.compose_news,
    "card_drawn": cards.compose_card,
    "card_file": cards.compose_card_file,
    "meeting_after": gatherings.compose_question,
    # people
    "coordinator_asked": coordinators.compose_question,
    "taken_back": personal_data.compose_taken_back,
    "personal_file": personal_data.compose_file,
    "export": personal_data.compose_old_export,
    # stories
    "words_asked": held_words.compose_question,
    "story_posted": telling.compose_story,
    "story_kept": threads.compose_choice,
    "story_asked": saving.compose_request,
    "story_saved": saving.compose_consent,
    "story_ripple": ripples.compose_ripple,
    "story_shared": sharing.compose_shared_story,
    "story_travelled": sharing.compose_share_news,
    "rhythm_harvest": harvest.compose_harvest,
    "story_harvested": harvest.compose_harvest_news,
    "print_asked": magazines.compose_question,
    "print_next": magazines.compose_question,
    "magazine_file": magazines.compose_file,
    "story_answered": hearing.compose_answers,
    "story_question": hearing.compose_question,
    "takeaway_file": takeaways.compose_file,
    "door_told": doors.compose_waiting,
    "door_card": doors.compose_card,
    "check_in_answered": hearing.compose_leading_on,
}
"""The composer of each kind of delivery. It raises `Unwanted` when the delivery should no longer go out."""

ARRIVALS = frozenset({"place.joined", "place.installed", "place.back", "place.gone"})
"""Events that tell that we came to a place, or left it."""
PASSIVE_EVENTS = frozenset(
    {
        "thread.replied",
        "message.edited",
        "message.deleted",
        "message.restored",
        "reaction.added",
        "reaction.removed",
    }
)
"""Intents by which people act with each other, not with Ritme: handled only where they touch a message of ours or a
story."""

PLATFORM_EVENTS: dict[str, tuple[RelevanceCheck, EventHandler]] = {
    "person.changed": (introductions.is_known, introductions.handle_profile_change),
    "place.installed": (starting.is_unsettled, starting.handle_installation),
    "place.gone": (reach.is_known, reach.handle_removal),
    "place.back": (reach.is_known, reach.handle_return),
    "place.renamed": (reach.is_known, reach.handle_rename),
    "place.moved": (reach.is_known, reach.handle_move),
    "group.changed": (groups.is_known, groups.handle_group_change),
    "message.gone": (threads.may_be_kept, threads.handle_disappearance),
}
"""Events that a platform tells by itself, nobody acting: the check whether one concerns us, and its handler."""


TALK = {"thanks": "conversation.thanks", "smalltalk": "conversation.small_talk"}
"""Meanings that ask for nothing."""
SENTENCE_AFTER = {
    "me": 1,
    "reach": 1,
    "rhythm.year": 1,
    "quilt.draw": 1,
    "door": 1,
    "takeaway": 1,
    "cloud": 1,
    "map": 1,
    "choice": 1,
    "changes": 1,
    "council": 1,
    "effect": 1,
    "hours": 1,
    **dict.fromkeys(("help", "home", "board", "stop", "code", "groups", "trouble", "calendar", "api", "webhook"), 2),
}
"""Commands that take no words, and how many words after one make it the beginning of a sentence."""
ASKED_FIRST = frozenset({"stop", "rest"})
"""Meanings that end something at once: from a sentence, never without asking. A story opens its form, and deletions are
confirmed on the page that offers them."""
SOUGHT = frozenset({"search"})
"""Commands whose words are looked for, so that those around them are left out: "zoek verhalen over de nacht"."""
BESIDE_STORIES = frozenset({"door", "magazine", "map", "cloud", "takeaway", "search", "harvest", "story.mine"})
"""Commands about stories: named after "story" they are meant, and told is nothing ("verhaal deur")."""


def understand(intent: Intent, *, app: str = "Ritme") -> Intent:
    """Turn what was typed into the intent it means: a command ("/vast …", "/ritme kans …", "@Ritme stuck …"), or a
    plain sentence by mention, after `/ritme` or in the personal chat.

    Text that is not understood becomes "help" (in a thread "thread.mentioned"), with what was typed as `text`, and as
    `meant` the nearest intent, if any. `app`: what the app is called there. A reply in a thread that is a command is
    obeyed, also where the platform takes it for any other reply.
    """
    if intent.name in THREAD_WORDS:
        intent = _obey_reply(intent, app)
    if intent.name != "command":
        return intent
    command, text = intent.text("command").lstrip("/"), _without_mention(intent.text("text"), app)
    # After "/ritme" nobody says the name again: there it is the word "ritme".
    names = () if command else (normalize_word(app), "ritme")
    is_command = normalize_word(command) not in ("", "ritme") and bool(VOCABULARY.meaning(command))
    reading = read_for_despair(text, names) if is_command else understand_sentence(text, names)
    if reading is not None and reading.meaning == CRISIS and (reading.sure or not is_command):
        # Also after /stuck and /story: the words go no further than this.
        return replace(intent, name="conversation.crisis", args={"sure": "yes"} if reading.sure else {})
    if is_command or reading is None:
        return _obey(intent, VOCABULARY.meaning(command), text)
    word, _, rest = text.partition(" ")
    if normalize_word(word) in ("ritme", normalize_word(app)) and VOCABULARY.knows(rest):
        word, rest = rest, ""  # "ritme stop": addressed by name
    in_thread = bool(intent.thread) and not intent.place.personal
    name = "" if _begins_sentence(word, rest, reading, in_thread=in_thread) else VOCABULARY.meaning(word)
    if not name or (rest.strip() and not _names_another(name, rest)):
        meant = _meant_intent(intent, reading, text, name, in_thread=in_thread)
        if meant is not None:
            return meant
    if name:
        return _obey(intent, name, rest.strip())
    more = {"guesses": _offer_guesses(reading, asking="help")} if in_thread else {}
    return _with_guess(
        replace(intent, name="thread.mentioned" if in_thread else "help", args={**intent.args, "text": text, **more})
    )


def _begins_sentence(word: str, rest: str, reading: Reading, *, in_thread: bool) -> bool:
    """Return whether a word that may be a command begins a sentence: "ik ben er volgende week niet"."""
    if rest and len(word) <= MIN_PREFIX and not VOCABULARY.knows(word) and not reading.sure:
        return True  # "kan" is no "kans", "wij" no "wijzigingen"
    name = VOCABULARY.meaning(word)
    if len(rest.split()) < SENTENCE_AFTER.get(name, len(word) + len(rest) + 1):
        return False
    doubted = not reading.sure or reading.meaning == OTHER or (in_thread and reading.meaning == "story")
    return name in ASKED_FIRST or doubted


def _obey(intent: Intent, name: str, text: str) -> Intent:
    """Return a typed command with the words after it. One word is no story: it may be a command about stories, and
    else it waits in the form."""
    if _names_another(name, text):
        return replace(intent, name=VOCABULARY.meaning(text), args={"text": ""})
    kept = "prefill" if name == "story" and text and len(text.split()) == 1 else "text"
    return _with_guess(replace(intent, name=name, args={kept: text}))


def _names_another(name: str, text: str) -> bool:
    """Return whether what follows the command "story" is the word of a command about stories."""
    return name == "story" and VOCABULARY.knows(text) and VOCABULARY.meaning(text) in BESIDE_STORIES


def _without_mention(text: str, app: str) -> str:
    """Return what was typed without "@Ritme" before it, which some type where nothing is needed."""
    addressed = _split_address(text, app) if text.startswith("@") else None
    return addressed[1] if addressed is not None else text


def _obey_reply(intent: Intent, app: str) -> Intent:
    """Return the command that a reply in a thread is, else the reply. An edit to a command is not obeyed, but its words
    are no story."""
    found = _split_address(intent.text("text"), app)
    if found is None:
        return intent
    if intent.name != "thread.replied":
        return replace(intent, args={"text": ""})
    command, text = found
    return replace(intent, name="command", args={"command": command, "text": text, "files": intent.texts("files")})


def _split_address(text: str, app: str) -> tuple[str, str] | None:
    """Split a text that begins with the app's name ("/ritme …", "@Ritme …") or a command ("/vast …") into the command,
    empty after a name, and the rest; None for any other text."""
    mark, written = text[:1], text[1:]
    if mark not in ("/", "@"):
        return None
    for name in (app, "ritme"):
        if written[: len(name)].casefold() == name.casefold() and not written[len(name) :][:1].isalnum():
            return "", written[len(name) :].lstrip(" ,:")
    word, _, rest = written.partition(" ")
    meant = VOCABULARY.meaning(word) if mark == "/" and VOCABULARY.knows(word) else ""
    # "/me waves" is a way of speaking, and no command that takes words.
    return (word, rest.strip()) if meant and not (meant == "me" and rest.strip()) else None


def _meant_intent(intent: Intent, reading: Reading, text: str, command: str, *, in_thread: bool) -> Intent | None:
    """Return the intent that a sentence means; None when it is left to the words of commands.

    `command`: the intent that its first word would be as a command, or "". In a thread a sentence is an answer to what
    is asked there, unless it is surely something else.
    """
    target = GUESSES.get(reading.meaning, "")
    is_command = target == command and command not in SOUGHT
    if command and (not reading.sure or is_command or _says_nothing_else(reading)):
        return None
    if reading.sure and reading.meaning in TALK:
        return replace(intent, name=TALK[reading.meaning], args={})
    # In Teams every message in a channel has a thread, at first its own.
    if in_thread and intent.thread != intent.message and not command:
        return None
    if text and not has_words(text) and "?" not in text:
        return replace(intent, name=TALK["smalltalk"], args={})
    if len(text.split()) <= 1 and not (reading.sure and reading.score == 1):
        return None  # a word that is not spelled as in the book: the nearest command is asked about
    if target == "step" and reading.asks and not (reading.request or reading.rest):
        target = "home"  # what was it again: what was planned stands there
    if reading.sure and target and reading.meaning not in ASKED_FIRST:
        return replace(intent, name=target, args=_carry_words(reading, text))
    if reading.sure and reading.meaning == "help":
        return replace(intent, name="help", args={})
    return replace(
        intent,
        name="conversation.unsure",
        args={"text": text, "guesses": _offer_guesses(reading)},  # in all of it: which part counts is not known
    )


def _carry_words(reading: Reading, text: str) -> dict[str, str]:
    """Return the words that go along with what a sentence surely means."""
    words = reading.request or reading.rest
    match reading.meaning:
        case "rhythm":  # what comes, how often and when may stand anywhere in it
            return {"text": text}
        case "country":  # which one is found in all of it
            return {"text": text, "heard": "yes"}
        case "step" | "snooze":  # "tot volgende week" is another day than "volgende week"
            return {"text": words, "said": text}
        case "stuck" if reading.asks:
            return {"text": words, "asks": "yes"}
        case "story":
            return {"prefill": words}
        case _:
            return {"text": words}


def _says_nothing_else(reading: Reading) -> bool:
    """Return whether a sentence that begins with the word of a command asks for nothing else ("zoek de bus"), while it
    is no saying in its own right ("vast bedankt voor de moeite")."""
    return reading.score < 1 and (reading.meaning == OTHER or reading.meaning in TALK)


def _offer_guesses(reading: Reading, asking: str = "") -> str:
    """Return the meanings to ask about, at most two; `asking`, where it is given, for a question how Ritme works."""
    if asking and reading.sure and reading.meaning == "help":
        return asking
    guesses = [one for one in (reading.meaning, *reading.others, "story", "stuck") if one in GUESSES]
    return " ".join(dict.fromkeys(guesses[:1] if reading.sure else guesses[:2]))


def typed_word(name: str, language: Language) -> str:
    """Return the word that help names for an intent; empty for one that cannot be typed."""
    words = COMMANDS[name].words(language) if name in COMMANDS else ()
    return words[0] if words else ""


def _with_guess(intent: Intent) -> Intent:
    """Add to a help intent the nearest known intent (`meant`) and its word per language (`meant_en`, `meant_nl`)."""
    if intent.name not in ("help", "thread.mentioned"):
        return intent
    typed = intent.text("text").partition(" ")[0]
    meant = VOCABULARY.nearest(typed) if typed else ""
    words = {f"meant_{language.value}": typed_word(meant, language) for language in Language}
    return replace(intent, args={**intent.args, "meant": meant, **words})
