"""Outbox row → mail server: the letters, as surely as messages in the chat.

At least once: a row leaves the outbox only after the server has said what becomes of it. What cannot be taken now is tried again,
later and later, as long as its link is good; what is refused for good is told to whoever had it sent. A mail server may take half a
minute for an answer, so this runs beside the worker, one letter at a time, and holds back nothing else.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import structlog
from sqlalchemy import Connection

from bot import clock
from bot.access import contact, letters
from bot.conversations.model import Button, Door, Row, View
from bot.conversations.wire import view_to_json
from bot.errors import DatabaseUnavailable, where
from bot.lettering import anchored, composed, deliverable, noted
from bot.msg import m
from bot.smtp import Never, NotNow, Server, hand_over
from bot.store import anchorpost, chats, outbox
from bot.store.database import Database
from bot.store.keys import Keyring

log = structlog.get_logger(__name__)
PAUSE = 1.0
"""Seconds between two looks."""
FIRST, LONGEST = timedelta(seconds=30), timedelta(minutes=30)
"""Between two tries of a letter: doubled from the one to the other. Servers that make strangers wait mean some minutes."""


class Postman:
    """Delivers the letters of the outbox. `sender` stands in From, `pages` is the address of the private pages."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        server: Server,
        *,
        sender: str,
        pages: str,
        desk: str = "",
        pause: float = PAUSE,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._server = server
        self._sender = sender
        self._pages = pages
        self._desk = desk
        self._pause = pause
        self.bot = ""
        """The bot's user name, for its link; empty until Telegram has told it."""

    async def run(self, stop: asyncio.Event) -> None:
        """Looks again and again until `stop` is set; whatever fails is noted, and tried again."""
        failures = 0
        while not stop.is_set():
            try:
                while not stop.is_set() and await self.once():
                    pass
                failures = 0
            except DatabaseUnavailable as away:
                failures += 1
                log.warning("database_away", reason=str(away))
            except Exception as error:  # noqa: BLE001 - one letter must not end the post for everybody
                failures += 1
                log.error("postman_failed", error=where(error))  # noqa: TRY400 - a trace would hold the letter
            try:
                async with asyncio.timeout(min(self._pause * 2**failures, 30)):
                    await stop.wait()
            except TimeoutError:
                continue

    async def once(self) -> bool:
        """Delivers one letter; False where none is due."""
        letter = await asyncio.to_thread(self._take)
        if letter is None:
            return False
        written = await asyncio.to_thread(self._read, letter)
        if written is None:
            await asyncio.to_thread(self._end, letter, "over")
            return True
        mail, to = written
        try:
            await hand_over(self._server, mail, deliverable(to))
        except NotNow as wait:
            (log.error if wait.ours else log.warning)(
                "mail_waits", reason=wait.reason, attempts=letter.attempts
            )
            await asyncio.to_thread(self._later, letter)
        except Never as refused:
            # nobody in the chats hears of anchors: it is the operator's to look
            (log.error if letter.payload.get("anchors") else log.warning)("mail_refused", code=refused.code)
            await asyncio.to_thread(self._refused, letter, refused.code)
        else:
            await asyncio.to_thread(self._sent, letter)
        return True

    # -- each one transaction -------------------------------------------------------------------

    def _take(self) -> outbox.Letter | None:
        now = clock.now()
        with self._database.read() as connection:
            if not outbox.letters_waiting(connection, now):
                return None
        with self._database.write() as connection:
            return outbox.take_letter(connection, self._keyring, now)

    def _read(self, letter: outbox.Letter) -> tuple[EmailMessage, str] | None:
        """The mail and where it goes; None where it has nothing to say any more."""
        if letter.payload is None:
            return None
        if found := anchorpost.read(letter.payload):
            return anchored(found, letter.key, sender=self._sender), found.to
        with self._database.read() as connection:
            if letter.payload["purpose"] == contact.PURPOSE:
                note = contact.note(connection, letter.payload, clock.now()) if self._desk else None
                return (
                    (noted(note, letter.key, sender=self._sender, desk=self._desk), self._desk)
                    if note
                    else None
                )
            written = letters.read(connection, letter.payload, clock.now())
        if written is None:
            return None
        mail = composed(written, letter.key, sender=self._sender, pages=self._pages, bot=self.bot)
        return mail, written.to

    def _sent(self, letter: outbox.Letter) -> None:
        with self._database.write() as connection:
            outbox.sent(connection, letter.id, None, clock.now())

    def _later(self, letter: outbox.Letter) -> None:
        wait = min(FIRST * 2 ** min(letter.attempts, 10), LONGEST)
        with self._database.write() as connection:
            outbox.later(connection, letter.id, clock.now() + wait)

    def _end(self, letter: outbox.Letter, reason: str) -> None:
        """A link that ran out while its mail waited is as bad as a refusal; one that was replaced or used is not."""
        now = clock.now()
        with self._database.write() as connection:
            outbox.ended(connection, letter.id, reason, now)
            if letter.payload is not None and letter.attempts and letters.ran_out(letter.payload, now):
                self._tell(connection, letter)

    def _refused(self, letter: outbox.Letter, code: int) -> None:
        with self._database.write() as connection:
            outbox.ended(connection, letter.id, f"refused {code}", clock.now())
            self._tell(connection, letter)

    def _tell(self, connection: Connection, letter: outbox.Letter) -> None:
        """Whoever had it sent hears that it did not arrive, and what to do; without a name (`product.md`)."""
        chat = letter.payload["chat"]
        if chat is None:
            return
        now = clock.now()
        row = chats.peek(connection, self._keyring, chat, now)
        view = _undelivered(letter.payload)
        payload = {
            "view": view_to_json(view),
            "lang": (row.lang if row else None) or "fr",
            "rev": 0,
            "replaces": None,
        }
        outbox.put(
            connection,
            self._keyring,
            f"undelivered:{letter.key}",
            chat_id=chat,
            kind="message",
            payload=payload,
            now=now,
            silent=clock.by_night(now),
        )


def _undelivered(payload: Any) -> View:
    """What is said where it did not arrive, with the way to try again."""
    if payload["purpose"] == contact.PURPOSE:
        what, door = m("notice.unsent_what", reference=payload["reference"]), Door("contact")
    else:
        what, door = m("notice.undelivered_what"), Door("invite", payload["account"])
    rows: tuple[Row, ...] = ((Button(m("notice.see"), door),),)
    return View(mark="⚠", title=m("notice.undelivered"), body=(what,), rows=rows)
