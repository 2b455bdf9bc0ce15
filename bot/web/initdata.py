"""Who opened a Mini App: Telegram's signed `initData`, checked as its documentation says, and more strictly. Pure.

https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

OLDEST = timedelta(seconds=300)
EARLY = timedelta(seconds=30)
"""How far Telegram's clock may be ahead of ours."""
LONGEST = 4096
_HASH = re.compile(r"[0-9a-f]{64}")


class Untrue(Exception):
    """The data is not what Telegram signed for this bot, or it is too old. Says nothing of its content."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A Mini App opened by this Telegram account. `proof` stands for this one start, to be used once; `until` when it is over."""

    telegram_id: int
    proof: str
    until: datetime
    lang: str = ""
    name: str = field(default="", repr=False)
    """How Telegram calls the account: for its owner to recognise, never to trust."""


def read(init_data: str, token: str, now: datetime) -> Opened:
    """Raises Untrue."""
    fields = _fields(init_data)
    given = fields.pop("hash", "")
    # `signature` stays among the fields: it is signed too
    signed = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    wanted = hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()
    if not _HASH.fullmatch(given) or not hmac.compare_digest(wanted, given):
        raise Untrue("hash")
    made = _instant(fields.get("auth_date", ""))
    if not now - OLDEST <= made <= now + EARLY:
        raise Untrue("auth_date")
    number, lang, name = _user(fields.get("user", ""))
    return Opened(number, given, made + OLDEST + EARLY, lang, name)


def _fields(init_data: str) -> dict[str, str]:
    if not init_data or len(init_data) > LONGEST:
        raise Untrue("length")
    fields: dict[str, str] = {}
    for part in init_data.split("&"):
        name, equals, value = part.partition("=")
        if not equals or name in fields:  # of two values, who knows which one was signed
            raise Untrue("form")
        try:
            fields[name] = unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            raise Untrue("form") from None
    return fields


def _instant(text: str) -> datetime:
    if not re.fullmatch(r"\d{1,11}", text, re.ASCII):
        raise Untrue("auth_date")
    return datetime.fromtimestamp(int(text), UTC)


def _user(text: str) -> tuple[int, str, str]:
    try:
        user = json.loads(text)
    except ValueError:
        raise Untrue("user") from None
    match user:
        case {"id": int(number)} if number > 0 and not isinstance(user["id"], bool):
            lang = user.get("language_code")
            return number, lang if isinstance(lang, str) else "", _name(user)
    raise Untrue("user")


def _name(user: dict[str, object]) -> str:
    parts = [user.get("first_name"), user.get("last_name"), user.get("username")]
    first, last, handle = (each.strip()[:64] if isinstance(each, str) else "" for each in parts)
    return " ".join(filter(None, (first, last, f"@{handle}" if handle else "")))
