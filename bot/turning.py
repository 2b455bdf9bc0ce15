"""A turn: one event, one transaction, one new screen. `Turning` is the `Turns` of the program.

In the transaction: the update is marked done (a second time, and the turn changes nothing), the chat's row is locked, the
dialogue steps, its request is performed on the register and the outcome goes back into the dialogue, receipts and deletions
go to the outbox, the state is saved. All of it commits, or none. No network call happens in here.

What the register is to a turn stands behind the `Counter` port; `app` gives the real one, the tests one in memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection

from bot import clock
from bot.access.catalogue import Catalogue
from bot.access.requests import Outcome, Request
from bot.conversations.engine import Engine
from bot.conversations.model import (
    Answer,
    Event,
    Forget,
    Perform,
    Receipt,
    Redraw,
    Reply,
    State,
    Tap,
    Toast,
    View,
)
from bot.conversations.ports import Actor, Context, Directory, Reader, Settings
from bot.conversations.wire import view_to_json
from bot.msg import LANGUAGES, m
from bot.store import chats, fading, inbox, outbox
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.turn import CardJob, Handled, Incoming

KEEP = timedelta(days=7)
"""How long an open dialogue is kept."""
TRIES = 3


class Counter(Protocol):
    """The register, as a turn needs it; each call is in the turn's transaction."""

    def used(self, connection: Connection, telegram_id: int) -> None:
        """This person is there: a session that still counts goes on."""
        ...

    def actor(self, connection: Connection, telegram_id: int) -> Actor | None:
        """Who this Telegram account is proved to be, None for a stranger."""
        ...

    def directory(self, connection: Connection, telegram_id: int) -> Directory:
        """What this Telegram account may see."""
        ...

    def catalogue(self, connection: Connection) -> Catalogue:
        """The applications and functions, the operator's own among them."""
        ...

    def digest(self, request: Request, shown: str) -> str:
        """What a fresh proof for this request, confirmed on this recap, is bound to."""
        ...

    def perform(
        self, connection: Connection, incoming: Incoming, request: Request, shown: str = ""
    ) -> Outcome:
        """Does what a dialogue asks, or says why not. Raises nothing that a person can cause."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A recap that waits for a fresh proof: as it stands, what the proof is bound to, and the chat's counter."""

    recap: View
    digest: str
    rev: int


