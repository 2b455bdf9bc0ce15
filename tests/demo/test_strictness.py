"""What Telegram refuses, the local Bot API refuses with the same words: one table of cases."""

from typing import Any

import httpx
import pytest
from bot.demo.testing import Person, RunningServer, running_server

STRANGER = 999_999


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def anne(server: RunningServer) -> Person:
    person = server.person("Anne", number=500)
    person.starts()
    return person


def call(server: RunningServer, method: str, params: dict[str, Any]) -> httpx.Response:
    return server.http.post(f"/bot{server.token}/{method}", json=params)


def button(**fields: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "ok", **fields}]]}


def entity(**fields: Any) -> list[dict[str, Any]]:
    return [{"type": "bold", "offset": 0, "length": 1, **fields}]


SEND: list[tuple[str, dict[str, Any], str]] = [
    ("no text", {"text": None}, "message text is empty"),
    ("an empty text", {"text": ""}, "message text is empty"),
    ("spaces only", {"text": "   "}, "text must be non-empty"),
    ("markup without text", {"text": "<b></b>", "parse_mode": "HTML"}, "text must be non-empty"),
    ("4097 characters", {"text": "x" * 4097}, "message is too long"),
    ("4097 UTF-16 units", {"text": "😀" * 2048 + "x"}, "message is too long"),
    ("no chat", {"chat_id": ""}, "chat_id is empty"),
    ("an unknown chat", {"chat_id": STRANGER}, "chat not found"),
    ("a name for a chat", {"chat_id": "@nobody"}, "chat not found"),
    ("an unknown parse mode", {"parse_mode": "BBCode"}, "unsupported parse_mode"),
    (
        "an open tag",
        {"text": "<b>x", "parse_mode": "HTML"},
        "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
    ),
    (
        "a foreign tag, its place in bytes",
        {"text": "é<br>", "parse_mode": "HTML"},
        'can\'t parse entities: Unsupported start tag "br" at byte offset 2',
    ),
    (
        "crossed tags",
        {"text": "<b><i>test</b></i>", "parse_mode": "HTML"},
        'can\'t parse entities: Unmatched end tag at byte offset 10, expected "</i>", found "</b>"',
    ),
    (
        "an end without a start",
        {"text": "a</b>", "parse_mode": "HTML"},
        "can't parse entities: Unexpected end tag at byte offset 1",
    ),
    (
        "a bare less-than",
        {"text": "1 < 2", "parse_mode": "HTML"},
        'can\'t parse entities: Unsupported start tag "" at byte offset 2',
    ),
    (
        "a reserved character",
        {"text": "hello.", "parse_mode": "MarkdownV2"},
        "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    ),
    (
        "an open mark",
        {"text": "*bold _italic\\_*", "parse_mode": "MarkdownV2"},
        "can't parse entities: Can't find end of Bold entity at byte offset 15",
    ),
    (
        "an open old mark",
        {"text": "*unclosed", "parse_mode": "Markdown"},
        "can't parse entities: Can't find end of the entity starting at byte offset 0",
    ),
    (
        "an entity of no type",
        {"entities": entity(type="loud")},
        "can't parse MessageEntity: Unsupported type specified",
    ),
    (
        "an entity before the text",
        {"entities": entity(offset=-1)},
        "receive an entity with incorrect offset -1",
    ),
    (
        "an entity after the text",
        {"entities": entity(offset=100)},
        "entity begins after the end of the text at UTF-16 offset 100",
    ),
    (
        "an entity over the end",
        {"entities": entity(length=100)},
        "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 100",
    ),
    (
        "a link without address",
        {"entities": entity(type="text_link", url="")},
        "entity URL '' is invalid: URL host is empty",
    ),
    (
        "65 bytes of callback data",
        {"reply_markup": button(callback_data="é" * 32 + "x")},
        "BUTTON_DATA_INVALID",
    ),
    (
        "empty callback data",
        {"reply_markup": button(callback_data="")},
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    (
        "two actions on a button",
        {"reply_markup": button(callback_data="a", url="https://example.be")},
        "can't parse inline keyboard button: exactly one of the optional fields must be used",
    ),
    (
        "a button without text",
        {"reply_markup": {"inline_keyboard": [[{"callback_data": "a"}]]}},
        "can't parse inline keyboard button: Can't find field \"text\"",
    ),
    (
        "a blank button",
        {"reply_markup": button(text=" ", callback_data="a")},
        "inline keyboard button text must be non-empty",
    ),
    (
        "a button to nowhere",
        {"reply_markup": button(url="not-a-url")},
        "inline keyboard button URL 'not-a-url' is invalid: Wrong HTTP URL",
    ),
    (
        "a button to a foreign protocol",
        {"reply_markup": button(url="ftp://example.com")},
        "inline keyboard button URL 'ftp://example.com' is invalid: Unsupported URL protocol",
    ),
    (
        "a Mini App over http",
        {"reply_markup": button(web_app={"url": "http://example.com"})},
        "inline keyboard button Web App URL 'http://example.com' is invalid: Only HTTPS links are allowed",
    ),
    (
        "257 characters to copy",
        {"reply_markup": button(copy_text={"text": "x" * 257})},
        "BUTTON_COPY_TEXT_INVALID",
    ),
    ("nothing to copy", {"reply_markup": button(copy_text={"text": ""})}, "BUTTON_COPY_TEXT_INVALID"),
    ("a pay button", {"reply_markup": button(pay=True)}, "BUTTON_TYPE_INVALID"),
    (
        "101 buttons",
        {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]] * 101}},
        "REPLY_MARKUP_TOO_LONG",
    ),
    (
        "rows that are none",
        {"reply_markup": {"inline_keyboard": "bad"}},
        'field "inline_keyboard" must be of type Array',
    ),
    (
        "a flag that is none",
        {"reply_markup": {"force_reply": "yes"}},
        'field "force_reply" must be of type Boolean',
    ),
    ("markup that is none", {"reply_markup": [1]}, "object expected as reply markup"),
    ("a reply to nothing", {"reply_parameters": {"message_id": STRANGER}}, "message to be replied not found"),
    ("a reply without number", {"reply_parameters": {"quote": "x"}}, 'can\'t find field "message_id"'),
    (
        "a preview flag that is none",
        {"link_preview_options": {"is_disabled": "yes"}},
        'field "is_disabled" must be of type Boolean',
    ),
]


