"""Reply markup, checked as Telegram checks it. Imports `entities` (addresses) and `errors` only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bot.demo.entities import fix_url, utf16
from bot.demo.errors import bad_request

MAX_CALLBACK_BYTES = 64
MAX_COPY_TEXT = 256
MAX_BUTTONS = 100
LOOPBACK = frozenset(["127.0.0.1", "localhost", "::1"])

_ACTIONS = (
    "callback_data",
    "url",
    "web_app",
    "copy_text",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "callback_game",
    "pay",
)
_BOOLEANS = {
    "force_reply": ("force_reply", "selective"),
    "remove_keyboard": ("remove_keyboard", "selective"),
    "keyboard": ("resize_keyboard", "one_time_keyboard", "is_persistent", "selective"),
}


def checked_markup(markup: Any, *, private: bool) -> dict[str, Any] | None:
    """The markup that a message will hold; None for none, or for an inline keyboard without buttons.

    Raises ApiError with Telegram's words.
    """
    if markup in (None, "", {}):
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _inline(markup["inline_keyboard"], private=private)
    for kind, fields in _BOOLEANS.items():
        if kind in markup:
            _check_booleans(markup, fields)
            if kind == "keyboard":
                _check_reply_keyboard(markup["keyboard"])
            return dict(markup)
    raise bad_request("object expected as reply markup")


def _check_booleans(markup: dict[str, Any], fields: tuple[str, ...]) -> None:
    for name in fields:
        if name in markup and not isinstance(markup[name], bool):
            raise bad_request(f'field "{name}" must be of type Boolean')


def _check_reply_keyboard(rows: Any) -> None:
    if not isinstance(rows, list):
        raise bad_request('field "keyboard" must be of type Array')
    for row in rows:
        for button in row:
            text = button if isinstance(button, str) else button.get("text")
            if not text:
                raise bad_request("can't parse keyboard button: Can't find field \"text\"")


def _inline(rows: Any, *, private: bool) -> dict[str, Any] | None:
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be of type Array')
    checked = [[_button(button, private=private) for button in row] for row in rows if row]
    if sum(len(row) for row in checked) > MAX_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": checked} if checked else None


def _button(button: Any, *, private: bool) -> dict[str, Any]:
    def wrong(reason: str) -> Exception:
        return bad_request(f"can't parse inline keyboard button: {reason}")

    if not isinstance(button, dict):
        raise wrong("InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise wrong('Can\'t find field "text"')
    if not isinstance(button["text"], str):
        raise wrong('Field "text" must be of type String')
    if not button["text"].strip():
        raise bad_request("inline keyboard button text must be non-empty")
    used = [name for name in _ACTIONS if name in button and button[name] is not None]
    if used == ["callback_data"] and button["callback_data"] == "":
        used = []
    if not used:
        raise wrong("Text buttons are unallowed in the inline keyboard")
    if len(used) > 1:
        raise wrong("exactly one of the optional fields must be used")
    _check_action(used[0], button[used[0]], private=private)
    return {
        name: button[name] for name in ("text", "style", "icon_custom_emoji_id", used[0]) if name in button
    }


def _check_action(name: str, value: Any, *, private: bool) -> None:
    match name:
        case "callback_data":
            if not isinstance(value, str) or len(value.encode()) > MAX_CALLBACK_BYTES:
                raise bad_request("BUTTON_DATA_INVALID")
        case "url":
            _check_url(str(value))
        case "web_app":
            _check_web_app(value, private=private)
        case "copy_text":
            text = value.get("text", "") if isinstance(value, dict) else ""
            if not 1 <= utf16(text) <= MAX_COPY_TEXT:
                raise bad_request("BUTTON_COPY_TEXT_INVALID")
        case "login_url":
            raise bad_request("BOT_DOMAIN_INVALID")
        case "pay" | "callback_game":
            raise bad_request("BUTTON_TYPE_INVALID")
        case _:
            return


def _check_url(url: str) -> None:
    scheme = url.partition("://")[0].lower() if "://" in url else "http"
    if scheme not in {"http", "https", "tg", "ton"}:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    if not fix_url(url) and not is_loopback(url):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _check_web_app(value: Any, *, private: bool) -> None:
    url = str(value.get("url", "")) if isinstance(value, dict) else ""
    if not (url.startswith("https://") and fix_url(url)) and not is_loopback(url):
        raise bad_request(
            f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed"
        )
    if not private:
        raise bad_request("BUTTON_TYPE_INVALID")


def is_loopback(url: str) -> bool:
    """Whether this is a plain http address of this machine: Telegram refuses it, the demo lives on it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and (parts.hostname or "") in LOOPBACK
