"""After any sequence of acts: no access without the function it needs, no function twice at once, nothing after its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from bot.access.ground import Span, ended, groundless, idle
from bot.access.periods import Period, State, brussels_day, start_instant
from bot.access.requests import ChangeEnd, Done, EndAccess, Request
from bot.access.rows import ASSIGNMENTS, GRANTS
from bot.store.database import Database
from bot.store.keys import Keyring
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests import databases
from tests.access.registers import NOW, TODAY, Register, newcomer

PHYSICIANS, PHARMACISTS = "collaborator-specialist-physician", "collaborator-hospital-pharmacist"
PROFESSIONS = {"collaborator-physician": PHYSICIANS, "collaborator-pharmacist": PHARMACISTS}
DAYS = st.one_of(st.none(), st.integers(0, 40).map(lambda days: TODAY + timedelta(days=days)))
APPLICATIONS = st.sampled_from((("colindos",), ("hospiliss",), ("colindos", "hospiliss"), ()))


@dataclass(frozen=True)
class Give:
    """A grant as a manager may ask it, sensible or not."""

    applications: tuple[str, ...]
    profession: str
    with_function: bool
    days: int
    lasting: int | None


@dataclass(frozen=True)
class Stop:
    """An end, or another end, of some of what is held then: each bit of `which` takes one thing."""

    kind: type[EndAccess | ChangeEnd]
    which: int
    ends_on: date | None


ACTS = st.one_of(
    st.builds(
        Give,
        APPLICATIONS.filter(bool),
        st.sampled_from((*PROFESSIONS, "specialist-physician")),
        st.booleans(),
        st.integers(-5, 20),
        st.one_of(st.none(), st.integers(0, 30)),
    ),
    st.builds(Stop, st.sampled_from((EndAccess, ChangeEnd)), st.integers(1, 7), DAYS),
    st.builds(Stop, st.sampled_from((EndAccess, ChangeEnd)), st.integers(1, 7), DAYS),
    st.integers(1, 30),
)
"""A grant, an end, another end, or days that go by."""


@pytest.fixture(scope="module")
def register():
    with TemporaryDirectory() as folder, databases.sqlite(Path(folder)) as url:
        database = Database(url)
        yield Register(database, Keyring({1: bytes(range(32))}), Path(folder))
        database.close()


_newcomers = count()


def asked(register: Register, account: str, act: Give | Stop, now: datetime) -> Request:
    """The act as a request about this account."""
    today = brussels_day(now)
    if isinstance(act, Give):
        start = today + timedelta(days=act.days)
        end = start + timedelta(days=act.lasting) if act.lasting is not None else None
        function = (
            PROFESSIONS.get(act.profession) if act.with_function and "colindos" in act.applications else None
        )
        fields = {"profession": act.profession, "function": function, "starts_on": start, "ends_on": end}
        return register.grant(account, *act.applications, **fields)
    with register.sees("delcourt", now=now) as directory:
        card = directory.person(register.account[account])
    things = sorted({(h.kind, h.key) for h in card.holdings if h.state != "ended"}, reverse=True)
    taken = [thing for place, thing in enumerate(things) if act.which >> place & 1]
    applications = tuple(key for kind, key in taken if kind == "application")
    functions = tuple(key for kind, key in taken if kind == "function")
    return act.kind(register.account[account], None, applications, functions, act.ends_on)


def held(connection, account: str) -> list[tuple[str, Period]]:
    """All that the account ever had, with its days and instants; each kind's rows, oldest first."""
    return [
        (row._mapping[column], Period(row.starts_on, row.ends_on, row.revoked_at, row.active_at))
        for table, column in ((GRANTS, "application"), (ASSIGNMENTS, "function"))
        for row in connection.execute(select(table).where(table.c.account_id == account))
    ]


def check(connection, account: str, now: datetime, profession: str | None) -> None:
    """At this instant and on each of the days to come, as the register stands."""
    every = held(connection, account)
    for (one, first), (other, second) in combinations(every, 2):
        if one == other and first.revoked_at is None and second.revoked_at is None:
            assert not first.overlaps(second), one
    for day in (0, 1, 5, 20, 45, 80):
        at = now if day == 0 else start_instant(brussels_day(now) + timedelta(days=day))
        active = {key for key, period in every if period.is_active(at)}
        # the 20 minutes apart, which a function takes like everything else: its days count
        days = {key for key, p in every if Period(p.starts_on, p.ends_on, p.revoked_at).is_active(at)}
        if "colindos" in active and profession == "collaborator":
            assert days & {PHYSICIANS, PHARMACISTS}, (at, every)
        for _, period in every:
            over = (period.revoked_at and period.revoked_at <= at) or (
                period.ends_on and period.ends_on < brussels_day(at)
            )
            assert not (over and period.state(at) is not State.ENDED)


