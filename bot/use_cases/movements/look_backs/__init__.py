"""Look back: on the moments of a movement or an initiative, or together, each with a moment of their own."""

from bot.use_cases.movements.look_backs.timeline import (
    ask_drawing,
    compose_drawing,
    compose_look_back,
    load_drawing,
    look_back,
)
from bot.use_cases.movements.look_backs.together import answer, begin, compose_history, compose_question, save

__all__ = [
    "answer",
    "ask_drawing",
    "begin",
    "compose_drawing",
    "compose_history",
    "compose_look_back",
    "compose_question",
    "load_drawing",
    "look_back",
    "save",
]
