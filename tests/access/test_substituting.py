"""Deputies: what they may for whom, when, never more than the manager himself, and both names in the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bot.access import activation, managing, standing, substituting
from bot.access.requests import (
    ActOnUsers,
    AppointDeputy,
    AppointManager,
    Done,
    EndDeputy,
    EndMandate,
    InviteUser,
    Outcome,
    Refused,
)
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, BINDINGS, MANDATES, PROFILES, SUBSTITUTIONS
from bot.access.wayin import invite_user
from bot.errors import Refusal
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, core
from sqlalchemy import insert, select, update
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register
from tests.access.test_managing import MORE

DAY = timedelta(days=1)
SOON, LATER = TODAY + 7 * DAY, TODAY + 14 * DAY


@pytest.fixture
def register(keyring: Keyring, tmp_path):
    with databases.sqlite(tmp_path) as url:
        register = Register(Database(url), keyring, tmp_path, REGISTER + MORE)
        yield register
        with register.database.read() as connection:
            check_invariants(connection, keyring)
        register.database.close()


def asks(register, by, request, now=NOW) -> Outcome:
    """As `acts` does it, without the proof that its recap takes."""
    act = substituting.appoint_deputy if isinstance(request, AppointDeputy) else substituting.end_deputy
    with register.work(by, now=now) as work:
        try:
            return act(work, request)
        except Refusal as refusal:
            return Refused(refusal.msg, getattr(refusal, "step", None))


def lets(register, by="delcourt", deputy="dubois", since=TODAY, until=SOON, entity="midi", now=NOW):
    request = AppointDeputy(register.entity[entity], register.account[deputy], since, until)
    return asks(register, by, request, now)


def ends(register, by, now=NOW):
    with register.database.read() as connection:
        query = select(SUBSTITUTIONS.c.id).order_by(SUBSTITUTIONS.c.recorded_at, SUBSTITUTIONS.c.id)
        return asks(register, by, EndDeputy(connection.execute(query).scalars().first() or ""), now)


def gives(register, by, account="peeters2", application="hospiliss", now=NOW) -> bool:
    return isinstance(register.does(by, register.grant(account, application, version=1), now=now), Done)


def key(outcome) -> tuple[str, str | None]:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key, outcome.step


def test_a_deputy_does_what_his_manager_may_and_both_are_named(register):
    assert not gives(register, "dubois")
    assert isinstance(lets(register), Done)
    assert gives(register, "dubois")
    entries = core(AuditEntry)
    with register.database.read() as connection:
        query = select(entries).where(
            entries.c.act == "grant", entries.c.actor_id == register.person["dubois"]
        )
        (entry,) = connection.execute(query).all()
    assert entry.body["stands_in_for"] == [register.person["delcourt"]]


def test_whoever_stands_in_for_nobody_is_named_alone(register):
    lets(register)
    assert gives(register, "delcourt")
    entries = core(AuditEntry)
    with register.database.read() as connection:
        query = select(entries.c.body).where(entries.c.actor_id == register.person["delcourt"])
        assert all("stands_in_for" not in body for body in connection.execute(query).scalars())


def test_it_begins_on_its_day_and_ends_by_itself(register):
    lets(register, since=SOON, until=LATER)
    assert not gives(register, "dubois")
    assert not gives(register, "dubois", now=NOW + 15 * DAY)
    assert gives(register, "dubois", now=NOW + 7 * DAY)


def test_what_the_manager_loses_his_deputy_loses(register):
    lets(register)
    with register.database.write() as connection:
        mine = MANDATES.c.identity_id == register.person["delcourt"]
        connection.execute(update(MANDATES).where(mine).values(revoked_at=NOW))
    assert not gives(register, "dubois")


def test_only_the_one_entity_is_lent(register):
    """Delcourt is responsible of aube too."""
    lets(register)
    with register.sees("dubois") as directory:
        assert [entity.id for entity in directory.entities()] == [register.entity["midi"]]
        assert [entity.role for entity in directory.entities()] == ["co-responsible"]


def test_a_mandate_over_a_part_lends_only_that_part(register):
    assert key(lets(register, "claes")) == ("rights.not_allowed", None)
    assert isinstance(lets(register, "claes", "peeters"), Done)
    with register.sees("peeters") as directory:
        names = [p.username for p in directory.people(register.quality["midi/hospital"]).items]
    assert names == ["jpeeters"]


@pytest.mark.parametrize("by", [None, "wet", "dubois", "peeters", "kaai"])
def test_who_manages_nothing_there_lets_nobody_stand_in(register, by):
    assert key(lets(register, by))[0] == "rights.not_allowed"


def test_nobody_passes_on_what_he_holds_for_another(register):
    lets(register)
    assert key(lets(register, "dubois", "peeters"))[0] == "rights.not_allowed"
    with register.sees("dubois") as directory:
        assert directory.entities(Act.APPOINT_DEPUTY.value) == ()


def test_nobody_is_his_own_deputy_nor_is_somebody_blocked_or_of_another_entity(register):
    assert key(lets(register, deputy="delcourt"))[0] == "rights.own_mandate"
    assert key(lets(register, deputy="lambert")) == ("act.blocked", "person")
    assert key(lets(register, deputy="maes"))[0] == "rights.not_allowed"


@pytest.mark.parametrize(
    ("days", "step"),
    [
        ({"since": TODAY - DAY}, "since"),
        ({"since": SOON, "until": TODAY}, "until"),
        ({"until": TODAY + 367 * DAY}, "until"),
    ],
)
def test_its_days_begin_today_or_later_and_last_a_year_at_the_most(register, days, step):
    assert key(lets(register, **days)) == (f"act.manager.{step}", step)


def test_one_deputy_at_a_time(register):
    lets(register)
    assert key(lets(register, deputy="peeters", since=SOON)) == ("act.deputy.already", "since")
    assert isinstance(lets(register, deputy="peeters", since=SOON + DAY, until=LATER), Done)


def test_what_nobody_may_do_to_himself_his_deputy_may_not_do_to_him(register):
    lets(register)
    assert not gives(register, "dubois", "delcourt")
    assert not gives(register, "dubois", "dubois")
    deleted = ActOnUsers("delete", ((register.account["delcourt"], 1),), reason="x")
    assert key(register.does("dubois", deleted))[0] == "rights.own_access"
    for mail in (True, False):
        with register.work("dubois") as work, pytest.raises(Refusal):
            invite_user(replace(work, mails=True), InviteUser(register.account["delcourt"], mail=mail))


def test_nobody_below_the_manager_gets_hold_of_his_deputy(register):
    """Janssens manages the quality in which Dubois is: he could else let himself in as Dubois, and act for Delcourt."""
    with register.work("janssens") as work:
        assert isinstance(invite_user(work, InviteUser(register.account["dubois"], mail=False)), Done)
    lets(register, since=SOON, until=LATER)
    with register.work("janssens") as work, pytest.raises(Refusal) as refused:
        invite_user(work, InviteUser(register.account["dubois"], mail=False))
    assert refused.value.msg.key == "act.way.manager"


@pytest.mark.parametrize(
    ("by", "may"), [("delcourt", 1), ("dubois", 1), ("hoofd", 1), ("janssens", 0), ("audi", 0)]
)
def test_it_is_ended_early_by_both_and_by_whoever_could_end_the_managers_mandate(register, by, may):
    lets(register)
    assert isinstance(ends(register, by), Done if may else Refused)
    assert gives(register, "dubois") == (not may)
    assert isinstance(ends(register, "delcourt"), Refused if may else Done)


def test_a_deputy_who_is_blocked_stands_in_no_longer(register):
    lets(register)
    with register.database.write() as connection:
        mine = ACCOUNTS.c.id == register.account["dubois"]
        connection.execute(update(ACCOUNTS).where(mine).values(status="blocked"))
    assert not gives(register, "dubois")


def test_it_takes_a_fresh_proof(register):
    request = AppointDeputy(register.entity["midi"], register.account["dubois"], TODAY, SOON)
    assert key(register.does("delcourt", request))[0].startswith("proof.")


def test_both_see_it_and_the_managers_of_the_entity_too(register):
    lets(register)
    said = {}
    for who in ("delcourt", "dubois", "hoofd", "audi"):
        with register.sees(who) as directory:
            (each,) = directory.deputies(register.entity["midi"])
            said[who] = (each.principal, each.deputy, each.mine, each.endable, len(directory.standing_in()))
    assert said == {
        "delcourt": ("Delcourt Anne", "Dubois Zoé", "principal", True, 1),
        "dubois": ("Delcourt Anne", "Dubois Zoé", "deputy", True, 1),
        "hoofd": ("Delcourt Anne", "Dubois Zoé", "", True, 0),
        "audi": ("Delcourt Anne", "Dubois Zoé", "", False, 0),
    }


def test_the_deputy_hears_what_the_manager_would_hear(register, keyring):
    with register.database.write() as connection:
        for number, person in enumerate(("delcourt", "dubois"), 71):
            values = {"id": person, "identity_id": register.person[person], "telegram_id": number}
            values |= {"chat_id": number, "how": "invitation", "bound_at": NOW}
            connection.execute(insert(BINDINGS).values(**values))
    done = register.does("delcourt", register.grant("peeters2", "hospiliss", version=1))
    lets(register)
    with register.database.write() as connection:
        notice = activation.activate(connection, keyring, done.number, done.due)
    assert notice.chats == (71, 72)
    with register.database.read() as connection:
        assert standing.told(connection, register.person["delcourt"], register.entity["midi"], LATER) == (71,)


def test_what_is_to_do_on_the_portal_is_there_for_the_deputy_too(register):
    new = register.does("kaai", register.welcome("hospiliss", quality="quai/hospital"))
    assert isinstance(new, Done)
    assert isinstance(lets(register, "kaai", deputy=_newcomer(register, new.account), entity="quai"), Done)
    with register.sees("deputy") as directory:
        assert [visit.changes for visit in directory.visits()] == [1]


def _newcomer(register, account: str) -> str:
    """The user made in the chat, under a name of the register of tests."""
    with register.database.read() as connection:
        query = select(PROFILES.c.identity_id).join(ACCOUNTS, ACCOUNTS.c.profile_id == PROFILES.c.id)
        register.person["deputy"] = connection.execute(query.where(ACCOUNTS.c.id == account)).scalar_one()
    register.account["deputy"] = account
    return "deputy"


def test_a_deputy_appoints_as_his_manager_may_and_no_further(register):
    lets(register, "janssens", "peeters2")
    place = {"quality": register.quality["midi/hospital"]}
    may = AppointManager("group", register.entity["midi"], register.account["dubois"], TODAY, **place)
    with register.work("peeters2") as work:
        assert isinstance(managing.appoint_manager(work, may), Done)
    for request in (
        replace(may, office="local"),
        replace(may, account=register.account["peeters2"]),
        EndMandate("none", "local", register.entity["midi"]),
    ):
        act = managing.end_mandate if isinstance(request, EndMandate) else managing.appoint_manager
        with register.work("peeters2") as work, pytest.raises(Refusal):
            act(work, request)
