"""The walk over every dialogue, in each language: fails on a text that is missing, a label over its limit, markup that
Telegram would refuse, a question, page or text that was never reached, and a label that does less typed than tapped.

Screens are drawn as the edge draws them and read as the local Bot API reads them, which is as strict as Telegram.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from bot.conversations.model import Button, Link, View
from bot.conversations.registry import FLOWS
from bot.demo.formatting import formatted
from bot.demo.keyboards import checked_markup
from bot.handlers.callbacks import Codes
from bot.handlers.render import label_faults, render, units
from bot.i18n import speaker
from bot.msg import LANGUAGES, Msg, m
from tests.conversations.walking import FIRST, says
from tests.conversations.walks import walked
from tests.texts import entries

CODES = Codes([b"k" * 32])
CHAT, REV = 9_999_999_999, 10**9
"""As long as they come, for the codes of the buttons have a limit too."""
LIMITS = {1: 34, 2: 15}
"""UTF-16 units of a label by buttons in its row: a full row, half of one; a calendar's head has 14 (septembre 2026)."""


pytestmark = pytest.mark.timeout(900)
"""The first of these tests walks through everything, and a machine may be busy."""
each_language = pytest.mark.parametrize("lang", LANGUAGES)


def drawn_faults(view: View, lang: str) -> list[str]:
    """Why Telegram or a narrow telephone would not show this screen whole; raises what Telegram would answer."""
    drawn = render(view, lang=lang, chat_id=CHAT, rev=REV, codes=CODES)
    if drawn.text:
        text, _ = formatted(drawn.text, "HTML", None)
        assert units(text) <= drawn.length
    checked_markup({"inline_keyboard": drawn.keyboard}, private=True)
    faults = list(label_faults(view, lang))
    for row, shown in zip(view.rows, drawn.keyboard, strict=True):
        limit = LIMITS.get(len(row), 14)
        for button, text in zip(row, (each["text"] for each in shown), strict=True):
            # fixed words may have an ornament beside them; a name gives way to it
            words = text if text.endswith("…") else text.removeprefix(button.mark).lstrip()
            if units(words) > limit:
                faults.append(f"{lang}: '{text}' is over {limit} in a row of {len(row)}")
    return faults


LONG = 1500
"""UTF-16 units from which a screen is drawn in every language, whatever it says: Telegram takes 4,096."""


@cache
def long_views() -> frozenset[View]:
    """The screens that are long in the first language."""
    return frozenset(
        view
        for view in walked(FIRST).views
        if render(view, lang=FIRST, chat_id=CHAT, rev=REV, codes=CODES).length > LONG
    )


def worth_drawing(lang: str) -> Iterator[View]:
    """All screens in the first language; in another those with something said, or a row of buttons, that no earlier one had."""
    known: set[object] = set()
    for view in walked(lang).views:
        rows = [tuple((button.label, button.mark) for button in row) for row in view.rows]
        new = {*says(view), *rows} - known
        known |= new
        if new or lang == FIRST or view in long_views():
            yield view


@each_language
def test_every_screen_can_be_shown_and_every_label_fits(lang: str) -> None:
    faults = {fault for view in worth_drawing(lang) for fault in drawn_faults(view, lang)}
    faults |= {
        f"{lang}: an alert takes 200 characters: {msg.key}"
        for msg in walked(lang).toasts
        if units(speaker(lang).plain(msg)) > 200
    }
    assert faults == set()


NEVER = {
    ("language", "leaving"): "its one answer ends it",
    ("language", "again"): "its one answer ends it",
    ("link", "leaving"): "nothing is typed in it",
    ("lock", "leaving"): "it asks nothing",
    ("lock", "again"): "it asks nothing",
}
"""Interludes that a dialogue cannot come to."""


@each_language
def test_every_question_page_and_interlude_was_reached(lang: str) -> None:
    wanted = {(flow.key, step.key) for flow in FLOWS.values() for step in flow.steps}
    for flow in FLOWS.values():
        kinds = ["page"] if flow.page else ["leaving"]
        kinds += ["again"] if flow.submit and not flow.restarts else []
        kinds += ["recap", "fixing"] if flow.submit and flow.recap else []
        kinds += ["receipt"] if flow.receipt else []
        wanted |= {(flow.key, kind) for kind in kinds}
    # a query, or where a list is looked at, comes with its page; it is never asked by itself
    wanted -= {
        ("status", "query"),
        ("managers", "see"),
        ("subdivisions", "see"),
        ("certificates", "see"),
        *NEVER,
    }
    wanted -= {("certificate", key) for key in ("issuer", "validity", "fingerprint")}  # read from the file
    assert wanted - walked(lang).places == set()
    assert NEVER.keys() & walked(lang).places == set()


UNMET = {
    "bot.": "the bot's profile",
    "command.": "the menu",
    "card.": "written by the drawing of a card",
    "notice.": "laid in the outbox by the worker",
    "turn.": "laid in the outbox when a turn fails",
    "demo.": "the page of the local Bot API",
    "enterprise.": "the register file's numbers, not asked in a chat so far",
    "establishment.": "the register file's numbers, not asked in a chat so far",
    "nihii.": "the register file's numbers, not asked in a chat so far",
    "password.": "the private page",
    "letter.": "written by the postman",
    "sheet.": "written into documents, and beside them, by the outbox",
    "login.": "the private page",
    "bind.": "the private page",
    "web.": "the private page",
    "lock.no_pages": "said by the register where there are no private pages",
    "span.hours": "said where a setting is in whole hours; see `test_spans.py`",
    "engine.gone": "a dialogue that an update has taken away; see `test_rooms.py`",
    "role.user": "the long name of a role, not shown so far",
    "functions.responsible": "no application that is built in needs a responsible; see test_functions.py",
    "links.missing": "no function or application that is built in needs a responsible; see test_hierarchy.py",
    "links.unled": "the same",
    "links.unled_in": "the same",
    "links.unled_many": "the same",
    "links.unled_what": "the same",
    "links.loses_access": "no application that is built in needs a responsible; see test_hierarchy.py",
    "assign.for_none": "every function that is built in is needed by an application; see test_functions.py",
    "users.too_many": "two hundred taps; see `test_users.py`",
}
"""Keys, or families of keys, that no dialogue says, and why. All of them are checked as texts in `test_catalogues.py`."""


@each_language
def test_every_text_of_the_dialogues_was_met(lang: str) -> None:
    met = walked(lang).keys()
    exempt = tuple(key for key in UNMET if key.endswith("."))
    unmet = {key for key in entries(lang) if key not in met and not key.startswith(exempt)}
    assert unmet == {key for key in UNMET if not key.endswith(".")}
    assert {key for key in met if key.startswith(exempt)} == set()


@each_language
def test_a_label_typed_does_what_it_does_tapped(lang: str) -> None:
    assert walked(lang).mistyped == []


def test_the_walk_would_notice_a_label_that_does_not_fit() -> None:
    row = (
        Button(m("command.status"), Link("https://example.org/")),
        Button("x", Link("https://example.org/")),
    )
    assert drawn_faults(View(body=("x",), rows=(row,)), "fr") != []


def test_the_walk_would_notice_a_missing_text() -> None:
    with pytest.raises(KeyError, match=r"fr: no\.such_key"):
        drawn_faults(View(body=(Msg("no.such_key"),)), "fr")
