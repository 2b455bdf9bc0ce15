"""A list of users as a document: CSV as a Belgian Excel opens it, or a real XLSX; in the manager's language.

Nothing is written to a disk: what stands in such a document is nobody else's affair. `Sheets` makes what rows of the
outbox ask for, in a thread, and may be asked again where Telegram's answer was lost.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter

from bot import clock
from bot.access import exporting
from bot.access.exporting import COLUMNS, Line, Reading
from bot.access.reach import Reach
from bot.access.rows import catalogue_of
from bot.access.sessions import SessionRules
from bot.access.standing import session_of
from bot.access.views import UserFilter
from bot.errors import NotAllowed
from bot.handlers.ports import Document, Mail
from bot.i18n import Speaker, speaker
from bot.msg import m
from bot.store.database import Database
from bot.store.keys import Keyring

Cell = str | date
HEADS = {"functions": m("sheet.functions"), "end": m("sheet.end")}
STARTS_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""A cell that begins so would be worked out by a spreadsheet (`security.md`)."""
NARROW, WIDE = 10, 48
"""The width of a column, in characters."""


class Sheets:
    """Implements `handlers.ports.Documents` over the register."""

    def __init__(self, database: Database, keyring: Keyring, rules: SessionRules) -> None:
        self._database, self._keyring, self._rules = database, keyring, rules

    def make(self, mail: Mail) -> Document | None:
        """The document, as the register is now; None where the session or the right of whoever asked is over."""
        asked, now, today = mail.payload, clock.now(), clock.today()
        with self._database.read() as connection:
            session = session_of(connection, asked["telegram_id"], now, self._rules)
            if session is None or session.locked or session.identity != asked["identity"]:
                return None
            reach = Reach(connection, session, today)
            try:
                exporting.require(reach, asked["entity"], numbers=asked["numbers"])
            except NotAllowed:
                return None
            reading = Reading(
                connection, self._keyring, reach, catalogue_of(connection), today=today, now=now
            )
            wanted = UserFilter(**asked["wanted"])
            most = exporting.MOST[asked["form"]]
            lines = reading.lines(
                asked["entity"], wanted, asked["columns"], numbers=asked["numbers"], most=most
            )
            say = speaker(asked["lang"])
            head, rows = table(lines, COLUMNS[asked["columns"]], say)
        if len(rows) != asked["people"]:
            with self._database.write() as connection:
                exporting.counted_anew(connection, self._keyring, asked, len(rows), now)
        content = as_xlsx(head, rows, say) if asked["form"] == "xlsx" else as_csv(head, rows)
        name = f"{say.plain(m('sheet.name'))}-{today.isoformat()}.{asked['form']}"
        numbers = m("sheet.in_full" if asked["numbers"] else "sheet.masked")
        return Document(name, content, say.plain(m("sheet.caption", n=len(rows), numbers=numbers)))


def table(
    lines: Iterable[Line], columns: Sequence[str], say: Speaker
) -> tuple[list[str], list[tuple[Cell, ...]]]:
    """The head and the rows, in words; a day stays a day."""
    said: dict[Any, str] = {}

    def cell(value: Any) -> Cell:
        if isinstance(value, date):
            return value
        if isinstance(value, tuple):
            return ", ".join(str(cell(each)) for each in value)
        if value is None or isinstance(value, str):
            return value or ""
        if value not in said:  # the same few words in every line
            said[value] = say.plain(value)
        return said[value]

    head = [say.plain(HEADS.get(column) or m(f"field.{column}")) for column in columns]
    return head, [tuple(cell(line.cells[column]) for column in columns) for line in lines]


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """With `;` and a byte order mark, as Excel takes it in Belgium; no cell starts a formula."""
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: Cell) -> str:
    if isinstance(cell, date):
        return f"{cell:%d/%m/}{cell.year:04d}"
    return f"'{cell}" if cell.startswith(STARTS_FORMULA) else cell


def as_xlsx(head: Sequence[str], rows: Sequence[Sequence[Cell]], say: Speaker) -> bytes:
    """A table with a frozen head: texts are texts, whatever they look like, and days are days."""
    content = BytesIO()
    plain = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(content, {"in_memory": True, **plain})
    book.set_properties({"author": "", "created": clock.now().replace(tzinfo=None)})
    sheet = book.add_worksheet(say.plain(m("users.title")))
    day = book.add_format({"num_format": "dd/mm/yyyy", "align": "left"})
    widths = [len(label) + 3 for label in head]  # beside the button of the filter
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(number, column, cell, day)
            elif cell:
                sheet.write_string(number, column, cell)
                widths[column] = max(widths[column], len(cell) + 1)
    options = {
        "name": "users",
        "style": "Table Style Medium 2",
        "columns": [{"header": label} for label in head],
    }
    sheet.add_table(0, 0, max(1, len(rows)), len(head) - 1, options)
    sheet.freeze_panes(1, 0)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(max(width, NARROW), WIDE))
    book.close()
    return content.getvalue()
