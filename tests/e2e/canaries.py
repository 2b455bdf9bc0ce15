"""What must never be read, looked for after every end-to-end test: in the log, in codes and links of buttons, in names of files.

Recognisable are the national numbers of the register that a world begins with and every valid one besides, the bot's token, the
root key, the secrets of the settings, and the codes of invitations. What was looked through once is not looked through again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.access.identifiers import parse_niss
from bot.errors import Invalid
from tests.e2e.world import CANARIES, WORLDS, World

_ELEVEN = re.compile(r"(?<![\d])\d{2}[. ]?\d{2}[. ]?\d{2}[-. ]?\d{3}[-. ]?\d{2}(?![\d])")
_CARRIED = {
    "callback_data": "a button's code",
    "url": "a link",
    "file_name": "a file's name",
    "filename": "a file's name",
    "text": "a text",
    "caption": "a text",
}
EXAMPLE = "79082399728"
"""The number that the assistant's own sentences give as an example."""


@dataclass
class Watch:
    """One world, and how far it was looked through."""

    world: World
    log: int = 0
    calls: int = 0

    def strays(self) -> set[tuple[str, str]]:
        """Where something was read that should not be, and what, by its kind: the secret itself is not repeated."""
        found = set()
        secrets = list(self._secrets())
        for where, text in (("the log", self._log()), *self._said()):
            found |= {(where, kind) for kind, secret in secrets if secret in text}
            numbers = {re.sub(r"\D", "", number) for number in _ELEVEN.findall(text)}
            numbers -= {EXAMPLE} if where == "a text" else set()
            if any(map(_is_national, numbers)):
                found.add((where, "a national number"))
        return found

    def _secrets(self) -> Iterator[tuple[str, str]]:
        world = self.world
        yield "token", world.telegram.token
        yield "token", world.telegram.token.split(":")[1]
        yield "root key", world.root_key
        for name, secret in CANARIES.items():
            yield name, world.settings.get(name, secret)
        yield from (("invitation", code) for code in world.codes)

    def _log(self) -> str:
        file = self.world.folder / "bot.log"
        if not file.exists():
            return ""
        with file.open("rb") as log:
            log.seek(self.log)
            text = log.read()
        self.log += len(text)
        return text.decode("utf-8", "replace")

    def _said(self) -> Iterator[tuple[str, str]]:
        calls = self.world.telegram.state.calls[self.calls :]
        self.calls += len(calls)
        for call in calls:
            yield from _carried(call.params)


def _carried(params: Any) -> Iterator[tuple[str, str]]:
    """What the buttons carry that a call sends, where its links lead, how its files are called, what it says."""
    for name, value in _fields(params):
        if name in _CARRIED:
            yield _CARRIED[name], value


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and name in {"reply_markup", "link_preview_options", "media"}:
        value = json.loads(value)
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _fields(each, str(key))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _fields(each, name)
    elif value is not None:
        yield name, str(value)


def _is_national(text: str) -> bool:
    try:
        parse_niss(text, today=date.today())  # noqa: DTZ011 - any day will do
    except Invalid:
        return False
    return True


WATCHES: dict[int, Watch] = {}


def strays() -> set[tuple[str, str]]:
    """All that was found in any world since the last look; a world that is closed is looked through and let go."""
    found: set[tuple[str, str]] = set()
    for world in list(WORLDS):
        found |= WATCHES.setdefault(id(world), Watch(world)).strays()
        if world.closed:
            WORLDS.remove(world)
            del WATCHES[id(world)]
    return found
