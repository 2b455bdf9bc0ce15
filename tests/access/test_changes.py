"""*Change* over the register itself: what the dialogue shows of a person, and that the register does what it then asks."""

from __future__ import annotations

from datetime import timedelta

from bot.access.requests import ActOnUsers, AssignFunction, Done, EndAccess, Request
from bot.access.rows import ACCOUNTS
from bot.access.views import Actor
from bot.conversations.model import Command, Event, Perform, State, Tap, Text
from bot.conversations.ports import Context
from bot.conversations.registry import ENGINE
from bot.conversations.testing import said
from bot.i18n import CatalogueReader
from sqlalchemy import select
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, TODAY, Register

FUNCTION = "collaborator-specialist-physician"
LATER = NOW + timedelta(hours=1)


def asks(
    register: Register, account: str, *events: Event, by: str = "delcourt"
) -> tuple[str, Request | None]:
    """What the dialogue about the account says in the end, and what it asks the register to do."""
    state, view, wish = State(), None, None
    with register.sees(by, now=LATER) as directory:
        context = Context(
            "fr", LATER, TODAY, Actor(by, by), directory, CatalogueReader("fr"), register.catalogue
        )
        for event in (Command("change", register.account[account]), *events):
            now = Tap(state.rev, event.verb, event.value) if isinstance(event, Tap) else event
            reply = ENGINE.step(state, now, context)
            state, view = reply.state, reply.view or view
            wish = next((effect.request for effect in reply.effects if isinstance(effect, Perform)), wish)
    assert view
    return said(view, "fr"), wish


def does(register: Register, account: str, *events: Event) -> Done:
    """The same, done."""
    text, wish = asks(register, account, *events, Tap(0, "ok"))
    assert wish, text
    done = register.does("delcourt", wish, now=LATER)
    assert isinstance(done, Done), done
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)
    return done


def live(register: Register, account: str) -> set[str]:
    with register.sees("delcourt", now=LATER) as directory:
        card = directory.person(register.account[account])
    assert card
    return {each.key for each in card.holdings if each.state != "ended"}


def test_what_was_ended_is_shown_as_such_and_given_again_with_its_function(register):
    days = {"profession": "collaborator-physician", "function": FUNCTION, "starts_on": TODAY}
    assert isinstance(register.does("delcourt", register.grant("dubois", "colindos", **days)), Done)
    done = does(register, "dubois", Text("Collaborateur médecin"), Tap(0, "now"), Text("1"), Text("1"))
    assert done.number
    assert live(register, "dubois") == set()

    text, _ = asks(register, "dubois")
    assert "Colindos, terminé" in text
    assert "[🔁 Colindos]" in text
    does(register, "dubois", Text("Colindos"), Text("25-11-2026"))
    assert live(register, "dubois") == {"colindos", FUNCTION}


def test_a_function_is_added_and_its_end_moved_where_the_person_stands(register):
    _, wish = asks(
        register, "dubois", Text("Ajouter une fonction"), Text("1"), Text("24-11-2026"), Tap(0, "ok")
    )
    assert isinstance(wish, AssignFunction)
    assert isinstance(register.does("delcourt", wish, now=LATER), Done)
    does(register, "dubois", Text("Collaborateur médecin"), Text("31-12-2026"))
    with register.sees("delcourt", now=LATER) as directory:
        held = directory.person(register.account["dubois"]).holds("function", FUNCTION)
    assert str(held.ends_on) == "2026-12-31"


def test_a_blocked_account_is_reactivated_and_a_second_manager_is_told_of_it(register):
    text, wish = asks(register, "lambert", Text("Réactiver ce compte"), Tap(0, "ok"))
    assert isinstance(wish, EndAccess), text
    seen = ((register.account["lambert"], wish.version),)
    assert isinstance(register.does("janssens", ActOnUsers("reactivate", seen)), Done)
    assert type(register.does("delcourt", wish, now=LATER)).__name__ == "Conflict"
    with register.database.read() as connection:
        query = select(ACCOUNTS.c.status).where(ACCOUNTS.c.id == register.account["lambert"])
        assert connection.execute(query).scalar_one() == "active"


def test_a_group_manager_is_shown_no_functions_to_touch(register):
    days = {"profession": "collaborator-physician", "function": FUNCTION, "starts_on": TODAY}
    assert isinstance(register.does("delcourt", register.grant("dubois", "colindos", **days)), Done)
    text, _ = asks(register, "dubois", by="groep")
    assert "[📅 Colindos]" in text
    assert "Ajouter une fonction" not in text
    assert "[📅 Collaborateur" not in text
