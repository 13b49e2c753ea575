"""Seal what a button or form on a page stands for, with the secret of the session.

So a form of another site, which does not have that secret, can send nothing, and nobody's page can make another press
than it shows. What a form asks comes back with it: when something is wrong, the same form is shown again, and no
server has to remember it.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from secrets import token_hex

from pydantic import TypeAdapter, ValidationError

from bot.chat import Form

_FORM = TypeAdapter(Form)


@dataclass(frozen=True, kw_only=True)
class PageAct:
    """A press: an intent with its arguments, in a movement, from the page at the path `back`; or a form to be sent.
    `key` makes it known when it is sent twice."""

    intent: str
    args: Mapping[str, str] = field(default_factory=dict)
    movement: str = ""
    back: str = "/pages"
    form: Form | None = None
    key: str = field(default_factory=token_hex)


_ACT = TypeAdapter(PageAct)


def seal(act: PageAct, secret: str) -> str:
    """Return an act as a text that only `unseal` with the same secret reads."""
    plain = act if act.form is None else replace(act, form=replace(act.form, late=None))
    body = urlsafe_b64encode(_ACT.dump_json(plain)).decode()
    return f"{body}.{_sign(body, secret)}"


def unseal(sealed: str, secret: str) -> PageAct | None:
    """Return the act of a sealed text; None for one that was not sealed with this secret."""
    body, _, mark = sealed.rpartition(".")
    if not secret or not hmac.compare_digest(mark.encode(), _sign(body, secret).encode()):
        return None
    try:
        return _ACT.validate_json(urlsafe_b64decode(body))
    except (ValidationError, ValueError, json.JSONDecodeError):
        return None  # sealed by another version


def _sign(body: str, secret: str) -> str:
    return hmac.new(f"page acts:{secret}".encode(), body.encode(), sha256).hexdigest()
