"""Everything the bot says, one module per family. Words stand in `prompts/`."""

from bot.catalogue import (
    company,
    connecting,
    errors,
    help,
    initiatives,
    movements,
    offers,
    people,
    purposes,
    rhythms,
    steps,
    stories,
    stuck,
)
from bot.catalogue.base import CATALOGUE, Ask, Entry, FormEntry, InPlace, Pick, Press, dump, load

__all__ = [
    "CATALOGUE",
    "Ask",
    "Entry",
    "FormEntry",
    "InPlace",
    "Pick",
    "Press",
    "company",
    "connecting",
    "dump",
    "errors",
    "help",
    "initiatives",
    "load",
    "movements",
    "offers",
    "people",
    "purposes",
    "rhythms",
    "steps",
    "stories",
    "stuck",
]
