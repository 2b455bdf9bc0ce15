"""From a proof to a binding: one number, one try, five minutes, and never wider than the proof."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from bot.access import linking, sessions, standing
from bot.access.proofs import Proved
from bot.access.requests import Done, Refused
from bot.access.rows import BINDINGS, ENTITIES, IDENTITIES
from bot.access.sessions import SessionRules
from bot.errors import Refusal
from bot.msg import m
from sqlalchemy import insert, select, update
from tests.access.registers import NOW

RULES = SessionRules(locking=True)
ANNE = 101
MINUTE = timedelta(minutes=1)


def ids(connection):
    """The ids of people and entities by their keys."""
    rows = [*connection.execute(select(IDENTITIES.c.key, IDENTITIES.c.id))]
    rows += connection.execute(select(ENTITIES.c.key, ENTITIES.c.id))
    return {row.key: row.id for row in rows}


def bound_before(connection, person, scope, telegram_id=ANNE):
    binding = f"b-{person}"[:32]
    values = {"identity_id": person, "telegram_id": telegram_id, "chat_id": telegram_id}
    values |= {"scope_entity_id": scope, "how": "invitation", "bound_at": NOW, "ended_at": None}
    connection.execute(insert(BINDINGS).values(id=binding, **values))


def proposed(connection, proved, *, telegram_id=ANNE, now=NOW):
    """A confirmed proof: the numbers offered, and the opaque id of the right one."""
    link = linking.propose(connection, proved, telegram_id=telegram_id, visit="v", now=now)
    assert linking.confirm(connection, link, now)
    right = linking.pending(connection, link, now).number
    numbers = linking.offered(connection, telegram_id, now)
    return link, numbers, next(opaque for opaque, shown in numbers if shown == right)


def taps(connection, register, choice, *, telegram_id=ANNE, now=NOW):
    return linking.tap(
        connection,
        register.keyring,
        choice,
        telegram_id=telegram_id,
        chat_id=telegram_id,
        now=now,
        rules=RULES,
    )


@pytest.mark.parametrize(
    ("before", "proof"), list(product(["nobody", "all", "midi", "aube"], [None, "midi", "aube"]))
)
def test_nobody_gets_a_session_that_is_wider_than_his_proof(register, before, proof):
    with register.database.write() as connection:
        known = ids(connection)
        anne, scope = known["delcourt"], known.get(proof)
        if before != "nobody":
            bound_before(connection, anne, known.get(before))
        _, _, right = proposed(connection, Proved(anne, "password" if proof else "oidc", scope))
        came = taps(connection, register, right)
        session = standing.session_of(connection, ANNE, NOW, RULES)
        elsewhere = before in {"midi", "aube"} and proof is not None and proof != before
        if elsewhere:
            assert came == Refused(m("act.join.scope"), "number")
            assert session.locked
        else:
            assert came == Done()
            assert session.scope == (frozenset({scope}) if scope else None)
        inside = {mandate.entity for mandate in standing.mandates_of(connection, session)}
        assert proof is None or inside <= {scope}


def test_a_proof_for_somebody_else_than_the_account_stands_for_is_refused_at_once(register):
    with register.database.write() as connection:
        known = ids(connection)
        bound_before(connection, known["delcourt"], None)
        with pytest.raises(Refusal) as refused:
            linking.propose(
                connection, Proved(known["claes"], "oidc", None), telegram_id=ANNE, visit="v", now=NOW
            )
        assert refused.value.msg == m("act.join.bound")


def test_one_try_is_all_there_is(register):
    with register.database.write() as connection:
        link, numbers, right = proposed(connection, Proved(ids(connection)["delcourt"], "oidc", None))
        wrong = next(opaque for opaque, _ in numbers if opaque != right)
        assert taps(connection, register, wrong) == Refused(m("link.wrong"), "number")
        assert taps(connection, register, right) == Refused(m("link.over"), "number")
        assert linking.pending(connection, link, NOW).outcome == "refused"
        assert standing.session_of(connection, ANNE, NOW, RULES) is None


@pytest.mark.parametrize(("minutes", "good"), [(4, True), (5, False), (60, False)])
def test_a_number_is_good_for_five_minutes(register, minutes, good):
    with register.database.write() as connection:
        _, _, right = proposed(connection, Proved(ids(connection)["delcourt"], "oidc", None))
        came = taps(connection, register, right, now=NOW + minutes * MINUTE)
        assert came == (Done() if good else Refused(m("link.over"), "number"))


def test_the_number_of_one_account_binds_no_other(register):
    with register.database.write() as connection:
        _, _, right = proposed(connection, Proved(ids(connection)["delcourt"], "oidc", None))
        assert taps(connection, register, right, telegram_id=202) == Refused(m("link.over"), "number")
        assert linking.offered(connection, 202, NOW) == ()


def test_a_new_proof_replaces_the_one_before(register):
    with register.database.write() as connection:
        anne = Proved(ids(connection)["delcourt"], "oidc", None)
        _, _, old = proposed(connection, anne)
        link, numbers, _ = proposed(connection, anne)
        assert old not in dict(numbers)
        assert taps(connection, register, old) == Refused(m("link.wrong"), "number")
        assert linking.pending(connection, link, NOW).outcome == "refused"


def test_nothing_is_offered_before_the_person_confirmed_and_an_unconfirmed_link_is_not_tapped_open(register):
    with register.database.write() as connection:
        proved = Proved(ids(connection)["delcourt"], "oidc", None)
        linking.propose(connection, proved, telegram_id=ANNE, visit="v", now=NOW)
        assert linking.offered(connection, ANNE, NOW) == ()
        assert taps(connection, register, "") == Refused(m("link.wrong"), "number")


def test_somebody_erased_meanwhile_is_not_bound(register):
    with register.database.write() as connection:
        anne = ids(connection)["delcourt"]
        _, _, right = proposed(connection, Proved(anne, "oidc", None))
        connection.execute(update(IDENTITIES).where(IDENTITIES.c.id == anne).values(erased_at=NOW))
        assert taps(connection, register, right) == Refused(m("link.wrong"), "number")


def test_a_second_link_session_takes_the_place_of_the_first(register):
    with register.database.write() as connection:
        anne = ids(connection)["delcourt"]
        for _ in range(2):
            _, _, right = proposed(connection, Proved(anne, "oidc", None))
            assert taps(connection, register, right) == Done()
        assert len(sessions.listed(connection, anne)) == 1
