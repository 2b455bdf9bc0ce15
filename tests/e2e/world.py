"""A world to prove things in: a local Telegram, a database, a register, and the bot as a process of its own.

    with world(database_url) as w:
        w.start()
        anne = w.manager("delcourt")
        anne.says("/grant")

The bot is `bot run` with an environment and a process of its own (`tests.forked`), so it can be stopped, killed and started
again, and its clock can stand on another day. What it did is read from its database. Loopback only.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.access import invitations
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, CHANGES, GRANTS, ITEMS, PROFILES
from bot.access.sessions import SessionRules, open_session
from bot.demo.testing import Person, RunningServer, Seen, bare_label, running_server
from bot.sample import register_file
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.mail import Chat, Due, Incoming, Outgoing
from bot.store.tables import core
from sqlalchemy import func, select
from tests.access.invariants import check_invariants
from tests.forked import Forked
from tests.snapshots import load_once, root_key

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds after which what has not come is held never to come."""
READY_SECONDS = 60.0
CANARIES = {
    "ACCESSBOT_WEBHOOK_SECRET": "kanarie-zingt-achter-de-deur-0123456789-0123456789",
    "ACCESSBOT_SMTP_PASSWORD": "kanarie zingt in de kooi",
}
"""Secrets of every bot's settings, to be recognised where they should not be read (`canaries`)."""
WORLDS: list[World] = []
"""The worlds made so far that were not looked through to the end."""
ANSWERS = frozenset(["sendMessage", "editMessageText", "answerCallbackQuery"])
"""The calls by which a person sees that somebody is there."""


class Bot:
    """One life of the bot's process."""

    def __init__(self, environment: dict[str, str], log: Path, *, seconds_ahead: int = 0) -> None:
        self.born = time.time()
        self._log = log.open("ab")
        self._process = Forked(
            ["run"], env=environment, stdout=subprocess.PIPE, stderr=self._log, seconds_ahead=seconds_ahead
        )
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if b" runs by " in line:
                self._ready.set()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def waits_until_ready(self) -> None:
        """Waits until the bot says that it runs."""
        until = time.monotonic() + READY_SECONDS
        while not self._ready.wait(0.05):
            assert self.running, f"the bot ended with {self._process.returncode}"
            assert time.monotonic() < until, "the bot does not come up"

    def ends(self, number: signal.Signals) -> int:
        """Sends the signal and waits for the end; the exit code."""
        if self.running:
            self._process.send_signal(number)
        code = self._process.wait(20)
        self._reader.join(5)
        assert self._process.stdout
        self._process.stdout.close()
        self._log.close()
        return code


