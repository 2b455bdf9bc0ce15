"""The methods of the Bot API that act on messages and files. `METHODS` is the table; imports the state, not HTTP.

Texts of refusals are Telegram's own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from bot.demo.errors import bad_request
from bot.demo.formatting import MAX_CAPTION, formatted
from bot.demo.keyboards import checked_markup
from bot.demo.model import Chat, Json, Message, StoredFile
from bot.demo.params import Params
from bot.demo.people import document_facts
from bot.demo.telegram import LocalTelegram, Note

Method: TypeAlias = Callable[[LocalTelegram, Params], Any]

DELETABLE_SECONDS = 48 * 3600
MAX_TOAST = 200
ACTIONS = frozenset(
    ["typing", "upload_photo", "upload_document", "record_video", "upload_video", "record_voice", "upload_voice",
     "choose_sticker", "find_location", "record_video_note", "upload_video_note"]
)  # fmt: skip
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def get_me(state: LocalTelegram, _: Params) -> Json:
    facts = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
    more = {"can_connect_to_business": False, "has_main_web_app": False}
    return {**state.bot, **facts, **more}


def send_message(state: LocalTelegram, params: Params) -> Json:
    text, entities = formatted(params.get("text"), params.get("parse_mode"), params.get("entities"))
    content: Json = {"text": text}
    if entities:
        content["entities"] = entities
    return _send(state, params, content)


def send_document(state: LocalTelegram, params: Params) -> Json:
    chat = state.writable(params.get("chat_id"))
    stored = _given_file(state, params, "document")
    facts = document_facts(stored.id, stored.unique_id, stored.name, stored.mime, stored.size)
    return _send(state, params, {"document": facts, **_caption(params)}, chat)


def send_photo(state: LocalTelegram, params: Params) -> Json:
    chat = state.writable(params.get("chat_id"))
    stored = _given_file(state, params, "photo")
    width, height = _png_size(state.archive.blob(stored.id) or b"")
    size = {"file_id": stored.id, "file_unique_id": stored.unique_id, "file_size": stored.size}
    return _send(
        state, params, {"photo": [{**size, "width": width, "height": height}], **_caption(params)}, chat
    )


def _send(state: LocalTelegram, params: Params, content: Json, chat: Chat | None = None) -> Json:
    chat = chat or state.writable(params.get("chat_id"))
    state.rates.check("sendMessage", chat.id)
    markup = checked_markup(params.get("reply_markup"), private=chat.private)
    content |= _reply(state, chat, params)
    if options := params.get("link_preview_options"):
        content["link_preview_options"] = _checked_preview(options)
    if params.flag("protect_content"):
        content["has_protected_content"] = True
    if markup and "inline_keyboard" in markup:
        content["reply_markup"] = markup
    elif markup and ("keyboard" in markup or "remove_keyboard" in markup):
        state.put_chat(chat := replace(chat, keyboard=markup if "keyboard" in markup else None))
        state.tell(chat.id, {"kind": "keyboard", "keyboard": chat.keyboard})
    message = state.new_message(chat, state.bot, content)
    return message.body(chat)


def _reply(state: LocalTelegram, chat: Chat, params: Params) -> Json:
    given = params.get("reply_parameters")
    if not given:
        return {}
    if not isinstance(given, dict) or "message_id" not in given:
        raise bad_request('can\'t find field "message_id"')
    target = state.message(chat.id, given["message_id"])
    if target is None:
        if given.get("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")
    body = target.body(chat)
    body.pop("reply_to_message", None)
    return {"reply_to_message": body}


def _checked_preview(options: Any) -> Json:
    for name in ("is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"):
        if name in options and not isinstance(options[name], bool):
            raise bad_request(f'field "{name}" must be of type Boolean')
    return dict(options)


def _caption(params: Params) -> Json:
    given = params.get("caption"), params.get("parse_mode"), params.get("caption_entities")
    text, entities = formatted(*given, limit=MAX_CAPTION, caption=True)
    content: Json = {"caption": text} if text else {}
    return {**content, "caption_entities": entities} if entities else content


def _given_file(state: LocalTelegram, params: Params, name: str) -> StoredFile:
    if upload := params.file(name):
        if not upload.body:
            raise bad_request("file must be non-empty")
        return state.keep_file(upload.name, upload.mime, upload.body)
    value = params.text(name)
    if not value:
        raise bad_request(f"there is no {name} in the request")
    if value.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    if value not in state.files:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return state.files[value]


def _png_size(body: bytes) -> tuple[int, int]:
    if body[:8] == b"\x89PNG\r\n\x1a\n" and len(body) >= 24:
        width, height = struct.unpack(">II", body[16:24])
        return int(width), int(height)
    return 800, 600


def edit_message_text(state: LocalTelegram, params: Params) -> Json:
    text, entities = formatted(params.get("text"), params.get("parse_mode"), params.get("entities"))
    chat, message = _to_edit(state, params)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    content: Json = {"text": text}
    if entities:
        content["entities"] = entities
    if options := params.get("link_preview_options"):
        content["link_preview_options"] = _checked_preview(options)
    kept: Json = {
        key: message.content[key]
        for key in ("reply_to_message", "has_protected_content")
        if key in message.content
    }
    return _edited(state, chat, message, {**kept, **content}, params)


def edit_message_caption(state: LocalTelegram, params: Params) -> Json:
    caption = _caption(params)
    chat, message = _to_edit(state, params)
    if "text" in message.content:
        raise bad_request("there is no caption in the message to edit")
    kept: Json = {
        key: value
        for key, value in message.content.items()
        if key not in {"caption", "caption_entities", "reply_markup"}
    }
    return _edited(state, chat, message, {**kept, **caption}, params)


def edit_message_reply_markup(state: LocalTelegram, params: Params) -> Json:
    chat, message = _to_edit(state, params)
    kept = {key: value for key, value in message.content.items() if key != "reply_markup"}
    return _edited(state, chat, message, kept, params)


def _to_edit(state: LocalTelegram, params: Params) -> tuple[Chat, Message]:
    chat = state.writable(params.get("chat_id"))
    if not params.get("message_id"):
        raise bad_request("message identifier is not specified")
    message = state.message(chat.id, params.get("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    state.rates.check("editMessageText", chat.id)
    return chat, message


def _edited(state: LocalTelegram, chat: Chat, message: Message, content: Json, params: Params) -> Json:
    if markup := checked_markup(params.get("reply_markup"), private=chat.private):
        if "inline_keyboard" not in markup:
            raise bad_request("inline keyboard expected")
        content = {**content, "reply_markup": markup}
    if content == message.content:
        raise bad_request(NOT_MODIFIED)
    return state.change_message(message, content).body(chat)


def delete_message(state: LocalTelegram, params: Params) -> bool:
    chat = state.writable(params.get("chat_id"))
    if not params.get("message_id"):
        raise bad_request("message identifier is not specified")
    message = state.message(chat.id, params.get("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    if not chat.private and not message.from_bot:
        raise bad_request("message can't be deleted")
    if state.now() - message.date > DELETABLE_SECONDS:
        raise bad_request("message can't be deleted for everyone")
    state.remove_message(message)
    return True


def delete_messages(state: LocalTelegram, params: Params) -> bool:
    chat, numbers = state.writable(params.get("chat_id")), params.get("message_ids")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= 100:
        raise bad_request(
            "too many message identifiers specified" if numbers else "message identifiers are not specified"
        )
    for number in numbers:
        message = state.message(chat.id, number)
        if message and (chat.private or message.from_bot) and state.now() - message.date <= DELETABLE_SECONDS:
            state.remove_message(message)
    return True


def answer_callback_query(state: LocalTelegram, params: Params) -> bool:
    text = params.text("text")
    if len(text) > MAX_TOAST:
        raise bad_request("MESSAGE_TOO_LONG")
    note = Note(params.text("callback_query_id"), text, params.flag("show_alert"), params.text("url"))
    state.answer_tap(note.tap, note)
    return True


def send_chat_action(state: LocalTelegram, params: Params) -> bool:
    chat = state.writable(params.get("chat_id"))
    if params.text("action") not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    state.types(chat)
    return True


def get_file(state: LocalTelegram, params: Params) -> Json:
    stored = state.files.get(params.text("file_id"))
    if stored is None:
        raise bad_request("invalid file_id")
    return {
        "file_id": stored.id,
        "file_unique_id": stored.unique_id,
        "file_size": stored.size,
        "file_path": stored.path,
    }


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendPhoto": send_photo,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
    "getFile": get_file,
}
