"""What Ritme says around being stuck and the small step after it."""

from dataclasses import dataclass
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.domain.initiative import Audience, StuckKind

QUESTIONS_PER_KIND = 8


@dataclass(frozen=True, kw_only=True)
class StuckForm(FormEntry):
    """Which initiative, what is going on, what kind, and who may see it."""

    intent: ClassVar[str] = "stuck.report"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="initiative", kind="choice", required=False),
        Ask(name="text", kind="long_text", max_length=1500),
        Ask(name="kind", kind="choice", options=tuple(StuckKind)),
        Ask(name="audience", kind="choice", options=tuple(Audience)),
        Ask(name="helpers", kind="people", required=False, max_items=5),
    )

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class StuckWelcomed(Entry):
    """Being stuck is welcomed, and three curious questions asked (keys in `stuck/questions.md.j2`)."""

    episode: str
    initiative: str
    questions: tuple[str, ...]
    audience: Audience

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode}
        return (
            Press(name="choose_step", intent="step", args=about, style="primary"),
            Press(name="invite", intent="connect", args=about),
            Press(name="company", intent="company", args=about),
            Press(name="not_now", intent="stuck.not_now", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1",
            initiative="Wandelen na het eten",
            questions=("reach_1", "reach_2", "reach_3"),
            audience=Audience.ME,
        )
