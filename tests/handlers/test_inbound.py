import copy
import random

import pytest
from bot.conversations.model import Command, Press, Redraw, Tap, Text, Unreadable
from bot.handlers.callbacks import REFUSED, Codes
from bot.handlers.inbound import ALLOWED_UPDATES, Leave, read
from bot.turn import Incoming

CODES = Codes([b"k" * 32])
ME = 5_000_000_001
PERSON = {"id": ME, "is_bot": False, "first_name": "Anne", "language_code": "nl-BE"}
PRIVATE = {"id": ME, "type": "private", "first_name": "Anne"}
SUPERGROUP = {"id": -1_001, "type": "supergroup", "title": "Pharmacie"}


def message(**content):
    return {
        "update_id": 11,
        "message": {"message_id": 7, "date": 1, "chat": PRIVATE, "from": PERSON, **content},
    }


def tap(data, **changes):
    query = {
        "id": "99",
        "from": PERSON,
        "chat_instance": "1",
        "data": data,
        "message": {"message_id": 5, "date": 1, "chat": PRIVATE},
    }
    return {"update_id": 12, "callback_query": {**query, **changes}}


def membership(status, chat=PRIVATE, sender=PERSON):
    change = {
        "chat": chat,
        "from": sender,
        "date": 1,
        "old_chat_member": {"status": "member"},
        "new_chat_member": {"status": status},
    }
    return {"update_id": 13, "my_chat_member": change}


def test_only_messages_taps_and_the_bots_own_membership_are_asked_for():
    assert ALLOWED_UPDATES == ("message", "edited_message", "callback_query", "my_chat_member")


def test_a_text_is_read_with_who_where_and_in_which_language():
    assert read(message(text="Peeters"), CODES) == Incoming(
        11, ME, ME, Text("Peeters"), message_id=7, lang="nl"
    )


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("/start", Command("start")),
        ("/start AbC-1_x", Command("start", "AbC-1_x")),
        ("/START", Command("start")),
        ("/status@accessbot Peeters Jan", Command("status", "Peeters Jan")),
        ("/status\nPeeters\nJan ", Command("status", "Peeters\nJan")),
        (" /help ", Command("help")),
        ("/nosuchthing 1", Command("nosuchthing", "1")),
        ("/", Text("/")),
        ("/a/b", Text("/a/b")),
        ("/é", Text("/é")),
        ("et /start", Text("et /start")),
    ],
)
def test_commands_are_told_from_texts(text, event):
    assert read(message(text=text), CODES).event == event


@pytest.mark.parametrize(
    "content",
    [
        {"photo": [{"file_id": "x"}]},
        {"sticker": {}},
        {"voice": {}},
        {"document": {}, "caption": "voir ci-joint"},
        {"location": {}},
    ],
)
def test_what_is_not_text_is_unreadable(content):
    assert read(message(**content), CODES).event == Unreadable()


def test_a_caption_that_bears_a_national_number_is_read_as_typed_so_that_it_is_deleted():
    incoming = read(message(photo=[{}], caption="01.09.22-997.08"), CODES)
    assert incoming == Incoming(11, ME, ME, Text("01.09.22-997.08"), message_id=7, lang="nl")


@pytest.mark.parametrize(
    "content",
    [
        {"document": {"file_id": "x", "file_name": "01.09.22-997.08.pdf"}},
        {"contact": {"first_name": "Tom", "last_name": "01092299708"}},
        {"poll": {"question": "01.09.22-997.08 ?", "options": [{"text": "oui"}]}},
        {"text": "lui", "quote": {"text": "NISS 01.09.22-997.08", "position": 0}},
    ],
    ids=["a document's name", "a contact", "a poll", "a quotation"],
)
def test_a_national_number_is_found_wherever_a_message_can_hide_one(content):
    assert read(message(**content), CODES).event == Unreadable(secret=True)


@pytest.mark.parametrize(
    "content", [{"text": "x 01.09.22-997.08"}, {"photo": [{}], "caption": "01.09.22-997.08"}]
)
def test_a_corrected_message_is_no_answer_but_its_number_is_seen(content):
    update = {"update_id": 11, "edited_message": message(**content)["message"]}
    assert read(update, CODES) == Incoming(
        11, ME, ME, Unreadable("corrected", secret=True), message_id=7, lang="nl"
    )


def test_a_password_in_a_corrected_message_and_in_the_words_of_a_picture_is_seen():
    update = {"update_id": 11, "edited_message": message(text="Welkom2026!")["message"]}
    assert read(update, CODES).event == Unreadable("password")
    assert read(message(photo=[{}], caption="mdp : soleil"), CODES).event == Text("mdp : soleil")


def test_a_corrected_message_without_a_number_is_told_that_it_is_not_read_again():
    update = {"update_id": 11, "edited_message": message(text="Vermeulen")["message"]}
    assert read(update, CODES).event == Unreadable("corrected")


def test_a_location_that_moves_and_a_correction_elsewhere_are_nothing():
    moved = {"update_id": 11, "edited_message": message(location={"latitude": 50.8})["message"]}
    elsewhere = {"update_id": 11, "edited_message": message(text="x", chat=SUPERGROUP)["message"]}
    assert [read(moved, CODES), read(elsewhere, CODES)] == [None, None]


