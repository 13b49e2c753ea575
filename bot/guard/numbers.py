"""Find numbers and addresses by which somebody is reached or filed: telephone, e-mail, BSN, files, postal codes.

What tells such numbers from others is loaded with the first that looks like one, and by a service once it is ready: few
texts have any, and starting need not wait for it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from bot.guard.giveaways import Giveaway, GuardedText, Trace

_NINE_DIGITS = re.compile(r"(?<![\w+.,-])\d(?:[ .-]?\d){8}(?![\w]|[.,-]\d)")
_TEN_DIGITS = re.compile(r"(?<![\w+])\d{3}[ -]?\d{3}[ -]?\d{4}(?!\w)")
_NATIONAL_INSURANCE = re.compile(r"(?<!\w)[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)")
_TELEPHONE = re.compile(r"(?<![\w.,#-])(?:\+|00|\(?0)\d?(?:[ ()./-]{0,3}\d){6,12}(?!\w)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}")
_FILE = re.compile(r"[\s:.#]*((?:[A-Za-z]{1,4}[-.]?)?\d(?:[\d./-]*\d)?(?:[ -]\d+)*[A-Za-z]?)(?!\w)")
_HASH = re.compile(r"(?<!\w)#\d{3,}(?!\w)")
_LONG_NUMBER = re.compile(r"[\s:.]*(\d{5,})(?!\w)")
_DUTCH_POSTCODE = re.compile(r"(?<![\w.,-])([1-9]\d{3})( ?)([A-Za-z]{2})(?![\w@.-]\w|\w)")
_BRITISH_POSTCODE = re.compile(r"(?<!\w)[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}(?!\w)")
_REGIONS = ("NL", "GB", "BE", "DE")
_FEWEST_FILE_DIGITS = 3
_FEWEST_SPOKEN_DIGITS = 6


def find_service_numbers(reading: GuardedText) -> Iterator[Giveaway]:
    """Find citizen service numbers, by their check digit or because the text says that it is one; British ones too."""
    for found in _NINE_DIGITS.finditer(reading.text):
        if _is_service_number(found.group()) or _is_announced(reading, "bsn", found.start()):
            yield reading.cut(Trace.BSN, *found.span())
    for found in _NATIONAL_INSURANCE.finditer(reading.text):
        yield reading.cut(Trace.BSN, *found.span())


def find_file_numbers(reading: GuardedText) -> Iterator[Giveaway]:
    """Find the numbers of patients, clients and files: "patnr 4410982", "#77120"."""
    for found in _TEN_DIGITS.finditer(reading.text):
        if _is_health_number(found.group()):
            yield reading.cut(Trace.PATIENT_NUMBER, *found.span())
    for found in _HASH.finditer(reading.text):
        yield reading.cut(Trace.PATIENT_NUMBER, *found.span())
    for name, pattern in (("file_numbers", _FILE), ("any_numbers", _LONG_NUMBER)):
        for begin, end in reading.phrases(name).find(reading.words):
            after = end
            while name == "file_numbers" and (reading.has("any_numbers", after) or reading.has("date_links", after)):
                after += 1
            code = pattern.match(reading.text, reading.words[after - 1].end)
            if code and _is_file_code(code.group(1)):
                yield reading.cut(Trace.PATIENT_NUMBER, reading.words[begin].start, code.end())


def _is_file_code(code: str) -> bool:
    digits = [letter for letter in code if letter.isdigit()]
    is_year = code.isdigit() and len(code) == 4 and code[:2] in ("19", "20")
    return len(digits) >= _FEWEST_FILE_DIGITS and not is_year


def find_telephones(reading: GuardedText) -> Iterator[Giveaway]:
    """Find telephone numbers, in digits or in words, unless everybody is asked to call them."""
    if _is_for_everybody(reading) and not reading.has_any("persons", 0, len(reading.words)):
        return
    for found in _TELEPHONE.finditer(reading.text):
        if _is_telephone(found.group()):
            yield reading.cut(Trace.PHONE, *found.span())
    yield from _find_spoken_numbers(reading)


def _is_service_number(digits: str) -> bool:
    from stdnum.nl import bsn

    return bool(bsn.is_valid(digits))


def _is_health_number(digits: str) -> bool:
    from stdnum.gb import nhs

    return bool(nhs.is_valid(digits))


def _is_telephone(text: str) -> bool:
    import phonenumbers

    for region in _REGIONS:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return True
    return False


def _find_spoken_numbers(reading: GuardedText) -> Iterator[Giveaway]:
    """Find digits in words: "nul zes twaalf drie vier", but not counting aloud."""
    values, repeats, at = reading.lists.values("number_words"), reading.lists.values("repeats"), 0
    while at < len(reading.words):
        end, digits = at, list[int]()
        while end < len(reading.words) and (reading.words[end].plain in values or reading.words[end].plain in repeats):
            if end > at and not reading.words[end].is_close and reading.words[end].gap.strip() not in (",", "-"):
                break
            digits.append(int(values.get(reading.words[end].plain, -1)))
            end += 1
        steps = {after - before for before, after in pairwise(digits)}
        if len(digits) >= _FEWEST_SPOKEN_DIGITS and steps != {1} and steps != {-1}:
            yield reading.make_finding(Trace.PHONE, at, end)
        at = max(end, at + 1)


def find_emails(reading: GuardedText) -> Iterator[Giveaway]:
    """Find e-mail addresses, also as people say them, unless they are of the group."""
    for found in _EMAIL.finditer(reading.text):
        if not _is_of_group(reading, found.group().partition("@")[0]):
            yield reading.cut(Trace.EMAIL, *found.span())
    values = reading.lists.values("spoken_email")
    marks = [values.get(word.plain, "") for word in reading.words]
    for at, mark in enumerate(marks):
        if mark == "@" and "." in marks[at + 2 : at + 3] and at:
            begin, end = at - 1, at + 4
            while begin >= 2 and marks[begin - 1] == ".":
                begin -= 2
            while end + 1 < len(marks) and marks[end] == ".":
                end += 2
            yield reading.make_finding(Trace.EMAIL, begin, min(end, len(marks)))


def _is_of_group(reading: GuardedText, mailbox: str) -> bool:
    parts = re.split(r"[\W\d_]+", mailbox.casefold())
    if any(part in reading.phrases("mailboxes").words for part in parts):
        return True
    is_person = any(part in reading.phrases("first_names").words for part in parts)
    return not is_person and _is_for_everybody(reading)


def _is_for_everybody(reading: GuardedText) -> bool:
    return reading.has_any("contact", 0, len(reading.words))


def find_postcodes(reading: GuardedText) -> Iterator[Giveaway]:
    """Find Dutch and British postal codes; in small letters only where they can be nothing else."""
    for found in _DUTCH_POSTCODE.finditer(reading.text):
        digits, space, letters = found.groups()
        if _is_dutch_postcode(reading, digits, space, letters, found.start()):
            yield reading.cut(Trace.POSTCODE, *found.span())
    for found in _BRITISH_POSTCODE.finditer(reading.text):
        if found.group().isupper() or " " in found.group() or len(found.group()) >= 6:
            yield reading.cut(Trace.POSTCODE, *found.span())


def _is_dutch_postcode(reading: GuardedText, digits: str, space: str, letters: str, start: int) -> bool:
    if letters.casefold() in reading.phrases("units").words:
        return False
    if letters.isupper():
        return True
    is_year = 1900 <= int(digits) < 2100
    return not space or (not is_year and _is_announced(reading, "spoken_before_postcode", start))


def _is_announced(reading: GuardedText, name: str, start: int) -> bool:
    """Return whether the words before a place in the text say what follows."""
    before = [at for at, word in enumerate(reading.words) if word.end <= start][-4:]
    return bool(before) and reading.has_any(name, before[0], before[-1] + 1)