@dataclass
class World:
    """Everything around one bot."""

    telegram: RunningServer
    database: Database
    keyring: Keyring
    root_key: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    bot: Bot | None = None
    others: list[Bot] = field(default_factory=list)
    """Further copies of the bot on the same database."""
    codes: list[str] = field(default_factory=list)
    """Of invitations made here."""
    closed: bool = False
    lives: list[float] = field(default_factory=list)
    """When each life of the bot began, in Unix seconds."""
    _answers: list[float] = field(default_factory=list)
    _read: int = 0

    # -- the process --

    def start(self, *, wait: bool = True, seconds_ahead: int = 0) -> Bot:
        """Starts the bot, after an earlier one ended."""
        assert self.bot is None or not self.bot.running
        self.bot = Bot(self._environment(), self.folder / "bot.log", seconds_ahead=seconds_ahead)
        self.lives.append(self.bot.born)
        if wait:
            self.bot.waits_until_ready()
        return self.bot

    def joins(self, **settings: str) -> Bot:
        """Starts a further copy of the bot on the same database; it says what it has to say in the same log."""
        other = Bot(self._environment() | settings, self.folder / "bot.log")
        self.others.append(other)
        return other

    def stop(self) -> None:
        """Ends the bot, and its copies, as an operator does."""
        for bot in self._ended():
            assert bot.ends(signal.SIGTERM) == 0, self.log()

    def kill(self) -> None:
        """Ends the bot, and its copies, as a power cut does."""
        for bot in self._ended():
            bot.ends(signal.SIGKILL)

    def _ended(self) -> list[Bot]:
        bots = [*([self.bot] if self.bot is not None else []), *self.others]
        self.bot, self.others = None, []
        return bots

    def log(self) -> str:
        """What the bot wrote about itself."""
        return (self.folder / "bot.log").read_text("utf-8")[-4000:]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCESSBOT_")}
        return kept | {
            "ACCESSBOT_TELEGRAM_TOKEN": self.telegram.token,
            "ACCESSBOT_TELEGRAM_API_URL": self.telegram.url,
            "ACCESSBOT_DATABASE_URL": self.database.url.render_as_string(hide_password=False),
            "ACCESSBOT_ROOT_KEY": self.root_key,
            "ACCESSBOT_ACTIVATION_DELAY": "1",
            "ACCESSBOT_LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
            **CANARIES,
            **self.settings,
        }

    # -- the people --

    def load(self, text: str) -> None:
        """Loads a register file."""
        load_once(self.database, self.keyring, self.folder, text, today=today(), now=datetime.now(UTC))

    def invite(self, key: str) -> str:
        """An invitation's code for the person of the register."""
        with self.database.write() as connection:
            code = invitations.invite(connection, self.keyring, key, datetime.now(UTC))
        self.codes.append(code)
        return code

    def manager(self, key: str, *, lang: str = "fr", name: str = "") -> Driver:
        """Somebody of the register who has been bound to a Telegram account already, with a session just opened."""
        person = self.telegram.person(name or key.capitalize(), language=lang)
        code = self.invite(key)
        with self.database.write() as connection:
            now = datetime.now(UTC)
            bound = invitations.redeem(
                connection, self.keyring, code, telegram_id=person.id, chat_id=person.id, now=now
            )
            scope, rules = bound.scope, SessionRules(locking="ACCESSBOT_PUBLIC_URL" in self.settings)
            open_session(connection, bound.binding, how="invitation", scope=scope, now=now, rules=rules)
        person.starts()
        return Driver(person)

    # -- what is durable --

    def rows(self, statement: Any) -> list[Any]:
        """The rows of a statement, in a transaction of its own."""
        with self.database.read() as connection:
            return list(connection.execute(statement))

    def count(self, table: Any) -> int:
        """How many rows a table has."""
        return int(self.rows(select(func.count()).select_from(table))[0][0])

    def held(self, username: str) -> list[tuple[str, str]]:
        """What an account was given in chat, as (kind, application or function), in order."""
        found: list[tuple[str, str]] = []
        for kind, table, key in (("grant", GRANTS, "application"), ("assignment", ASSIGNMENTS, "function")):
            query = (
                select(table.c[key])
                .join(ACCOUNTS, ACCOUNTS.c.id == table.c.account_id)
                .where(ACCOUNTS.c.username_fold == username.casefold(), table.c.change_number.is_not(None))
            )
            found += [(kind, row[0]) for row in self.rows(query)]
        return sorted(found)

    def numbers(self, chat_id: int) -> list[str]:
        """The changes that were recorded from a chat, in order."""
        query = select(CHANGES.c.number).where(CHANGES.c.chat_id == chat_id).order_by(CHANGES.c.number)
        return [row[0] for row in self.rows(query)]

    def deliveries(self, number: str) -> set[str]:
        """How far the items of a change are."""
        return {row[0] for row in self.rows(select(ITEMS.c.delivery).where(ITEMS.c.change_number == number))}

    def profile_of(self, username: str) -> Any:
        """The profile and the account of a user name."""
        query = (
            select(PROFILES, ACCOUNTS.c.username, ACCOUNTS.c.profession, ACCOUNTS.c.id.label("account"))
            .join(ACCOUNTS, ACCOUNTS.c.profile_id == PROFILES.c.id)
            .where(ACCOUNTS.c.username_fold == username.casefold())
        )
        (row,) = self.rows(query)
        return row

    def register_as_it_is(self) -> tuple[int, ...]:
        """How much there is of everything that an act can change."""
        return tuple(self.count(table) for table in (CHANGES, ITEMS, GRANTS, ASSIGNMENTS, ACCOUNTS, PROFILES))

    def check(self) -> None:
        """Fails where the register is not as it must be at every moment."""
        with self.database.read() as connection:
            check_invariants(connection, self.keyring)

    def at_rest(self, timeout: float = PATIENCE) -> None:
        """Waits until nothing is open: updates, mail, due rows, cards. Fails with what is."""
        until = time.monotonic() + timeout
        while (left := self.unfinished()) != {}:
            assert time.monotonic() < until, f"never at rest: {left}\n{self.log()}"
            time.sleep(0.1)
        assert self.rows(select(core(Incoming).c.error).where(core(Incoming).c.error.is_not(None))) == []
        assert self.rows(select(core(Outgoing).c.error).where(core(Outgoing).c.error.is_not(None))) == []

    def unfinished(self) -> dict[str, int]:
        """How much is open, by its kind; due rows of a later day do not count."""
        updates, mail, due, chats = core(Incoming), core(Outgoing), core(Due), core(Chat)
        soon = datetime.now(UTC) + timedelta(seconds=self.telegram.state.clock_offset + 5)
        open_now = {
            "pending": len(self.telegram.state.updates.pending),
            "updates": self._of(updates, updates.c.done_at.is_(None)),
            "mail": self._of(mail, mail.c.ended_at.is_(None)),
            "due": self._of(due, due.c.done_at.is_(None), due.c.at < soon),
            "cards": self._of(chats, chats.c.card_shown < chats.c.card_want, chats.c.blocked_at.is_(None)),
        }
        return {kind: count for kind, count in open_now.items() if count}

    def _of(self, table: Any, *conditions: Any) -> int:
        return int(self.rows(select(func.count()).select_from(table).where(*conditions))[0][0])

    def answers(self) -> int:
        """How often the bot has answered anybody so far."""
        return len(self.answered())

    def first_answers(self) -> list[float]:
        """Seconds from each start of the bot to its first answer to anybody, for the lives that gave one."""
        answered = self.answered()
        ends = [*self.lives[1:], float("inf")]
        firsts = (
            next((at for at in answered if born <= at < end), None)
            for born, end in zip(self.lives, ends, strict=True)
        )
        return [at - born for at, born in zip(firsts, self.lives, strict=True) if at is not None]

    def answered(self) -> list[float]:
        """The instants at which somebody was answered, in Unix seconds."""
        for call in self.telegram.state.calls[self._read :]:
            self._read += 1
            if call.method in ANSWERS and not call.error:
                self._answers.append(call.at)
        return self._answers


