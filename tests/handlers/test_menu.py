import pytest
from bot.conversations.model import Redraw
from bot.handlers.gateway import Trouble
from bot.handlers.menu import COMMANDS, Menu, commands_for
from bot.i18n import speaker
from bot.msg import LANGUAGES, m
from bot.turn import Handled, Incoming
from tests.handlers.telegram import FakeTelegram

ANNE = 5_000_000_001


@pytest.fixture
async def telegram():
    telegram = FakeTelegram()
    yield telegram
    await telegram.close()


def came(lang):
    return Incoming(1, ANNE, ANNE, Redraw(), lang=lang)


def done(lang, known=True):
    return Handled(ANNE, lang, repeated=False, toast=None, card=None, mail=False, known=known)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_command_and_description_fits_telegrams_limits(lang):
    assert [command["command"] for command in commands_for(lang)] == list(COMMANDS)
    assert all(1 <= len(command["description"]) <= 256 for command in commands_for(lang))
    assert len(speaker(lang).plain(m("bot.description"))) <= 512
    assert len(speaker(lang).plain(m("bot.short_description"))) <= 120


def test_a_stranger_is_offered_nothing_that_is_not_for_him():
    assert [command["command"] for command in commands_for("de", known=False)] == [
        "start",
        "language",
        "help",
        "privacy",
    ]


async def test_menus_and_profile_are_published_in_every_language_and_written_once(telegram):
    await Menu(telegram).publish()
    for lang in (None, *LANGUAGES):
        assert telegram.settings["MyCommands", lang] == commands_for(lang or "en", known=False)
        assert telegram.settings["MyDescription", lang] == {
            "description": speaker(lang or "en").plain(m("bot.description"))
        }
    written = [method for method, _ in telegram.calls if method.startswith("set")]
    assert len(written) == 16
    telegram.settings["ChatMenuButton", None] = {"type": "commands"}
    telegram.calls.clear()
    await Menu(telegram).publish()
    assert [method for method, _ in telegram.calls if method.startswith("set")] == []


async def test_without_its_menu_the_bot_still_starts(telegram):
    telegram.fail("getMyCommands", Trouble.UNAUTHORIZED)
    await Menu(telegram).publish()


async def test_a_chat_that_speaks_another_language_than_its_client_has_a_menu_of_its_own(telegram):
    menu = Menu(telegram)
    for client, chosen in [("fr", "fr"), ("fr", "nl"), ("fr", "nl"), ("fr", "fr")]:
        await menu.follow(came(client), done(chosen, known=False))
    written = [(given["scope"], given["commands"]) for _, given in telegram.calls]
    scope = {"type": "chat", "chat_id": ANNE}
    assert written == [(scope, commands_for("nl", known=False)), (scope, commands_for("fr", known=False))]


async def test_who_is_known_gets_all_commands_in_his_own_chat_once(telegram):
    menu = Menu(telegram)
    for known in (False, True, True, None, False):
        await menu.follow(came("fr"), done("fr", known))
    written = [given["commands"] for _, given in telegram.calls]
    assert written == [commands_for("fr"), commands_for("fr", known=False)]
