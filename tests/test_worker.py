"""What is due is carried out once, whenever the worker comes; the manager is told in his language, softly at night."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from bot import clock
from bot.access import due as register_due
from bot.access.activation import Notice
from bot.conversations.model import Door
from bot.conversations.wire import view_from_json
from bot.errors import ConfigurationError, DatabaseUnavailable
from bot.handlers.mailroom import StoreOutbox
from bot.i18n import speaker
from bot.notices import FEW, LONGEST, QUIET, WITHIN, tell
from bot.store import due, outbox
from bot.worker import BATCH, FIRST, KEPT, Chore, Worker
from structlog.testing import capture_logs

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CHAT = 7_000_000_001


class SilentFace:
    def __init__(self):
        self.calls = []

    async def deliver_due(self, limit=50):
        self.calls.append("mail")
        return 0

    async def show_due_cards(self, limit=50):
        self.calls.append("cards")
        return 0

    async def deliver_chat(self, chat_id):
        self.calls.append(chat_id)


@pytest.fixture
def worker(database, keyring, frozen):
    return Worker(database, keyring, SilentFace(), pause=0.01)


def test_a_notice_is_laid_once_and_bears_a_number_not_a_name(database, keyring, frozen):
    notice = Notice("2026-000123", (CHAT,))
    with database.write() as connection:
        assert tell(connection, keyring, notice, NOW) == [CHAT]
        assert tell(connection, keyring, notice, NOW) == []
        (mail,) = outbox.take(connection, keyring, NOW, limit=9)
    view = view_from_json(mail.payload["view"])
    assert (view.mark, speaker("fr").plain(view.title)) == ("🟢", "Le n° 2026-000123 est actif.")
    assert mail.silent is False


def test_another_end_is_not_told_as_something_active(database, keyring, frozen):
    with database.write() as connection:
        tell(connection, keyring, Notice("2026-000123", (CHAT,), moved=True), NOW)
        (mail,) = outbox.take(connection, keyring, NOW, limit=9)
    view = view_from_json(mail.payload["view"])
    assert (view.mark, speaker("en").plain(view.title)) == (
        "📅",
        "No. 2026-000123: the new end date is in force.",
    )


@pytest.mark.parametrize(
    ("what", "title", "doors"),
    [
        (
            "to_do",
            "Le n° 2026-000123 est encore à faire sur le portail.",
            [Door("portal", "2026-000123"), Door("portal")],
        ),
        (
            "check",
            "Le n° 2026-000123 est fait sur le portail. Est-ce que cela marche ?",
            [Door("verify", "2026-000123"), Door("status", "2026-000123")],
        ),
    ],
)
def test_a_reminder_bears_a_number_not_a_name_and_opens_the_way_on(
    database, keyring, frozen, what, title, doors
):
    night = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    with database.write() as connection:
        assert tell(connection, keyring, Notice("2026-000123", (CHAT,), what), night) == [CHAT]
        (mail,) = outbox.take(connection, keyring, night, limit=9)
    view = view_from_json(mail.payload["view"])
    assert speaker("fr").plain(view.title).replace("\N{NO-BREAK SPACE}", " ") == title
    assert [button.action for button in view.buttons()] == doors
    assert mail.silent is True


def notices(first, last, kind=register_due.ACTIVATE, **fields):
    return [Notice(f"2026-{number:06d}", (CHAT,), kind, **fields) for number in range(first, last + 1)]


def told(database, keyring, many, at):
    """Tells of all of them at that instant."""
    with database.write() as connection:
        for notice in many:
            tell(connection, keyring, notice, at)


def delivered(database, keyring, at):
    """What goes out by then, in French; Telegram takes it at once."""
    with database.write() as connection:
        mails = outbox.take(connection, keyring, at, limit=99)
        for mail in mails:
            outbox.sent(connection, mail.id, 1, at)
    views = [view_from_json(mail.payload["view"]) for mail in mails]
    return [speaker("fr").plain(view.title).replace("\N{NO-BREAK SPACE}", " ") for view in views]


def one_by_one(first, last):
    return [f"Le n° 2026-{number:06d} est actif." for number in range(first, last + 1)]


def test_of_many_notices_the_first_come_one_by_one_and_all_others_as_one_that_counts_them(
    database, keyring, frozen
):
    told(database, keyring, notices(1, FEW), NOW)
    told(database, keyring, notices(FEW + 1, FEW + 1), NOW)
    told(database, keyring, notices(FEW + 2, 500), NOW + QUIET / 2)
    assert delivered(database, keyring, NOW + QUIET) == one_by_one(1, FEW)
    assert delivered(database, keyring, NOW + QUIET * 1.5) == [f"{500 - FEW} autres changements sont actifs."]
    # what comes right after is not told one by one again; what comes later is
    told(database, keyring, notices(501, 501), NOW + QUIET * 2)
    assert delivered(database, keyring, NOW + QUIET * 3) == ["1 autre changement est actif."]
    later = NOW + QUIET * 3 + WITHIN
    told(database, keyring, notices(502, 502), later)
    assert delivered(database, keyring, later) == one_by_one(502, 502)


def test_the_message_that_counts_does_not_wait_for_ever(database, keyring, frozen):
    told(database, keyring, notices(1, FEW + 1), NOW)
    delivered(database, keyring, NOW)
    step = QUIET / 2
    count = int(LONGEST / step)
    for number in range(1, count):
        assert delivered(database, keyring, NOW + step * number) == []
        told(database, keyring, notices(1000 + number, 1000 + number), NOW + step * number)
    assert delivered(database, keyring, NOW + LONGEST) == [f"{count} autres changements sont actifs."]


def test_each_kind_is_counted_for_itself_and_a_loss_never(database, keyring, frozen):
    for kind in (register_due.TO_DO, register_due.CHECK, register_due.REVOKED):
        told(database, keyring, notices(1, FEW + 2, kind), NOW)
    told(database, keyring, notices(1, FEW + 2, moved=True), NOW)
    later = NOW + QUIET
    said = delivered(database, keyring, later)
    assert said[: FEW + 2] == [f"Un de vos accès a pris fin (n° 2026-{n:06d})." for n in range(1, FEW + 3)]
    assert [title for title in said if title.startswith("2 ")] == [
        "2 autres changements sont encore à faire sur le portail.",
        "2 autres changements sont faits sur le portail. Est-ce que cela marche ?",
    ]
    assert "La nouvelle date de fin vaut pour 2 autres changements." in said
    assert len(said) == FEW + 2 + 3 * (FEW + 1)


def test_a_message_that_counts_leads_to_all_of_them(database, keyring, frozen):
    doors = {register_due.ACTIVATE: Door("status"), register_due.TO_DO: Door("portal")}
    for kind in doors:
        told(database, keyring, notices(1, FEW + 1, kind), NOW)
    with database.write() as connection:
        mails = outbox.take(connection, keyring, NOW + QUIET, limit=99)
    views = [view_from_json(mail.payload["view"]) for mail in mails if "count" in mail.payload]
    assert [button.action for view in views for button in view.buttons()] == list(doors.values())


@pytest.mark.parametrize(("hour", "night"), [(5, True), (6, False), (20, False), (21, True)])
def test_the_night_is_that_of_brussels(hour, night):
    assert clock.by_night(datetime(2026, 11, 24, hour, 30, tzinfo=UTC)) is night


def test_a_task_that_fails_is_tried_again_later_and_stops_nobody(database, worker):
    with database.write() as connection:
        due.put(connection, "a", "no such kind", NOW, {})
        due.put(connection, "b", register_due.ACTIVATE, NOW, {"change": "2026-000001"})
    assert worker.carry_out() == []
    with database.read() as connection:
        assert not due.waiting(connection, NOW)
        assert due.waiting(connection, NOW + timedelta(minutes=2)), "the first one is still to do"
    with database.write() as connection:
        (again,) = due.take(connection, NOW + timedelta(minutes=2), limit=9)
    assert (again.key, again.attempts) == ("a", 1)


def test_what_was_lent_when_the_database_went_away_is_done_as_soon_as_it_is_back(
    database, worker, monkeypatch
):
    with database.write() as connection:
        for key in "abc":
            due.put(connection, key, register_due.ACTIVATE, NOW, {"change": "2026-000001"})
    one, away = worker._one, [DatabaseUnavailable("away")]

    def goes_away_once(task):
        if task.key == "b" and away:
            raise away.pop()
        return one(task)

    monkeypatch.setattr(worker, "_one", goes_away_once)
    with pytest.raises(DatabaseUnavailable):
        worker.carry_out()
    with database.read() as connection:
        assert not due.waiting(connection, NOW), "lent to nobody"
    assert worker._look() == (True, False, False)
    worker.carry_out()
    assert worker._look() == (False, False, False)
    with database.write() as connection:
        assert due.prune(connection, NOW + timedelta(seconds=1)) == 3


def test_a_message_whose_loan_was_committed_without_an_answer_does_not_wait_for_its_end(
    database, keyring, worker, monkeypatch
):
    with database.write() as connection:
        tell(connection, keyring, Notice("2026-000123", (CHAT,)), NOW)
    mails, write = StoreOutbox(database, keyring), database.write

    @contextmanager
    def torn():
        with write() as connection:
            yield connection
        raise DatabaseUnavailable("the line is cut after the commit")

    monkeypatch.setattr(database, "write", torn)
    with pytest.raises(DatabaseUnavailable):
        mails.take_for(CHAT)
    monkeypatch.setattr(database, "write", write)
    assert mails.take_for(CHAT) == []
    worker._look()
    assert [mail.attempts for mail in mails.take_for(CHAT)] == [1]


def test_what_takes_away_is_carried_out_before_what_gives_whenever_it_became_due(database):
    kinds = ("activate", "remind", "end", "fade", "revoked")
    with database.write() as connection:
        for number, kind in enumerate(kinds):
            due.put(connection, kind, kind, NOW + timedelta(seconds=number), {})
        taken = due.take(connection, NOW + timedelta(minutes=1), limit=9, first=FIRST)
    assert [task.kind for task in taken] == ["revoked", "fade", "end", "activate", "remind"]


async def test_after_an_outage_it_does_not_pause_before_all_is_done(database, keyring, frozen):
    with database.write() as connection:
        for number in range(2 * BATCH + 1):
            due.put(connection, str(number), register_due.ACTIVATE, NOW, {"change": "2026-000001"})
    worker, stop, looks = Worker(database, keyring, SilentFace(), pause=60.0), asyncio.Event(), []
    once = worker.once

    async def watched():
        looks.append(await once())
        if not looks[-1]:
            stop.set()
        return looks[-1]

    worker.once = watched
    async with asyncio.timeout(50):
        await worker.run(stop)
    assert looks == [True, True, True, False]


async def test_whoever_lost_something_hears_of_it_before_anybody_hears_of_anything_else(
    database, keyring, frozen, monkeypatch
):
    losses = {"2026-000001": (1, 2), "2026-000002": (3,)}
    told_of = {
        "activate": lambda change: Notice(change, (4, 2)),
        "revoked": lambda change: Notice(change, losses[change], "revoked"),
    }
    monkeypatch.setattr(
        "bot.worker.activation.run",
        lambda connection, keyring, kind, data, now: told_of[kind](data["change"]),
    )
    with database.write() as connection:
        for kind, change in (
            ("activate", "2026-000009"),
            ("revoked", "2026-000001"),
            ("revoked", "2026-000002"),
        ):
            due.put(connection, f"{kind}{change}", kind, NOW, {"change": change})
    worker = Worker(database, keyring, SilentFace(), pause=0.01)
    assert worker.carry_out() == [[1, 2, 3], [2, 4]]


async def test_a_look_that_finds_nothing_bothers_nobody_and_the_old_is_forgotten(database, worker):
    with database.write() as connection:
        due.put(connection, "b", register_due.ACTIVATE, NOW, {"change": "2026-000001"})
    await worker.once()
    assert worker._face.calls == []
    with time_machine.travel(NOW + KEPT + timedelta(hours=2), tick=False):
        await worker.once()
    with database.write() as connection:
        assert due.prune(connection, NOW + 2 * KEPT) == 0, "nothing was left to forget"


async def test_the_worker_ends_when_told_and_survives_what_fails(worker):
    stop = asyncio.Event()
    looks = 0

    async def once():
        nonlocal looks
        looks += 1
        if looks == 3:
            stop.set()
        raise ValueError

    worker.once = once
    async with asyncio.timeout(10):
        await worker.run(stop)
    assert looks == 3


async def test_a_chore_is_done_at_the_start_and_then_every_so_often(database, keyring, frozen):
    done = []
    chores = [Chore("retention", timedelta(days=1), lambda: done.append("retention"))]
    worker = Worker(database, keyring, SilentFace(), chores=chores)
    for hours in (0, 1, 23, 24, 25, 48):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            await worker.once()
    assert done == ["retention"] * 3


@pytest.mark.parametrize(
    "fault", [ConfigurationError("The anchors cannot be written."), ValueError("a name")]
)
async def test_a_chore_that_fails_is_noted_waits_an_hour_and_holds_up_nobody(
    database, keyring, frozen, fault
):
    done = []

    def fails():
        done.append("anchor")
        raise fault

    chores = [
        Chore("anchor", timedelta(days=1), fails),
        Chore("retention", timedelta(days=1), lambda: done.append("retention")),
    ]
    worker = Worker(database, keyring, SilentFace(), chores=chores)
    with capture_logs() as lines:
        for minutes in (0, 30, 61):
            with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
                await worker.once()
    assert done == ["anchor", "retention", "anchor"]
    assert [line["event"] for line in lines] == ["chore_failed"] * 2
    assert "a name" not in str(lines)