class Driver:
    """A person who acts once and waits for what must come of it; never acts twice because nothing came."""

    def __init__(self, person: Person, patience: float = PATIENCE) -> None:
        self.person = person
        self.patience = patience
        self.since = 0
        """The message that the newest act was, or was on: what came of it stands there or below."""

    @property
    def id(self) -> int:
        return self.person.id

    def says(self, text: str) -> None:
        self.since = self.person.says(text)

    def taps(self, seen: Seen, label: str) -> None:
        """Taps a button of that very message."""
        code = next(
            (
                code
                for text, code in seen.codes().items()
                if bare_label(plain(text)).startswith(bare_label(label))
            ),
            None,
        )
        assert code, f"no button '{label}' but {seen.labels} under {seen.text!r}"
        self.since = seen.id
        self.person.taps_code(code, message=seen.id)

    def expects(self, text: str, *, label: str = "", wanted: Callable[[str], bool] = bool) -> Seen:
        """The newest message that came of the last act, with `text` in it, and a button `label` under it; `wanted` says more."""

        def fits(seen: Seen) -> bool:
            there = not label or any(label in plain(one) for one in seen.labels)
            return seen.id >= self.since and text in plain(seen.text) and there and wanted(plain(seen.text))

        return self.person.waits_until(fits, f"'{text}' {label}".strip(), self.patience)

    def receipts(self, number: str) -> int:
        """How many messages of the chat tell that the change was recorded."""
        return self._telling(number, "✔ ")

    def notices(self, number: str) -> int:
        """How many messages of the chat tell that the change is active."""
        return self._telling(number, "🟢 ")

    def told(self, mark: str) -> tuple[int, int]:
        """The messages with that mark, and how many changes they tell of in all: where many come at once, one counts them."""
        texts = [
            plain(seen.text) for seen in self.person.chat if seen.from_bot and seen.text.startswith(mark)
        ]
        counts = [re.match(r"\D*(\d[\d ]*) autres? changements?", text[len(mark) :]) for text in texts]
        return len(texts), sum(int(found[1].replace(" ", "")) if found else 1 for found in counts)

    def _telling(self, number: str, mark: str) -> int:
        return sum(
            1
            for seen in self.person.chat
            if seen.from_bot and seen.text.startswith(mark) and number in seen.text
        )