FUNCTION_ALONE, COLINDOS_ALONE = 1, 4
"""Which of function, Hospiliss and Colindos, in that order."""


@example(None, [Stop(EndAccess, FUNCTION_ALONE, None)])
@example(None, [Stop(EndAccess, FUNCTION_ALONE, TODAY + timedelta(days=3))])
@example(None, [Stop(ChangeEnd, FUNCTION_ALONE, TODAY + timedelta(days=3))])
@example(9, [Stop(ChangeEnd, COLINDOS_ALONE, None)])
@example(
    9,
    [
        Stop(EndAccess, COLINDOS_ALONE, None),
        Give(("colindos",), "collaborator-physician", with_function=False, days=0, lasting=None),
    ],
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.none(), st.integers(0, 30)), st.lists(ACTS, min_size=2, max_size=5))
def test_whatever_is_done_every_access_keeps_its_ground(register, lasting, acts):
    """Begun with a collaborator who has Colindos and the function, so that most acts have something to break."""
    number = next(_newcomers)
    first = Give(("colindos",), "collaborator-physician", with_function=True, days=0, lasting=lasting)
    made = register.does("delcourt", register.welcome("hospiliss", user=_somebody(number)))
    assert isinstance(made, Done), made
    register.account["somebody"] = made.account
    now = NOW
    given_first = register.does("delcourt", asked(register, "somebody", first, now), now=now)
    assert isinstance(given_first, Done), given_first
    for act in acts:
        now += timedelta(days=act) if isinstance(act, int) else timedelta(minutes=1)
        if not isinstance(act, int):
            register.does("delcourt", asked(register, "somebody", act, now), now=now)
        with register.sees("delcourt", now=now) as directory:
            card = directory.person(made.account)
        with register.database.read() as connection:
            check(connection, made.account, now, card.ref.profession)


def _somebody(number: int):
    return newcomer(username=f"somebody{number}", niss=None, email=f"somebody{number}@example.org")


# -- the rule itself ------------------------------------------------------------------------------


def spans(*rows: tuple[str, int, int | None]) -> list[Span]:
    """(key, first day, last day), in days from today."""
    return [
        Span(
            "function" if key.startswith("collaborator") else "application",
            key,
            TODAY + timedelta(days=first),
            None if last is None else TODAY + timedelta(days=last),
        )
        for key, first, last in rows
    ]


@pytest.mark.parametrize(
    ("held", "gap"),
    [
        ([("colindos", 0, None)], 0),
        ([("colindos", 0, None), (PHYSICIANS, 0, None)], None),
        ([("colindos", 0, None), (PHYSICIANS, 0, 9)], 10),
        ([("colindos", 0, 9), (PHYSICIANS, 0, 9)], None),
        ([("colindos", -9, None), (PHYSICIANS, 3, None)], 0),
        ([("colindos", 0, None), (PHYSICIANS, 0, 4), (PHARMACISTS, 5, None)], None),
        ([("colindos", 0, None), (PHYSICIANS, 0, 4), (PHARMACISTS, 6, None)], 5),
        ([("hospiliss", 0, None)], None),
    ],
)
def test_the_first_day_without_ground(register, held, gap):
    found = groundless(register.catalogue, "collaborator", spans(*held), TODAY)

    assert found == ({} if gap is None else {"colindos": TODAY + timedelta(days=gap)})
    assert groundless(register.catalogue, "hospital-pharmacist", spans(*held), TODAY) == {}


def test_a_function_is_left_over_only_where_no_other_application_needs_it(register):
    both = spans(("colindos", 0, None), ("hospiliss", 0, None), (PHYSICIANS, 0, None))
    colindos = {("application", "colindos")}

    assert idle(register.catalogue, both, colindos, None) == (PHYSICIANS,)
    assert idle(register.catalogue, both, {("application", "hospiliss")}, None) == ()
    assert idle(register.catalogue, both, {*colindos, ("function", PHYSICIANS)}, None) == ()
    assert ended(both, colindos, TODAY)[0].ends_on == TODAY