class Turning:
    """The turns of all chats, over one database."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        engine: Engine,
        counter: Counter,
        reader: Callable[[str], Reader],
        settings: Settings | None = None,
        *,
        keep: timedelta = KEEP,
    ) -> None:
        self.keep = keep
        self.database = database
        self.keyring = keyring
        self.engine = engine
        self.counter = counter
        self.reader = reader
        self.settings = settings or Settings()

    def handle(self, incoming: Incoming) -> Handled:
        """One transaction; done again whole where another turn of the same chat came between."""
        for _ in range(TRIES - 1):
            try:
                return self._handle(incoming)
            except chats.Overtaken:
                continue
        return self._handle(incoming)

    def _handle(self, incoming: Incoming) -> Handled:
        now = clock.now()
        with self.database.write() as connection:
            row = chats.load(connection, self.keyring, incoming.chat_id, incoming.telegram_id, now)
            if not inbox.mark_done(connection, incoming.update_id, now):
                return self._repeated(connection, row, incoming)
            if incoming.left:
                chats.blocked(connection, incoming.chat_id, now)
                return Handled(
                    incoming.chat_id,
                    row.lang or incoming.lang,
                    repeated=False,
                    toast=None,
                    card=None,
                    mail=False,
                )
            self.counter.used(connection, incoming.telegram_id)
            turn = _Turn(self, connection, row, incoming)
            return turn.run()

    def _repeated(self, connection: Connection, row: chats.ChatRow, incoming: Incoming) -> Handled:
        mail = outbox.waiting_for(connection, row.chat_id)
        job = self._job(connection, row, incoming.lang) if row.shown < row.want else None
        return Handled(row.chat_id, row.lang or incoming.lang, repeated=True, toast=None, card=job, mail=mail)

    # -- the card as desired state --

    def card(self, chat_id: int) -> CardJob | None:
        """The card to show; None where what is shown is what is wanted."""
        with self.database.read() as connection:
            row = chats.peek(connection, self.keyring, chat_id, clock.now())
            return self._job(connection, row, "") if row and row.shown < row.want else None

    def overtaken(self, job: CardJob) -> bool:
        """Whether another card is wanted by now, or this one is shown, or another message bears it."""
        with self.database.read() as connection:
            return chats.card_of(connection, job.chat_id) != (job.seq, True, job.message_id)

    def shown(self, chat_id: int, seq: int, message_id: int | None) -> bool:
        """The card `seq` now stands in the chat."""
        with self.database.write() as connection:
            return chats.shown(connection, chat_id, seq, message_id)

    def unshown(self, *, limit: int) -> list[int]:
        """Chats whose card is still to be shown, and due."""
        with self.database.read() as connection:
            return list(chats.unshown(connection, clock.now(), limit=limit))

    def failed_to_show(self, chat_id: int, seq: int, retry_after: float | None) -> None:
        """Showing failed: tried again later."""
        with self.database.write() as connection:
            chats.failed(connection, chat_id, seq, clock.now(), retry_after)

    def blocked(self, chat_id: int) -> None:
        """Nothing more is shown until something comes from there again."""
        with self.database.write() as connection:
            chats.blocked(connection, chat_id, clock.now())

    def apologise(self, chat_id: int, update_id: int) -> str:
        """An apology with a reference, once for each update that failed too often."""
        reference = secrets.token_hex(2).upper()
        now = clock.now()
        with self.database.write() as connection:
            row = chats.peek(connection, self.keyring, chat_id, now)
            payload = {
                "view": view_to_json(View(body=(m("turn.apology", reference=reference),))),
                "lang": (row.lang if row else None) or "en",
                "rev": 0,
                "replaces": None,
            }
            key = f"apology:{update_id}"
            outbox.put(
                connection, self.keyring, key, chat_id=chat_id, kind="message", payload=payload, now=now
            )
        return reference

    def asks_for_number(self, telegram_id: int) -> bool:
        """Whether the open dialogue of this person's chat waits for a national number."""
        return self._asks(telegram_id, self.engine.asks_for_number)

    def asks_for_document(self, telegram_id: int) -> bool:
        """Whether it waits for a file."""
        return self._asks(telegram_id, self.engine.asks_for_document)

    def _asks(self, telegram_id: int, question: Callable[[State, Context], bool]) -> bool:
        with self.database.read() as connection:
            # a private chat has the number of its person
            row = chats.peek(connection, self.keyring, telegram_id, clock.now())
            if row is None:
                return False
            state = state_of(row)
            context = self.context(connection, state, telegram_id, language_of(state, row, ""))
            return question(state, context)

    def unproved(self, telegram_id: int) -> Asked | None:
        """The recap of this person's chat that waits for a fresh proof, with what the proof is bound to."""
        with self.database.read() as connection:
            row = chats.peek(connection, self.keyring, telegram_id, clock.now())
            if row is None:
                return None
            state = state_of(row)
            context = self.context(connection, state, telegram_id, language_of(state, row, ""))
            waiting = self.engine.unproved(state, context)
            if waiting is None:
                return None
            digest = self.counter.digest(waiting.request, waiting.shown)
            return Asked(waiting.recap, digest, waiting.rev)

    # -- what a turn shares with the rest --

    def context(self, connection: Connection, state: State, telegram_id: int, lang: str) -> Context:
        """What the engine may look at, for this Telegram account, at this moment."""
        return Context(
            lang=lang,
            now=clock.now(),
            today=clock.today(),
            actor=self.counter.actor(connection, telegram_id),
            directory=self.counter.directory(connection, telegram_id),
            reader=self.reader(lang),
            catalogue=self.counter.catalogue(connection),
            settings=self.settings,
            chosen_lang="lang" in state.memory,
        )

    def _job(self, connection: Connection, row: chats.ChatRow, hint: str) -> CardJob:
        state = state_of(row)
        lang = language_of(state, row, hint)
        view = (
            self.engine.view(state, self.context(connection, state, row.telegram_id, lang))
            if row.mode != "none"
            else None
        )
        return CardJob(
            row.chat_id, row.want, state.rev, lang, view, anew=row.mode == "new", message_id=row.message_id
        )