@pytest.mark.parametrize(("params", "why"), [case[1:] for case in SEND], ids=[case[0] for case in SEND])
def test_a_message_is_refused_with_telegrams_words(server, anne, params, why):
    answer = call(server, "sendMessage", {"chat_id": anne.id, "text": "text", **params})

    assert (400, {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"}) == (
        answer.status_code,
        answer.json(),
    )


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("4096 UTF-16 units after parsing", {"text": f"<b>{'😀' * 2048}</b>", "parse_mode": "HTML"}),
    ("64 bytes of callback data", {"reply_markup": button(callback_data="é" * 32)}),
    ("100 buttons", {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]] * 100}}),
    (
        "nine buttons in a row",
        {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 9]}},
    ),
    ("256 characters to copy", {"reply_markup": button(copy_text={"text": "x" * 256})}),
    (
        "a Mini App on this machine",
        {"reply_markup": button(web_app={"url": "http://127.0.0.1:8080/private"})},
    ),
    ("a Mini App over https", {"reply_markup": button(web_app={"url": "https://example.be/app"})}),
    ("an inline query button", {"reply_markup": button(switch_inline_query="x")}),
    (
        "a reply to nothing, if need be",
        {"reply_parameters": {"message_id": STRANGER, "allow_sending_without_reply": True}},
    ),
    ("a reply keyboard", {"reply_markup": {"keyboard": [[{"text": "A"}]], "resize_keyboard": True}}),
    ("no reply keyboard any more", {"reply_markup": {"remove_keyboard": True}}),
]


