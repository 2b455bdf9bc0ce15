"""What a day bounds begins at 00:00 and ends at 24:00 in Brussels, once, whatever the clocks do: the nights on which summer
time begins and ends, and a machine whose clock is set back and forth by an hour around midnight.

The real acts and the real worker on both databases; `time_machine` is the machine's clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from bot import clock
from bot.access.due import END
from bot.access.periods import end_instant, start_instant
from bot.access.requests import Done, EndAccess
from bot.access.rows import BINDINGS, ITEMS
from bot.store import due, leases
from bot.store.database import Database
from bot.store.ids import new_id
from bot.store.mail import Outgoing
from bot.store.tables import AuditEntry, core
from bot.worker import Worker
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import Register
from tests.access.test_ending import COLLABORATOR, FUNCTION, states
from tests.test_worker import SilentFace

CHAT = 7_000_000_001
MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
WINTER_BEGINS, SUMMER_BEGINS = date(2026, 10, 25), date(2027, 3, 28)
HOURS = {WINTER_BEGINS: 25, SUMMER_BEGINS: 23}
days = pytest.mark.parametrize("day", HOURS, ids=str)
AUDIT, OUTBOX = core(AuditEntry), core(Outgoing)


class Night:
    """A register with a manager who is told in a chat, a worker, and the machine's clock."""

    def __init__(self, database, keyring, folder, day):
        self.day = day
        self.before = datetime.combine(day, datetime.min.time(), UTC).replace(hour=9) - timedelta(days=5)
        self.register = Register(database, keyring, folder)
        self.identity = self.register.person["peeters2"]
        self.worker = Worker(database, keyring, SilentFace())
        with database.write() as connection:
            bound = {"telegram_id": CHAT, "chat_id": CHAT, "bound_at": self.before, "how": "invitation"}
            identity = self.register.person["delcourt"]
            connection.execute(insert(BINDINGS).values(id=new_id(), identity_id=identity, **bound))
        self.account = self.register.account["peeters2"]

    def gives(self, first, last, now=None):
        """Colindos with the function it needs, from day to day."""
        fields = {
            "profession": COLLABORATOR,
            "function": FUNCTION,
            "version": None,
            "starts_on": first,
            "ends_on": last,
        }
        done = self.register.does(
            "delcourt", self.register.grant("peeters2", "colindos", **fields), now=now or self.before
        )
        assert isinstance(done, Done), done
        self.looks(now or self.before)  # what is declared along with it counts at once
        self.early = self.count(AUDIT, AUDIT.c.act == "activated")

    def looks(self, *instants):
        """The machine's clock stands there, and the worker looks."""
        for instant in instants:
            with time_machine.travel(instant, tick=False):
                self.worker.carry_out()

    def states(self, instant):
        return set(states(self.register, "peeters2", instant).values())

    def count(self, table, *conditions):
        with self.register.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar()

    def told(self):
        """How many notices tell that something is active."""
        return self.count(OUTBOX, OUTBOX.c.key.startswith("active:"))

    def begun(self):
        """How often the audit trail says that they have begun."""
        return self.count(AUDIT, AUDIT.c.act == "activated") - self.early

    def ended(self):
        """How many of the two, grant and function, have ended by the audit trail."""
        return self.count(AUDIT, AUDIT.c.act == "ended", AUDIT.c.subject_id == self.identity)

    def active_since(self):
        with self.register.database.read() as connection:
            query = select(ITEMS.c.active_at).where(ITEMS.c.kind.in_(("grant", "assignment")))
            return set(connection.execute(query).scalars())

    def holds(self):
        with self.register.database.read() as connection:
            check_invariants(connection, self.register.keyring)


@pytest.fixture
def night(database, keyring, tmp_path, day):
    night = Night(database, keyring, tmp_path, day)
    yield night
    night.holds()


@days
def test_a_day_begins_at_midnight_in_brussels_and_ends_at_the_next_once(night, day):
    begin, end = start_instant(day), end_instant(day)
    assert end - begin == HOURS[day] * HOUR
    night.gives(day, day)
    night.looks(begin - HOUR, begin - MOMENT)
    assert (night.begun(), night.told(), night.states(begin - MOMENT)) == (0, 0, {"pending"})
    night.looks(begin, begin, begin + MOMENT, begin + HOUR)
    assert (night.begun(), night.told(), night.states(begin)) == (1, 1, {"active"})
    assert night.active_since() == {begin}
    night.looks(end - HOUR, end - MOMENT)
    assert (night.ended(), night.states(end - MOMENT)) == (0, {"active"})
    night.looks(end, end, end + HOUR)
    assert (night.ended(), night.states(end)) == (2, {"ended"})
    assert (night.begun(), night.told()) == (1, 1)


