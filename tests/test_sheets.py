"""A list of users as a document: what stands in it, who may have it, and what the audit says; on both databases."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import time_machine
from bot.access import acts, exporting, invitations
from bot.access.exporting import ALL, PORTAL
from bot.access.requests import Done, ExportUsers, Refused
from bot.access.rows import MANDATES, PROFILES
from bot.access.sessions import SessionRules
from bot.access.views import UserFilter
from bot.errors import NotAllowed
from bot.handlers.mailroom import StoreOutbox
from bot.i18n import speaker
from bot.msg import LANGUAGES
from bot.sheets import Sheets, as_csv, as_xlsx, table
from bot.store.tables import AuditEntry, core
from openpyxl import load_workbook
from sqlalchemy import select, update

from tests.access.registers import NOW, Register

AUDIT = core(AuditEntry)
CHAT = 42


@pytest.fixture
def register(database, keyring, tmp_path):
    register = Register(database, keyring, tmp_path)
    with database.write() as connection:
        code = invitations.invite(connection, keyring, "delcourt", NOW)
        invitations.redeem(connection, keyring, code, telegram_id=CHAT, chat_id=CHAT, now=NOW)
    with travel(NOW):
        yield register
    return register


def wish(register, form="csv", *, entity="midi", lang="fr", columns="portal", numbers=False, **wanted):
    entity = register.entity[entity]
    return ExportUsers(entity, UserFilter(**wanted), form, lang, columns=columns, numbers=numbers)


def asks(register, request, person="delcourt"):
    """The request as if its proof had been given: that is tested with the others, in test_stepup.py."""
    with register.work(person) as work:
        return acts._performed(work, request)


def waiting(register):
    (mail,) = StoreOutbox(register.database, register.keyring).take_for(CHAT)
    return mail


def made(register, request, rules=None):
    assert asks(register, request) == Done()
    return Sheets(register.database, register.keyring, rules or SessionRules()).make(waiting(register))


def rows(document):
    assert document.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(document.content.decode("utf-8-sig"), newline=""), delimiter=";"))


def travel(moment):
    """The time stands there for a while."""
    return time_machine.travel(moment, tick=False)


def midnight(*day: int) -> datetime:
    """A day as openpyxl reads it."""
    return datetime(*day)  # noqa: DTZ001 - a spreadsheet knows no time zones


def audited(register):
    with register.database.read() as connection:
        query = select(AUDIT).where(AUDIT.c.act.like("export-%")).order_by(AUDIT.c.seq)
        return [(row.act, row.actor_id, row.body) for row in connection.execute(query)]


def test_a_csv_has_the_portals_columns_and_whom_the_filter_shows_with_masked_numbers(register):
    document = made(register, wish(register, last="peeters"))
    head, *lines = rows(document)
    assert head == ["Nom", "Prénom", "Nom d'utilisateur", "Type", "NISS", "Statut"]
    assert sorted(line[:4] for line in lines) == [
        ["Peeters", "Jan", "janpeete", "Personne"],
        ["Peeters", "Jan", "jpeeters", "Personne"],
    ]
    assert {line[4][:13] for line in lines} <= {"••.••.••-•••.", ""}
    assert {line[5] for line in lines} == {"actif"}
    assert (document.name, document.caption) == ("utilisateurs-2026-11-24.csv", "2 personnes · NISS masqués")


def test_the_numbers_stand_there_in_full_only_where_they_were_asked_for(register):
    (line,) = rows(made(register, wish(register, numbers=True, username="jpeeters")))[1:]
    assert line[4] == "79.08.23-997.28"


def test_an_xlsx_is_a_table_with_a_frozen_head_and_days_that_are_days(register):
    document = made(register, wish(register, "xlsx", columns="all", lang="nl", application="colindos"))
    book = load_workbook(io.BytesIO(document.content))
    sheet = book.active
    head, line = ([cell.value for cell in row] for row in sheet.iter_rows())
    found = dict(zip(head, line, strict=True))
    assert found["Naam"] == "Dubois"
    assert found["Toepassingen"] == "Colindos"
    assert (found["Eerstvolgend einde"], found["Aanmaakdatum"]) == (
        midnight(2026, 12, 10),
        midnight(2026, 11, 24),
    )
    assert sheet.freeze_panes == "A2"
    (users,) = sheet.tables.values()
    assert (users.ref, users.tableStyleInfo.name) == ("A1:Q2", "TableStyleMedium2")
    assert all(sheet.column_dimensions[letter].width >= 10 for letter in "ABCDEF")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_two_columns_have_the_same_head(lang):
    head, _ = table([], ALL, speaker(lang))
    assert len({label.casefold() for label in head}) == len(ALL)
    assert head[: len(PORTAL)] == table([], PORTAL, speaker(lang))[0]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_starts_a_formula(begin):
    typed = f"{begin}1+1"
    (line,) = csv.reader(
        io.StringIO(as_csv(["a"], [(typed,)]).decode("utf-8-sig").split("\r\n", 1)[1], newline="")
    )
    assert line == [f"'{typed}"]
    cell = load_workbook(io.BytesIO(as_xlsx(["a"], [(typed,)], speaker("fr")))).active["A2"]
    assert (cell.data_type, cell.value.replace("_x000D_", "\r")) == ("s", typed)


def test_digits_stay_text_and_a_separator_stays_in_its_cell():
    cells = ("00123", "a;b", 'c"d', date(2026, 3, 1))
    content = as_csv(["a", "b", "c", "d"], [cells]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline=""), delimiter=";"))[1] == [
        "00123",
        "a;b",
        'c"d',
        "01/03/2026",
    ]
    sheet = load_workbook(io.BytesIO(as_xlsx(["a", "b", "c", "d"], [cells], speaker("fr")))).active
    assert [cell.value for cell in sheet[2]] == ["00123", "a;b", 'c"d', midnight(2026, 3, 1)]


def test_the_audit_says_who_exported_what_and_how_many_without_what_was_typed(register):
    assert asks(register, wish(register, numbers=True, last="peeters", status="active")) == Done()
    ((act, actor, body),) = audited(register)
    assert (act, actor) == ("export-users", register.person["delcourt"])
    assert {key: body[key] for key in ("form", "columns", "numbers", "people", "filter")} == {
        "form": "csv",
        "columns": "portal",
        "numbers": True,
        "people": 2,
        "filter": {"last": True, "status": "active"},
    }


def test_whoever_came_between_is_in_the_document_and_in_the_audit(register):
    assert asks(register, wish(register, last="peeters")) == Done()
    with register.database.write() as connection:
        connection.execute(
            update(PROFILES).where(PROFILES.c.last_name == "Peeters").values(first_name="Jean")
        )
    sheets, mail = Sheets(register.database, register.keyring, SessionRules()), waiting(register)
    assert {line[1] for line in rows(sheets.make(mail))[1:]} == {"Jean"}
    assert [act for act, _, _ in audited(register)] == ["export-users"]
    other = replace(mail, payload={**mail.payload, "wanted": {**mail.payload["wanted"], "status": "blocked"}})
    assert len(rows(sheets.make(other))) == 1
    assert [(act, body["people"]) for act, _, body in audited(register)] == [
        ("export-users", 2),
        ("export-made", 0),
    ]


def test_a_document_is_not_made_for_whoever_may_not_have_it_any_more(register):
    assert asks(register, wish(register)) == Done()
    sheets, mail = Sheets(register.database, register.keyring, SessionRules()), waiting(register)
    assert Sheets(register.database, register.keyring, SessionRules(locking=True)).make(mail) is None
    assert sheets.make(replace(mail, payload={**mail.payload, "telegram_id": 7})) is None
    assert sheets.make(replace(mail, payload={**mail.payload, "identity": "somebody"})) is None
    with register.database.write() as connection:
        mine = MANDATES.c.identity_id == register.person["delcourt"]
        connection.execute(update(MANDATES).where(mine).values(revoked_at=NOW))
    assert sheets.make(mail) is None


@pytest.mark.parametrize(
    ("who", "numbers", "may"),
    [
        ("delcourt", True, True),
        ("janssens", True, True),
        ("claes", False, True),
        ("claes", True, False),
        ("groep", True, False),
        ("audi", False, True),
        ("audi", True, False),
        ("kaai", False, False),
    ],
)
def test_who_may_export_is_what_the_matrix_says(register, who, numbers, may):
    if may:
        assert asks(register, wish(register, numbers=numbers), who) == Done()
    else:
        with pytest.raises(NotAllowed):
            asks(register, wish(register, numbers=numbers), who)


def test_the_numbers_in_full_take_a_fresh_proof(register):
    assert register.does("delcourt", wish(register)) == Done()
    outcome = register.does("delcourt", wish(register, numbers=True))
    assert isinstance(outcome, Refused)
    assert outcome.msg.key == "proof.no_pages"


def test_a_list_of_nobody_is_not_exported(register):
    outcome = register.does("delcourt", wish(register, last="zzz"))
    assert isinstance(outcome, Refused)
    assert (outcome.msg.key, outcome.step) == ("act.export.nobody", "people")


@pytest.mark.parametrize(
    ("form", "key", "step"),
    [("csv", "act.export.too_many", "people"), ("xlsx", "act.export.too_many_xlsx", "form")],
)
def test_a_document_has_an_end_and_it_is_said_what_helps(register, monkeypatch, form, key, step):
    monkeypatch.setitem(exporting.MOST, form, 4)
    outcome = register.does("delcourt", wish(register, form))
    assert isinstance(outcome, Refused)
    assert (outcome.msg.key, outcome.step) == (key, step)
    assert register.does("delcourt", wish(register, form, last="peeters")) == Done()


def test_a_row_that_takes_long_is_lent_for_longer(register):
    assert asks(register, wish(register)) == Done()
    mail, room = waiting(register), StoreOutbox(register.database, register.keyring)
    with travel(NOW + timedelta(seconds=50)):
        room.keep(mail.id)
    with travel(NOW + timedelta(seconds=70)):
        assert room.take_for(CHAT) == []
    with travel(NOW + timedelta(seconds=111)):
        assert [each.id for each in room.take_for(CHAT)] == [mail.id]


def test_what_waits_in_the_outbox_says_nothing_about_anybody(register):
    assert asks(register, wish(register, numbers=True)) == Done()
    payload = waiting(register).payload
    assert set(payload) == {
        "entity", "wanted", "form", "lang", "columns", "numbers", "people", "key", "identity", "telegram_id",
    }  # fmt: skip
    assert payload["people"] == 5