@contextmanager
def world(database_url: str, folder: Path, register: str | None = None, **settings: str) -> Iterator[World]:
    """A world without a bot yet: `start` it. The register is the demo's unless given."""
    root = root_key()
    database = Database(database_url)
    with running_server() as telegram:
        telegram.state.calls = []  # all of them, where the server keeps the newest
        there = World(telegram, database, Keyring.of(root), root, folder, settings)
        WORLDS.append(there)
        there.load(register if register is not None else register_file(today()))
        try:
            yield there
        finally:
            there.kill()
            there.closed = True
            database.close()


def plain(text: str) -> str:
    """With ordinary spaces where a line must not be broken."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def today() -> date:
    """The day in Brussels."""
    from bot import clock

    return clock.today()


def crowd(managers: int, users: int) -> str:
    """A register of one hospital with many managers, `m0001` …, and as many users as wanted, `c-aaaa` …."""
    places = """\
format = 1

[[entity]]
key = "midi"
inami = "710999-11"
created = 2014-07-23
denomination = { fr = "Hôpitaux du Midi", nl = "Ziekenhuizen van het Zuiden", de = "Krankenhäuser des Südens", en = "Southern Hospitals" }

  [[entity.quality]]
  key = "hospital"
  number = "710999-11"
"""
    lines = [places]
    for number in range(managers):
        key = f"m{number:04d}"
        niss = 'niss = "64.11.17-998.10"' if number == 0 else ""
        lines += [
            f'[[person]]\nkey = "{key}"\nlast_name = "Gérant"\nfirst_name = "{letters(number)}"\nlanguage = "fr"\n{niss}'
        ]
        lines += [
            f'[[mandate]]\nperson = "{key}"\nentity = "midi"\nrole = "co-responsible"\nsince = 2020-01-01\n'
        ]
    for number in range(users):
        key, name = f"c{number:04d}", user(number)
        lines += [
            f'[[person]]\nkey = "{key}"\nlast_name = "{letters(number)}"\nfirst_name = "Cible"\nlanguage = "nl"'
        ]
        lines += [
            f'[[account]]\nperson = "{key}"\nentity = "midi"\nquality = "hospital"\nusername = "{name}"'
        ]
        lines += ['profession = "specialist-physician"\n']
    return "\n".join(lines)


def letters(number: int) -> str:
    """A number as a word of four letters, for names, which have no digits."""
    word = ""
    for _ in range(4):
        number, digit = divmod(number, 20)
        word = "bcdfghjklmnpqrstvwxz"[digit] + word
    return word.capitalize()


def user(number: int) -> str:
    """The user name of the n-th user of `crowd`."""
    return f"cible{letters(number).lower()}"
