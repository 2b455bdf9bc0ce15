"""The unmodified python-telegram-bot against the local Bot API, method by method."""

import asyncio

import pytest
from bot.demo.testing import running_server
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MenuButtonCommands,
    MenuButtonWebApp,
    ReplyParameters,
    WebAppInfo,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut
from tests.handlers.fakes import eventually

PIXEL = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x08\x08\x02"


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture
async def bot(server):
    async with Bot(server.token, base_url=server.base_url, base_file_url=server.base_file_url) as bot:
        yield bot


@pytest.fixture
def anne(server):
    person = server.person("Anne", "Peeters", language="nl", number=600)
    person.starts()
    return person


async def drained(bot: Bot) -> int:
    """The next offset, with nothing left before it."""
    updates = await bot.get_updates(timeout=0)
    offset = updates[-1].update_id + 1 if updates else 0
    await bot.get_updates(offset=offset, timeout=0)
    return offset


async def test_the_bot_knows_itself(bot):
    me = await bot.get_me()

    assert (me.is_bot, me.username) == (True, "accessbot_demo_bot")


async def test_a_message_with_a_keyboard_arrives(bot, anne):
    keyboard = InlineKeyboardMarkup(
        [
            [InlineKeyboardButton("Confirmer", callback_data="c")],
            [InlineKeyboardButton("Copier", copy_text=CopyTextButton("2026-000123"))],
            [InlineKeyboardButton("En privé", web_app=WebAppInfo("http://127.0.0.1:8080/p"))],
        ]
    )
    options = LinkPreviewOptions(is_disabled=True)
    message = await bot.send_message(
        anne.id,
        "<b>Bonjour</b>",
        "HTML",
        reply_markup=keyboard,
        link_preview_options=options,
        protect_content=True,
    )

    seen = anne.chat[-1]
    assert (message.message_id, "Bonjour", ["Bonjour"]) == (seen.id, seen.text, seen.marked("bold"))
    assert seen.labels == ["Confirmer", "Copier", "En privé"]
    assert message.reply_markup == keyboard


async def test_a_message_is_edited_and_deleted(bot, anne):
    message = await bot.send_message(anne.id, "a")
    edited = await bot.edit_message_text("b", anne.id, message.message_id)
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x")]])
    await bot.edit_message_reply_markup(anne.id, message.message_id, reply_markup=keyboard)

    assert (anne.chat[-1].text, anne.chat[-1].labels, edited.edit_date is not None) == ("b", ["x"], True)
    assert await bot.delete_message(anne.id, message.message_id)
    assert message.message_id not in [seen.id for seen in anne.chat]


async def test_a_reply_quotes_what_it_answers(bot, anne):
    asked = anne.says("?")
    message = await bot.send_message(
        anne.id, "!", reply_parameters=ReplyParameters(asked), reply_markup=ForceReply()
    )

    assert asked == message.reply_to_message.message_id


async def test_a_document_goes_up_and_comes_down(bot, server, anne):
    message = await bot.send_document(
        anne.id, b"a;b\n", filename="été.csv", caption="<i>Liste</i>", parse_mode="HTML"
    )
    file = await bot.get_file(message.document.file_id)

    assert (bytes(await file.download_as_bytearray()), message.document.file_name) == (b"a;b\n", "été.csv")
    assert anne.document(anne.chat[-1]) == b"a;b\n"
    again = await bot.send_document(anne.id, message.document.file_id)
    assert message.document.file_unique_id == again.document.file_unique_id


async def test_a_persons_document_reaches_the_bot(bot, anne):
    offset = await drained(bot)
    anne.sends_document("people.csv", b"x", "text/csv")
    (update,) = await bot.get_updates(offset=offset, timeout=5)
    file = await update.message.document.get_file()

    assert (
        update.message.document.file_name,
        bytes(await file.download_as_bytearray()),
    ) == ("people.csv", b"x")


