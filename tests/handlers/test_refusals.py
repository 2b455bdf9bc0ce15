"""What is not a private chat with a person gets nothing: every kind of chat, every kind of update, and forged buttons."""

from __future__ import annotations

import random
import string

import pytest
from bot.conversations.model import Press
from bot.conversations.registry import ENGINE
from bot.conversations.testing import Talk, sample
from bot.handlers.callbacks import REFUSED, Codes
from bot.handlers.inbound import ALLOWED_UPDATES, Leave, read
from bot.turn import Incoming
from telegram.constants import UpdateType

CODES = Codes([b"k" * 32])
ANNE, GROUP = 5_000_000_001, -100_200
PERSON = {"id": ANNE, "is_bot": False, "first_name": "Anne", "language_code": "fr"}
CHATS = {
    "private": {"id": ANNE, "type": "private", "first_name": "Anne"},
    "group": {"id": GROUP, "type": "group", "title": "Team"},
    "supergroup": {"id": GROUP, "type": "supergroup", "title": "Team"},
    "channel": {"id": GROUP, "type": "channel", "title": "News"},
}


def message(chat, **more):
    return {"message_id": 7, "date": 1, "chat": chat, "from": PERSON, "text": "/status peeters", **more}


def member(chat, status):
    return {
        "chat": chat,
        "from": PERSON,
        "date": 1,
        "old_chat_member": {"user": {"id": 1, "is_bot": True}, "status": "left"},
        "new_chat_member": {"user": {"id": 1, "is_bot": True}, "status": status},
    }


def content(kind, chat):
    """What an update of this kind holds, in this chat, as the Bot API's documentation describes it."""
    match kind:
        case "callback_query":
            return {"id": "1", "from": PERSON, "chat_instance": "1", "message": message(chat), "data": "x"}
        case "inline_query":
            return {"id": "1", "from": PERSON, "query": "peeters", "offset": "", "chat_type": chat["type"]}
        case "chosen_inline_result":
            return {"result_id": "1", "from": PERSON, "query": "peeters", "inline_message_id": "1"}
        case "my_chat_member" | "chat_member":
            return member(chat, "member")
        case "shipping_query" | "pre_checkout_query":
            return {"id": "1", "from": PERSON, "invoice_payload": "x", "currency": "EUR", "total_amount": 1}
        case "poll":
            return {"id": "1", "question": "Peeters?", "options": [], "is_closed": False, "type": "regular"}
        case "poll_answer":
            return {"poll_id": "1", "user": PERSON, "option_ids": [0]}
        case "message_reaction" | "message_reaction_count":
            return {"chat": chat, "message_id": 7, "user": PERSON, "date": 1, "new_reaction": []}
        case "business_connection":
            return {"id": "1", "user": PERSON, "user_chat_id": ANNE, "date": 1, "is_enabled": True}
        case "deleted_business_messages":
            return {"business_connection_id": "1", "chat": chat, "message_ids": [7]}
        case "chat_join_request":
            return {"chat": chat, "from": PERSON, "user_chat_id": ANNE, "date": 1}
        case "business_message" | "edited_business_message":
            return message(chat, business_connection_id="1")
        case "guest_message":
            return message(chat, guest_query_id="1")
        case _:
            return message(chat)


KINDS = sorted(
    {str(kind.value) for kind in UpdateType} | {"guest_message", "managed_bot", "something_of_next_year"}
)
OURS = {"message", "edited_message", "callback_query", "my_chat_member"}


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("kind", KINDS)
def test_only_a_private_chat_is_ever_worked_and_a_group_is_at_most_left(kind, chat):
    came = read({"update_id": 1, kind: content(kind, CHATS[chat])}, CODES)
    if chat == "private" and kind in OURS:
        assert isinstance(came, Incoming)
        assert came.chat_id == ANNE
    elif chat != "private" and kind in {"message", "my_chat_member"}:
        assert came == Leave(GROUP)
    else:
        assert came is None


def test_telegram_is_asked_for_four_kinds_only():
    assert set(ALLOWED_UPDATES) == OURS


@pytest.mark.parametrize("field", ["message", "edited_message", "callback_query", "my_chat_member"])
def test_in_a_private_chat_only_the_chats_own_person_is_heard(field):
    update = content(field, CHATS["private"])
    update["from"] = {**PERSON, "id": ANNE + 1}
    assert read({"update_id": 1, field: update}, CODES) is None


# -- forged buttons -------------------------------------------------------------------------------


def payloads(count, seed):
    """Random bytes of text, real codes with some characters changed, real codes of another chat, and cut ones."""
    rng = random.Random(seed)
    letters = string.ascii_letters + string.digits + "-_=+/:.\x00é🔒 "
    verbs = [
        "a",
        "ok",
        "who",
        "open",
        "back",
        "cancel",
        "page",
        "day",
        "unblock",
        "new",
        "edit",
        "fix",
        "yes",
    ]
    for number in range(count):
        real = CODES.encode(ANNE if number % 3 else ANNE + 1, number % 50, Press(rng.choice(verbs), "a0001"))
        match number % 4:
            case 0:
                yield "".join(rng.choice(letters) for _ in range(rng.randint(0, 80)))
            case 1:
                place = rng.randrange(len(real))
                other = rng.choice(letters.replace(real[place], ""))
                yield real[:place] + other + real[place + 1 :]
            case 2:
                yield real[: rng.randrange(len(real))]
            case _:
                yield CODES.encode(ANNE + 1 + number, number % 50, Press(rng.choice(verbs), "a0001"))


def forged_change_nothing(count):
    """Feeds them into an open dialogue on its recap; what they would have changed."""
    talk = Talk(ENGINE, sample())
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Pharmacie")
    before, performed = talk.state.frames[-1].answers, list(talk.requests)
    worked = 0
    for number, data in enumerate(payloads(count, seed=count)):
        came = read(
            {
                "update_id": number + 1,
                "callback_query": {**content("callback_query", CHATS["private"]), "data": data},
            },
            CODES,
        )
        assert isinstance(came, Incoming)
        worked += came.event != REFUSED
        talk.feed(came.event)
        assert talk.state.frames, data
        assert talk.state.frames[0].answers == before, data
    assert talk.requests == performed
    return worked


def test_five_thousand_forged_buttons_change_nothing_and_break_nothing():
    assert forged_change_nothing(5_000) == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_forged_buttons_change_nothing_and_break_nothing():
    assert forged_change_nothing(100_000) == 0


def test_data_of_any_type_is_no_button():
    for data in (None, 1, [], {}, True, "", "\ud800"):
        query = {**content("callback_query", CHATS["private"]), "data": data}
        came = read({"update_id": 1, "callback_query": query}, CODES)
        assert came.event == REFUSED
