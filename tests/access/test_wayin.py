"""Who may let whom in, what an invitation opens, and what a mailed link does: on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bot.access import invitations, letters, proofs, sessions, standing, visits, wayin
from bot.access.acts import perform
from bot.access.credentials import PasswordPolicy
from bot.access.requests import Done, InviteUser, Join, Refused
from bot.access.rows import ATTEMPTS, ENTITIES, MANDATES, PASSWORDS, PROFILES, SESSIONS, TICKETS
from bot.access.sessions import SessionRules
from bot.errors import Refusal
from bot.store.ids import new_id
from bot.store.outbox import take_letter
from sqlalchemy import func, insert, select, update
from tests.access.registers import NOW, TODAY, newcomer

GOOD = "cheval batterie agrafe"


def invites(
    register, by: str | None, account: str, *scope: str, mail: bool = True, mails: bool = True, now=NOW
):
    """As the act has it once a proof was given, where it takes one."""
    request = InviteUser(register.account.get(account, account), mail=mail)
    with register.work(by, *scope, now=now) as work:
        try:
            with work.connection.begin_nested():
                return wayin.invite_user(replace(work, mails=mails), request)
        except Refusal as refusal:
            return Refused(refusal.msg)


def letters_written(register) -> list[dict]:
    found = []
    with register.database.write() as connection:
        while letter := take_letter(connection, register.keyring, NOW + timedelta(days=9)):
            found.append(letter.payload)
    return found


def said(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


def gives_mandate(register, person: str, role: str, **place: str) -> None:
    with register.database.write() as connection:
        row = {"entity_id": register.entity["midi"], **place}
        connection.execute(
            insert(MANDATES).values(
                id=new_id(), identity_id=register.person[person], role=role, recorded_at=NOW, **row
            )
        )


@pytest.mark.parametrize("by", ["delcourt", "janssens", "groep", "claes"])
def test_managers_of_every_kind_let_in_the_users_of_their_scope(register, by):
    assert invites(register, by, "peeters") == Done(account=register.account["peeters"], mailed=True)
    (letter,) = letters_written(register)
    assert letter["account"] == register.account["peeters"]


@pytest.mark.parametrize(
    ("by", "account"),
    [
        ("audi", "peeters"),
        ("peeters", "dubois"),
        ("claes", "peeters2"),
        ("claes", "dubois"),
        ("janssens", "maes"),
        ("kaai", "peeters"),
        ("delcourt", "kaai"),
        ("delcourt", "nobody"),
    ],
)
def test_nobody_lets_in_a_user_outside_of_his_scope_and_all_get_one_answer(register, by, account):
    assert said(invites(register, by, account)) == "rights.not_allowed"
    assert said(invites(register, by, account, mail=False)) == "rights.not_allowed"
    assert letters_written(register) == []


def test_a_session_of_one_entity_lets_nobody_of_another_in(register):
    assert said(invites(register, "delcourt", "maes", "midi")) == "rights.not_allowed"
    assert invites(register, "delcourt", "maes", "aube", mail=False).code


def test_nobody_sends_himself_a_new_way_in(register):
    assert said(invites(register, "delcourt", "delcourt", mail=False)) == "rights.own_access"


def test_a_small_manager_does_not_take_over_a_larger_one(register):
    """Else a local manager would invite the co-responsible, redeem the code himself, and be co-responsible."""
    assert said(invites(register, "janssens", "delcourt", mail=False)) == "act.way.manager"
    gives_mandate(register, "peeters", "local", quality_id=register.quality["midi/hospital"])
    assert said(invites(register, "claes", "peeters")) == "act.way.manager"
    assert invites(register, "delcourt", "peeters").mailed, "who may appoint a local manager may let him in"
    gives_mandate(register, "dubois", "responsible")
    assert said(invites(register, "delcourt", "dubois", mail=False)) == "act.way.manager"


def test_a_mandate_over_the_whole_enterprise_or_one_to_come_counts_too(register):
    with register.database.read() as connection:
        query = select(ENTITIES.c.enterprise_id).where(ENTITIES.c.id == register.entity["midi"])
        enterprise = connection.execute(query).scalar_one()
    gives_mandate(register, "peeters", "responsible", entity_id=None, enterprise_id=enterprise)
    assert said(invites(register, "claes", "peeters")) == "act.way.manager"
    gives_mandate(
        register,
        "peeters2",
        "local",
        since=TODAY + timedelta(days=5),
        quality_id=register.quality["midi/hospital"],
    )
    assert said(invites(register, "groep", "peeters2", mail=False)) == "act.way.manager"


def test_a_code_is_handed_over_only_after_a_fresh_proof_and_a_mail_needs_none(register):
    with register.work("delcourt") as given:
        work = replace(given, mails=True)
        by_hand = perform(work, InviteUser(register.account["peeters"], mail=False))
        by_mail = perform(work, InviteUser(register.account["peeters"]))
    assert said(by_hand).startswith("proof.")
    assert by_mail.mailed


def test_a_code_that_is_handed_over_opens_that_entity_only(register):
    done = invites(register, "delcourt", "peeters", mail=False)
    with register.work(None) as work:
        joined = perform(replace(work, telegram_id=77, chat_id=77), Join(done.code))
    assert joined == Done()
    with register.database.read() as connection:
        session = standing.session_of(connection, 77, NOW, SessionRules())
    assert session.scope == frozenset({register.entity["midi"]})
    assert letters_written(register) == []


def test_inviting_again_ends_the_code_and_the_link_before(register):
    first = invites(register, "delcourt", "peeters")
    code = invites(register, "delcourt", "peeters", mail=False).code
    second = invites(register, "delcourt", "peeters", now=NOW + timedelta(minutes=5))
    assert (first.mailed, second.mailed) == (True, True)
    old, new = letters_written(register)
    later = NOW + timedelta(minutes=6)
    with register.database.read() as connection:
        assert visits.link(connection, old["token"], later) is None
        assert visits.link(connection, new["token"], later) is not None
        assert invitations.redeemable(connection, code, later) is None
        assert invitations.redeemable(connection, old["code"], later) is None
        assert invitations.redeemable(connection, new["code"], later) is not None


def test_without_an_address_or_a_mail_server_only_a_code_is_left(register):
    assert said(invites(register, "delcourt", "dubois")) == "act.way.no_address"
    assert said(invites(register, "delcourt", "peeters", mails=False)) == "act.way.no_mail"
    assert invites(register, "delcourt", "dubois", mail=False, mails=False).code


def test_a_mailbox_is_not_flooded_whoever_asks(register):
    for _ in range(wayin.OFTEN):
        assert invites(register, "delcourt", "peeters").mailed
    assert said(invites(register, "janssens", "peeters")) == "act.way.too_often"
    assert invites(register, "janssens", "peeters", now=NOW + timedelta(hours=2)).mailed


def test_a_blocked_user_is_not_let_in(register):
    assert said(invites(register, "delcourt", "lambert", mail=False)) == "act.blocked"


# -- somebody new ---------------------------------------------------------------------------------


def gives(register, request, *, mails: bool = True, by: str = "delcourt"):
    with register.work(by) as work:
        return perform(replace(work, mails=mails), request)


def test_a_new_user_gets_a_link_and_the_receipt_may_say_so(register):
    assert gives(register, register.welcome("hospiliss")).mailed
    (letter,) = letters_written(register)
    with register.database.read() as connection:
        row = letters.addressee(connection, letter["account"])
    assert letters.address_of(row) == "tom.vermeulen@example.org"


def test_no_link_is_promised_where_none_goes_out(register):
    assert not gives(register, register.welcome("hospiliss"), mails=False).mailed
    portal = register.welcome("hospiliss", quality="quai/hospital", user=newcomer(username="tvermeu2"))
    assert not gives(register, portal, by="kaai").mailed
    assert not gives(register, register.grant("peeters2", "hospiliss")).mailed
    assert letters_written(register) == []


def test_an_address_typed_for_somebody_who_manages_here_receives_nothing(register):
    """A manager of the whole enterprise has no account in this quality yet; whoever adds one types the address."""
    with register.database.read() as connection:
        query = select(ENTITIES.c.enterprise_id).where(ENTITIES.c.id == register.entity["midi"])
        enterprise = connection.execute(query).scalar_one()
    gives_mandate(register, "maes", "responsible", entity_id=None, enterprise_id=enterprise)
    outcome = gives(register, register.welcome("hospiliss", user=newcomer(niss="04061999842")), by="janssens")
    assert isinstance(outcome, Done)
    assert not outcome.mailed
    assert letters_written(register) == []


# -- the link -------------------------------------------------------------------------------------


def link_for(register, account: str = "peeters", by: str = "delcourt") -> str:
    """The ticket of a mailed link."""
    invites(register, by, account)
    with register.database.read() as connection:
        return connection.execute(select(TICKETS.c.id).order_by(TICKETS.c.made_at.desc())).scalars().first()


def chooses(register, ticket: str, text: str = GOOD, now=NOW) -> str:
    with register.database.write() as connection:
        try:
            wayin.choose(connection, register.keyring, ticket, text, PasswordPolicy(), now)
        except Refusal as refusal:
            return refusal.msg.key
    return "chosen"


def test_a_link_takes_one_password_and_no_second(register):
    ticket = link_for(register)
    assert chooses(register, ticket, "short") == "password.too_short"
    assert chooses(register, ticket) == "chosen"
    assert chooses(register, ticket, "another good sentence") == "web.gone"
    with register.database.write() as connection:
        proved = proofs.try_password(connection, register.keyring, "jpeeters", GOOD, NOW)
    assert (proved.identity, proved.scope) == (register.person["peeters"], register.entity["midi"])


def test_a_link_is_over_after_a_day(register):
    assert chooses(register, link_for(register), now=NOW + visits.MAILED) == "web.gone"


def test_a_new_password_closes_what_the_old_one_opened_in_that_entity_and_nothing_else(register):
    rules = SessionRules(locking=True)
    opened = {}
    for telegram_id, how, scope in ((81, "password", "midi"), (82, "totp", "midi"), (83, "password", "aube")):
        with register.database.write() as connection:
            code = invitations.invite(
                connection, register.keyring, "peeters", NOW, scope=register.entity[scope]
            )
            redeemed = invitations.redeem(
                connection, register.keyring, code, telegram_id=telegram_id, chat_id=telegram_id, now=NOW
            )
            opened[telegram_id] = sessions.open_session(
                connection, redeemed.binding, how=how, scope=register.entity[scope], now=NOW, rules=rules
            )
    assert chooses(register, link_for(register)) == "chosen"
    with register.database.read() as connection:
        ended = connection.execute(select(SESSIONS.c.id).where(SESSIONS.c.ended_at.is_not(None))).scalars()
        assert set(ended) == {opened[81]}


# -- forgotten ------------------------------------------------------------------------------------


def forgets(register, username: str, now=NOW) -> bool:
    with register.database.write() as connection:
        return wayin.forgotten(connection, register.keyring, username, now, TODAY)


def test_whoever_forgot_his_password_gets_a_link_at_the_address_his_entity_knows(register):
    assert forgets(register, " JPeeters ")
    (letter,) = letters_written(register)
    assert (letter["purpose"], letter["account"], letter["code"], letter["chat"]) == (
        "forgotten", register.account["peeters"], "", None,
    )  # fmt: skip


def test_a_stranger_who_asks_again_and_again_keeps_no_manager_from_inviting(register):
    assert [forgets(register, "jpeeters") for _ in range(wayin.OFTEN + 1)] == [True] * wayin.OFTEN + [False]
    assert invites(register, "delcourt", "peeters").mailed


@pytest.mark.parametrize(
    ("username", "why"),
    [
        ("nobody99", "unknown"),
        ("elambert", "blocked"),
        ("zdubois1", "no address"),
        ("adelcour", "manages"),
        ("", "nothing"),
    ],
)
def test_no_letter_goes_out_to_anybody_else(register, username, why):
    with register.database.write() as connection:
        known = PROFILES.c.identity_id != register.person["dubois"]
        connection.execute(update(PROFILES).where(known).values(email="x@example.org"))
    assert not forgets(register, username), why
    assert letters_written(register) == []


def test_asking_again_and_again_sends_five_letters_an_hour(register):
    assert [forgets(register, "jpeeters") for _ in range(7)] == [True] * 5 + [False] * 2
    with register.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(PASSWORDS)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(ATTEMPTS)).scalar() > 0
