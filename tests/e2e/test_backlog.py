"""Six hours down, and everything became due within one minute: all of it is done in good time, revocations first.

Half of the ends are of an entity on the portal, where each makes a change that one manager has to do there: he is told of
thousands in a handful of messages. `make soak` does 10,000 (BACKLOG in the environment).
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from bot.access.due import ACTIVATE, END, REVOKED, end_data, end_key
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, BINDINGS, CHANGES, ENTITIES, GRANTS, ITEMS, PROFILES
from bot.store import audit
from bot.store.mail import Due
from bot.store.tables import core
from sqlalchemy import insert, select
from tests.e2e.world import crowd, today, world

LIMIT = 300.0
"""Seconds for 10,000; `security.md`, *Reliability*."""
FEW = 20
"""So many messages at most to one chat, however many things there are to tell."""
DOWN = timedelta(hours=6)
PORTAL, DIRECT = "midi", "aube"
USERS = 40


def register():
    """`crowd`, on the portal; and a second entity, where what is recorded counts by itself."""
    text = crowd(2, USERS).replace("inami = ", 'delivery = "portal"\ninami = ', 1)
    place = """
[[entity]]
key = "aube"
inami = "719998-33"
created = 2014-07-23
denomination = { fr = "Clinique Sainte-Aube", nl = "Sint-Albakliniek", de = "Klinik Sankt Alba", en = "Saint Alba Clinic" }

  [[entity.quality]]
  key = "hospital"
  number = "719998-33"
