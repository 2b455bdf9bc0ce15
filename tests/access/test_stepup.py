"""Step-up, ended sessions and look-ups by number, over both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bot.access import acts, invitations, sessions, standing, stepup
from bot.access.claims import claim_of
from bot.access.directory import RegisterDirectory
from bot.access.registerfile import load
from bot.access.requests import Done, EndSessions, GrantAccess, Refused
from bot.access.rights import NEEDS, OFTEN, Act, Needs, needs_proof
from bot.access.rows import BINDINGS, MANDATES, SESSIONS
from bot.access.sessions import SessionRules
from bot.access.work import Work
from bot.store.tables import AuditEntry, core
from sqlalchemy import event, select, update
from tests.access.registers import NOW, REGISTER, TODAY

RULES = SessionRules(locking=True)
ANNE, JAN, ELISE = 101, 102, 103
MINUTE = timedelta(minutes=1)
SHOWN = "the recap as it stood"


def comes_in(register, person, telegram_id, *, scope=None, now=NOW):
    with register.database.write() as connection:
        code = invitations.invite(connection, register.keyring, person, now, scope=scope)
        joined = invitations.redeem(
            connection, register.keyring, code, telegram_id=telegram_id, chat_id=telegram_id, now=now
        )
        return sessions.open_session(
            connection, joined.binding, how="totp", scope=scope, now=now, rules=RULES
        )


def seen(register, telegram_id, now=NOW, rules=RULES):
    with register.database.read() as connection:
        return standing.session_of(connection, telegram_id, now, rules)


def does(register, telegram_id, request, *, now=NOW, shown=SHOWN, rules=RULES):
    with register.database.write() as connection:
        work = Work(
            connection=connection,
            keyring=register.keyring,
            session=standing.session_of(connection, telegram_id, now, rules),
            telegram_id=telegram_id,
            chat_id=telegram_id,
            now=now,
            today=now.date(),
            catalogue=register.catalogue,
            sessions=rules,
        )
        return acts.perform(work, request, shown)


def proves(register, session, request, *, now=NOW, shown=SHOWN):
    with register.database.write() as connection:
        digest = stepup.digest_of(register.keyring, request, shown)
        sessions.stepped_up(connection, session, digest, "totp", now)


def refusal(outcome):
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


# -- the table ------------------------------------------------------------------------------------


def test_the_table_says_what_each_act_asks_for():
    asked = {need: {act.value for act in Act if NEEDS[act] is need} for need in Needs}
    assert asked[Needs.PROOF] == {
        *(act.value for act in Act if act.startswith("appoint_")),
        "export_national_numbers",
        "approve_request",
        "end_sessions",
        "hand_code",
        "erase_person",
        "own_address",
    }
    assert asked[Needs.MANY] == {
        "import_users",
        "give_access",
        "end_access",
        "block_user",
        "change_user",
        "delete_user",
        "manage_subdivisions",
    }
    assert asked[Needs.OFTEN] == {"find_by_number"}
    assert asked[Needs.NOTHING] == set()


@pytest.mark.parametrize(("people", "expected"), [(1, False), (10, False), (11, True), (500, True)])
def test_more_than_ten_people_at_once_take_a_proof(people, expected):
    assert needs_proof(Act.GIVE_ACCESS, people=people) is expected
    assert needs_proof(Act.END_SESSIONS, people=people)
    assert not needs_proof(Act.READ_ENTITY, people=people)


# -- a proof for exactly this recap ---------------------------------------------------------------


@pytest.fixture
def two(register):
    """A manager and a colleague of the same quality, both there."""
    mine = comes_in(register, "delcourt", ANNE)
    theirs = comes_in(register, "peeters", JAN)
    return register, mine, theirs, EndSessions(register.account["peeters"])


def test_without_a_proof_nothing_ends_and_with_one_it_ends_at_once(two):
    register, mine, _, request = two
    assert refusal(does(register, ANNE, request)) == "proof.needed"
    assert not seen(register, JAN).locked
    proves(register, mine, request)
    assert isinstance(does(register, ANNE, request), Done)
    assert seen(register, JAN).locked
    assert not seen(register, ANNE).locked


def test_a_proof_counts_once(two):
    register, mine, _, request = two
    proves(register, mine, request)
    assert isinstance(does(register, ANNE, request), Done)
    assert refusal(does(register, ANNE, request)) == "proof.needed"


@pytest.mark.parametrize("minutes", [5, 6])
def test_a_proof_is_fresh_for_less_than_five_minutes(two, minutes):
    register, mine, _, request = two
    proves(register, mine, request)
    assert refusal(does(register, ANNE, request, now=NOW + minutes * MINUTE)) == "proof.needed"


def test_a_proof_for_another_recap_person_or_session_is_none(two):
    register, mine, theirs, request = two
    proves(register, mine, request, shown="another recap")
    proves(register, mine, EndSessions(register.account["dubois"]))
    proves(register, theirs, request)
    assert refusal(does(register, ANNE, request)) == "proof.needed"
    assert not seen(register, JAN).locked


def test_where_there_are_no_private_pages_such_an_act_is_refused(two):
    register, _, _, request = two
    assert refusal(does(register, ANNE, request, rules=SessionRules())) == "proof.no_pages"


def test_an_act_that_takes_no_proof_is_not_stopped(two):
    register, *_ = two
    request = GrantAccess(
        register.quality["midi/hospital"], ("hospiliss",), account=register.account["dubois"]
    )
    assert claim_of(request).act is Act.GIVE_ACCESS
    assert isinstance(does(register, ANNE, request), Done)


# -- ending a colleague's sessions ----------------------------------------------------------------


def test_it_is_written_in_the_audit_of_the_entity(two):
    register, mine, _, request = two
    proves(register, mine, request)
    does(register, ANNE, request)
    entries = core(AuditEntry)
    with register.database.read() as connection:
        query = select(entries.c.actor_id, entries.c.subject_id).where(entries.c.act == "end-sessions")
        assert connection.execute(query).all() == [(register.person["delcourt"], register.person["peeters"])]


def test_nobody_ends_sessions_outside_his_scope_or_his_own_by_this_way(two):
    register, mine, theirs, _ = two
    for telegram_id, session, account, said in (
        (ANNE, mine, register.account["kaai"], "rights.not_allowed"),
        (ANNE, mine, "nobody", "rights.not_allowed"),
        (JAN, theirs, register.account["dubois"], "rights.not_allowed"),
        (ANNE, mine, register.account["delcourt"], "rights.own_sessions"),
    ):
        wish = EndSessions(account)
        proves(register, session, wish)
        assert refusal(does(register, telegram_id, wish)) == said
    assert [seen(register, each).locked for each in (ANNE, JAN)] == [False, False]


def test_by_the_table_a_local_manager_ends_the_sessions_of_whoever_has_a_user_in_his_scope_his_responsible_too(
    register,
):
    """Whoever sees a phone lost may close it; the person proves himself anew in a minute. Beyond his quality he may not."""
    mine = comes_in(register, "janssens", JAN)
    comes_in(register, "delcourt", ANNE)
    beyond = EndSessions(register.account["maes"])
    proves(register, mine, beyond)
    assert refusal(does(register, JAN, beyond)) == "rights.not_allowed"
    responsible = EndSessions(register.account["delcourt"])
    proves(register, mine, responsible)
    assert isinstance(does(register, JAN, responsible), Done)
    assert seen(register, ANNE).locked


def test_a_session_that_is_good_for_another_entity_only_goes_on(register):
    mine = comes_in(register, "delcourt", ANNE)
    comes_in(register, "peeters", JAN, scope=register.entity["aube"])
    request = EndSessions(register.account["peeters"])
    proves(register, mine, request)
    assert isinstance(does(register, ANNE, request), Done)
    assert not seen(register, JAN).locked


# -- a mandate that ends --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "locked"),
    [
        ({"revoked_at": NOW + MINUTE}, True),
        ({"revoked_at": NOW - MINUTE}, False),
        ({"until": NOW.date() - timedelta(days=1)}, False),
        ({"until": NOW.date()}, False),
    ],
)
def test_ending_a_mandate_ends_its_sessions_at_once_and_an_older_end_does_not(register, ended, locked):
    comes_in(register, "delcourt", ANNE)
    with register.database.write() as connection:
        mine = MANDATES.c.identity_id == register.person["delcourt"]
        connection.execute(update(MANDATES).where(mine).values(**ended))
    assert seen(register, ANNE, NOW + 2 * MINUTE).locked is locked


def test_a_mandate_whose_last_day_is_over_ends_its_sessions_at_midnight(register):
    evening = NOW.replace(hour=22, minute=55)  # 23:55 in Brussels
    comes_in(register, "delcourt", ANNE, now=evening)
    with register.database.write() as connection:
        mine = MANDATES.c.identity_id == register.person["delcourt"]
        connection.execute(update(MANDATES).where(mine).values(until=evening.date()))
    assert not seen(register, ANNE, evening + 4 * MINUTE).locked
    assert seen(register, ANNE, evening + 6 * MINUTE).locked


def test_a_session_opened_after_the_end_goes_on_and_a_colleagues_end_does_not_matter(register):
    with register.database.write() as connection:
        other = MANDATES.c.identity_id != register.person["delcourt"]
        connection.execute(update(MANDATES).where(other).values(revoked_at=NOW + MINUTE))
    comes_in(register, "delcourt", ANNE)
    assert not seen(register, ANNE, NOW + 2 * MINUTE).locked


def test_a_session_of_one_entity_outlives_a_mandate_of_another(register):
    comes_in(register, "delcourt", ANNE, scope=register.entity["midi"])
    with register.database.write() as connection:
        there = (MANDATES.c.identity_id == register.person["delcourt"]) & (
            MANDATES.c.entity_id == register.entity["aube"]
        )
        connection.execute(update(MANDATES).where(there).values(revoked_at=NOW + MINUTE))
    assert not seen(register, ANNE, NOW + 2 * MINUTE).locked


# -- look-ups by national number ------------------------------------------------------------------


def looks_up(register, telegram_id, now):
    with register.database.write() as connection:
        return stepup.look_up(connection, standing.session_of(connection, telegram_id, now, RULES), now)


def test_the_twenty_first_look_up_waits_for_a_proof_and_then_all_are_free_for_the_session(register):
    session = comes_in(register, "delcourt", ANNE)
    assert [looks_up(register, ANNE, NOW) for _ in range(OFTEN)] == [True] * OFTEN
    assert [looks_up(register, ANNE, NOW + MINUTE) for _ in range(2)] == [False, False]
    with register.database.write() as connection:
        sessions.stepped_up(connection, session, stepup.LOOK_UPS, "totp", NOW + MINUTE)
    assert [looks_up(register, ANNE, NOW + 2 * MINUTE) for _ in range(60)] == [True] * 60
    with register.database.write() as connection:
        binding = connection.execute(select(BINDINGS.c.id).where(BINDINGS.c.telegram_id == ANNE)).scalar()
        sessions.open_session(connection, binding, how="totp", scope=None, now=NOW + 3 * MINUTE, rules=RULES)
    assert not looks_up(register, ANNE, NOW + 3 * MINUTE)


def test_who_looks_up_slowly_is_never_challenged(register):
    comes_in(register, "delcourt", ANNE)
    assert all(looks_up(register, ANNE, NOW + each * 31 * timedelta(seconds=1)) for each in range(25))


def test_one_persons_look_ups_do_not_count_for_another(register):
    comes_in(register, "delcourt", ANNE)
    comes_in(register, "peeters", JAN)
    for _ in range(OFTEN + 1):
        looks_up(register, ANNE, NOW)
    assert looks_up(register, JAN, NOW)


def test_a_number_known_elsewhere_costs_the_same_statements_as_one_that_nobody_has(register):
    comes_in(register, "delcourt", ANNE)
    said: dict[str, list[str]] = {}
    for name, number in (("elsewhere", "04061999842"), ("nowhere", "01092299708")):
        with register.database.write() as connection:
            heard: list[str] = said.setdefault(name, [])

            def hears(_, __, statement, *___, heard=heard):
                heard.append(statement)

            session = standing.session_of(connection, ANNE, NOW, RULES)
            directory = RegisterDirectory(
                connection,
                register.keyring,
                session,
                today=NOW.date(),
                now=NOW,
                catalogue=register.catalogue,
            )
            event.listen(connection, "before_cursor_execute", hears)
            assert directory.may_look_up()
            assert directory.by_niss(register.quality["midi/hospital"], number) is None
            event.remove(connection, "before_cursor_execute", hears)
    assert said["elsewhere"] == said["nowhere"]
    assert len(said["nowhere"]) >= 3


# -- a mandate that a register file ends ----------------------------------------------------------


def test_a_register_file_that_ends_a_mandate_ends_its_sessions_and_has_the_card_redrawn(register, tmp_path):
    session = comes_in(register, "delcourt", ANNE)
    there = comes_in(register, "janssens", JAN)
    old = 'role = "co-responsible"\nsince = 2020-01-01'
    file = tmp_path / "later.toml"
    file.write_text(REGISTER.replace(old, f"{old}\nuntil = 2026-01-31"), encoding="utf-8")
    load(register.database, register.keyring, file, today=TODAY, now=NOW + MINUTE)
    with register.database.read() as connection:
        query = select(SESSIONS.c.id, SESSIONS.c.ended_why)
        why = {row.id: row.ended_why for row in connection.execute(query)}
    assert why == {session: "mandate ended", there: None}
