"""Deputies as dialogues: from the managers of an entity, between two days, ended by itself or sooner."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bot.access.requests import AppointDeputy, EndDeputy
from bot.conversations.ports import DeputyRef, Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import NOW, PORTAL, MemoryDirectory, Talk, sample

TODAY, SOON = NOW.date(), NOW.date() + timedelta(days=9)
CLAES = "a0003"
STANDING = DeputyRef(
    "s1", "midi", "Delcourt Anne", "Claes Mieke", TODAY, SOON, mine="principal", endable=True
)


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    directory.acts |= {"appoint_deputy"}
    return Talk(ENGINE, directory)


def with_standin(talk: Talk, **changes: object) -> MemoryDirectory:
    talk.directory.standins["s1"] = replace(STANDING, **changes)  # type: ignore[arg-type]
    return talk.directory


def test_a_deputy_is_appointed_from_the_managers_in_five_interactions(talk: Talk) -> None:
    talk.command("managers", "midi").taps("Se faire remplacer", "Claes Mieke", "Demain")
    talk.says("03-12-2026")
    assert "Remplaçant: Claes Mieke" in talk.sees()
    talk.taps("Confirmer")
    assert talk.interactions == 5
    assert talk.requests == [AppointDeputy("midi", CLAES, TODAY + timedelta(days=1), SOON)]
    assert "🔁 Claes Mieke remplace Delcourt Anne du 25-11-2026 au 03-12-2026" in (
        talk.command("managers", "midi").sees()
    )


def test_it_is_confirmed_by_a_fresh_proof_where_there_are_pages(talk: Talk) -> None:
    talk.settings = Settings(pages="https://access.example.org")
    talk.command("deputy", "midi").says("claes", "aujourd'hui", "demain")
    assert "[🔐" in talk.sees()


def test_a_second_deputy_at_the_same_time_is_refused_at_once(talk: Talk) -> None:
    with_standin(talk)
    talk.command("deputy", "midi").says("claes", "aujourd'hui")
    assert "Quelqu'un vous remplace déjà dans cette entité du 24-11-2026 au 03-12-2026" in talk.sees()
    talk.says("04-12-2026", "05-12-2026").taps("Confirmer")
    assert len(talk.requests) == 1


def test_a_year_is_the_longest(talk: Talk) -> None:
    talk.command("deputy", "midi").says("claes", "aujourd'hui", "26-11-2027")
    assert "⚠" in talk.sees()
    talk.says("25-11-2027").taps("Confirmer")
    assert len(talk.requests) == 1


def test_the_deputy_and_his_manager_see_it_at_home(talk: Talk) -> None:
    with_standin(talk)
    assert "🔁 Claes Mieke vous remplace jusqu'au 03-12-2026." in talk.command("home").sees()
    with_standin(talk, mine="deputy", principal="Maes Wout")
    assert "🔁 Vous remplacez Maes Wout jusqu'au 03-12-2026." in talk.command("home").sees()
    with_standin(talk, begun=False)
    assert "🔁" not in talk.command("home").sees()


def test_it_is_ended_sooner_in_two_interactions(talk: Talk) -> None:
    with_standin(talk)
    talk.command("managers", "midi").taps("Fin d'un remplacement", "Confirmer")
    assert talk.requests == [EndDeputy("s1")]
    assert talk.interactions == 2


def test_whoever_may_end_none_has_no_button(talk: Talk) -> None:
    with_standin(talk, endable=False)
    assert "Fin d'un remplacement" not in talk.command("managers", "midi").sees()
    talk.command("undeputy")
    assert "pas de remplacement auquel vous puissiez mettre fin" in talk.sees()


def test_on_the_portal_the_receipt_says_that_the_portal_does_not_know_of_it(talk: Talk) -> None:
    account = talk.directory.add("Dubois", "Léa", entity=PORTAL)
    talk.command("deputy", account).says("aujourd'hui", "demain").taps("Confirmer")
    (receipt,) = talk.receipts
    assert "deputy.portal" in {getattr(line, "key", "") for line in receipt.body}
