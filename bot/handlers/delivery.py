"""Outbox row → Telegram: receipts, notices, and the deletion of messages that should not stay.

At least once: a row leaves the outbox only after Telegram has answered, so an answer that is lost costs one repeated
message at the most, never a lost one. Within a chat the order of the rows is kept: what cannot be sent now holds
back what follows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.conversations.model import Button, Door, Json, View
from bot.conversations.wire import view_from_json
from bot.errors import DatabaseUnavailable, where
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, Threads, note_failure
from bot.handlers.gateway import CallFailed, Gateway, Trouble
from bot.handlers.ports import Documents, Mail, Outbox
from bot.handlers.render import render
from bot.msg import Msg, m
from bot.turn import Turns

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """Telegram has it; `message_id` is None for a deletion."""

    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: try again, not before so many seconds have passed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Never: the reason, in a word."""

    reason: str


Result: TypeAlias = Delivered | Later | Ended


class Delivery:
    """Empties the outbox. `keeping`: seconds after which a row that takes long is lent for longer."""

    keeping = 15.0

    def __init__(
        self,
        gateway: Gateway,
        turns: Turns,
        outbox: Outbox,
        threads: Threads,
        codes: Codes,
        locks: ChatLocks | None = None,
        documents: Documents | None = None,
    ) -> None:
        self._gateway = gateway
        self._turns = turns
        self._outbox = outbox
        self._threads = threads
        self._codes = codes
        self._locks = locks or ChatLocks()
        self._documents = documents

    async def deliver_chat(self, chat_id: int) -> None:
        """Delivers what waits for this chat: right after a turn, before its card."""
        async with self._locks.hold(chat_id):
            await self._in_order(await self._threads.run(self._outbox.take_for, chat_id))

    async def deliver_due(self, limit: int = 50) -> int:
        """Delivers up to `limit` rows that are due, chats side by side; how many there were."""
        due = await self._threads.run(self._outbox.take, limit)
        chats: dict[int, list[Mail]] = {}
        for mail in due:
            chats.setdefault(mail.chat_id, []).append(mail)
        await asyncio.gather(*(self._one_chat(mails) for mails in chats.values()))
        return len(due)

    async def deliver(self, mail: Mail) -> Result:
        """Delivers one row. Never raises for what Telegram answers."""
        if mail.payload is None:
            return Ended("unreadable")
        try:
            return Delivered(await self._carry_out(mail))
        except CallFailed as failed:
            if mail.kind == "document" and failed.trouble is Trouble.REFUSED:
                return await self._without_file(mail, m("sheet.refused"), failed.trouble.value)
            return await self._judge(mail, failed)

    async def _one_chat(self, mails: Sequence[Mail]) -> None:
        async with self._locks.hold(mails[0].chat_id):
            await self._in_order(mails)

    async def _in_order(self, mails: Sequence[Mail]) -> None:
        held: Result | None = None
        for mail in mails:
            if held is None:
                result = await self._guarded(mail)
                held = result if isinstance(result, Later) or result == Ended(Trouble.BLOCKED.value) else None
            else:
                result = held
            await self._record(mail, result)

    async def _guarded(self, mail: Mail) -> Result:
        try:
            return await self.deliver(mail)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one row that cannot be drawn must not stop the others
            note_failure("mail_failed", error, mail=mail.id)
            if mail.kind == "document" and mail.payload is not None:
                return await self._without_file(mail, m("sheet.failed"), where(error))
            return Ended(where(error))

    async def _record(self, mail: Mail, result: Result) -> None:
        """Notes what came of a row, however long the database is away: what is not noted is sent again."""
        match result:
            case Delivered(message_id):
                await self._threads.patiently(self._outbox.sent, mail.id, message_id)
            case Later(seconds):
                await self._threads.patiently(self._outbox.later, mail.id, seconds)
            case Ended(reason):
                await self._threads.patiently(self._outbox.ended, mail.id, reason)

    async def _carry_out(self, mail: Mail) -> int | None:
        match mail.kind:
            case "message" | "receipt":
                return await self._send(mail)
            case "delete":
                await self._gateway.delete(mail.chat_id, mail.payload["message_id"])
                return None
            case "document" if self._documents is not None:
                return await self._send_document(mail, self._documents)
        raise ValueError(f"no way to deliver a {mail.kind}")

    async def _send(self, mail: Mail) -> int:
        letter: Json = mail.payload
        message = render(
            view_from_json(letter["view"]),
            lang=letter["lang"],
            chat_id=mail.chat_id,
            rev=letter.get("rev", 0),
            codes=self._codes,
        )
        replaced: int | None = letter.get("replaces")
        if replaced is not None:
            try:
                await self._gateway.edit(mail.chat_id, replaced, message)
            except CallFailed as failed:
                if failed.trouble is not Trouble.GONE:
                    raise
            else:
                return replaced
        return await self._gateway.send(mail.chat_id, message, silent=mail.silent)

    async def _send_document(self, mail: Mail, documents: Documents) -> int:
        """Made anew for each try, so that nothing of it is kept anywhere; beside the event loop, for it may be long."""
        kept = asyncio.create_task(self._keep(mail))
        try:
            made = await self._threads.run(documents.make, mail)
            if made is not None:
                return await self._gateway.send_document(mail.chat_id, made, silent=mail.silent)
        finally:
            kept.cancel()
        return await self._say(mail, View(mark="⚠", title=m("sheet.withheld")))

    async def _without_file(self, mail: Mail, said: Msg, reason: str) -> Result:
        """A document that can never be sent: whoever waits for it is told so, and what to do; then the row ends."""
        again = Button(m("users.title"), Door("users"), "👥")
        try:
            await self._say(mail, View(mark="⚠", title=said, rows=((again,),)))
        except CallFailed as failed:
            return await self._judge(mail, failed)  # not told yet: the whole row comes again
        return Ended(reason)

    async def _say(self, mail: Mail, view: View) -> int:
        message = render(view, lang=mail.payload["lang"], chat_id=mail.chat_id, rev=0, codes=self._codes)
        return await self._gateway.send(mail.chat_id, message, silent=mail.silent)

    async def _keep(self, mail: Mail) -> None:
        """Lends the row for longer, again and again: nobody else makes the same document meanwhile."""
        while True:
            await asyncio.sleep(self.keeping)
            await self._threads.patiently(self._outbox.keep, mail.id)

    async def _judge(self, mail: Mail, failed: CallFailed) -> Result:
        match failed.trouble:
            case Trouble.FLOOD:
                return Later(failed.retry_after or _FIRST_PAUSE)
            case Trouble.BLOCKED:
                await self._threads.run(self._turns.blocked, mail.chat_id)
                return Ended(failed.trouble.value)
            case Trouble.REFUSED:
                return Ended(failed.trouble.value)
        return Later(min(_FIRST_PAUSE * 2 ** min(mail.attempts, 10), _LONGEST_PAUSE))