@pytest.mark.parametrize(
    "content",
    [{"pinned_message": {}}, {"write_access_allowed": {}}, {"message_auto_delete_timer_changed": {}}, {}],
)
def test_service_messages_are_nothing(content):
    assert read(message(**content), CODES) is None


def test_a_tap_is_decoded_for_its_chat():
    code = CODES.encode(ME, 4, Press("pick", "a1"))
    assert read(tap(code), CODES) == Incoming(
        12, ME, ME, Tap(4, "pick", "a1"), tapped=5, callback_id="99", lang="nl"
    )


def test_a_tap_on_a_message_too_old_to_be_sent_along_is_read():
    code = CODES.encode(ME, 4, Press("pick"))
    assert read(tap(code, message={"message_id": 5, "date": 0, "chat": PRIVATE}), CODES).event == Tap(
        4, "pick"
    )


@pytest.mark.parametrize("data", ["", "ok", CODES.encode(ME + 1, 4, Press("ok")), None, 5])
def test_a_forged_tap_is_answered_but_never_accepted(data):
    incoming = read(tap(data), CODES)
    assert (incoming.event, incoming.callback_id) == (REFUSED, "99")


def test_blocking_and_coming_back_are_told_apart():
    assert read(membership("kicked"), CODES) == Incoming(13, ME, ME, Redraw(), lang="nl", left=True)
    assert read(membership("member"), CODES) == Incoming(13, ME, ME, Redraw(), lang="nl", joined=True)


@pytest.mark.parametrize(
    ("code", "lang"),
    [("fr", "fr"), ("FR-be", "fr"), ("de-AT", "de"), ("es", "en"), (None, "fr"), ("", "fr"), (5, "fr")],
)
def test_the_clients_language_is_one_of_ours(code, lang):
    assert read(message(text="x", **{"from": {**PERSON, "language_code": code}}), CODES).lang == lang


CHATS = [SUPERGROUP, {"id": -5, "type": "group"}, {"id": -1_002, "type": "channel"}]


@pytest.mark.parametrize("chat", CHATS, ids=lambda chat: chat["type"])
def test_the_bot_leaves_wherever_it_is_not_alone_with_one_person(chat):
    assert read(message(text="01.09.22-997.08", chat=chat), CODES) == Leave(chat["id"])
    assert read(membership("member", chat), CODES) == Leave(chat["id"])
    assert read(membership("administrator", chat), CODES) == Leave(chat["id"])
    assert read(membership("left", chat), CODES) is None
    assert read(tap("x", message={"message_id": 5, "chat": chat}), CODES) is None


@pytest.mark.parametrize(
    "kind",
    [
        "channel_post", "edited_channel_post", "inline_query", "chosen_inline_result", "business_connection",
        "business_message", "edited_business_message", "deleted_business_messages", "guest_message", "message_reaction",
        "shipping_query", "pre_checkout_query", "poll", "poll_answer", "chat_member", "chat_join_request", "chat_boost",
        "purchased_paid_media", "managed_bot", "no_such_thing",
    ],
)  # fmt: skip
@pytest.mark.parametrize("chat", [PRIVATE, *CHATS], ids=lambda chat: chat["type"])
def test_every_other_kind_of_update_is_nothing(kind, chat):
    body = {**message(text="x", chat=chat)["message"], "id": "1", "query": "x", "user": PERSON}
    assert read({"update_id": 14, kind: body}, CODES) is None


def test_a_private_chat_that_is_not_the_senders_own_is_nothing():
    stranger = {**PERSON, "id": ME + 1}
    assert read(message(text="x", **{"from": stranger}), CODES) is None
    assert read(tap("x", **{"from": stranger}), CODES) is None
    assert read(membership("kicked", sender=stranger), CODES) is None


def test_another_bot_is_nothing():
    assert read(message(text="x", **{"from": {**PERSON, "is_bot": True}}), CODES) is None


def test_a_tap_on_an_inline_message_is_nothing():
    update = tap("x")
    del update["callback_query"]["message"]
    assert read(update, CODES) is None


def test_no_garbled_update_raises():
    dice = random.Random(7)
    samples = [message(text="/start x"), tap("x"), membership("member"), message(photo=[{}], caption="x")]
    for _ in range(5_000):
        update = copy.deepcopy(dice.choice(samples))
        for _ in range(dice.randint(1, 3)):
            _spoil(dice, update)
        assert isinstance(read(update, CODES), Incoming | Leave | None)


@pytest.mark.parametrize(
    "update", [None, [], "x", 5, {}, {"update_id": "1", "message": {}}, {"update_id": 1, "message": None}]
)
def test_what_is_no_update_is_nothing(update):
    assert read(update, CODES) is None


def _spoil(dice, value):
    while isinstance(value, dict) and value:
        key = dice.choice(list(value))
        if dice.random() < 0.4 or not isinstance(value[key], dict):
            if dice.random() < 0.3:
                del value[key]
            else:
                value[key] = dice.choice([None, 5, -1, "x", [], {}, True, ["private"], {"id": 1}])
            return
        value = value[key]
