"""What each person sees of the register: his scope, down to the subdivision, and nothing that tells of the rest."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from bot.access import proofs
from bot.access.requests import Done
from bot.access.rows import ACCOUNTS, GRANTS, IDENTITIES, MANDATES, PROFILES
from bot.access.views import COUNTED
from bot.store.ids import new_id
from sqlalchemy import func, insert, select, update
from tests.access.registers import NOW, TODAY, newcomer
from tests.statements import statements_of


@pytest.fixture
def recorded(register) -> Done:
    """A change at midi."""
    outcome = register.does("delcourt", register.grant("peeters", "civars", version=1))
    assert isinstance(outcome, Done)
    return outcome


def labels(listing) -> list[str]:
    return [person.username for person in listing.items]


# -- whose --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "all_of_them", "to_give"),
    [
        ("delcourt", ["719998-33", "710999-11"], ["719998-33", "710999-11"]),
        ("janssens", ["710999-11"], ["710999-11"]),
        ("claes", ["710999-11"], ["710999-11"]),
        ("audi", ["710999-11"], []),
        ("kaai", ["720999-02"], ["720999-02"]),
        ("peeters", [], []),
        (None, [], []),
    ],
)
def test_everybody_sees_the_entities_of_his_mandates(register, person, all_of_them, to_give):
    with register.sees(person) as directory:
        assert [entity.number for entity in directory.entities()] == all_of_them
        assert [entity.number for entity in directory.entities("give_access")] == to_give


def test_a_binding_for_one_entity_shows_that_entity_only(register):
    with register.sees("delcourt", "aube") as directory:
        assert [entity.number for entity in directory.entities()] == ["719998-33"]
        assert directory.entity(register.entity["midi"]) is None


def test_a_mandate_that_is_over_shows_nothing(register):
    with register.database.write() as connection:
        connection.execute(update(MANDATES).values(until=TODAY - timedelta(days=1)))
    with register.sees("delcourt") as directory:
        assert directory.entities() == ()


def test_an_inactive_quality_is_there_and_says_so(register):
    with register.sees("delcourt") as directory:
        rooms = directory.qualities(register.entity["midi"])
    assert sorted((room.key, room.active, room.used) for room in rooms) == [
        ("health-care", False, False),
        ("hospital", True, True),
    ]


def test_a_local_manager_sees_his_quality_only(register):
    with register.sees("janssens") as directory:
        assert [room.key for room in directory.qualities(register.entity["midi"])] == ["hospital"]


def test_a_subdivision_manager_sees_its_people_and_those_of_what_hangs_on_it(register):
    with register.sees("claes") as directory:
        assert labels(directory.people(register.quality["midi/hospital"])) == ["jpeeters"]
        assert directory.person(register.account["dubois"]) is None
        assert directory.counts(register.entity["midi"]).people == 1


# -- not there and not yours --------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["kaai", "peeters", None])
def test_what_is_not_yours_is_answered_like_what_is_not_there(register, recorded, person):
    with register.sees(person) as directory:
        answers = [
            (directory.entity(entity), directory.qualities(entity), directory.listed(entity, "active"))
            for entity in (register.entity["midi"], "nowhere")
        ]
        assert answers[0] == answers[1]
        assert directory.counts(register.entity["midi"]) == directory.counts("nowhere")
        rooms = (register.quality["midi/hospital"], "nowhere")
        lists = [
            (
                directory.quality(room),
                directory.people(room),
                directory.alike(room, "Peeters"),
                directory.by_niss(room, "79082399728"),
            )
            for room in rooms
        ]
        assert lists[0] == lists[1]
        assert directory.person(register.account["peeters"]) == directory.person("nobody")
        assert directory.change(recorded.number) == directory.change("2026-999999")
        assert directory.recent_changes() == ()


def test_a_national_number_known_to_another_entity_is_unknown_here(register):
    with register.sees("delcourt") as directory:
        there = directory.by_niss(register.quality["aube/hospital"], "04061999842")
        assert there is not None
        assert there.username == "wmaes001"
        assert directory.by_niss(register.quality["midi/hospital"], "04061999842") is None


# -- people -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("peeters", ["jpeeters", "janpeete"]),
        ("PÉETERS", ["jpeeters", "janpeete"]),
        ("jan pharm", ["janpeete"]),
        ("emile", ["elambert"]),
        ("zdub", ["zdubois1"]),
        ("eters", []),
        ("%", []),
    ],
)
def test_a_search_finds_the_beginnings_of_words_whatever_case_and_accents(register, typed, found):
    with register.sees("delcourt") as directory:
        hits = directory.people(register.quality["midi/hospital"], find=typed)
    assert sorted(labels(hits)) == sorted(found)
    assert hits.total == len(found)


HOSTILE = (
    "' OR 'zzqx'='zzqx",
    'zzqx" OR 1=1 --',
    "zzqx'; DROP TABLE accounts; --",
    "zzqx%' UNION SELECT secret FROM authenticators --",
    "zzqx\\'; DELETE FROM bindings; --",
    ":zzqx %(zzqx)s ? $1",
)
"""Texts that would be more than a value if a statement were pasted together. `zzqx` is in none of our statements."""


@pytest.mark.parametrize("typed", HOSTILE)
def test_whatever_is_typed_reaches_the_database_as_a_value_and_never_in_a_statement(register, typed):
    everybody, room = len(register.account), register.quality["midi/hospital"]
    with statements_of(register.database) as statements:
        with register.sees("delcourt") as directory:
            found = (
                directory.people(room, find=typed).items,
                directory.people(typed, find="peeters").items,
                directory.alike(room, typed),
                directory.person(typed),
                directory.change(typed),
                directory.invitation(typed),
            )
        with register.database.write() as connection:
            proved = proofs.try_password(connection, register.keyring, typed, typed, NOW)
    assert [bool(each) for each in (*found, proved)] == [False] * 7
    assert [each.text for each in statements if "zzqx" in each.text] == []
    assert any("zzqx" in str(each.values) for each in statements)
    with register.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(ACCOUNTS)).scalar_one() == everybody


def test_a_typing_error_is_forgiven(register):
    with register.sees("delcourt") as directory:
        near = directory.alike(register.quality["midi/hospital"], "Lambret")
    assert [person.username for person in near] == ["elambert"]


def test_a_total_is_exact_to_a_thousand_and_no_further(register):
    with register.database.write() as connection:
        pattern = connection.execute(
            select(ACCOUNTS).where(ACCOUNTS.c.id == register.account["peeters2"])
        ).one()
        profiles = _profiles(connection, pattern.profile_id, COUNTED + 5)
        rows = [
            {
                **pattern._mapping,
                "id": new_id(),
                "profile_id": profile,
                "username": f"user{number}",
                "username_fold": f"user{number}",
                "search": f" wouters user{number} ",
            }
            for number, profile in enumerate(profiles)
        ]
        connection.execute(insert(ACCOUNTS), rows)
    with register.sees("delcourt") as directory:
        room = register.quality["midi/hospital"]
        everybody = directory.people(room, find="wouters")
        assert everybody.total == COUNTED + 1
        assert everybody.pages == -(-COUNTED // 6)
        last = directory.people(room, find="wouters", page=10_000)
        assert last.page == everybody.pages - 1
        assert last.items


def _profiles(connection, like: str, count: int) -> list[str]:
    pattern = connection.execute(select(PROFILES).where(PROFILES.c.id == like)).one()
    made = [(new_id(), new_id()) for _ in range(count)]
    connection.execute(
        insert(IDENTITIES), [{"id": identity, "key": identity, "created_at": NOW} for identity, _ in made]
    )
    connection.execute(
        insert(PROFILES),
        [{**pattern._mapping, "id": profile, "identity_id": identity} for identity, profile in made],
    )
    return [profile for _, profile in made]


# -- states -------------------------------------------------------------------------------------------


def test_the_overview_counts_what_is_active_pending_to_do_and_ending(register, recorded):
    register.does("kaai", register.welcome("hospiliss", quality="quai/hospital", user=newcomer()))
    with register.sees("delcourt") as directory:
        counts = directory.counts(register.entity["midi"])
    assert (counts.people, counts.active, counts.pending, counts.to_do, counts.ending) == (5, 2, 1, 0, 1)
    with register.sees("kaai") as directory:
        assert directory.counts(register.entity["quai"]).to_do == 1


@pytest.mark.parametrize(("days", "ending"), [(0, 1), (30, 1), (31, 0)])
def test_ending_means_within_thirty_days(register, days, ending):
    with register.database.write() as connection:
        connection.execute(
            update(GRANTS)
            .where(GRANTS.c.account_id == register.account["dubois"])
            .values(ends_on=TODAY + timedelta(days=days))
        )
    with register.sees("delcourt") as directory:
        assert directory.counts(register.entity["midi"]).ending == ending
        assert directory.listed(register.entity["midi"], "ending").total == ending


def test_an_end_counts_to_the_last_second_of_its_day_in_brussels(register):
    last = datetime.fromisoformat("2026-12-10T23:59:59+01:00")
    for now, held in ((last, "active"), (last + timedelta(seconds=1), "ended")):
        with register.sees("delcourt", now=now) as directory:
            [grant] = directory.person(register.account["dubois"]).holdings
        assert grant.state == held


@pytest.mark.parametrize(
    ("start", "before", "at"),
    [
        (date(2027, 3, 28), "2027-03-27T23:59:59+01:00", "2027-03-28T00:00:00+01:00"),
        (date(2027, 3, 29), "2027-03-28T23:59:59+02:00", "2027-03-29T00:00:00+02:00"),
    ],
    ids=["the day of summer time", "the day after"],
)
def test_a_start_to_come_counts_from_midnight_in_brussels_though_nothing_ran(register, start, before, at):
    register.does("delcourt", register.grant("peeters", "civars", version=1, starts_on=start))
    states = []
    for instant in (before, at):
        with register.sees("delcourt", now=datetime.fromisoformat(instant)) as directory:
            card = directory.person(register.account["peeters"])
            states.append(card.holds("application", "civars").state)
    assert states == ["pending", "active"]


def test_a_change_tells_who_recorded_it_for_whom_and_how_far_it_is(register, recorded):
    with register.sees("audi") as directory:
        change = directory.change(recorded.number)
    assert (change.author, change.person, change.state) == ("Delcourt Anne", "Peeters Jan", "pending")
    assert change.due == NOW + timedelta(minutes=20)


def test_a_user_sees_his_own_accounts(register):
    with register.sees("peeters") as directory:
        [card] = directory.mine()
    assert (card.ref.username, card.ref.masked) == ("jpeeters", "••.••.••-•••.28")
    assert [held.key for held in card.holdings] == ["hospiliss"]
