"""The methods of the Bot API that set what the bot shows of itself: commands, names, menu button; and chats.

Commands are resolved for a person as Telegram does: scope by scope, in his language first. Imports the state.
"""

from __future__ import annotations

import re
from typing import Any

from bot.demo.errors import bad_request
from bot.demo.keyboards import is_loopback
from bot.demo.methods import Method
from bot.demo.model import Json
from bot.demo.params import Params
from bot.demo.telegram import LocalTelegram

MAX_COMMANDS = 100
MAX_DESCRIPTION = 256
_COMMAND = re.compile(r"/?[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_SCOPES = frozenset(
    [
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    ]
)
_OWN_TEXTS = {"name": 64, "description": 512, "short_description": 120}


def _language(params: Params) -> str:
    code = params.text("language_code")
    if code and not _LANGUAGE.fullmatch(code):
        raise bad_request("invalid language code specified")
    return code


def _scope(state: LocalTelegram, params: Params) -> str:
    scope = params.get("scope") or {"type": "default"}
    kind = scope.get("type") if isinstance(scope, dict) else None
    if kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    if kind in {"chat", "chat_administrators", "chat_member"}:
        return f"{kind}:{state.writable(scope.get('chat_id')).id}"
    return str(kind)


def _key(state: LocalTelegram, params: Params) -> str:
    return f"commands/{_scope(state, params)}/{_language(params)}"


def set_my_commands(state: LocalTelegram, params: Params) -> bool:
    commands = params.get("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands: expected an Array of BotCommand")
    if len(commands) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    checked = [_command(command) for command in commands]
    _put(state, _key(state, params), checked or None)
    return True


def _command(given: Any) -> Json:
    name, description = str(given.get("command", "")), str(given.get("description", "")).strip()
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= MAX_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name.removeprefix("/"), "description": description}


def get_my_commands(state: LocalTelegram, params: Params) -> list[Json]:
    return list(state.archive.get("setting", _key(state, params), []))


def delete_my_commands(state: LocalTelegram, params: Params) -> bool:
    _put(state, _key(state, params), None)
    return True


def commands_for(state: LocalTelegram, person: int) -> list[Json]:
    """The commands that this person's client lists."""
    language = state.people[person].language_code[:2]
    for scope in (f"chat:{person}", "all_private_chats", "default"):
        for code in (language, ""):
            if found := state.archive.get("setting", f"commands/{scope}/{code}"):
                return list(found)
    return []


def own_text(state: LocalTelegram, field: str, language: str) -> str:
    """The bot's name, description or short description in a language, else the general one."""
    fallback = state.bot["first_name"] if field == "name" else ""
    get = state.archive.get
    return str(get("setting", f"{field}/{language}") or get("setting", f"{field}/") or fallback)


def _setter(field: str) -> Method:
    def set_it(state: LocalTelegram, params: Params) -> bool:
        text = params.text(field)
        if len(text) > _OWN_TEXTS[field]:
            raise bad_request(
                "BOT_TITLE_INVALID" if field == "name" else f"bot {field.replace('_', ' ')} is too long"
            )
        _put(state, f"{field}/{_language(params)}", text or None)
        return True

    return set_it


def _getter(field: str) -> Method:
    return lambda state, params: {field: own_text(state, field, _language(params))}


def _put(state: LocalTelegram, key: str, value: Any) -> None:
    state.archive.put("setting", key, value)
    state.feed.publish({"kind": "profile"})


def set_chat_menu_button(state: LocalTelegram, params: Params) -> bool:
    button = params.get("menu_button") or {"type": "default"}
    kind = button.get("type")
    if kind not in {"commands", "web_app", "default"}:
        raise bad_request("can't parse MenuButton: Unsupported type specified")
    if kind == "web_app":
        url = str(button.get("web_app", {}).get("url", ""))
        if not url.startswith("https://") and not is_loopback(url):
            raise bad_request(f"menu button Web App URL '{url}' is invalid: Only HTTPS links are allowed")
    _put(state, f"menu/{params.get('chat_id') or ''}", button)
    return True


def menu_for(state: LocalTelegram, person: int | str) -> Json:
    """The menu button of a chat, else the general one."""
    get = state.archive.get
    found: Json = get("setting", f"menu/{person}") or get("setting", "menu/") or {"type": "commands"}
    return {"type": "commands"} if found["type"] == "default" else found


def get_chat_menu_button(state: LocalTelegram, params: Params) -> Json:
    return menu_for(state, params.get("chat_id") or "")


def get_chat(state: LocalTelegram, params: Params) -> Json:
    chat = state.writable(params.get("chat_id"))
    accepted = {
        "unlimited_gifts": False,
        "limited_gifts": False,
        "unique_gifts": False,
        "premium_subscription": False,
    }
    gifts = {**accepted, "gifts_from_channels": False}
    return {**chat.facts, "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}


def leave_chat(state: LocalTelegram, params: Params) -> bool:
    chat = state.writable(params.get("chat_id"))
    if chat.private:
        raise bad_request("chat member status can't be changed in private chats")
    del state.chats[chat.id]
    state.archive.put("chat", chat.id, None)
    return True


PROFILE_METHODS: dict[str, Method] = {
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyName": _setter("name"),
    "getMyName": _getter("name"),
    "setMyDescription": _setter("description"),
    "getMyDescription": _getter("description"),
    "setMyShortDescription": _setter("short_description"),
    "getMyShortDescription": _getter("short_description"),
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
    "getChat": get_chat,
    "leaveChat": leave_chat,
    "logOut": lambda _state, _params: True,
    "close": lambda _state, _params: True,
}
