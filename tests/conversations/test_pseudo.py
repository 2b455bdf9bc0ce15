"""Every letter on a screen comes from a catalogue, the register, or a person: what the walk met, drawn in a pseudo-locale."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from bot.access.activation import Notice
from bot.access.catalogue import builtin
from bot.access.names import fold
from bot.conversations.model import Button, Press, View
from bot.conversations.registry import ENGINE
from bot.conversations.testing import NOW
from bot.conversations.wire import view_from_json
from bot.handlers.callbacks import Codes
from bot.handlers.menu import COMMANDS, Menu, commands_for
from bot.handlers.render import render
from bot.i18n import CatalogueReader, speaker
from bot.msg import LANGUAGES, Texts, m
from bot.notices import tell
from bot.store import outbox
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.turning import Turning
from tests import databases, pseudo
from tests.conversations import answers, subdivisionroads, walkregisters, walks
from tests.conversations.changeroads import former
from tests.conversations.linkroads import linked
from tests.conversations.portalroads import portal_register
from tests.conversations.walking import says
from tests.handlers.telegram import FakeTelegram
from tests.test_turning import MemoryCounter

pytestmark = pytest.mark.timeout(900)
"""The first of these tests walks through everything, and a machine may be busy."""
CODES = Codes([b"k" * 32])
NOBODY: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def pseudo_locale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # before the words change: the walk types and taps those that people know
    walks.walked("fr"), register_texts(), names_and_typed()
    with pseudo.spoken(tmp_path_factory.mktemp("pseudo")):
        yield


@cache
def register_texts() -> frozenset[Texts]:
    """What the register and the catalogue of applications say in four languages."""
    catalogue, directory = builtin(), walkregisters.register()
    found = [quality.label for quality in catalogue.qualities]
    found += [text for function in catalogue.functions for text in (function.label, function.short)]
    found += [a.name for a in catalogue.applications if isinstance(a.name, Texts)]
    found += [application.description for application in catalogue.applications]
    return frozenset([*found, *(place.name for place in directory.places)])


@cache
def names_and_typed() -> frozenset[str]:
    """The words of people's names, of applications that have one name only, and of what the walk types."""
    directory = walkregisters.register()
    cards = [
        card
        for each in (
            directory,
            portal_register(),
            linked(walkregisters.register()),
            former(walkregisters.register()),
        )
        for card in each.cards.values()
    ]
    refs = [card.ref for card in cards]
    texts = [text for ref in refs for text in (ref.name, ref.username, ref.subdivision)]
    texts += [card.email for card in cards]
    texts += [change.author for change in directory.changes.values()]
    texts += [a.name for a in builtin().applications if isinstance(a.name, str)]
    texts += ["CN Essai CA", *(f"{byte:02X}" for byte in range(256))]  # a certificate's names and fingerprint
    typed = (*answers.VALID, *answers.WRONG.values(), *answers.NEW, *subdivisionroads.WORDS)
    texts += [*typed, *(text[:cut] for text in typed for cut in (20, 60)), "Anne Delcourt", "CSAM"]
    return pseudo.words_of(texts)


def proposed(word: str, known: frozenset[str]) -> bool:
    """Whether this is a user name made of the beginnings of two names."""
    folded = {fold(each) for each in known}
    return word.isascii() and any(
        all(any(each.startswith(part) for each in folded) for part in (word[:at], word[at:]))
        for at in range(1, len(word))
    )


@cache
def views() -> tuple[View, ...]:
    """Of the views that the walk met, in its order, those that say something new."""
    said: set[object] = set()
    found = []
    for view in walks.walked("fr").views:
        new = {*says(view), view.mark, *(button.mark for button in view.buttons())} - said
        if new:
            said |= new
            found.append(view)
    return tuple(found)


def shown(view: View, lang: str) -> Iterator[str]:
    """All that a person reads of a view."""
    drawn = render(view, lang=lang, chat_id=1, rev=1, codes=CODES)
    yield drawn.plain
    for row in drawn.keyboard:
        yield from (button["text"] for button in row)