async def test_a_picture_has_its_size(bot, anne):
    message = await bot.send_photo(anne.id, PIXEL, caption="chart")

    assert (message.photo[-1].width, message.photo[-1].height) == (16, 8)


async def test_a_tap_reaches_the_bot_and_is_answered_once(bot, anne):
    offset = await drained(bot)
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("✔ Confirmer", callback_data="c")]])
    await bot.send_message(anne.id, "?", reply_markup=keyboard)
    await asyncio.to_thread(anne.taps, "Confirmer")
    (update,) = await bot.get_updates(offset=offset, timeout=5)
    query = update.callback_query
    await query.answer("fait", show_alert=True)

    assert ("c", anne.id, ["fait"]) == (query.data, query.from_user.id, anne.alerts[-1:])
    with pytest.raises(
        BadRequest, match=r"(?i)query is too old and response timeout expired or query id is invalid"
    ):
        await query.answer()


async def test_a_forged_tap_on_a_message_that_is_gone_still_arrives(bot, anne):
    offset = await drained(bot)
    anne.taps_code("forged", message=999_999)
    (update,) = await bot.get_updates(offset=offset, timeout=5)

    assert (update.callback_query.data, update.callback_query.message.date.timestamp()) == ("forged", 0)


async def test_a_start_carries_the_code_of_its_link(bot, anne):
    offset = await drained(bot)
    anne.starts("ABC-123")
    (update,) = await bot.get_updates(offset=offset, timeout=5)

    assert (
        update.message.text,
        update.effective_user.language_code,
        update.message.entities[0].type,
    ) == ("/start ABC-123", "nl", "bot_command")


async def test_edits_forwards_and_blocks_arrive_as_what_they_are(bot, anne):
    offset = await drained(bot)
    number = anne.says("a", forwarded_from="Somebody")
    anne.edits(number, "b")
    anne.blocks()
    anne.unblocks()
    updates = await bot.get_updates(offset=offset, timeout=5)

    assert updates[0].message.forward_origin.sender_user_name == "Somebody"
    assert updates[1].edited_message.text == "b"
    assert [update.my_chat_member.new_chat_member.status for update in updates[2:]] == ["kicked", "member"]


async def test_typing_is_seen_until_the_next_message(bot, anne):
    await bot.send_chat_action(anne.id, "typing")
    before = anne.typing
    await bot.send_message(anne.id, "x")

    assert (before, anne.typing) == (True, False)


async def test_commands_resolve_by_scope_before_language(bot, anne):
    await bot.set_my_commands([BotCommand("a", "default")])
    await bot.set_my_commands([BotCommand("a", "default nl")], language_code="nl")
    assert anne.commands == ["a: default nl"]
    await bot.set_my_commands([BotCommand("b", "private")], BotCommandScopeAllPrivateChats())
    assert anne.commands == ["b: private"]
    await bot.set_my_commands([BotCommand("c", "chat")], BotCommandScopeChat(anne.id))
    assert anne.commands == ["c: chat"]
    await bot.delete_my_commands(BotCommandScopeChat(anne.id))
    await bot.set_my_commands(
        [BotCommand("b", "private de")], BotCommandScopeAllPrivateChats(), language_code="de"
    )
    anne.speaks("de")
    assert anne.commands == ["b: private de"]
    assert (BotCommand("a", "default nl"),) == await bot.get_my_commands(language_code="nl")
    anne.speaks("nl")


async def test_what_the_bot_says_of_itself_has_languages(bot, server, anne):
    await bot.set_my_name("Toegang", language_code="nl")
    await bot.set_my_description("Wat dit is", language_code="nl")
    await bot.set_my_short_description("Kort")

    facts = server.http.get(f"/client/people/{anne.id}/chat").json()["bot"]
    assert (
        facts["first_name"],
        facts["description"],
        facts["short_description"],
    ) == ("Toegang", "Wat dit is", "Kort")
    assert (await bot.get_my_name()).name == "Access assistant"
    assert (await bot.get_my_description("nl")).description == "Wat dit is"
    assert (await bot.get_my_short_description()).short_description == "Kort"