@days
def test_a_clock_that_goes_an_hour_wrong_and_is_set_right_does_nothing_twice(night, day):
    begin, end = start_instant(day), end_instant(day)
    night.gives(day, day)
    half = HOUR / 2
    for midnight in (begin, end):
        night.looks(midnight - half, midnight + half, midnight - half, midnight - MOMENT)
        at = {begin: ("pending", "active"), end: ("active", "ended")}[midnight]
        assert (night.states(midnight - MOMENT), night.states(midnight)) == ({at[0]}, {at[1]})
        night.looks(midnight, midnight + half, midnight - half, midnight + half, midnight + HOUR)
    assert (night.begun(), night.told(), night.ended()) == (1, 1, 2)
    assert night.active_since() == {begin}


@days
def test_what_is_given_in_the_last_minutes_for_that_day_alone_is_never_said_to_be_active(night, day):
    end = end_instant(day)
    late = end - timedelta(minutes=10)
    night.gives(day, day, now=late)
    assert night.states(late) == {"pending"}
    night.looks(late, end - MOMENT)
    assert (night.begun(), night.ended()) == (0, 0)
    night.looks(end, end + timedelta(minutes=10), end + HOUR)
    assert night.states(end) == night.states(end + timedelta(minutes=10)) == {"ended"}
    assert (night.ended(), night.told()) == (2, 0)


@days
def test_an_end_of_today_counts_to_the_last_moment_of_the_day_and_no_longer(night, day):
    begin, end = start_instant(day), end_instant(day)
    night.gives(day, None)
    night.looks(begin)
    noon = begin + HOURS[day] * HOUR / 2
    with time_machine.travel(noon, tick=False):
        assert clock.today() == day
    request = EndAccess(night.account, None, ("colindos",), (FUNCTION,), ends_on=day)
    assert isinstance(night.register.does("delcourt", request, now=noon), Done)
    night.looks(noon, end - MOMENT, end - HOUR, end - MOMENT)
    assert (night.ended(), night.states(end - MOMENT)) == (0, {"active"})
    night.looks(end + HOUR, end - HOUR, end)
    assert (night.ended(), night.states(end - MOMENT), night.states(end)) == (2, {"active"}, {"ended"})


@pytest.mark.parametrize("day", [WINTER_BEGINS], ids=str)
def test_what_a_process_took_before_its_clock_was_set_back_does_not_wait_an_hour(night, day):
    begin = start_instant(day)
    night.gives(day, day)
    ahead = begin + HOUR
    with night.register.database.write() as connection:  # and dies
        assert due.take(connection, ahead, limit=9)
    night.looks(begin)
    assert (night.begun(), night.told()) == (1, 1)


def test_a_clock_that_is_a_little_off_takes_nothing_from_another_process(database):
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    with database.write() as connection:
        due.put(connection, "a", END, now, {})
        assert due.take(connection, now + leases.LEASE, limit=9)
    with database.write() as connection:
        assert not due.waiting(connection, now)
        assert due.take(connection, now, limit=9) == []


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """A database of the module, filled anew for each example."""
    return tmp_path_factory.mktemp("nights")


minutes = st.integers(-90, 90).map(lambda number: timedelta(minutes=number)) | st.sampled_from(
    [timedelta(), -MOMENT, MOMENT]
)


@settings(
    max_examples=8,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    day=st.sampled_from(list(HOURS)), begins=st.lists(minutes, max_size=4), ends=st.lists(minutes, max_size=4)
)
def test_however_the_clock_wanders_each_begin_and_end_is_noted_once(laid, keyring, day, begins, ends):

    begin, end = start_instant(day), end_instant(day)
    with databases.sqlite(laid) as url:
        database = Database(url)
        night = Night(database, keyring, laid, day)
        night.gives(day, day)
        night.looks(*(begin + offset for offset in begins))
        assert night.begun() == night.told() == any(offset >= timedelta() for offset in begins)
        night.looks(begin + 2 * HOUR, *(end + offset for offset in ends))
        assert night.ended() == 2 * any(offset >= timedelta() for offset in ends)
        night.looks(end + 2 * HOUR)
        assert (night.begun(), night.told(), night.ended()) == (1, 1, 2)
        assert night.active_since() == {begin}
        night.holds()
        database.close()
