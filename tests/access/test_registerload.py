"""The register file: a load is all or nothing, and what was changed in chat stays."""

from __future__ import annotations

import threading
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from bot.access.periods import start_instant
from bot.access.registersnapshot import hold
from bot.access.rows import (
    ACCOUNTS,
    DUE,
    ENTITIES,
    GRANTS,
    IDENTITIES,
    MANDATES,
    NUMBERS,
    PROFILES,
    QUALITIES,
)
from bot.errors import RegisterFileError
from bot.store.audit import verify
from sqlalchemy import insert, select, update
from tests.access.registerfiles import ACCOUNT, BASE, Loader
from tests.access.registers import NOW, REGISTER, TODAY
from tests.strategies import niss_digits


def test_the_example_loads_and_the_second_time_changes_nothing(loads):
    first = loads(REGISTER)
    second = loads(REGISTER)

    assert {kind: tally.added for kind, tally in first.tallies.items()} == {
        "entity": 3,
        "quality": 4,
        "subdivision": 3,
        "person": 11,
        "profile": 12,
        "account": 7,
        "grant": 2,
        "mandate": 7,
    }
    assert second.changes == 0
    assert second.kept == ()
    assert second.lines()[-1] == "nothing to change"


def test_the_file_that_an_operator_starts_from_loads_as_it_is(loads):
    text = (Path(__file__).parents[2] / "register.example.toml").read_text(encoding="utf-8")

    assert loads(text).tallies["entity"].added == text.count("[[entity]]")
    assert loads(text).changes == 0


def test_a_dry_run_says_what_it_would_do_and_does_nothing(loads):
    report = loads(REGISTER, dry_run=True)

    assert report.lines()[0] == "entity: 3 would be added"
    assert loads.rows(ENTITIES) == []


def test_a_changed_file_changes_the_register(loads):
    loads(BASE)
    changed = (
        BASE.replace("Hôpitaux du Midi", "Hôpital du Midi")
        .replace('last_name = "Peeters"', 'last_name = "Peeters-Maes"')
        .replace("jpeeters", "jpeeters2")
        .replace("starts_on = 2026-01-15", "starts_on = 2026-01-15\nends_on = 2026-12-31")
        .replace('role = "responsible"', 'role = "responsible"\nuntil = 2027-01-01')
        .replace("79.08.23-997.28", "79.48.23-997.17")
    )

    report = loads(changed)

    assert {kind: tally.changed for kind, tally in report.tallies.items() if tally.changed} == {
        "entity": 1,
        "person": 1,
        "profile": 1,
        "account": 1,
        "grant": 1,
        "mandate": 1,
    }
    [account] = loads.rows(ACCOUNTS)
    assert (account.username, account.search, account.version) == (
        "jpeeters2",
        " peeters maes jan jpeeters2",
        2,
    )
    assert loads.rows(GRANTS)[0].ends_on == date(2026, 12, 31)
    assert len(loads.rows(NUMBERS)) == 2
    assert loads(changed).changes == 0


def test_a_moved_start_moves_the_grant(loads):
    loads(BASE)
    loads(BASE.replace("2026-01-15", "2026-02-01"))

    [grant] = loads.rows(GRANTS)
    assert (grant.starts_on, grant.active_at) == (date(2026, 2, 1), start_instant(date(2026, 2, 1)))


def test_what_was_changed_in_chat_is_kept_and_reported_unless_forced(loads):
    loads(BASE)
    loads.change(GRANTS, revoked_at=NOW)
    loads.change(ACCOUNTS, status="blocked")
    loads.change(PROFILES, email="new@example.org")

    kept = loads(BASE)

    assert kept.changes == 0
    assert kept.kept == (
        ("profile", "peeters@midi"),
        ("profile", "claes@midi"),
        ("account", "peeters@midi/hospital"),
        ("grant", "peeters@midi/hospital/colindos/2026-01-15"),
    )
    assert (
        "account 'peeters@midi/hospital': changed in chat since, kept (--force overwrites it)" in kept.lines()
    )
    assert loads.rows(GRANTS)[0].revoked_at == NOW

    forced = loads(BASE, force=True)

    assert (forced.changes, forced.kept) == (4, ())
    assert loads.rows(GRANTS)[0].revoked_at is None
    assert loads(BASE).changes == 0


def given_in_chat(loads: Loader, starts_on: date, ends_on: date | None = None) -> None:
    """A grant of Colindos that no file wrote."""
    [account] = loads.rows(ACCOUNTS)
    with loads.database.write() as connection:
        connection.execute(
            insert(GRANTS).values(
                id="chat",
                account_id=account.id,
                application="colindos",
                starts_on=starts_on,
                ends_on=ends_on,
                recorded_at=NOW,
            )
        )


