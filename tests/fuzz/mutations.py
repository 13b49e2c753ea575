"""Mutate what a platform sends: types swapped, fields gone, huge, nested, foreign ids, odd letters, broken bytes."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

Json = Any
Path = tuple[str | int, ...]
Mutation = tuple[str, Path, Any]
"""A kind of change, its place, and what it needs; `apply` carries out as many as it is given."""

LARGE = 20_000
"""Letters of a huge text; few of the payloads have one."""
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**63,
    10**30,
    1.5,
    -1e308,
    "",
    " ",
    "x",
    "0",
    "null",
    "None",
    "[]",
    "{}",
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udc00b",
    "\ufffe\uffff",
    "\x1b[31m",
    "\u202egnirts\u202c",
    "\u2067\u2067\u2067",
    "👩🏽‍⚕️" * 40,
    "مرحبا بالعالم",
    "<!channel> <@U1|x> <https://a.b|c>",
    "<at>Ritme</at> **x** [a](b)",
    "'; DROP TABLE people; --",
    "{{ 7 * 7 }}{% for x in y %}",
    "../../etc/passwd",
    "9" * 400,
    "-" * 300,
    "1e999",
    "NaN",
    "2027-02-30",
    "9999-12-31T23:59:59.9999999+14:00",
    "0001-01-01T00:00:00Z",
    "slack:None",
    "teams:",
    "x" * 5_000,
    [],
    {},
    [None],
    [[]],
    [{}],
    {"id": None},
    {"id": ""},
    {"id": []},
    {"type": "message"},
    ["x", 1, None, {}],
)
WHOLE: tuple[Any, ...] = (None, [], {}, "x", 7, [{}], "\x00")


def list_paths(value: Json, at: Path = ()) -> list[Path]:
    """List the paths of everything within a JSON value, the value itself left out."""
    found: list[Path] = []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        found.append((*at, name))
        found.extend(list_paths(one, (*at, name)))
    return found


def choose(random: Random, content: Json, foreign: Sequence[str]) -> list[Mutation]:
    """Choose what to do to a payload: nothing at times, mostly one or two things. `foreign`: ids of others."""
    many = random.choices((0, 1, 2, 3, 6), (6, 50, 26, 14, 4))[0]
    paths = list_paths(content)
    return [_choose_one(random, paths, foreign) for _ in range(many)]


def _choose_one(random: Random, paths: list[Path], foreign: Sequence[str]) -> Mutation:
    where = random.choice(paths) if paths else ()
    what = random.choices(
        ("value", "gone", "foreign", "wrap", "swap", "many", "nest", "huge", "inner", "sized", "raw", "whole"),
        (34, 18, 12, 5, 7, 2, 1, 1, 8, 4, 6, 2),
    )[0]
    match what:
        case "value":
            return what, where, random.choice(VALUES)
        case "foreign":
            return what, where, random.choice(foreign)
        case "swap":
            return what, where, random.choice(paths)
        case "many":
            return what, where, random.choice((2, 30, 300))
        case "nest":
            return what, where, random.choice((10, 60, 70, 300))
        case "sized":
            return what, where, random.choice((64, 65, 128, 129, 200, 201, 300, 1001))
        case "inner":
            return what, where, random.choice(VALUES)
        case "raw":
            return what, (), random.choice(RAW)
        case "whole":
            return what, (), random.choice(WHOLE)
    return what, where, None


def apply(content: Json, mutations: Sequence[Mutation]) -> Json:
    """Return the content with these mutations, those of bytes left out. What is not there any more stays so."""
    changed = deepcopy(content)
    for what, where, value in mutations:
        if what == "whole":
            changed = deepcopy(value)
        elif what != "raw" and where:
            _change(changed, what, where, value)
    return changed


def _change(content: Json, what: str, where: Path, value: Any) -> None:
    holder = content
    try:
        for step in where[:-1]:
            holder = holder[step]
        last = where[-1]
        old = holder[last]
        if what == "gone":
            del holder[last]
        elif what == "swap":
            holder[last] = deepcopy(_find(content, value))
        else:
            holder[last] = CHANGES[what](old, value)
    except (KeyError, IndexError, TypeError):
        return  # another mutation took it away


def _find(content: Json, where: Path) -> Json:
    for step in where:
        content = content[step]
    return content


def _nest(old: Json, depth: int) -> Json:
    for _ in range(depth):
        old = [old]
    return old


def _change_inside(old: Json, value: Any) -> Json:
    """Change something within a text that holds JSON, such as the value of a button; else the text itself."""
    try:
        inner = json.loads(old)
        paths = list_paths(inner)
        _change(inner, "value", paths[len(old) % len(paths)], value)
        return json.dumps(inner)
    except (TypeError, ValueError, ZeroDivisionError):
        return value


CHANGES: dict[str, Callable[[Json, Any], Json]] = {
    "value": lambda old, value: deepcopy(value),
    "foreign": lambda old, value: value,
    "wrap": lambda old, value: [old],
    "many": lambda old, times: [old] * times,
    "nest": _nest,
    "huge": lambda old, value: "verhaal " * (LARGE // 8),
    "sized": lambda old, length: (str(old) + "a" * length)[:length],
    "inner": _change_inside,
}


def _say_twice(body: bytes) -> bytes:
    """Return a JSON object with fields that it has already."""
    inner = body.rstrip(b"}")
    doubled = inner.replace(b"{", b'{"type": "message", "team_id": null, "id": "twice", ', 1)
    return doubled + b', "event": {}' + b"}" * (len(body) - len(inner))


SPOILS: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda body: body[: len(body) * 2 // 3],
    "nothing": lambda body: b"",
    "bytes": lambda body: body[: len(body) // 2] + b"\xff\xfe\x80" + body[len(body) // 2 :],
    "nan": lambda body: body.replace(b'"id": "', b'"id": NaN, "was": "', 1),
    "twice": _say_twice,
    "deep": lambda body: b"[" * 100_000,
    "digits": lambda body: body.replace(b'"', b"9" * 5_000, 1),
    "halves": lambda body: body.replace(b'"text": "', b'"text": "\\ud83d\\u0000', 1),
    "plain": lambda body: b"hoi",
    "bom": lambda body: b"\xef\xbb\xbf" + body,
    "after": lambda body: body + b'{"type": "message"}',
}
"""Name of a change of the bytes themselves → its function."""
RAW = tuple(SPOILS)


def spoil(body: bytes, mutations: Sequence[Mutation]) -> bytes:
    """Return a body with the mutations of its bytes."""
    for what, _, how in mutations:
        if what == "raw":
            body = SPOILS[how](body)
    return body
