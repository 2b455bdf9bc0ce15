"""A code binds one Telegram account to one person, once."""

from __future__ import annotations

import base64
import secrets
import threading
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from bot.access import invitations, proofs, standing
from bot.access.acts import perform
from bot.access.requests import Done, Join, Refused
from bot.access.rows import BINDINGS
from bot.access.sessions import SessionRules
from bot.access.views import Invitation
from bot.errors import Invalid, OperatorError
from sqlalchemy import select
from tests.access.registers import NOW
from tests.statements import statements_of

ANNE, BRAM = 11, 12


def code_for(register, person: str, **fields) -> str:
    with register.database.write() as connection:
        return invitations.invite(connection, register.keyring, person, NOW, **fields)


def joins(register, code: str, telegram_id: int, now=NOW):
    with register.work(None, now=now) as work:
        return perform(replace(work, telegram_id=telegram_id, chat_id=telegram_id), Join(code))


def bound(register) -> list[tuple[int, str]]:
    with register.database.read() as connection:
        rows = connection.execute(select(BINDINGS).where(BINDINGS.c.ended_at.is_(None))).all()
    people = {value: key for key, value in register.person.items()}
    return sorted((row.telegram_id, people[row.identity_id]) for row in rows)


def test_a_code_binds_the_account_to_its_person(register):
    assert joins(register, code_for(register, "delcourt"), ANNE) == Done()
    assert bound(register) == [(ANNE, "delcourt")]


def refused(outcome) -> str:
    assert isinstance(outcome, Refused)
    return outcome.msg.key


def test_a_wrong_a_used_and_an_old_code_get_the_same_answer(register):
    used, old = code_for(register, "delcourt"), code_for(register, "claes")
    joins(register, used, ANNE)
    answers = [
        joins(register, "x" * 22, BRAM),
        joins(register, used, BRAM),
        joins(register, old, BRAM, now=NOW + timedelta(hours=24)),
    ]
    assert [refused(answer) for answer in answers] == ["start.bad_code"] * 3
    assert bound(register) == [(ANNE, "delcourt")]


def test_a_new_code_ends_the_one_before(register):
    first = code_for(register, "delcourt")
    code_for(register, "delcourt")
    assert refused(joins(register, first, ANNE)) == "start.bad_code"


def test_an_account_that_stands_for_somebody_is_not_taken_over(register):
    joins(register, code_for(register, "delcourt"), ANNE)
    code = code_for(register, "claes")
    assert refused(joins(register, code, ANNE)) == "act.join.bound"
    assert joins(register, code, BRAM) == Done(), "the code stays good for whom it was made"


def test_an_open_code_tells_the_language_it_was_made_for(register):
    code = code_for(register, "delcourt", lang="nl")
    with register.sees(None) as directory:
        assert directory.invitation(code) == Invitation("nl")
        assert directory.invitation("x" * 22) is None


def test_after_five_wrong_codes_of_one_account_even_the_right_one_waits(register):
    code = code_for(register, "delcourt")

    def tries(who: int, text: str, now=NOW):
        with register.database.write() as connection:
            return invitations.tried(connection, text, who, now)

    assert [tries(ANNE, str(number) * 22) for number in range(5)] == [None] * 5
    with pytest.raises(Invalid) as refused:
        tries(ANNE, code)
    assert refused.value.msg.key == "login.wait"
    assert tries(BRAM, code) == Invitation(None)
    assert tries(ANNE, code, NOW + timedelta(minutes=15)) == Invitation(None)


def test_two_who_redeem_one_code_at_once_bind_one_of_them(register):
    code, outcomes = code_for(register, "delcourt"), []
    gate = threading.Barrier(4)

    def work(telegram_id: int) -> None:
        gate.wait()
        outcomes.append(joins(register, code, telegram_id))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20, 24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Refused", "Refused", "Refused"]
    assert len(bound(register)) == 1


def test_a_lost_phone_is_unbound_and_its_open_codes_end(register):
    joins(register, code_for(register, "delcourt"), ANNE)
    code = code_for(register, "delcourt")
    with register.database.write() as connection:
        assert invitations.unbind(connection, register.keyring, "delcourt", NOW).bindings == 1
    assert bound(register) == []
    assert refused(joins(register, code, BRAM)) == "start.bad_code"
    with register.database.read() as connection:
        assert standing.session_of(connection, ANNE, NOW, SessionRules()) is None


def test_a_lost_phone_takes_the_app_along_and_the_next_invitation_leads_to_a_new_one(register):
    joins(register, code_for(register, "delcourt"), ANNE)
    with register.database.write() as connection:
        anne = standing.session_of(connection, ANNE, NOW, SessionRules()).identity
        lost = pyotp.TOTP(proofs.enrol(connection, register.keyring, anne, None, NOW).secret)
        codes = proofs.confirm(connection, register.keyring, anne, lost.at(NOW), NOW)
        invitations.unbind(connection, register.keyring, "delcourt", NOW)
        later = NOW + timedelta(minutes=5)
        for code in (lost.at(later), codes[0]):
            assert proofs.try_code(connection, register.keyring, anne, code, later) is None
        assert not proofs.enrolled(connection, anne)
    joins(register, code_for(register, "delcourt"), BRAM)
    with register.database.write() as connection:
        new = pyotp.TOTP(proofs.enrol(connection, register.keyring, anne, None, NOW).secret)
        assert len(proofs.confirm(connection, register.keyring, anne, new.at(NOW), NOW)) == 10


def test_an_operator_who_invites_nobody_is_told_what_to_do(register):
    with pytest.raises(OperatorError, match="register export"):
        code_for(register, "nobody")


def test_a_code_is_sixteen_bytes_of_the_systems_randomness(register, monkeypatch):
    drawn, draw = [], secrets.token_bytes

    def noted(size):
        drawn.append(draw(size))
        return drawn[-1]

    monkeypatch.setattr(secrets, "token_bytes", noted)
    codes = [code_for(register, person) for person in ("delcourt", "claes")]
    made = [base64.urlsafe_b64decode(f"{code}==") for code in codes]
    assert [len(each) for each in made] == [16, 16]
    assert all(each in drawn for each in made)
    assert made[0] != made[1]


def test_of_many_guesses_of_one_account_five_are_looked_at_and_then_not_even_the_right_code(register):
    tries = 10_000 if register.database.sqlite else 100  # the same statements there, each by a round trip
    code, outcomes = code_for(register, "delcourt"), []
    guesses = [*(secrets.token_urlsafe(16) for _ in range(tries)), code]
    with statements_of(register.database) as statements:
        for guess in guesses:
            try:
                with register.database.write() as connection:
                    outcomes.append(invitations.tried(connection, guess, ANNE, NOW))
            except Invalid as refusal:
                outcomes.append(refusal.msg.key)
    assert outcomes == [None] * 5 + ["login.wait"] * (tries - 4)
    assert len([each for each in statements if "FROM invitations" in each.text]) == 5
    assert bound(register) == []
