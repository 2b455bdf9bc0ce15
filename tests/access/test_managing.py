"""Who appoints, replaces and ends whom; what is written; how the appointed person is let in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from bot.access import invitations, letters, managing, standing
from bot.access.acts import perform
from bot.access.mandates import office_of
from bot.access.offices import OFFICES
from bot.access.requests import ActOnUsers, AppointManager, Done, EndMandate, InviteUser, Join, Refused
from bot.access.rights import Act
from bot.access.rows import CHANGES, ENTITIES, ITEMS, MANDATES, SESSIONS
from bot.access.sessions import SessionRules
from bot.access.wayin import invite_user
from bot.access.work import Work
from bot.errors import Refusal
from bot.store.database import Database
from bot.store.ids import new_id
from bot.store.outbox import take_letter
from bot.store.tables import AuditEntry, core
from sqlalchemy import insert, select
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register

DAY = timedelta(days=1)
MORE = """
[[person]]
key = "wet"
last_name = "Wet"
first_name = "Lex"
[[person]]
key = "hoofd"
last_name = "Hoofd"
first_name = "Huub"
[[mandate]]
person = "wet"
entity = "midi"
role = "legal-representative"
[[mandate]]
person = "hoofd"
entity = "midi"
role = "responsible"
"""
"""A legal representative and a responsible of midi beside the others, both without an account."""


@pytest.fixture
def register(keyring, tmp_path):
    """On SQLite; where the statements could differ, a test says so and runs on both (`database`)."""
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Register(database, keyring, tmp_path, REGISTER + MORE)
        database.close()


def does(register, by: str | None, request, *scope: str, now=NOW):
    """As the act has it once the proof was given."""
    with register.work(by, *scope, now=now) as work:
        return performed(replace(work, mails=True), request)


def performed(work: Work, request):
    act = managing.appoint_manager if isinstance(request, AppointManager) else managing.end_mandate
    try:
        with work.connection.begin_nested():
            return act(work, request)
    except Refusal as refusal:
        return Refused(refusal.msg, getattr(refusal, "step", None))


def appoint(
    register, office: str, account: str = "peeters", where: str = "", entity: str = "midi", **fields
) -> AppointManager:
    """Where: nothing for the whole entity, "hospital", or "hospital/Cardiologie"."""
    quality, _, part = where.partition("/")
    request = AppointManager(
        office,
        register.entity[entity],
        register.account[account],
        TODAY,
        quality=register.quality[f"{entity}/{quality}"] if quality else None,
        subdivision=register.subdivision[part] if part else None,
    )
    return replace(request, **fields)


def held(register, person: str) -> dict[str, tuple[date | None, date | None]]:
    """The offices of a person that were not ended, with their days."""
    with register.database.read() as connection:
        rows = connection.execute(
            managing.MANDATE.where(MANDATES.c.identity_id == register.person[person])
        ).all()
        return {office_of(row): (row.since, row.until) for row in rows}


def mandate(register, person: str, role: str) -> str:
    with register.database.read() as connection:
        query = select(MANDATES.c.id).where(
            MANDATES.c.identity_id == register.person[person],
            MANDATES.c.role == role,
            MANDATES.c.revoked_at.is_(None),
            MANDATES.c.entity_id.is_distinct_from(register.entity["aube"]),
        )
        return connection.execute(query).scalar_one()


def end(register, person: str, office: str, on: date | None = None, entity: str = "midi") -> EndMandate:
    role = "local" if office == "co-local" else office
    return EndMandate(mandate(register, person, role), office, register.entity[entity], on)


def said(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


PLACES = {
    "responsible": "",
    "co-responsible": "",
    "local": "hospital",
    "co-local": "hospital",
    "group": "hospital",
    "subdivision": "hospital/Cardiologie",
    "auditor": "",
}
MAY = {
    "wet": {"responsible"},
    "hoofd": {"co-responsible", "local", "co-local", "group", "subdivision", "auditor"},
    "delcourt": {"local", "co-local", "group", "subdivision"},
    "janssens": {"co-local", "group", "subdivision"},
    "groep": set(),
    "claes": {"subdivision"},
    "audi": set(),
    "kaai": set(),
    "dubois": set(),
}
"""What each may appoint to in midi: `domain.md` 1.3, with its open cells as `product.md` S2 decides them."""


@pytest.mark.parametrize("by", MAY)
def test_each_appoints_to_what_the_table_says_and_to_nothing_else(register, by):
    outcomes = {}
    for office, where in PLACES.items():
        # a responsible comes from among the managers; one and the same is not local and co-local at once
        account = {"responsible": "delcourt", "co-local": "peeters2"}.get(office, "peeters")
        outcomes[office] = does(register, by, appoint(register, office, account, where))
    done = {office for office, outcome in outcomes.items() if isinstance(outcome, Done)}
    assert done == MAY[by]
    assert {said(outcomes[office]) for office in PLACES if office not in done} <= {"rights.not_allowed"}
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_the_lists_offer_exactly_what_may_be_done(register):
    for by, may in MAY.items():
        with register.sees(by) as directory:
            posts = directory.posts(register.entity["midi"])
        assert {post.office for post in posts} == may, by
    with register.sees("claes") as directory:
        posts = directory.posts(register.entity["midi"])
    assert {post.name for post in posts} == {"Cardiologie", "Cathétérisme"}


@pytest.mark.parametrize(
    "fields",
    [
        {"where": ""},
        {"where": "hospital/Cardiologie"},
        {"where": "hospital", "account": "maes"},
        {"where": "hospital", "account": "kaai"},
        {"where": "hospital", "quality": "nowhere"},
        {"where": "health-care"},
    ],
    ids=[
        "no quality",
        "too narrow",
        "a user elsewhere",
        "a user of the portal",
        "a foreign id",
        "not active",
    ],
)
def test_a_place_that_does_not_fit_is_like_one_that_is_not_there(register, fields):
    outcome = does(register, "hoofd", appoint(register, "local", **fields))
    assert said(outcome) == "rights.not_allowed"


def test_a_place_of_another_entity_is_not_reached_through_ones_own(register):
    request = appoint(register, "local", where="hospital", quality=register.quality["aube/hospital"])
    assert said(does(register, "hoofd", request)) == "rights.not_allowed"
    elsewhere = replace(request, entity=register.entity["aube"], account=register.account["maes"])
    assert said(does(register, "hoofd", elsewhere)) == "rights.not_allowed"
    assert said(does(register, "delcourt", elsewhere, "midi")) == "rights.not_allowed"
    assert does(register, "delcourt", elsewhere, "aube").number


def test_a_subdivision_manager_appoints_in_his_branch_users_of_his_branch(register):
    assert does(
        register, "claes", appoint(register, "subdivision", "peeters", "hospital/Cathétérisme")
    ).number
    assert (
        said(does(register, "claes", appoint(register, "subdivision", "peeters", "hospital/Pharmacie")))
        == "rights.not_allowed"
    )
    foreign = appoint(register, "subdivision", "peeters2", "hospital/Cardiologie")
    assert said(does(register, "claes", foreign)) == "rights.not_allowed"


def test_nobody_appoints_or_ends_himself(register):
    assert said(does(register, "delcourt", appoint(register, "local", "delcourt", "hospital"))) == (
        "rights.own_mandate"
    )
    does(register, "hoofd", appoint(register, "co-responsible", "peeters"))
    assert said(does(register, "peeters", end(register, "peeters", "co-responsible"))) == "rights.not_allowed"
    assert said(does(register, "janssens", end(register, "janssens", "local"))) == "rights.not_allowed"
    does(register, "delcourt", appoint(register, "co-local", "dubois", "hospital"))
    assert said(does(register, "dubois", end(register, "dubois", "co-local"))) == "rights.own_mandate"


def test_a_local_manager_ends_the_one_beside_him_but_not_the_other_way_round(register):
    assert does(register, "janssens", appoint(register, "co-local", "dubois", "hospital")).number
    assert said(does(register, "dubois", end(register, "janssens", "local"))) == "rights.not_allowed"
    disguised = replace(end(register, "janssens", "local"), office="co-local")
    assert said(does(register, "dubois", disguised)) == "rights.not_allowed"
    assert does(register, "janssens", end(register, "dubois", "co-local")).number
    assert held(register, "dubois") == {}


def test_an_appointment_is_a_numbered_change_with_its_days_and_an_audit_entry(register):
    until = TODAY + 90 * DAY
    request = appoint(register, "group", where="hospital", since=TODAY + DAY, until=until)
    done = does(register, "delcourt", request)
    assert held(register, "peeters") == {"group": (TODAY + DAY, until)}
    with register.database.read() as connection:
        entries = core(AuditEntry)
        written = connection.execute(select(entries).where(entries.c.change_number == done.number)).one()
        check_invariants(connection, register.keyring)
    assert (written.act, written.actor_id, written.subject_id) == (
        "appoint-manager",
        register.person["delcourt"],
        register.person["peeters"],
    )
    assert written.body["after"]["ends_on"] == until.isoformat()
    assert "Peeters" not in str(written.body)


def test_a_mandate_to_come_gives_no_right_before_its_day_and_none_after_its_last(register):
    request = appoint(register, "local", where="hospital", since=TODAY + DAY, until=TODAY + 2 * DAY)
    does(register, "delcourt", request)
    for days, seen in ((0, 0), (1, 1), (2, 1), (3, 0)):
        with register.sees("peeters", now=NOW + days * DAY) as directory:
            assert len(directory.entities()) == seen, days


@pytest.mark.parametrize(
    ("since", "until", "refused"),
    [
        (TODAY - DAY, None, ("act.manager.since", "since")),
        (TODAY.replace(year=2040), None, ("act.manager.since", "since")),
        (TODAY + DAY, TODAY, ("act.manager.until", "until")),
        (TODAY, TODAY.replace(year=2040), ("act.manager.until", "until")),
    ],
)
def test_days_out_of_order_or_of_bounds_are_asked_again(register, since, until, refused):
    outcome = does(
        register, "delcourt", appoint(register, "group", where="hospital", since=since, until=until)
    )
    assert (outcome.msg.key, outcome.step) == refused


def test_the_same_office_is_not_given_twice_but_in_turn_it_is(register):
    first = appoint(register, "group", where="hospital", until=TODAY + 9 * DAY)
    assert does(register, "delcourt", first).number
    assert said(does(register, "delcourt", first)) == "act.manager.already"
    assert does(register, "delcourt", replace(first, since=TODAY + 10 * DAY, until=None)).number


def test_a_blocked_user_is_not_appointed(register):
    assert (
        said(does(register, "delcourt", appoint(register, "group", "lambert", "hospital"))) == "act.blocked"
    )


# -- replacing and ending -------------------------------------------------------------------------


def test_who_is_replaced_goes_on_until_the_new_one_begins(register):
    since = TODAY + 7 * DAY
    old = mandate(register, "janssens", "local")
    request = appoint(register, "local", where="hospital", since=since, replaces=old)
    assert does(register, "delcourt", request).number
    assert held(register, "janssens") == {"local": (None, since - DAY)}
    assert held(register, "peeters") == {"local": (since, None)}
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_replaced_today_means_ended_now_with_his_sessions(register):
    rules = SessionRules(locking=True)
    with register.work(None) as work:
        code = _code(work, register, "janssens")
        joined = perform(replace(work, sessions=rules), Join(code))
        assert joined == Done()
    request = appoint(register, "local", where="hospital", replaces=mandate(register, "janssens", "local"))
    assert does(register, "delcourt", request).number
    assert held(register, "janssens") == {}
    with register.database.read() as connection:
        assert connection.execute(select(SESSIONS.c.ended_why)).scalars().all() == ["mandate"]


def _code(work, register, person: str) -> str:
    return invitations.invite(work.connection, register.keyring, person, NOW)


def test_both_databases_list_appoint_replace_and_end(database, keyring, tmp_path):
    register = Register(database, keyring, tmp_path, REGISTER + MORE)
    old = mandate(register, "janssens", "local")
    assert does(register, "delcourt", appoint(register, "local", "dubois", "hospital", replaces=old)).code
    assert does(register, "dubois", appoint(register, "co-local", "peeters", "hospital", mail=True)).mailed
    assert said(does(register, "wet", end(register, "hoofd", "responsible"))) == "act.manager.last"
    with register.sees("dubois") as directory:
        there = directory.managers(register.entity["midi"])
        assert len(directory.posts(register.entity["midi"])) == 1 + 1 + 3
    assert [(each.name, each.office) for each in there if each.changeable] == [
        ("Peeters Jan", "co-local"),
        ("Groep Greet", "group"),
        ("Claes Mieke", "subdivision"),
    ]
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_only_the_same_office_at_the_same_place_is_replaced(register):
    request = appoint(register, "group", where="hospital", replaces=mandate(register, "janssens", "local"))
    assert said(does(register, "hoofd", request)) == "rights.not_allowed"
    co = appoint(register, "co-local", where="hospital", replaces=mandate(register, "janssens", "local"))
    assert said(does(register, "janssens", co)) == "rights.not_allowed"


def test_the_last_responsible_is_replaced_and_never_just_ended(register):
    assert said(does(register, "wet", end(register, "hoofd", "responsible"))) == "act.manager.last"
    later = end(register, "hoofd", "responsible", TODAY + 30 * DAY)
    assert said(does(register, "wet", later)) == "act.manager.last"
    request = appoint(
        register,
        "responsible",
        "delcourt",
        since=TODAY + 5 * DAY,
        replaces=mandate(register, "hoofd", "responsible"),
    )
    assert does(register, "wet", request).number
    assert held(register, "hoofd") == {"responsible": (None, TODAY + 4 * DAY)}


def test_the_successor_of_the_last_responsible_does_not_leave_the_entity_alone(register):
    request = appoint(
        register,
        "responsible",
        "delcourt",
        until=TODAY + 90 * DAY,
        replaces=mandate(register, "hoofd", "responsible"),
    )
    refused = does(register, "wet", request)
    assert (said(refused), refused.step) == ("act.manager.heir_until", "until")
    assert held(register, "hoofd") == {"responsible": (None, None)}
    assert does(register, "delcourt", appoint(register, "group", where="hospital")).number
    assert does(register, "wet", appoint(register, "responsible", since=TODAY + 90 * DAY)).number
    assert does(register, "wet", request).number, "somebody else goes on from that day"


def test_of_two_responsibles_one_is_ended_where_the_other_goes_on(register):
    does(register, "wet", appoint(register, "responsible", "delcourt", since=TODAY + 5 * DAY))
    too_soon = end(register, "hoofd", "responsible", TODAY + 3 * DAY)
    assert said(does(register, "wet", too_soon)) == "act.manager.last"
    assert does(register, "wet", end(register, "hoofd", "responsible", TODAY + 4 * DAY)).number
    assert said(does(register, "wet", end(register, "delcourt", "responsible"))) == "act.manager.last"


def test_a_mandate_becomes_shorter_and_not_longer(register):
    does(register, "delcourt", appoint(register, "group", where="hospital", until=TODAY + 9 * DAY))
    longer = end(register, "peeters", "group", TODAY + 10 * DAY)
    assert said(does(register, "delcourt", longer)) == "act.manager.only_shorter"
    assert said(does(register, "delcourt", end(register, "peeters", "group", TODAY - DAY))) == (
        "act.manager.too_early"
    )
    assert does(register, "delcourt", end(register, "peeters", "group", TODAY)).number
    assert held(register, "peeters") == {"group": (TODAY, TODAY)}
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_who_has_no_account_is_ended_all_the_same(register):
    assert does(register, "hoofd", end(register, "audi", "auditor")).account == ""
    assert held(register, "audi") == {}


def test_an_entity_does_not_end_or_replace_a_mandate_over_the_whole_enterprise(register):
    with register.database.write() as connection:
        query = select(ENTITIES.c.enterprise_id).where(ENTITIES.c.id == register.entity["midi"])
        row = {"enterprise_id": connection.execute(query).scalar_one(), "recorded_at": NOW}
        connection.execute(
            insert(MANDATES).values(
                id=new_id(), identity_id=register.person["maes"], role="co-responsible", **row
            )
        )
    assert said(does(register, "hoofd", end(register, "maes", "co-responsible"))) == "rights.not_allowed"
    request = appoint(register, "co-responsible", replaces=mandate(register, "maes", "co-responsible"))
    assert said(does(register, "hoofd", request)) == "rights.not_allowed"
    with register.sees("hoofd") as directory:
        there = {each.id: each for each in directory.managers(register.entity["midi"])}
    wide = there[mandate(register, "maes", "co-responsible")]
    assert (wide.name, wide.changeable) == ("", False), "midi does not know his name, and does not end him"


# -- what is asked of the register, and the way in ------------------------------------------------


def test_the_list_says_who_manages_what_from_when_to_when(register):
    does(register, "delcourt", appoint(register, "group", where="hospital", since=TODAY + DAY))
    with register.sees("delcourt") as directory:
        there = directory.managers(register.entity["midi"])
    assert [(each.office, each.name, each.begun, each.changeable, each.oneself) for each in there] == [
        ("legal-representative", "Wet Lex", True, False, False),
        ("responsible", "Hoofd Huub", True, False, False),
        ("co-responsible", "Delcourt Anne", True, False, True),
        ("local", "Janssens Piet", True, True, False),
        ("group", "Groep Greet", True, True, False),
        ("group", "Peeters Jan", False, True, False),
        ("subdivision", "Claes Mieke", True, True, False),
        ("auditor", "Audi Tor", True, False, False),
    ]


def test_whoever_has_no_mandate_there_sees_no_manager(register):
    for by, scope in (("kaai", ()), ("dubois", ()), ("delcourt", ("aube",)), (None, ())):
        with register.sees(by, *scope) as directory:
            assert directory.managers(register.entity["midi"]) == ()
            assert directory.posts(register.entity["midi"]) == ()


def test_the_appointed_person_is_mailed_a_way_in_for_that_entity(register):
    done = does(register, "delcourt", appoint(register, "group", where="hospital", mail=True))
    assert (done.mailed, done.code) == (True, "")
    with register.database.write() as connection:
        letter = take_letter(connection, register.keyring, NOW)
        assert letters.read(connection, letter.payload, NOW).to == "jan.peeters@example.org"


def test_without_mail_the_manager_hands_over_a_code_that_opens_that_entity_only(register):
    done = does(register, "delcourt", appoint(register, "group", "dubois", "hospital"))
    with register.work(None) as work:
        assert perform(replace(work, telegram_id=77, chat_id=77), Join(done.code)) == Done()
    with register.database.read() as connection:
        session = standing.session_of(connection, 77, NOW, SessionRules())
    assert session.scope == frozenset({register.entity["midi"]})


def test_where_mail_cannot_go_nothing_is_recorded(register):
    outcome = does(register, "delcourt", appoint(register, "group", "dubois", "hospital", mail=True))
    assert (outcome.msg.key, outcome.step) == ("act.way.no_address", "how")
    assert held(register, "dubois") == {}


def test_a_small_manager_gets_no_code_for_a_larger_one_by_appointing_him(register):
    done = does(register, "janssens", appoint(register, "group", "delcourt", "hospital"))
    assert done.number
    assert (done.mailed, done.code) == (False, "")


def test_a_local_manager_lets_in_the_one_he_appointed_beside_him(register):
    assert does(register, "janssens", appoint(register, "co-local", "dubois", "hospital")).code
    with register.work("janssens") as work:
        assert invite_user(work, InviteUser(register.account["dubois"], mail=False)).code


# -- the portal, and the proof --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("office", "where", "delivery"),
    [("co-responsible", "", "recorded"), ("group", "hospital", "recorded"), ("auditor", "", "active")],
)
def test_on_an_entity_of_the_portal_the_appointment_is_still_to_do(register, office, where, delivery):
    with register.database.write() as connection:
        profile = {"identity_id": register.person["delcourt"], "role": "responsible"}
        connection.execute(
            insert(MANDATES).values(
                id=new_id(), entity_id=register.entity["quai"], recorded_at=NOW, **profile
            )
        )
    done = does(register, "delcourt", appoint(register, office, "kaai", where, "quai"))
    with register.database.read() as connection:
        item = connection.execute(select(ITEMS).where(ITEMS.c.change_number == done.number)).one()
    assert item.delivery == delivery


def test_without_a_fresh_proof_nothing_is_appointed_or_ended(register):
    for request in (appoint(register, "group", where="hospital"), end(register, "janssens", "local")):
        assert said(register.does("delcourt", request)) == "proof.no_pages"
        with register.work("delcourt") as given:
            work = replace(given, sessions=SessionRules(locking=True))
            assert said(perform(work, request)) == "proof.needed"
    with register.database.read() as connection:
        assert connection.execute(select(CHANGES.c.number)).all() == []


def test_the_right_is_read_again_at_the_moment_of_the_act(register):
    request = appoint(register, "group", where="hospital")
    does(register, "hoofd", end(register, "delcourt", "co-responsible"))
    assert said(does(register, "delcourt", request)) == "rights.not_allowed"


def test_every_act_of_appointing_is_one_of_the_offices():
    appointing = {act for act in Act if act.startswith("appoint_")}
    assert {office.act for office in OFFICES.values()} == appointing - {Act.APPOINT_DEPUTY}


def test_a_mandate_outlives_the_account_and_the_entity_still_knows_whose_it_is(register):
    gone = ActOnUsers("delete", ((register.account["delcourt"], 1),), reason="Parti")
    assert isinstance(register.does("hoofd", gone), Done)
    with register.sees("hoofd") as directory:
        (mandate,) = [
            each for each in directory.managers(register.entity["midi"]) if each.office == "co-responsible"
        ]
    assert (mandate.account, mandate.accounts) == ("", (register.account["delcourt"],))
    assert (mandate.name, mandate.changeable) == ("Delcourt Anne", True)