@pytest.mark.parametrize("force", [False, True])
def test_a_period_that_overlaps_with_one_given_in_chat_is_left_out(loads, force):
    ended = BASE + "ends_on = 2026-03-31\n"
    loads(ended)
    given_in_chat(loads, date(2026, 4, 1))

    report = loads(BASE, force=force)

    assert (report.changes, report.kept) == (0, ())
    assert report.blocked == (("grant", "peeters@midi/hospital/colindos/2026-01-15"),)
    assert "grant: 1 left out" in report.lines()
    assert {row.ends_on for row in loads.rows(GRANTS)} == {date(2026, 3, 31), None}
    assert loads(ended).changes == 0


def test_a_moved_boundary_between_two_periods_moves_both_at_once(loads):
    text = (
        BASE + 'ends_on = 2026-03-31\n[[account.grant]]\napplication = "colindos"\nstarts_on = 2026-04-01\n'
    )
    moved = text.replace("2026-03-31", "2026-05-31").replace("2026-04-01", "2026-06-01")
    loads(text)

    assert loads(moved).tallies["grant"].changed == 2
    assert loads(moved).changes == 0
    assert loads(text).tallies["grant"].changed == 2


def test_what_was_shortened_in_chat_blocks_what_the_file_puts_before_it(loads):
    loads(BASE)
    loads.change(GRANTS, starts_on=date(2026, 1, 10), ends_on=date(2026, 12, 31))
    report = loads(
        BASE + 'ends_on = 2026-02-28\n[[account.grant]]\napplication = "colindos"\nstarts_on = 2026-03-01\n'
    )

    assert report.changes == 0
    assert len(report.kept) == 1
    assert report.blocked == (("grant", "peeters@midi/hospital/colindos/2026-03-01"),)
    [grant] = loads.rows(GRANTS)
    assert (grant.starts_on, grant.ends_on) == (date(2026, 1, 10), date(2026, 12, 31))


def test_an_account_that_was_deleted_in_chat_gets_nothing_from_the_file(loads):
    loads(BASE)
    loads.change(ACCOUNTS, status="deleted")
    report = loads(BASE + '[[account.grant]]\napplication = "hospiliss"\nstarts_on = 2026-02-01\n')

    assert report.kept == (("account", "peeters@midi/hospital"),)
    assert report.blocked == (("grant", "peeters@midi/hospital/hospiliss/2026-02-01"),)
    assert len(loads.rows(GRANTS)) == 1


def test_a_quality_that_was_activated_in_chat_and_has_users_now_stays_so(loads):
    loads(BASE)
    loads.change(QUALITIES, active=True)
    with loads.database.write() as connection:
        [other] = connection.execute(select(QUALITIES.c.id).where(QUALITIES.c.key == "health-care")).scalars()
        connection.execute(update(ACCOUNTS).values(quality_id=other))

    assert ("quality", "midi/health-care") in loads(
        BASE.replace("colindos", "hospiliss").split("[[account]]")[0]
    ).kept


def test_what_an_entity_knew_of_somebody_who_is_gone_there_stays_as_it_was(loads):
    aube = '[[entity]]\nkey = "aube"\ninami = "719998-33"\ndenomination = { fr = "A" }\n[[entity.quality]]\nkey = "hospital"\n'
    loads(BASE + aube + ACCOUNT.replace("midi", "aube"))
    with loads.database.write() as connection:
        aube_id = connection.execute(select(ENTITIES.c.id).where(ENTITIES.c.key == "aube")).scalar_one()
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.entity_id == aube_id).values(status="deleted"))
    loads(BASE.replace('"Mieke"', '"Maria"'))

    names = {
        row.entity_id == aube_id: row.first_name for row in loads.rows(PROFILES) if row.last_name == "Claes"
    }
    assert names == {True: "Mieke", False: "Maria"}


def test_whoever_was_erased_gives_neither_key_nor_name_nor_number_back(loads):
    loads(BASE)
    loads.change(IDENTITIES, erased_at=NOW)
    text = BASE.replace('key = "claes"', 'key = "other"').replace('person = "claes"', 'person = "other"')

    with pytest.raises(RegisterFileError) as caught:
        loads(text)
    assert [line.removeprefix("register.toml: ") for line in str(caught.value).splitlines()] == [
        "person[0].niss: somebody who was erased has this national number",
        "person[0].key: 'peeters' was erased: choose another key",
        "account[0].username: username 'jpeeters' is in use in the register",
    ]


