"""Room from leaders: a request for it, the answer, and their support for an initiative."""

from bot.use_cases.movements.rooms.asking import (
    ask,
    compose_answer,
    compose_ending,
    compose_request,
    compose_taken_back,
    decline,
    end,
    grant,
    grant_within_limit,
    open_limit,
    send,
    take_back,
    talk_first,
)
from bot.use_cases.movements.rooms.supporting import compose_support, give_support, open_support, take_back_support

__all__ = [
    "ask",
    "compose_answer",
    "compose_ending",
    "compose_request",
    "compose_support",
    "compose_taken_back",
    "decline",
    "end",
    "give_support",
    "grant",
    "grant_within_limit",
    "open_limit",
    "open_support",
    "send",
    "take_back",
    "take_back_support",
    "talk_first",
]
