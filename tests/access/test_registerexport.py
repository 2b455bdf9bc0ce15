"""The register file: an export loads to the same."""

from __future__ import annotations

from datetime import date, timedelta

from bot.access.registerfile import export
from bot.access.requests import Done
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, GRANTS, NUMBERS, QUALITIES, SUBDIVISIONS
from bot.store.audit import verify
from bot.store.database import Database
from bot.store.tables import AuditEntry, core
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests import databases
from tests.access.registerfiles import FUNCTION, Loader
from tests.access.registers import NOW, REGISTER, TODAY, Register
from tests.strategies import card, niss_digits


@st.composite
def registers(draw: st.DrawFn) -> str:
    """A register file with any of the things it may hold."""
    lines = ["format = 1"]
    names = draw(
        st.lists(
            st.sampled_from(["D'Hondt", "van der Berg", "Éloïse", "Maes", "Ødegård"]), min_size=3, max_size=3
        )
    )
    wards = draw(
        st.lists(st.sampled_from(["Cardiologie", 'A \\"B\\" \\\\ C', "Ünit 3", "Zaal"]), unique=True)
    )
    nested = [f'{{ name = "in {ward}", within = "{ward}" }}' for ward in wards[:1]]
    listed = ", ".join([*(f'"{ward}"' for ward in wards), *nested])
    for key, inami in (("midi", "710999-11"), ("aube", "719998-33")):
        lines += ["[[entity]]", f'key = "{key}"', f'inami = "{inami}"', 'enterprise = "0200.000.043"']
        lines += [f'denomination = {{ fr = "{draw(st.sampled_from(["Hôpital", "L’Aube"]))}", de = "Öst" }}']
        lines += [f'delivery = "{draw(st.sampled_from(["register", "portal"]))}"']
        lines += ["[[entity.quality]]", 'key = "hospital"', f"subdivisions = [{listed}]"]
    entities = [draw(st.sampled_from(["midi", "aube"])) for _ in names]
    for n, name in enumerate(names):
        lines += ["[[person]]", f'key = "p{n}"', f'last_name = "{name}"', 'first_name = "Jo"']
        if draw(st.booleans()):
            lines += [f'niss = "{card(niss_digits(date(1970, 1, 1 + n)))}"']
        if draw(st.booleans()):
            lines += [
                "[[person.profile]]",
                f'entity = "{entities[n]}"',
                'last_name = "Other"',
                'first_name = "Name"',
                'title = "Dr."',
            ]
    for n, entity in enumerate(entities):
        lines += ["[[account]]", f'person = "p{n}"', f'entity = "{entity}"', 'quality = "hospital"']
        if draw(st.booleans()):
            lines += [f'username = "user.000{n}"']
        if wards and draw(st.booleans()):
            lines += [f'subdivision = "in {wards[0]}"']
        lines += [f'status = "{draw(st.sampled_from(["active", "blocked"]))}"', 'profession = "collaborator"']
        lines += ["[[account.grant]]", 'application = "colindos"', "starts_on = 2026-01-01"]
        if draw(st.booleans()):
            lines += [
                "ends_on = 2026-06-30",
                "[[account.grant]]",
                'application = "colindos"',
                "starts_on = 2026-07-01",
            ]
        if draw(st.booleans()):
            lines += ["[[account.assignment]]", f'function = "{FUNCTION}"', "starts_on = 2026-07-01"]
    if draw(st.booleans()):
        lines += ["[[mandate]]", 'person = "p0"', 'enterprise = "0200.000.043"', 'role = "responsible"']
    if wards:
        lines += [
            "[[mandate]]",
            'person = "p1"',
            'entity = "midi"',
            'role = "subdivision"',
            'quality = "hospital"',
            f'subdivision = "{wards[-1]}"',
        ]
    if draw(st.booleans()):
        lines += [
            "[[application]]",
            'key = "extra"',
            'name = { fr = "Extra", nl = "Bij" }',
            'qualities = ["hospital"]',
            'aliases = ["X"]',
        ]
    return "\n".join(lines) + "\n"


@given(text=registers())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_an_export_loads_into_an_empty_register_and_exports_the_same_text(text, tmp_path, keyring):
    exports = []
    for _ in range(2):
        with databases.sqlite(tmp_path) as url:
            database = Database(url)
            loader = Loader(database, keyring, tmp_path)
            loader(text)
            assert loader(text).changes == 0
            exports.append(export(database, keyring, now=NOW))
            text = exports[-1]
            assert loader(text).changes == 0
            database.close()

    assert exports[0] == exports[1]


def test_an_export_holds_what_was_done_in_chat_and_not_what_is_over(loads):
    loads(REGISTER)
    loads.change(GRANTS, revoked_at=NOW)

    text = export(loads.database, loads.keyring, now=NOW)

    assert "[[account.grant]]" not in text
    assert 'niss = "79.08.23-997.28"' in text
    assert loads.rows(ASSIGNMENTS) == []
    assert len(loads.rows(QUALITIES)) == 4


def test_an_export_without_numbers_holds_none_and_keeps_those_of_the_register(loads):
    loads(REGISTER)
    text = export(loads.database, loads.keyring, numbers=False, now=NOW)

    assert "niss" not in text
    assert loads(text).changes == 0
    assert len(loads.rows(NUMBERS)) == 3


def test_an_export_is_in_the_audit_trail(loads):
    loads(REGISTER)
    export(loads.database, loads.keyring, now=NOW)
    export(loads.database, loads.keyring, numbers=False, now=NOW)

    entries = core(AuditEntry)
    rows = loads.rows(entries, act="register.export")
    assert [row.body for row in sorted(rows, key=lambda row: row.seq)] == [
        {"numbers": True},
        {"numbers": False},
    ]
    with loads.database.read() as connection:
        assert verify(connection, loads.keyring).broken is None


def test_what_was_done_in_chat_goes_through_an_export_into_an_empty_register(database, keyring, tmp_path):
    register = Register(database, keyring, tmp_path)
    for request in (
        register.welcome(
            "colindos",
            profession="collaborator-physician",
            function=FUNCTION,
            starts_on=TODAY,
            ends_on=TODAY + timedelta(days=30),
        ),
        register.grant("peeters", "colindos", profession="specialist-physician"),
        register.grant("peeters2", "hospiliss"),
    ):
        assert isinstance(register.does("delcourt", request), Done)
    with (
        database.write() as connection
    ):  # what a user may come to: deleted, in a ward that was closed, and answering for another
        ward = register.subdivision["Cardiologie"]
        connection.execute(update(SUBDIVISIONS).where(SUBDIVISIONS.c.id == ward).values(closed_at=NOW))
        connection.execute(update(ASSIGNMENTS).values(responsible_id=register.account["kaai"]))
        gone = ACCOUNTS.c.id == register.account["kaai"]
        connection.execute(update(ACCOUNTS).where(gone).values(status="deleted"))

    text = export(database, keyring, now=NOW)

    assert (
        Loader(database, keyring, tmp_path)(text).changes <= 2
    )  # the ward opens, and nobody answers any more
    another = databases.sqlite(tmp_path) if database.sqlite else databases.postgres()
    with another as url:
        empty = Database(url)
        Loader(empty, keyring, tmp_path)(text)
        assert export(empty, keyring, now=NOW) == text
        empty.close()
    assert "01.09.22-997.08" in text
    assert 'within = "Cardiologie"' in text
