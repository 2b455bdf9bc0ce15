"""What one process of the program learns and others need: the bot's user name, which Telegram alone knows.

It stands beside the bot's own number, the first part of its token: another token is another bot, whose name is not known.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from bot.store.tables import Fact, core
from bot.store.upsert import insert_into

_facts = core(Fact)
_BOT = "bot"


def remember_bot(connection: Connection, number: int | None, name: str) -> None:
    """The bot's user name, without @, in place of the one before."""
    value = f"{number} {name}"
    first = insert_into(connection, _facts).values(name=_BOT, value=value)
    connection.execute(first.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def known_bot(connection: Connection, number: int | None = None) -> str:
    """The user name, without @, of the bot with this number, or of whichever ran last; empty where it is not known."""
    value = connection.execute(select(_facts.c.value).where(_facts.c.name == _BOT)).scalar() or " "
    found, _, name = value.partition(" ")
    return name if number is None or found == str(number) else ""
