"""The command menu and the bot's profile, in each language; per chat too.

Telegram chooses a menu by the language of the *client*, and shows it to everybody: so what is published is the stranger's.
A chat whose person is known, or who chose another language, gets a menu of its own. Everything is compared first and written only where it differs, because Telegram limits how often
a bot may rename itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import structlog
from telegram.constants import BotCommandScopeType, MenuButtonType

from bot.handlers.gateway import CallFailed, Gateway
from bot.i18n import speaker
from bot.msg import LANGUAGES, m
from bot.turn import Handled, Incoming

log = structlog.get_logger(__name__)

COMMANDS = (
    "start",
    "home",
    "grant",
    "end",
    "change",
    "status",
    "managers",
    "users",
    "subdivisions",
    "newuser",
    "functions",
    "me",
    "language",
    "help",
    "privacy",
    "lock",
    "cancel",
    "back",
)
"""In the order of the menu; each has a text `command.<name>`."""
FOR_STRANGERS = ("start", "language", "help", "privacy")
DEFAULT = "en"
"""For clients in a language that is none of ours."""
_REMEMBERED = 10_000


def commands_for(lang: str, *, known: bool = True) -> list[dict[str, str]]:
    """The menu in `lang`, as Bot API objects; shorter for somebody who is not bound to a person of the register."""
    speak = speaker(lang)
    names = COMMANDS if known else FOR_STRANGERS
    return [{"command": name, "description": speak.plain(m(f"command.{name}"))} for name in names]


class Menu:
    """Keeps the menus and the profile as they should be."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        # chat → language of its menu, and whether all of it, as far as this process knows
        self._shown: OrderedDict[int, tuple[str, bool]] = OrderedDict()

    async def publish(self) -> None:
        """Writes menus, descriptions and the menu button where they differ. A failure is noted: the bot works without."""
        try:
            for code in ("", *LANGUAGES):
                for write, parameters, read in _profile(code):
                    wanted, field = next(iter(parameters.values())), next(iter(parameters))
                    found = await self._gateway.call(read, language_code=code or None)
                    if (found.get(field) if isinstance(found, dict) else found) != wanted:
                        await self._gateway.call(write, language_code=code or None, **parameters)
            button = await self._gateway.call("getChatMenuButton")
            if button.get("type") != MenuButtonType.COMMANDS:
                await self._gateway.call("setChatMenuButton", menu_button={"type": MenuButtonType.COMMANDS})
        except CallFailed as failed:
            log.warning("menu_not_published", trouble=failed.trouble.value)

    async def follow(self, incoming: Incoming, handled: Handled) -> None:
        """Gives the chat a menu of its own when it is another than the published one, or than before."""
        if handled.known is None:
            return
        wanted = (handled.lang, handled.known)
        if self._shown.get(handled.chat_id, (incoming.lang, False)) != wanted:
            await self.set_for(handled.chat_id, handled.lang, known=handled.known)
        self._shown[handled.chat_id] = wanted
        self._shown.move_to_end(handled.chat_id)
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)

    async def set_for(self, chat_id: int, lang: str, *, known: bool) -> None:
        """Writes the menu of one chat. A failure is noted."""
        scope = {"type": BotCommandScopeType.CHAT, "chat_id": chat_id}
        try:
            await self._gateway.call("setMyCommands", commands=commands_for(lang, known=known), scope=scope)
        except CallFailed as failed:
            log.info("chat_menu_not_set", trouble=failed.trouble.value)


def _profile(code: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(method that writes, its one parameter, method that reads) for a language code; "" is everybody else."""
    lang = code or DEFAULT
    speak = speaker(lang)
    yield "setMyCommands", {"commands": commands_for(lang, known=False)}, "getMyCommands"
    yield "setMyDescription", {"description": speak.plain(m("bot.description"))}, "getMyDescription"
    short = speak.plain(m("bot.short_description"))
    yield "setMyShortDescription", {"short_description": short}, "getMyShortDescription"
