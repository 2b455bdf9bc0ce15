"""Opening a Mini App as Telegram's clients do: the page's address, with who opens it signed behind the #.

https://core.telegram.org/bots/webapps: only pages that the bot offers to this person can be opened. Imports the state.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from urllib.parse import urlencode

from bot.demo.errors import bad_request
from bot.demo.model import Visitor
from bot.demo.profile import menu_for
from bot.demo.telegram import LocalTelegram

VERSION = "8.0"


def opened(state: LocalTelegram, number: int, address: str) -> str:
    """The address to show. Raises ApiError for a page that no button of this chat opens."""
    if address not in set(_offered(state, number)):
        raise bad_request("BUTTON_URL_INVALID")
    data = init_data(state.person(number), state.token, int(state.now()))
    handed = {"tgWebAppData": data, "tgWebAppVersion": VERSION, "tgWebAppPlatform": "weba"}
    return f"{address}#{urlencode(handed)}"


def init_data(person: Visitor, token: str, made: int) -> str:
    """What Telegram signs for a Mini App: who opened it, and when (Unix seconds)."""
    fields = {
        "query_id": secrets.token_urlsafe(12),
        "user": json.dumps(person.user(), ensure_ascii=False, separators=(",", ":")),
        "auth_date": str(made),
        "signature": secrets.token_urlsafe(48),
    }
    check = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return urlencode({**fields, "hash": hmac.new(key, check.encode(), hashlib.sha256).hexdigest()})


def _offered(state: LocalTelegram, number: int) -> Iterator[str]:
    for message in state.messages.get(number, {}).values():
        for row in message.content.get("reply_markup", {}).get("inline_keyboard", []):
            for button in row:
                yield button.get("web_app", {}).get("url", "")
    yield menu_for(state, number).get("web_app", {}).get("url", "")