async def test_the_menu_button_is_set_for_all_or_for_one(bot, anne):
    await bot.set_chat_menu_button(anne.id, MenuButtonWebApp("Privé", WebAppInfo("https://example.be/app")))

    assert (await bot.get_chat_menu_button(anne.id)).text == "Privé"
    assert MenuButtonCommands() == await bot.get_chat_menu_button()


async def test_a_chat_can_be_looked_up(bot, anne):
    assert (await bot.get_chat(anne.id)).first_name == "Anne"


async def test_injected_updates_of_any_kind_arrive(bot, server):
    offset = await drained(bot)
    person = {"id": 9, "is_bot": False, "first_name": "X"}
    group = {"id": -5, "type": "group", "title": "G"}
    query = {"id": "1", "from": person, "query": "abc", "offset": ""}
    server.inject({"message": {"message_id": 3, "date": 1, "chat": group, "from": person, "text": "hi"}})
    server.inject({"inline_query": query})
    server.inject(
        {
            "channel_post": {
                "message_id": 4,
                "date": 1,
                "chat": {"id": -6, "type": "channel", "title": "C"},
                "text": "t",
            }
        }
    )
    updates = await bot.get_updates(offset=offset, timeout=5)

    assert (
        updates[0].effective_chat.id,
        updates[1].inline_query.query,
        updates[2].channel_post.chat.id,
    ) == (-5, "abc", -6)


async def test_a_wrong_token_is_invalid(server):
    wrong = Bot("1:wrong", base_url=server.base_url)
    with pytest.raises(InvalidToken):
        await wrong.initialize()
    await wrong.shutdown()


async def test_the_librarys_errors_are_those_of_the_real_thing(bot, server, anne, monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(424242, "x")
    stranger = server.person("Nobody")
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(stranger.id, "x")
    server.state.faults.add(status=429, retry_after=7)
    with pytest.raises(RetryAfter) as refusal:
        await bot.send_message(anne.id, "x")
    assert refusal.value.retry_after.total_seconds() == 7
    server.state.faults.add(method="sendMessage", status=502)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(anne.id, "x")


async def test_an_answer_can_be_lost_after_the_message_was_taken(bot, server, anne):
    count = len(anne.chat)
    server.state.faults.add(method="sendMessage", drop="before")
    with pytest.raises(NetworkError):
        await bot.send_message(anne.id, "not taken")
    server.state.faults.add(method="sendMessage", drop="after")
    with pytest.raises(NetworkError):
        await bot.send_message(anne.id, "taken")

    assert [seen.text for seen in anne.chat[count:]] == ["taken"]


async def test_an_answer_can_come_too_late(bot, server, anne):
    server.state.faults.add(method="sendMessage", late=30)
    with pytest.raises(TimedOut):
        await bot.send_message(anne.id, "late", read_timeout=0.2)

    assert anne.chat[-1].text == "late"


async def test_bad_weather_by_chance_is_the_same_with_the_same_seed(server, bot, anne):
    async def outcomes() -> list[bool]:
        server.state.faults.clear()
        server.http.post("/client/faults", json={"status": 500, "times": None, "probability": 0.5, "seed": 3})
        result = []
        for _ in range(12):
            try:
                result.append(bool(await bot.send_message(anne.id, "x")))
            except NetworkError:
                result.append(False)
        server.http.delete("/client/faults")
        return result

    first = await outcomes()
    assert first == await outcomes()
    assert {True, False} == set(first)


async def test_a_second_poller_ends_the_first(bot, server):
    offset = await drained(bot)
    async with Bot(server.token, base_url=server.base_url) as other:
        first = asyncio.create_task(bot.get_updates(offset=offset, timeout=20))
        await eventually(lambda: server.state.updates._poll)
        second = asyncio.create_task(other.get_updates(offset=offset, timeout=1))
        with pytest.raises(
            Conflict, match="terminated by other getUpdates request; make sure that only one bot"
        ):
            await first
        assert await second == ()
