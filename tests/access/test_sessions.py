"""Sessions and proofs over both databases, with a clock that stands still: how long, how wide, how often."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from bot.access import invitations, proofs, sessions, standing, visits
from bot.access.credentials import PasswordPolicy
from bot.access.rows import ACCOUNTS, BINDINGS, PASSWORDS
from bot.access.sessions import SessionRules
from bot.errors import Invalid, Refusal
from bot.store import audit, crypto, due
from sqlalchemy import select, update
from tests.access.registers import NOW
from tests.conftest import HASHER

RULES = SessionRules(locking=True)
ANNE = 101
MINUTE = timedelta(minutes=1)


def bound(register, person, *, telegram_id=ANNE, scope=None, now=NOW):
    """The binding of a person who redeemed an invitation, with the session that this opens."""
    with register.database.write() as connection:
        code = invitations.invite(connection, register.keyring, person, now, scope=scope)
        joined = invitations.redeem(
            connection, register.keyring, code, telegram_id=telegram_id, chat_id=telegram_id, now=now
        )
        sessions.open_session(connection, joined.binding, how="invitation", scope=scope, now=now, rules=RULES)
        return joined.binding


def seen(register, now, *, telegram_id=ANNE, rules=RULES):
    with register.database.read() as connection:
        return standing.session_of(connection, telegram_id, now, rules)


def used(register, now):
    with register.database.write() as connection:
        session = standing.session_of(connection, ANNE, now, RULES)
        if session.id:
            sessions.used(connection, session.id, now)


# -- how long -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "locked"), [(0, False), (14, False), (15, True), (16, True)])
def test_a_session_that_nobody_uses_is_locked_after_fifteen_minutes(register, minutes, locked):
    bound(register, "delcourt")
    assert seen(register, NOW + minutes * MINUTE).locked is locked


def test_a_session_in_use_lasts_eight_hours_and_no_longer(register):
    bound(register, "delcourt")
    now = NOW
    while now < NOW + timedelta(hours=8) - 10 * MINUTE:
        now += 10 * MINUTE
        used(register, now)
        assert not seen(register, now).locked
    assert seen(register, NOW + timedelta(hours=8)).locked


def test_what_happens_in_a_locked_chat_does_not_open_it(register):
    bound(register, "delcourt")
    later = NOW + 20 * MINUTE
    used(register, later)
    assert seen(register, later).locked


def test_who_is_locked_out_has_no_mandate_and_sees_nobody(register):
    bound(register, "delcourt")
    session = seen(register, NOW + 20 * MINUTE)
    with register.database.read() as connection:
        assert standing.mandates_of(connection, session) == ()
        assert standing.name_of(connection, session) == ""


def test_without_private_pages_nobody_is_locked_out(register):
    bound(register, "delcourt")
    assert not seen(register, NOW + timedelta(days=30), rules=SessionRules()).locked


def test_the_row_that_locks_comes_back_while_the_session_is_used_and_then_ends_it(register):
    bound(register, "delcourt")
    now = NOW + 10 * MINUTE
    used(register, now)
    for minutes, open_sessions in ((15, 1), (25, 0)):
        now = NOW + minutes * MINUTE
        with register.database.write() as connection:
            (task,) = due.take(connection, now, limit=10)
            assert due.done(connection, task.id, now)
            sessions.lock_idle(connection, task.data, now, RULES)
        with register.database.read() as connection:
            assert len(sessions.listed(connection, register.person["delcourt"])) == open_sessions
    with register.database.write() as connection:
        assert due.take(connection, NOW + timedelta(days=1), limit=10) == []


# -- how wide -------------------------------------------------------------------------------------


def test_a_session_is_as_wide_as_its_proof(register):
    midi = register.entity["midi"]
    binding = bound(register, "delcourt", scope=midi)
    assert seen(register, NOW).scope == frozenset({midi})
    with register.database.write() as connection:
        sessions.open_session(connection, binding, how="oidc", scope=None, now=NOW, rules=RULES)
    assert seen(register, NOW).scope is None


def test_unbind_ends_the_sessions_and_only_that_persons(register):
    bound(register, "delcourt")
    bound(register, "claes", telegram_id=102)
    with register.database.write() as connection:
        invitations.unbind(connection, register.keyring, "delcourt", NOW)
    assert seen(register, NOW) is None
    assert not seen(register, NOW, telegram_id=102).locked
    with register.database.read() as connection:
        assert sessions.listed(connection, register.person["delcourt"]) == ()


def test_a_second_phone_has_a_session_of_its_own_that_can_be_ended_from_the_first(register):
    bound(register, "delcourt")
    bound(register, "delcourt", telegram_id=103)
    here = seen(register, NOW)
    with register.database.write() as connection:
        listed = sessions.listed(connection, here.identity, here=here.id)
        assert sorted(line.here for line in listed) == [False, True]
        other = next(line.id for line in listed if not line.here)
        assert not sessions.end_one(connection, register.person["claes"], other, NOW)
        assert sessions.end_one(connection, here.identity, other, NOW)
    assert seen(register, NOW, telegram_id=103).locked
    assert not seen(register, NOW).locked


def test_a_step_up_counts_once_for_what_was_shown_and_not_for_long(register):
    bound(register, "delcourt")
    session = seen(register, NOW).id
    with register.database.write() as connection:
        sessions.stepped_up(connection, session, "digest-of-the-recap", "totp", NOW)
        assert not sessions.use_step_up(connection, session, "another-recap", NOW)
        assert not sessions.use_step_up(connection, session, "digest-of-the-recap", NOW + 5 * MINUTE)
        assert sessions.use_step_up(connection, session, "digest-of-the-recap", NOW + MINUTE)
        assert not sessions.use_step_up(connection, session, "digest-of-the-recap", NOW + MINUTE)


# -- passwords ------------------------------------------------------------------------------------


GOOD = "cheval batterie agrafe"


def with_password(register, account="peeters", text=GOOD):
    with register.database.write() as connection:
        proofs.set_password(
            connection, register.keyring, register.account[account], text, PasswordPolicy(), NOW
        )


def tries(register, username, text, now=NOW):
    with register.database.write() as connection:
        return proofs.try_password(connection, register.keyring, username, text, now)


def username_of(register, account):
    with register.database.read() as connection:
        query = select(ACCOUNTS.c.username).where(ACCOUNTS.c.id == register.account[account])
        return connection.execute(query).scalar()


def test_a_password_proves_the_person_for_the_entity_of_the_account_alone(register):
    with_password(register)
    proved = tries(register, username_of(register, "peeters").upper(), GOOD)
    assert (proved.identity, proved.how, proved.scope) == (
        register.person["peeters"],
        "password",
        register.entity["midi"],
    )


def test_the_same_password_from_another_keyboard_is_the_same(register):
    with_password(register, text="e\u0301clair au chocolat fin")
    assert tries(register, username_of(register, "peeters"), "\u00e9clair au chocolat fin")


@pytest.mark.parametrize(
    "text", ["motdepasse12345", "azertyuiopqsdfg", "Peeters Peeters 1", "aaaaaaaaaaaaaaaa", "short"]
)
def test_a_weak_password_is_refused_with_a_reason_and_nothing_is_kept(register, text):
    with pytest.raises(Invalid) as refused:
        with_password(register, text=text)
    assert refused.value.msg.key.startswith("password.")
    with register.database.read() as connection:
        assert not proofs.has_password(connection, register.account["peeters"])


def test_five_wrong_passwords_lock_the_account_for_a_while_and_the_right_one_waits_too(register):
    with_password(register)
    name = username_of(register, "peeters")
    assert [tries(register, name, "wrong") for _ in range(5)] == [None] * 5
    with pytest.raises(Refusal):
        tries(register, name, GOOD, NOW + 14 * MINUTE)
    assert tries(register, name, GOOD, NOW + 16 * MINUTE)


def test_a_right_password_forgets_the_wrong_ones(register):
    with_password(register)
    name = username_of(register, "peeters")
    for _ in range(3):
        assert [tries(register, name, "wrong") for _ in range(4)] == [None] * 4
        assert tries(register, name, GOOD)


def test_unknown_without_a_password_and_blocked_are_one_answer(register):
    with_password(register)
    with register.database.write() as connection:
        mine = update(ACCOUNTS).where(ACCOUNTS.c.id == register.account["peeters"])
        connection.execute(mine.values(status="blocked"))
    assert tries(register, "nobody-here", GOOD) is None
    assert tries(register, username_of(register, "dubois"), GOOD) is None
    assert tries(register, username_of(register, "peeters"), GOOD) is None


def test_a_hash_costs_what_rfc_9106_asks_where_memory_is_short():
    """Argon2id, 3 passes over 64 MiB in 4 lanes, a salt of 128 bits, a tag of 256 (section 4, second option)."""
    kind, version, cost, salt, tag = HASHER.hash(GOOD).split("$")[1:]
    assert (kind, version, cost) == ("argon2id", "v=19", "m=65536,t=3,p=4")
    assert [len(part) * 6 // 8 for part in (salt, tag)] == [16, 32]


def test_a_hash_of_another_cost_is_made_anew_by_the_right_password(register, monkeypatch):
    def costs():
        with register.database.read() as connection:
            sealed = connection.execute(select(PASSWORDS.c.hash)).scalar_one()
            keys = crypto.IdentityKeys(connection, register.keyring)
            account = register.account["peeters"]
            return keys.unseal(register.person["peeters"], sealed, f"passwords.hash:{account}").split("$")[3]

    with_password(register)
    before = costs()
    monkeypatch.setattr(proofs, "_HASHER", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert tries(register, username_of(register, "peeters"), GOOD)
    assert (before, costs()) == ("m=8,t=1,p=1", "m=8,t=2,p=1")
    assert tries(register, username_of(register, "peeters"), GOOD)


def test_no_password_stands_in_the_database(register):
    with_password(register)
    with register.database.read() as connection:
        (kept,) = connection.exec_driver_sql("SELECT hash FROM passwords").scalars()
    assert GOOD.encode() not in bytes(kept)
    assert b"argon2" not in bytes(kept)


# -- one-time codes -------------------------------------------------------------------------------


def enrolled(register, person="delcourt", scope=None, now=NOW):
    with register.database.write() as connection:
        waiting = proofs.enrol(connection, register.keyring, register.person[person], scope, now)
        app = pyotp.TOTP(waiting.secret)
        codes = proofs.confirm(connection, register.keyring, register.person[person], app.at(now), now)
    return app, codes


def gives(register, code, now, person="delcourt"):
    with register.database.write() as connection:
        return proofs.try_code(connection, register.keyring, register.person[person], code, now)


def test_a_code_counts_once_and_a_step_early_or_late(register):
    app, _ = enrolled(register)
    now = NOW + 10 * MINUTE
    for seconds, good in (
        (-60, False),
        (-30, True),
        (0, True),
        (0, False),
        (30, True),
        (30, False),
        (60, False),
    ):
        proved = gives(register, app.at(now + timedelta(seconds=seconds)), now)
        assert bool(proved) is good, seconds
        register_forget_failures(register)


def register_forget_failures(register):
    with register.database.write() as connection:
        connection.exec_driver_sql("UPDATE authenticators SET failures = 0, locked_until = NULL")


def test_an_older_step_than_the_newest_used_never_counts(register):
    app, _ = enrolled(register)
    now = NOW + 10 * MINUTE
    assert gives(register, app.at(now + timedelta(seconds=30)), now)
    assert gives(register, app.at(now), now) is None


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "１２３４５６７", "٠١٢٣٤٥٦٧"])
def test_what_is_no_code_is_wrong_and_nothing_breaks(register, text):
    enrolled(register)
    assert gives(register, text, NOW + 10 * MINUTE) is None


def test_digits_of_other_scripts_and_spaces_are_the_same_code(register):
    app, _ = enrolled(register)
    now = NOW + 10 * MINUTE
    wide = "".join(chr(ord("０") + int(digit)) for digit in app.at(now))
    assert gives(register, f" {wide[:3]} {wide[3:]} ", now)


def test_each_recovery_code_opens_once(register):
    _, codes = enrolled(register)
    assert len(set(codes)) == 10
    assert {len(code.replace("-", "")) * 5 for code in codes} == {120}, "random bits, five a character"
    now = NOW + 10 * MINUTE
    assert gives(register, codes[0].upper().replace("-", ""), now).how == "recovery"
    assert gives(register, codes[0], now) is None
    assert gives(register, codes[1], now)


def test_ten_thousand_guesses_find_nothing_and_are_mostly_not_looked_at(register):
    enrolled(register)
    looked = 0
    for guess in range(300):
        try:
            assert gives(register, f"{guess:06d}", NOW + timedelta(hours=1, seconds=guess)) is None
            looked += 1
        except Refusal:
            continue
    assert looked <= 10


def test_a_new_app_replaces_the_old_one_of_the_same_scope(register):
    old, old_codes = enrolled(register)
    new, _ = enrolled(register, now=NOW + MINUTE)
    now = NOW + 10 * MINUTE
    assert gives(register, old.at(now), now) is None
    assert gives(register, old_codes[0], now) is None
    assert gives(register, new.at(now), now)


def test_an_enrolment_that_was_not_confirmed_proves_nothing(register):
    with register.database.write() as connection:
        waiting = proofs.enrol(connection, register.keyring, register.person["delcourt"], None, NOW)
    assert gives(register, pyotp.TOTP(waiting.secret).at(NOW), NOW) is None
    with register.database.read() as connection:
        assert not proofs.enrolled(connection, register.person["delcourt"])


def test_an_app_that_was_begun_waits_a_quarter_of_an_hour_for_its_first_code(register):
    person = register.person["delcourt"]
    with register.database.write() as connection:
        waiting = proofs.enrol(connection, register.keyring, person, None, NOW)
        app, late = pyotp.TOTP(waiting.secret), NOW + 15 * MINUTE
        assert proofs.confirm(connection, register.keyring, person, app.at(late), late) is None
        just = late - timedelta(seconds=1)
        assert proofs.confirm(connection, register.keyring, person, app.at(just), just)


def test_with_the_persons_key_destroyed_no_proof_opens_anything(register):
    with_password(register)
    with register.database.write() as connection:
        crypto.IdentityKeys(connection, register.keyring).destroy(register.person["peeters"])
    assert tries(register, username_of(register, "peeters"), GOOD) is None


def test_proofs_leave_their_mark_in_an_audit_trail_that_holds(register):
    with_password(register)
    enrolled(register)
    with register.database.read() as connection:
        acts = connection.exec_driver_sql("SELECT act FROM audit_entries").scalars().all()
        assert {"set-password", "enrol"} <= set(acts)
        assert audit.verify(connection, register.keyring).broken is None


# -- links and visits -----------------------------------------------------------------------------


def test_a_link_is_looked_at_freely_and_used_once(register):
    with register.database.write() as connection:
        token = visits.make_link(connection, "password", now=NOW, account=register.account["peeters"])
        first = visits.link(connection, token, NOW)
        assert visits.link(connection, token, NOW) == first
        assert visits.use_link(connection, first.id, NOW)
        assert not visits.use_link(connection, first.id, NOW)
        assert visits.link(connection, token, NOW) is None


def test_a_newer_link_for_the_same_ends_the_older_and_none_outlives_its_time(register):
    with register.database.write() as connection:
        older = visits.make_link(connection, "password", now=NOW, account=register.account["peeters"])
        other = visits.make_link(connection, "password", now=NOW, account=register.account["dubois"])
        newer = visits.make_link(connection, "password", now=NOW, account=register.account["peeters"])
        assert visits.link(connection, older, NOW) is None
        assert visits.link(connection, other, NOW)
        assert visits.link(connection, newer, NOW + timedelta(minutes=4, seconds=59))
        assert visits.link(connection, newer, NOW + 5 * MINUTE) is None


def test_neither_keys_nor_links_stand_in_the_database(register):
    with register.database.write() as connection:
        secrets = [
            visits.make_link(connection, "password", now=NOW),
            visits.enter(connection, now=NOW, telegram_id=ANNE),
        ]
    with register.database.read() as connection:
        for table in ("tickets", "visits"):
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}").all():
                assert not any(secret in str(value) for value in row for secret in secrets)


def test_a_visit_ends_by_itself(register):
    with register.database.write() as connection:
        key = visits.enter(connection, now=NOW, telegram_id=ANNE, lang="nl")
        found = visits.visit(connection, register.keyring, key, NOW)
        visits.keep(connection, register.keyring, found.id, lang="de", data={"step": 2})
    with register.database.read() as connection:
        assert visits.visit(connection, register.keyring, key, NOW).data == {"step": 2}
        assert visits.visit(connection, register.keyring, key, NOW + visits.VISIT) is None
        assert visits.visit(connection, register.keyring, "x" * 43, NOW) is None


def test_what_is_over_is_forgotten(register):
    with register.database.write() as connection:
        visits.make_link(connection, "password", now=NOW)
        visits.enter(connection, now=NOW, telegram_id=ANNE)
        visits.first_time(connection, "init", "abc", NOW + MINUTE)
        visits.count(connection, "log-in", "101", NOW, MINUTE)
        visits.prune(connection, NOW + timedelta(days=9), timedelta(days=8))
        for table in ("tickets", "visits", "seen", "attempts"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_a_start_of_a_mini_app_counts_once(register):
    with register.database.write() as connection:
        assert visits.first_time(connection, "init", "abc", NOW + MINUTE)
        assert not visits.first_time(connection, "init", "abc", NOW + MINUTE)
        assert visits.first_time(connection, "init", "abd", NOW + MINUTE)


def test_one_binding_has_one_open_session(register):
    binding = bound(register, "delcourt")
    with register.database.write() as connection:
        for _ in range(3):
            sessions.open_session(connection, binding, how="totp", scope=None, now=NOW, rules=RULES)
        assert len(sessions.listed(connection, register.person["delcourt"])) == 1
        assert connection.execute(select(BINDINGS.c.id)).scalars().all() == [binding]
