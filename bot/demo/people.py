"""What people do: start the bot, write, send files, tap, block, delete. Each act queues the update that Telegram would.

Functions on a `LocalTelegram`; the chat page and the tests reach them over HTTP (`client`).
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from bot.demo.entities import utf16
from bot.demo.errors import bad_request
from bot.demo.formatting import MAX_TEXT, detected
from bot.demo.model import Chat, Json, Message, Tap, to_record
from bot.demo.telegram import LocalTelegram, private_facts


def start(state: LocalTelegram, person: int, code: str = "") -> Message:
    """Presses *Start*, perhaps through a deep link that carries `code`."""
    who = state.person(person)
    old = state.chats.get(person)
    if old is None or not old.started:
        state.put_chat(Chat(person, private_facts(who), started=True))
    if old is not None and old.blocked:
        unblock(state, person)
    if code:
        state.put_chat(replace(state.chats[person], opened=code))
    return says(state, person, f"/start {code}".strip())


def says(state: LocalTelegram, person: int, text: str, **more: Any) -> Message:
    """Sends a text. `reply_to` is a message's id; `forwarded_from` a name makes it a forward."""
    chat = _open_chat(state, person)
    text = text.strip()
    if not text:
        raise bad_request("message text is empty")
    if utf16(text) > MAX_TEXT:
        raise bad_request("message is too long")
    content: Json = {"text": text}
    if entities := detected(text, []):
        content["entities"] = entities
    return _send(state, chat, person, content, more)


def sends_file(
    state: LocalTelegram, person: int, name: str, mime: str, body: bytes, caption: str = ""
) -> Message:
    """Sends a document."""
    chat = _open_chat(state, person)
    stored = state.keep_file(name, mime, body)
    content: Json = {
        "document": document_facts(stored.id, stored.unique_id, stored.name, stored.mime, stored.size)
    }
    if caption:
        content["caption"] = caption
    return _send(state, chat, person, content, {})


def document_facts(file_id: str, unique_id: str, name: str, mime: str, size: int) -> Json:
    """The Bot API's `Document`."""
    return {
        "file_id": file_id,
        "file_unique_id": unique_id,
        "file_name": name,
        "mime_type": mime,
        "file_size": size,
    }


def _open_chat(state: LocalTelegram, person: int) -> Chat:
    state.person(person)
    chat = state.chats.get(person)
    if chat is None or not chat.started or chat.blocked:
        raise bad_request("press Start first")
    return chat


def _send(state: LocalTelegram, chat: Chat, person: int, content: Json, more: dict[str, Any]) -> Message:
    if more.get("reply_to") and (target := state.message(chat.id, more["reply_to"])):
        content["reply_to_message"] = target.body(chat)
    if more.get("forwarded_from"):
        origin = {
            "type": "hidden_user",
            "date": int(state.now()),
            "sender_user_name": str(more["forwarded_from"]),
        }
        content["forward_origin"] = origin
    message = state.new_message(chat, state.person(person).user(), content)
    state.put_chat(replace(state.chats[chat.id], read=message.id))
    state.updates.add("message", message.body(chat))
    state.saved()
    return message


def edits(state: LocalTelegram, person: int, number: int, text: str) -> Message:
    """Edits a message of one's own."""
    chat = _open_chat(state, person)
    old = state.message(chat.id, number)
    if old is None or old.from_bot:
        raise bad_request("message to edit not found")
    content = {key: value for key, value in old.content.items() if key not in {"text", "entities"}} | {
        "text": text
    }
    if entities := detected(text, []):
        content["entities"] = entities
    message = state.change_message(old, content)
    state.updates.add("edited_message", message.body(chat))
    state.saved()
    return message


def deletes(state: LocalTelegram, person: int, number: int) -> None:
    """Deletes a message for both sides; the bot is not told, as with Telegram."""
    if message := state.message(person, number):
        state.remove_message(message)
        state.saved()


def taps(state: LocalTelegram, person: int, number: int, data: str) -> str:
    """Taps a button with that callback data (a forged one too); gives the query's id."""
    who, chat = state.person(person), _open_chat(state, person)
    message = state.message(chat.id, number)
    tap = Tap(str(secrets.randbelow(9 * 10**17) + 10**17), person, number, data, state.now())
    state.taps[tap.id] = tap
    state.archive.put("tap", tap.id, to_record(tap))
    gone = {"chat": chat.facts, "message_id": number, "date": 0}
    query = {
        "id": tap.id,
        "from": who.user(),
        "message": message.body(chat) if message else gone,
        "chat_instance": str(10**15 + person),
        "data": data,
    }
    if not state.updates.add("callback_query", query):
        state.taps.pop(tap.id)
    state.saved()
    return tap.id


def button_data(state: LocalTelegram, person: int, number: int, row: int, column: int) -> str:
    """The callback data of a button that is there now. Raises ApiError where it is not."""
    message = state.message(person, number)
    rows = message.content.get("reply_markup", {}).get("inline_keyboard", []) if message else []
    try:
        return str(rows[row][column]["callback_data"])
    except (IndexError, KeyError):
        raise bad_request("no such button") from None


def block(state: LocalTelegram, person: int) -> None:
    """Blocks the bot: it can no longer write, and is told by `my_chat_member`."""
    _set_blocked(state, person, blocked=True)


def unblock(state: LocalTelegram, person: int) -> None:
    _set_blocked(state, person, blocked=False)


def _set_blocked(state: LocalTelegram, person: int, *, blocked: bool) -> None:
    who = state.person(person)
    chat = state.chats.get(person) or Chat(person, private_facts(who))
    if chat.blocked == blocked:
        return
    state.put_chat(replace(chat, blocked=blocked))
    kicked = {"user": state.bot, "status": "kicked", "until_date": 0}
    member = {"user": state.bot, "status": "member"}
    old, new = (member, kicked) if blocked else (kicked, member)
    change = {
        "chat": chat.facts,
        "from": who.user(),
        "date": int(state.now()),
        "old_chat_member": old,
        "new_chat_member": new,
    }
    state.updates.add("my_chat_member", change)
    state.tell(person, {"kind": "blocked", "blocked": blocked}, by_bot=False)
    state.saved()


def reads(state: LocalTelegram, person: int, number: int) -> None:
    """Has seen the chat up to that message."""
    chat = state.chats.get(person)
    if chat is not None and number > chat.read:
        state.put_chat(replace(chat, read=number))
        state.tell(person, {"kind": "read", "read": number}, by_bot=False)
        state.saved()


def speaks(state: LocalTelegram, person: int, language: str) -> None:
    """Sets the language of the person's client."""
    state.put_person(replace(state.person(person), language_code=language, any_language=False))
    state.tell(person, {"kind": "person"}, by_bot=False)
    state.saved()


def inject(state: LocalTelegram, update: Json) -> int:
    """Queues any update as it is; a group or channel found in it becomes known, so that the bot may answer there."""
    for body in update.values():
        inner = body.get("message", body) if isinstance(body, dict) else {}
        facts = inner.get("chat") if isinstance(inner, dict) else None
        if isinstance(facts, dict) and facts.get("type") != "private" and facts["id"] not in state.chats:
            state.put_chat(Chat(int(facts["id"]), facts, started=True))
    number = state.updates.add_whole(update)
    state.saved()
    return number