def test_a_subdivision_cannot_come_to_lie_within_itself(loads):
    loads(BASE.replace('["Cardiologie"]', '["A", { name = "B", within = "A" }]'))

    with pytest.raises(RegisterFileError, match=r"subdivisions\[0\].within: 'A' would lie within itself"):
        loads(BASE.replace('["Cardiologie"]', '[{ name = "A", within = "B" }]'))


def test_a_load_waits_for_who_writes_and_sees_what_he_wrote(loads):
    loads(BASE)
    reports = []
    with loads.database.write() as connection:
        connection.execute(update(ACCOUNTS).values(status="blocked"))
        running = threading.Thread(target=lambda: reports.append(loads(BASE, force=True)))
        running.start()
        running.join(0.5)
        assert running.is_alive(), "it did not wait"
    running.join(20)

    assert reports[0].tallies["account"].changed == 1
    assert loads.rows(ACCOUNTS)[0].status == "active"


def test_who_reads_is_not_held_up_by_a_load(loads):
    loads(BASE)
    with loads.database.write() as connection:
        hold(connection)
        assert len(loads.rows(ACCOUNTS)) == 1


def test_what_the_file_no_longer_names_stays(loads):
    loads(REGISTER)
    before = len(loads.rows(ACCOUNTS)), len(loads.rows(MANDATES))
    loads(BASE)

    assert (len(loads.rows(ACCOUNTS)), len(loads.rows(MANDATES))) == (before[0], before[1] + 1)


def test_a_small_file_may_refer_to_what_the_register_holds(loads):
    loads(BASE)

    report = loads(
        'format = 1\n[[mandate]]\nperson = "peeters"\nentity = "midi"\nrole = "local"\nquality = "hospital"\n'
    )

    assert report.tallies["mandate"].added == 1


def test_grants_of_a_file_count_from_their_first_day_and_an_end_to_come_is_due(loads):
    soon = TODAY + timedelta(days=3)
    loads(BASE.replace("2026-01-15", f"{soon}\nends_on = {soon}"))

    [grant] = loads.rows(GRANTS)
    assert grant.active_at == start_instant(soon)
    assert [row.at for row in loads.rows(DUE)] == [start_instant(soon + timedelta(days=1))]


def test_a_load_is_in_the_audit_and_the_chain_holds(loads):
    loads(REGISTER)

    with loads.database.read() as connection:
        report = verify(connection, loads.keyring)
    assert report.broken is None
    assert report.count == 3 + 4 + 3 + 12 + 7 + 2 + 7


def test_an_enterprise_wide_mandate_makes_the_person_known_everywhere(loads):
    text = BASE.replace("inami =", 'enterprise = "0200.000.043"\ninami =').replace(
        'entity = "midi"\nrole', 'enterprise = "0200.000.043"\nrole'
    )
    loads(text)

    [mandate] = loads.rows(MANDATES)
    assert (mandate.entity_id, mandate.enterprise_id) == (None, loads.rows(ENTITIES)[0].enterprise_id)
    assert len(loads.rows(PROFILES)) == 2


def test_loading_takes_as_long_as_the_file_is(lite):
    """Five times the people take about five times as long, not twenty-five times: 5,000 load in seconds."""

    def seconds(first: int, last: int) -> float:
        text = BASE + "".join(_person_with_an_access(number) for number in range(first, last))
        started = time.process_time()  # others may be at work beside it
        lite(text)
        return time.process_time() - started

    seconds(0, 50)  # what is done once
    few, many = seconds(50, 250), seconds(250, 1250)

    assert len(lite.rows(GRANTS)) == 1251
    assert many < 12 * few


def test_what_was_loaded_changes_nothing_the_second_time_however_many(lite):
    text = BASE + "".join(_person_with_an_access(number) for number in range(300))
    lite(text)

    assert lite(text).changes == 0


def _person_with_an_access(number: int) -> str:
    niss = niss_digits(date(1950, 1, 1) + timedelta(days=number))
    return (
        f'[[person]]\nkey = "p{number}"\nlast_name = "Maes"\nfirst_name = "Wout"\nniss = "{niss}"\n'
        f'[[account]]\nperson = "p{number}"\nentity = "midi"\nquality = "hospital"\nusername = "user{number:04d}"\n'
        '[[account.grant]]\napplication = "hospiliss"\nstarts_on = 2026-01-15\n'
    )