@pytest.mark.parametrize("params", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_a_message_at_the_limit_is_taken(server, anne, params):
    assert call(server, "sendMessage", {"chat_id": anne.id, "text": "text", **params}).json()["ok"] is True


@pytest.fixture
def message(server, anne) -> dict[str, Any]:
    keyboard = button(callback_data="a")
    return call(
        server,
        "sendMessage",
        {"chat_id": anne.id, "text": "<b>x</b>", "parse_mode": "HTML", "reply_markup": keyboard},
    ).json()["result"]


def edit(server, message, **params: Any) -> dict[str, Any]:
    place = {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
    return call(server, "editMessageText", {**place, **params}).json()


def test_the_same_content_is_not_an_edit(server, message):
    answer = edit(server, message, text="<b>x</b>", parse_mode="HTML", reply_markup=button(callback_data="a"))

    assert answer["description"].startswith(
        "Bad Request: message is not modified: specified new message content"
    )


@pytest.mark.parametrize(
    "change", [{"text": "x"}, {"reply_markup": button(callback_data="b")}, {"reply_markup": None}]
)
def test_another_markup_or_keyboard_is_an_edit(server, message, change):
    same = {"text": "<b>x</b>", "parse_mode": "HTML", "reply_markup": button(callback_data="a")}

    assert edit(server, message, **{**same, **change})["ok"] is True


def test_an_edit_without_keyboard_takes_the_keyboard_away(server, message):
    assert "reply_markup" not in edit(server, message, text="y")["result"]


def test_what_is_not_there_can_be_neither_edited_nor_deleted(server, anne):
    place = {"chat_id": anne.id, "message_id": STRANGER}

    assert (
        call(server, "editMessageText", {**place, "text": "x"}).json()["description"]
        == "Bad Request: message to edit not found"
    )
    assert (
        call(server, "deleteMessage", place).json()["description"]
        == "Bad Request: message to delete not found"
    )


def test_a_persons_message_can_be_deleted_but_not_edited(server, anne):
    place = {"chat_id": anne.id, "message_id": anne.says("79")}

    assert (
        call(server, "editMessageText", {**place, "text": "x"}).json()["description"]
        == "Bad Request: message can't be edited"
    )
    assert call(server, "deleteMessage", place).json() == {"ok": True, "result": True}
    assert place["message_id"] not in [seen.id for seen in anne.chat]


def test_a_message_older_than_48_hours_stays(server, message):
    place = {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
    server.levers(clock_offset=48 * 3600 + 5)
    try:
        answer = call(server, "deleteMessage", place).json()
    finally:
        server.levers(clock_offset=0)

    assert answer["description"] == "Bad Request: message can't be deleted for everyone"


def test_in_a_group_the_messages_of_others_stay(server):
    group = {"id": -1001, "type": "supergroup", "title": "Group"}
    someone = {"id": 7, "is_bot": False, "first_name": "X"}
    server.inject({"message": {"message_id": 1, "date": 1, "chat": group, "from": someone, "text": "hello"}})
    mine = call(server, "sendMessage", {"chat_id": -1001, "text": "x"}).json()["result"]

    assert (
        call(server, "deleteMessage", {"chat_id": -1001, "message_id": mine["message_id"]}).json()["ok"]
        is True
    )
    assert call(server, "leaveChat", {"chat_id": -1001}).json()["ok"] is True
    assert (
        call(server, "sendMessage", {"chat_id": -1001, "text": "x"}).json()["description"]
        == "Bad Request: chat not found"
    )


def test_several_messages_go_at_once_and_missing_ones_are_passed_over(server, anne, message):
    numbers = [message["message_id"], STRANGER]

    assert call(server, "deleteMessages", {"chat_id": anne.id, "message_ids": numbers}).json() == {
        "ok": True,
        "result": True,
    }
    assert message["message_id"] not in [seen.id for seen in anne.chat]


def test_a_tap_is_answered_once(server, anne, message):
    tap = anne.taps_code("a", message["message_id"])
    first = call(server, "answerCallbackQuery", {"callback_query_id": tap, "text": "done"})
    second = call(server, "answerCallbackQuery", {"callback_query_id": tap})

    why = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert ({"ok": True, "result": True}, why) == (first.json(), second.json()["description"])
    assert anne.toasts[-1] == "done"


def test_an_old_tap_is_not_answered_any_more(server, anne, message):
    tap = anne.taps_code("a", message["message_id"])
    server.levers(clock_offset=61)
    try:
        answer = call(server, "answerCallbackQuery", {"callback_query_id": tap})
    finally:
        server.levers(clock_offset=0)

    assert answer.status_code == 400


def test_a_toast_has_at_most_200_characters(server, anne, message):
    tap = anne.taps_code("a", message["message_id"])

    assert call(server, "answerCallbackQuery", {"callback_query_id": tap, "text": "x" * 201}).json()[
        "description"
    ] == ("Bad Request: MESSAGE_TOO_LONG")


def test_nobody_is_written_to_before_he_starts_or_after_he_blocks(server):
    marc = server.person("Marc")
    send = {"chat_id": marc.id, "text": "x"}

    assert call(server, "sendMessage", send).json() == {
        "ok": False,
        "error_code": 403,
        "description": "Forbidden: bot can't initiate conversation with a user",
    }
    marc.starts()
    assert call(server, "sendMessage", send).status_code == 200
    marc.blocks()
    assert call(server, "sendMessage", send).json()["description"] == "Forbidden: bot was blocked by the user"
    marc.unblocks()
    assert call(server, "sendMessage", send).status_code == 200


COMMANDS: list[tuple[str, Any, str]] = [
    ("a capital", [{"command": "Grant", "description": "x"}], "BOT_COMMAND_INVALID"),
    ("33 letters", [{"command": "a" * 33, "description": "x"}], "BOT_COMMAND_INVALID"),
    ("no description", [{"command": "a", "description": ""}], "BOT_COMMAND_DESCRIPTION_INVALID"),
    ("257 characters", [{"command": "a", "description": "x" * 257}], "BOT_COMMAND_DESCRIPTION_INVALID"),
    ("101 commands", [{"command": f"a{n}", "description": "x"} for n in range(101)], "BOT_COMMANDS_TOO_MUCH"),
]


@pytest.mark.parametrize(
    ("commands", "why"), [case[1:] for case in COMMANDS], ids=[case[0] for case in COMMANDS]
)
def test_commands_are_refused_with_telegrams_words(server, commands, why):
    assert (
        call(server, "setMyCommands", {"commands": commands}).json()["description"] == f"Bad Request: {why}"
    )


def test_a_caption_has_at_most_1024_units(server, anne):
    answer = server.http.post(
        f"/bot{server.token}/sendDocument",
        data={"chat_id": anne.id, "caption": "x" * 1025},
        files={"document": ("a.txt", b"a")},
    )

    assert answer.json()["description"] == "Bad Request: message caption is too long"


def test_an_empty_or_unknown_file_is_refused(server, anne):
    empty = server.http.post(
        f"/bot{server.token}/sendDocument", data={"chat_id": anne.id}, files={"document": ("a.txt", b"")}
    )
    unknown = call(server, "sendDocument", {"chat_id": anne.id, "document": "nothing"})

    assert empty.json()["description"] == "Bad Request: file must be non-empty"
    assert unknown.json()["description"] == "Bad Request: wrong file identifier/HTTP URL specified"


def test_an_unknown_method_is_404_and_a_wrong_token_401(server):
    unknown, wrong = call(server, "sendTelegram", {}), server.http.get("/bot1:wrong/getMe")

    assert (
        unknown.status_code,
        unknown.json(),
    ) == (404, {"ok": False, "error_code": 404, "description": "Not Found"})
    assert (
        wrong.status_code,
        wrong.json(),
    ) == (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})


def test_parameters_come_as_query_form_or_json_and_method_names_in_any_case(server, anne):
    path = f"/bot{server.token}/SENDMESSAGE"
    keyboard = '{"inline_keyboard": [[{"text": "ok", "callback_data": "a"}]]}'
    facts = {"chat_id": str(anne.id), "text": "123", "reply_markup": keyboard}
    answers = [
        server.http.get(path, params=facts),
        server.http.post(path, data=facts),
        server.http.post(path, data=facts, files={"unused": ("a", b"a")}),
        server.http.post(path, json=facts),
    ]

    assert [answer.json()["result"]["text"] for answer in answers] == ["123"] * 4
    assert all("reply_markup" in answer.json()["result"] for answer in answers)


def test_the_rate_is_limited_with_the_seconds_to_wait(server):
    marie = server.person("Marie")
    marie.starts()
    server.levers(rate_limits=True)
    try:
        answers = [call(server, "sendMessage", {"chat_id": marie.id, "text": str(n)}) for n in range(10)]
    finally:
        server.levers(rate_limits=False)

    assert [answer.status_code for answer in answers][:8] == [200] * 8
    assert answers[-1].json() == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
