"""A password typed into the chat, over the whole edge: from Telegram's update to what is left of it, which is nothing."""

from __future__ import annotations

from itertools import count

import pytest
from bot.conversations.registry import ENGINE
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, Threads
from bot.handlers.delays import Delays
from bot.handlers.delivery import Delivery
from bot.handlers.desk import Desk
from bot.handlers.lanes import Lanes
from bot.handlers.mailroom import StoreInbox, StoreOutbox
from bot.handlers.menu import Menu
from bot.handlers.panel import Panel
from bot.handlers.ports import Arrived
from bot.i18n import CatalogueReader
from bot.store.database import Database
from bot.store.tables import SQLModel
from bot.turning import Turning
from sqlalchemy import select
from structlog.testing import capture_logs
from tests import databases
from tests.handlers.telegram import FakeTelegram
from tests.test_turning import MemoryCounter

SECRET = "Kanarie2026!"
WORDS = "soleil"
ANNE, STRANGER = 1, 2
PERSON = {"is_bot": False, "first_name": "A", "language_code": "fr"}


class Edge:
    """The real edge and the real turns on a database; Telegram and the register in memory."""

    def __init__(self, database, keyring):
        self.database, self.keyring = database, keyring
        self.telegram = FakeTelegram()
        self.inbox, outbox = StoreInbox(database, keyring), StoreOutbox(database, keyring)
        turns = Turning(database, keyring, ENGINE, MemoryCounter(), CatalogueReader)
        self.threads, codes, menu = Threads(2), Codes([b"k" * 32]), Menu(self.telegram)
        delivery = Delivery(self.telegram, turns, outbox, self.threads, codes)
        panel = Panel(self.telegram, turns, self.threads, codes)
        self.desk = Desk(
            turns, self.telegram, self.threads, delivery, panel, menu, Delays(self.telegram, codes)
        )
        self.lanes = Lanes(self.inbox, self.desk, self.threads, codes, ChatLocks())
        self.numbers = count(1)

    async def comes(self, content, kind="message", who=ANNE):
        """Somebody's message as Telegram hands it over; its number."""
        number = next(self.numbers)
        self.telegram.chats[who][number] = {"text": "", **content}
        message = {"message_id": number, "date": 1, "chat": {"id": who, "type": "private"}}
        body = {"update_id": number, kind: {**message, "from": {"id": who, **PERSON}, **content}}
        self.inbox.keep([Arrived(number, who, body)])
        self.lanes.wake([who])
        await self.lanes.settle()
        return number

    def at_rest(self):
        """Every cell of the database that can be read."""
        with self.database.read() as connection:
            tables = SQLModel.metadata.sorted_tables
            return repr([tuple(row) for table in tables for row in connection.execute(select(table))])

    async def close(self):
        await self.desk.close()
        self.threads.close()
        await self.telegram.close()


@pytest.fixture
async def edge(tmp_path, keyring, frozen):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        edge = Edge(database, keyring)
        yield edge
        await edge.close()
        database.close()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"text": SECRET}, "message"),
        ({"text": f"mot de passe : {WORDS}"}, "message"),
        ({"text": f"/password {WORDS}"}, "message"),
        ({"text": f"/status {SECRET}"}, "message"),
        ({"photo": [{"file_id": "x"}], "caption": SECRET}, "message"),
        ({"text": SECRET}, "edited_message"),
    ],
    ids=[
        "an answer",
        "a sentence",
        "a command for it",
        "another command",
        "a picture's words",
        "a correction",
    ],
)
@pytest.mark.parametrize("who", [ANNE, STRANGER], ids=["a manager", "a stranger"])
async def test_a_typed_password_goes_from_the_chat_and_stands_nowhere(edge, content, kind, who):
    await edge.comes({"text": "/grant"}, who=who)
    with capture_logs() as logs:
        number = await edge.comes(content, kind, who)
    assert number not in edge.telegram.chats[who]
    assert edge.telegram.calls.count(("deleteMessage", {"chat_id": who, "message_id": number})) == 1
    sent = repr([call for call in edge.telegram.calls if call[0] != "deleteMessage"])
    assert [said for said in (SECRET, WORDS) if said in sent + repr(logs) + edge.at_rest()] == []
    assert "Cela ressemble à un mot de passe" in edge.telegram.says(who)[-1]


async def test_where_a_password_was_typed_the_dialogue_stays_as_it_was(edge):
    await edge.comes({"text": "/grant"})
    asked = edge.telegram.says(ANNE)[-1]
    await edge.comes({"text": SECRET})
    assert "Pour quelle entité" in asked
    assert "Pour quelle entité" in edge.telegram.says(ANNE)[-1]


@pytest.mark.parametrize("said", ["Peeters", "jpeeters", "2026-000001", "25.2.2027", "jan@example.org"])
async def test_what_is_no_password_stays_in_the_chat(edge, said):
    number = await edge.comes({"text": said})
    assert number in edge.telegram.chats[ANNE]