class _Turn:
    """One turn, inside its transaction."""

    def __init__(
        self, turning: Turning, connection: Connection, row: chats.ChatRow, incoming: Incoming
    ) -> None:
        self._turning = turning
        self._connection = connection
        self._row = row
        self._incoming = incoming
        self._replaces: int | None = row.message_id
        self._forgotten = False

    def run(self) -> Handled:
        """Steps the dialogue until nothing is left to perform, then saves."""
        turning, incoming = self._turning, self._incoming
        state = state_of(self._row)
        self._found(state)
        row = self._row
        toast, anew = None, False
        event = self._placed(incoming.event)
        while True:
            context = self._context(state)
            reply = turning.engine.step(state, event, context)
            state, toast, anew = reply.state, reply.toast or toast, anew or reply.anew
            wish = self._effects(reply, language_of(state, row, incoming.lang))
            if wish is None:
                break
            outcome = turning.counter.perform(self._connection, incoming, wish.request, wish.shown)
            event = Answer(outcome)
        return self._saved(state, reply, toast=toast, anew=anew, known=context.actor is not None)

    def _found(self, state: State) -> None:
        """A button that counts stands in the card, whatever the row says: it was shown, and the process died before it noted
        so. From now on that message is the card, and the one of the row goes.
        """
        event, tapped, noted = self._incoming.event, self._incoming.tapped, self._row.message_id
        if not isinstance(event, Tap) or event.rev != state.rev or tapped is None or tapped == noted:
            return
        if noted is not None:
            self._put(f"stale:{self._incoming.update_id}", "delete", {"message_id": noted}, outbox.FIRST)
        self._row = replace(self._row, message_id=tapped, shown=self._row.want)
        self._replaces = tapped

    def _placed(self, event: Event) -> Event:
        if isinstance(event, Tap) and self._incoming.tapped is not None:
            return replace(event, on_card=self._incoming.tapped == self._row.message_id)
        return Redraw() if self._incoming.joined else event

    def _context(self, state: State) -> Context:
        lang = language_of(state, self._row, self._incoming.lang)
        return self._turning.context(self._connection, state, self._incoming.telegram_id, lang)

    def _effects(self, reply: Reply, lang: str) -> Perform | None:
        """Puts what must go out in the outbox; what to perform, if there is anything."""
        wish = None
        for effect in reply.effects:
            match effect:
                case Perform():
                    wish = effect
                case Receipt(key, view):
                    payload = {"view": view_to_json(view), "lang": lang, "rev": 0, "replaces": self._replaces}
                    written = f"{key}:{self._incoming.update_id}"
                    self._put(written, "receipt", payload, outbox.NORMAL)
                    if view.fades:
                        fading.fade(self._connection, written, clock.now())
                    self._replaces = None  # the card became the receipt: the next one is a new message
                case Forget():
                    self._forget()
        return wish

    def _forget(self) -> None:
        if self._incoming.message_id is not None and not self._forgotten:
            self._forgotten = True
            payload = {"message_id": self._incoming.message_id}
            self._put(f"forget:{self._incoming.update_id}", "delete", payload, outbox.FIRST)

    def _put(self, key: str, kind: str, payload: object, urgency: int) -> None:
        outbox.put(
            self._connection,
            self._turning.keyring,
            key,
            chat_id=self._incoming.chat_id,
            kind=kind,
            payload=payload,
            now=clock.now(),
            urgency=urgency,
        )

    def _saved(self, state: State, reply: Reply, *, toast: Toast | None, anew: bool, known: bool) -> Handled:
        turning, row, now = self._turning, self._row, clock.now()
        lang = language_of(state, row, self._incoming.lang)
        mode = "none" if reply.view is None else "new" if anew or self._replaces is None else "edit"
        became = row.message_id is not None and self._replaces is None
        seq = chats.save(
            self._connection,
            turning.keyring,
            row,
            state.to_json(),
            rev=state.rev,
            lang=lang,
            mode=mode,
            message_id=None if became else row.message_id,
            now=now,
            keep=turning.keep,
        )
        mail = outbox.waiting_for(self._connection, row.chat_id)
        fresh = chats.peek(self._connection, turning.keyring, row.chat_id, now)
        assert fresh is not None
        card = CardJob(
            row.chat_id,
            seq,
            state.rev,
            lang,
            reply.view,
            anew=fresh.mode == "new",
            message_id=fresh.message_id,
        )
        return Handled(row.chat_id, lang, repeated=False, toast=toast, card=card, mail=mail, known=known)


def state_of(row: chats.ChatRow) -> State:
    """The dialogues of a chat; a new beginning, with the counter going on, where they are gone."""
    if row.state is None:
        return State()
    return (
        State.from_json(row.state)
        if "frames" in row.state
        else State(rev=row.state["rev"], memory=_memory(row))
    )


def _memory(row: chats.ChatRow) -> dict[str, str]:
    return {"lang": row.lang} if row.lang else {}


def language_of(state: State, row: chats.ChatRow, hint: str) -> str:
    """The language chosen, else the client's where we speak it, else the one spoken last, else French."""
    wanted = (state.memory.get("lang"), hint, row.lang)
    return next((lang for lang in wanted if lang in LANGUAGES), "fr")