"""
    accounts = text.replace('entity = "midi"', 'entity = "aube"').partition('[[person]]\nkey = "c0000"')[2]
    others = "".join(
        f"[[account]]{block.partition('[[account]]')[2].partition('[[person]]')[0]}"
        for block in accounts.split("[[person]]")
    )
    renamed = re.sub(r'username = "cible', 'username = "autre', others)
    return f"{text}\n{place}\n{renamed}"


class Backlog:
    """What became due while nobody was there: rows as the acts write them."""

    def __init__(self, there, size):
        self.there, self.size, self.now = there, size, datetime.now(UTC)
        self.begin = self.now - DOWN
        there.start()
        self.people = [there.manager(f"c{number:04d}") for number in range(5)]
        self.anne, self.bram = (there.manager(key) for key in ("m0000", "m0001"))
        there.at_rest()
        there.stop()
        query = (
            select(
                ACCOUNTS.c.id,
                ACCOUNTS.c.quality_id,
                ACCOUNTS.c.entity_id,
                PROFILES.c.identity_id,
                ENTITIES.c.key,
            )
            .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
            .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
            .order_by(ACCOUNTS.c.username)
        )
        self.accounts = {
            key: [row for row in there.rows(query) if row.key == key] for key in (PORTAL, DIRECT)
        }
        self.authors = [self._identity(driver) for driver in (self.anne, self.bram)]
        self.rows = {table: [] for table in (CHANGES, GRANTS, ASSIGNMENTS, ITEMS, core(Due))}
        self.ends, self.revoked, self.active = size, size // 50, size // 10
        for n in range(self.active):
            self._activation(n)
        for n in range(self.ends):
            self._end(n)
        for n in range(self.revoked):
            self._revocation(n)
        with there.database.write() as connection:
            for table, rows in self.rows.items():
                connection.execute(insert(table), rows)

    def _identity(self, driver):
        return self.there.rows(select(BINDINGS.c.identity_id).where(BINDINGS.c.chat_id == driver.id))[0][0]

    def _change(self, account, author, kind, item):
        number = f"2019-{len(self.rows[CHANGES]) + 1:06d}"
        own = {"entity_id": account.entity_id, "quality_id": account.quality_id, "author_id": author}
        self.rows[CHANGES].append(
            {"number": number, **own, "kind": kind, "source": "chat", "recorded_at": self.begin, "own": False}
        )
        common = {"id": number, "change_number": number, "position": 0, "version": 1}
        common |= {
            "account_id": account.id,
            "subject_id": account.identity_id,
            "due_at": None,
            "active_at": None,
        }
        self.rows[ITEMS].append(common | {"before": None, "after": {"account_version": 1}} | item)
        return number

    def _due(self, key, kind, at, data):
        self.rows[core(Due)].append({"key": key, "kind": kind, "at": at, "data": data, "attempts": 0})

    def _end(self, n):
        yesterday = today() - timedelta(days=1)
        days = {"starts_on": yesterday - timedelta(days=n + 1), "ends_on": yesterday}
        held = {"id": f"end-{n}", "recorded_at": self.begin, "active_at": self.begin, **days}
        if n % 2:
            account = self.accounts[DIRECT][n // 2 % USERS]
            kind, own = "assignment", {"function": "head-nurse", "responsible_id": None}
            table = ASSIGNMENTS
        else:
            account = self.accounts[PORTAL][n // 2 % USERS]
            kind, own, table = "grant", {"application": "colindos"}, GRANTS
            item = {"kind": "grant", "object_id": held["id"], "key": "colindos", "delivery": "verified"}
            item |= {"due_at": self.begin, "active_at": self.begin}
            own["change_number"] = self._change(account, self.authors[0], "grant", item)
        self.rows[table].append({**held, **own, "account_id": account.id})
        at = self.begin + timedelta(seconds=60 * n / self.ends)
        self._due(end_key(kind, held["id"], yesterday), END, at, end_data(kind, held["id"], yesterday))

    def _activation(self, n):
        account = self.accounts[DIRECT][n % USERS]
        item = {"kind": "grant", "object_id": f"active-{n}", "key": "colindos", "delivery": "recorded"}
        number = self._change(account, self.authors[1], "grant", item | {"due_at": self.begin})
        days = {"starts_on": today(), "ends_on": None, "recorded_at": self.begin, "active_at": self.begin}
        self.rows[GRANTS].append(
            {
                "id": f"active-{n}",
                "application": "colindos",
                "account_id": account.id,
                "change_number": number,
                **days,
            }
        )
        self._due(f"{ACTIVATE}:{number}", ACTIVATE, self.begin - timedelta(minutes=1), {"change": number})

    def _revocation(self, n):
        account = self.accounts[DIRECT][n % len(self.people)]
        item = {"kind": "end-grant", "object_id": f"gone-{n}", "key": "colindos", "delivery": "active"}
        item |= {"due_at": self.begin, "active_at": self.begin}
        number = self._change(account, self.authors[1], "end", item)
        self._due(f"{REVOKED}:{number}", REVOKED, self.begin + timedelta(minutes=2), {"change": number})


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(300),
        pytest.param(
            int(os.environ.get("BACKLOG", "10000")), marks=[pytest.mark.soak, pytest.mark.timeout(1800)]
        ),
    ],
)
def test_what_became_due_while_the_bot_was_down_is_done_in_time_and_revocations_first(
    database_url, tmp_path, size
):
    with world(database_url, tmp_path, register()) as there:
        backlog = Backlog(there, size)
        begin = time.monotonic()
        there.start()
        there.at_rest(timeout=LIMIT * 3)
        seconds = time.monotonic() - begin
        there.stop()
        due = core(Due)
        rows = there.rows(
            select(due.c.kind, due.c.done_at).where(due.c.done_at.is_not(None)).order_by(due.c.done_at)
        )
        wanted = {REVOKED: backlog.revoked, END: backlog.ends, ACTIVATE: backlog.active}
        assert Counter(row.kind for row in rows if row.kind in wanted) == wanted
        assert list(dict.fromkeys(row.kind for row in rows if row.kind in wanted)) == list(wanted)
        order = [
            call for call in there.telegram.state.calls if call.method == "sendMessage" and not call.error
        ]
        others = next(place for place, call in enumerate(order) if call.params["text"][0] in "☑🟢")
        assert sum(call.params["text"][0] == "⛔" for call in order[:others]) == backlog.revoked
        for number, driver in enumerate(backlog.people):
            wanted_here = len(range(number, backlog.revoked, len(backlog.people)))
            assert driver.told("⛔") == (wanted_here, wanted_here)
        messages = []
        for driver, mark, changes in (
            (backlog.anne, "☑", backlog.ends // 2),
            (backlog.bram, "🟢", backlog.active),
        ):
            sent, of = driver.told(mark)
            assert of == changes
            messages.append(sent)
        done = [row.done_at.timestamp() - there.lives[-1] for row in rows]
        with there.database.read() as connection:
            assert audit.verify(connection, there.keyring).broken is None
    print(
        f"\n{backlog.ends} ends, {backlog.active} activations, {backlog.revoked} revocations due at once: done"
        f" {max(done):.0f} s after the start, revocations first, and all told after {seconds:.0f} s; {backlog.ends // 2} and {backlog.active} changes told in"
        f" {messages[0]} and {messages[1]} messages"
    )
    assert max(messages) <= FEW
    assert seconds < LIMIT