@pytest.mark.usefixtures("pseudo_locale")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_letter_of_every_screen_is_the_catalogues_the_registers_or_a_persons(lang: str) -> None:
    known, register = names_and_typed(), register_texts()
    strays = {
        word: pseudo.back(text)
        for view in views()
        for text in shown(pseudo.with_register_moved(view, register), lang)
        for word in pseudo.strays(text, known)
        if not proposed(word, known)
    }
    assert strays == {}


@pytest.mark.usefixtures("pseudo_locale")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_letter_of_a_toast_is_the_catalogues_or_a_persons(lang: str) -> None:
    moved = [
        pseudo.with_register_moved(View(title=msg), register_texts()) for msg in walks.walked("fr").toasts
    ]
    toasts = [speaker(lang).plain(view.title) for view in moved if view.title]
    assert toasts
    assert [word for text in toasts for word in pseudo.strays(text, names_and_typed())] == []


@pytest.mark.usefixtures("pseudo_locale")
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_menus_and_the_profile_are_the_catalogues(lang: str) -> None:
    telegram = FakeTelegram()
    await Menu(telegram).publish()
    profile = [telegram.settings[what, lang] for what in ("MyDescription", "MyShortDescription")]
    texts = [text for each in profile for text in each.values()]
    for known in (True, False):
        texts += [command["description"] for command in commands_for(lang, known=known)]
    await telegram.close()
    assert len(texts) > len(COMMANDS)
    assert [word for text in texts for word in pseudo.strays(text, NOBODY)] == []


@pytest.mark.usefixtures("pseudo_locale")
def test_what_comes_by_itself_is_the_catalogues(tmp_path_factory: pytest.TempPathFactory) -> None:
    keyring = Keyring({1: bytes(range(32))})
    with databases.sqlite(tmp_path_factory.mktemp("data")) as url:
        database = Database(url)
        Turning(database, keyring, ENGINE, MemoryCounter(), CatalogueReader).apologise(7, 70)
        with database.write() as connection:
            tell(connection, keyring, Notice("2026-000123", (7,)), NOW)
            tell(connection, keyring, Notice("c0001", (7,), "certificate", round="30:30"), NOW)
        with database.write() as connection:
            mails = outbox.take(connection, keyring, NOW.replace(year=2090), limit=9)
        database.close()
    views = [view_from_json(mail.payload["view"]) for mail in mails]
    texts = [text for view in views for text in shown(view, "fr")]
    assert len(views) == 3
    # a reference of an apology is four hexadecimal digits
    references = [mail.payload["view"] for mail in mails]
    known = pseudo.words_of(part for each in references for part in hexadecimals(str(each)))
    assert [word for text in texts for word in pseudo.strays(text, known)] == []


def hexadecimals(text: str) -> list[str]:
    return [part for part in text.replace("'", " ").split() if len(part) == 4 and part.isupper()]


@pytest.mark.usefixtures("pseudo_locale")
@pytest.mark.parametrize(
    "view",
    [
        View(title="Bonjour"),
        View(body=(m("entity.label", name="Clinique", number="7"),)),
        View(body=(Texts(fr="Hôpital inconnu", nl="Hôpital inconnu"),)),
        View(body=(m("home.how"),), facts=((m("field.person"), "unknown"),)),
        View(body=(m("home.how"),), rows=((Button("Fermer", Press("ok")),),)),
    ],
    ids=["a title", "a name in a sentence", "a text of no register", "a fact", "a label"],
)
def test_a_text_written_into_the_program_would_be_found(view: View) -> None:
    texts = list(shown(pseudo.with_register_moved(view, register_texts()), "fr"))
    assert [word for text in texts for word in pseudo.strays(text, names_and_typed())] != []


@pytest.mark.usefixtures("pseudo_locale")
def test_the_pseudo_locale_moves_letters_and_nothing_else() -> None:
    said = speaker("fr").plain(m("common.resume", what=m("grant.title")))
    assert [chr(ord(char) - pseudo.CATALOGUE) if char >= "\ue000" else char for char in said] == list(
        "Reprendre\N{NO-BREAK SPACE}: Donner un accès"
    )
