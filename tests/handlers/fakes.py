"""A turn and a store in memory, with the rules of the real ones that the edge relies on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.conversations.model import Button, Command, Press, Tap, Text, Toast, View
from bot.conversations.wire import view_to_json
from bot.errors import DatabaseUnavailable
from bot.handlers.ports import Arrived, Mail, Waiting
from bot.msg import m
from bot.turn import CardJob, Handled, Incoming


@dataclass
class Row:
    rev: int = 1
    want: int = 0
    shown: int = 0
    view: View | None = None
    anew: bool = False
    message_id: int | None = None
    lang: str = "fr"
    failures: list[float | None] = field(default_factory=list)


class FakeTurns:
    """Answers a text with a new card that says it, a tap with the same card edited; remembers all that it was told."""

    def __init__(self) -> None:
        self.handled: list[Incoming] = []
        self.rows: dict[int, Row] = defaultdict(Row)
        self.blocked_chats: list[int] = []
        self.apologies: list[tuple[int, int]] = []
        self.before: Callable[[Incoming], None] = lambda incoming: None
        self.outbox: MemoryOutbox | None = None
        self.away = False
        self.known: bool | None = False
        self.asks = False
        self.lock = threading.Lock()

    def handle(self, incoming: Incoming) -> Handled:
        if self.away:
            raise DatabaseUnavailable("away")
        self.before(incoming)
        with self.lock:
            row = self.rows[incoming.chat_id]
            repeated = any(done.update_id == incoming.update_id for done in self.handled)
            toast = None
            if not repeated:
                self.handled.append(incoming)
                toast = self._step(row, incoming)
            row.want += 1
            return Handled(
                incoming.chat_id,
                row.lang,
                repeated,
                toast,
                self._job(incoming.chat_id),
                self._mail(incoming),
                known=self.known,
            )

    def asks_for_document(self, telegram_id: int) -> bool:
        return self.asks

    def _step(self, row: Row, incoming: Incoming) -> Toast | None:
        row.rev += 1
        match incoming.event:
            case Command("language", lang):
                row.lang, row.view, row.anew = lang, view("langue"), True
            case Command(name, _):
                row.view, row.anew = view(name), True
            case Text("mail"):
                assert self.outbox is not None
                self.outbox.put(incoming.chat_id, "message", letter("d'abord"))
                row.view, row.anew = view("ensuite"), True
            case Text(text):
                row.view, row.anew = view(text), True
            case Tap(rev, verb, value):
                row.view, row.anew = view(f"{verb} {value} {rev}"), False
                return Toast(m("command.home"), alert=verb == "alert")
        return None

    def _mail(self, incoming: Incoming) -> bool:
        return self.outbox is not None and any(
            mail.chat_id == incoming.chat_id for mail in self.outbox.open()
        )

    def _job(self, chat_id: int) -> CardJob:
        row = self.rows[chat_id]
        return CardJob(chat_id, row.want, row.rev, row.lang, row.view, row.anew, row.message_id)

    def card(self, chat_id: int) -> CardJob | None:
        row = self.rows[chat_id]
        return None if row.shown == row.want else self._job(chat_id)

    def overtaken(self, job: CardJob) -> bool:
        row = self.rows[job.chat_id]
        return (row.want, row.shown < row.want, row.message_id) != (job.seq, True, job.message_id)

    def shown(self, chat_id: int, seq: int, message_id: int | None) -> bool:
        row = self.rows[chat_id]
        if seq > row.shown:
            row.message_id = message_id
            row.shown = seq
        return row.message_id == message_id

    def unshown(self, *, limit: int) -> list[int]:
        return [chat_id for chat_id, row in self.rows.items() if row.shown < row.want][:limit]

    def failed_to_show(self, chat_id: int, seq: int, retry_after: float | None) -> None:
        self.rows[chat_id].failures.append(retry_after)

    def blocked(self, chat_id: int) -> None:
        self.blocked_chats.append(chat_id)
        self.rows[chat_id].shown = self.rows[chat_id].want

    def apologise(self, chat_id: int, update_id: int) -> str:
        if self.outbox is not None and (chat_id, update_id) not in self.apologies:
            self.outbox.put(chat_id, "message", letter("excuses 4F2A"))
        self.apologies.append((chat_id, update_id))
        return "4F2A"

    def want(self, chat_id: int, title: str, *, anew: bool = False) -> CardJob:
        """Makes a card wanted, as a turn does."""
        row = self.rows[chat_id]
        row.want, row.view, row.anew = row.want + 1, view(title), anew
        return self._job(chat_id)


def view(title: str) -> View:
    return View(title=title, rows=((Button("Oui", Press("ok", "1")),),))


def letter(title: str, replaces: int | None = None) -> dict:
    return {"view": view_to_json(View(title=title)), "lang": "fr", "rev": 0, "replaces": replaces}


class MemoryInbox:
    def __init__(self) -> None:
        self.rows: dict[int, Waiting] = {}
        self.done: set[int] = set()
        self.aside: dict[int, tuple[str, str]] = {}
        self.batches: list[list[int]] = []
        self.away = False
        self.known: bool | None = False

    def keep(self, updates):
        self._there()
        self.batches.append([update.update_id for update in updates])
        for update in updates:
            self.rows.setdefault(update.update_id, Waiting(update.update_id, update.lane, update.body))

    def open_lanes(self):
        self._there()
        return sorted({row.lane for row in self._open()})

    def next_in(self, lane):
        self._there()
        return next((row for row in self._open() if row.lane == lane), None)

    def count_attempt(self, update_id):
        self._there()
        if update_id in self.done:
            return 0
        row = self.rows[update_id]
        self.rows[update_id] = replace(row, attempts=row.attempts + 1)
        return row.attempts + 1

    def set_aside(self, update_id, error, reference):
        self._there()
        self.aside[update_id] = (error, reference)

    def _open(self):
        return [
            row for _, row in sorted(self.rows.items()) if row.update_id not in self.done | self.aside.keys()
        ]

    def _there(self):
        if self.away:
            raise DatabaseUnavailable("away")


class Closing(FakeTurns):
    """A turn that marks its update done in the inbox, in the same transaction."""

    def __init__(self, inbox: MemoryInbox) -> None:
        super().__init__()
        self.inbox = inbox

    def handle(self, incoming):
        handled = super().handle(incoming)
        self.inbox.done.add(incoming.update_id)
        return handled


class MemoryOutbox:
    def __init__(self) -> None:
        self.mails: dict[int, Mail] = {}
        self.due: dict[int, float] = {}
        self.kept: list[int] = []
        self.results: dict[int, object] = {}
        self.lock = threading.Lock()

    def put(self, chat_id, kind, payload, *, silent=False) -> int:
        number = len(self.mails) + 1
        self.mails[number] = Mail(number, chat_id, kind, payload, silent)
        return number

    def open(self):
        return [mail for number, mail in self.mails.items() if number not in self.results]

    def take(self, limit):
        with self.lock:
            return self._take(limit)

    def _take(self, limit):
        return [self._lend(mail) for mail in self.open() if self.due.get(mail.id, 0) <= time.monotonic()][
            :limit
        ]

    def take_for(self, chat_id):
        with self.lock:
            due = [
                mail
                for mail in self.open()
                if mail.chat_id == chat_id and self.due.get(mail.id, 0) <= time.monotonic()
            ]
            return [self._lend(mail) for mail in due]

    def _lend(self, mail):
        self.mails[mail.id] = replace(mail, attempts=mail.attempts + 1)
        self.due[mail.id] = time.monotonic() + 60
        return mail

    def sent(self, mail_id, message_id):
        assert mail_id not in self.results
        self.results[mail_id] = ("sent", message_id)

    def keep(self, mail_id):
        self.kept.append(mail_id)

    def later(self, mail_id, seconds):
        self.due[mail_id] = time.monotonic() + seconds

    def ended(self, mail_id, reason):
        self.results[mail_id] = ("ended", reason)


def arrived(update_id: int, chat_id: int, text: str) -> Arrived:
    person = {"id": chat_id, "is_bot": False, "language_code": "fr"}
    chat = {"id": chat_id, "type": "private"}
    message = {"message_id": update_id, "date": 1, "chat": chat, "from": person, "text": text}
    return Arrived(update_id, chat_id, {"update_id": update_id, "message": message})


async def eventually(happens, *, within: float = 20.0) -> None:
    """Waits until `happens()` is true."""
    async with asyncio.timeout(within):
        while not happens():  # noqa: ASYNC110 - what tests wait for has no event of its own
            await asyncio.sleep(0.002)
