"""View → what Telegram shows: HTML and an inline keyboard, within Telegram's limits. Imports no telegram client.

The one place where text becomes markup: everything goes through `Speaker.html`, which escapes what comes from the
register or a person. Telegram counts UTF-16 units, after parsing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from html import unescape
from typing import Any, TypeAlias

from telegram.constants import MessageLimit

from bot.conversations.model import App, Button, CopyText, Door, Link, Press, Row, View
from bot.handlers.callbacks import Codes
from bot.i18n import Speaker, speaker
from bot.msg import Msg, Texts, m

TEXT_LIMIT = int(MessageLimit.MAX_TEXT_LENGTH)
_WIDTHS = {1: 34, 2: 15, 3: 14, 4: 7, 5: 5}
"""UTF-16 units by buttons in a row, an ornament beside fixed words not counted; three are the head of a calendar (‹ septembre 2026 ›)."""
_NARROW = 4
_ELLIPSIS = "…"
_BLANK = "·"
"""What an empty cell of a keyboard shows: Telegram takes no button without text."""

_LIST_LINE = 80
"""A line up to this, in UTF-16 units, that does not end like a sentence, is a line of a list."""
_ENDS_SENTENCE = (".", "?", "!", ":", "…")
_OPENS_GROUP = re.compile(r"<b>\D")

_TOKEN = re.compile(r"<(/?)([a-z-]+)[^>]*>|&[#\w]+;|.", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")

Keyboard: TypeAlias = "list[list[dict[str, Any]]]"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as Telegram takes it. `length` counts UTF-16 units after parsing; `keyboard` is rows of buttons."""

    text: str
    keyboard: Keyboard = field(default_factory=list)
    length: int = 0

    @property
    def plain(self) -> str:
        """The text without markup."""
        return plain(self.text)

    def __repr__(self) -> str:
        return f"Rendered({self.length} units, {len(self.keyboard)} rows)"


def render(view: View, *, lang: str, chat_id: int, rev: int, codes: Codes) -> Rendered:
    """The view in `lang`, its buttons coded for this chat and this `rev`.

    A text over Telegram's limit is cut at a whole line, and says so; the keyboard stays whole.
    """
    speak = speaker(lang)
    text = "\n\n".join(block for block in _blocks(view, speak) if block)
    if units(plain(text)) > TEXT_LIMIT:
        tail = f"\n{speak.html(m('card.cut'))}"
        text = _cut(text, TEXT_LIMIT - units(plain(tail))) + tail
    return Rendered(text, keyboard(view, speak, chat_id=chat_id, rev=rev, codes=codes), units(plain(text)))


def units(text: str) -> int:
    """The length of `text` as Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(html: str) -> str:
    """What a person reads of `html`."""
    return unescape(_TAG.sub("", html))


# -- text -----------------------------------------------------------------------------------------


def _blocks(view: View, speak: Speaker) -> list[str]:
    return [
        "\n".join(line for line in (_heading(view, speak), _step(view, speak)) if line),
        *(speak.html(note) for note in view.notes),
        *_paragraphs([speak.html(item) for item in view.body]),
        "\n".join(speak.html(m("card.fact", label=label, value=value)) for label, value in view.facts),
        *_paragraphs([speak.html(item) for item in view.after]),
        # last, just above the buttons: the top of a long card is out of sight on a phone
        f"⚠ {speak.html(view.error)}" if view.error else "",
    ]


def _paragraphs(items: list[str]) -> list[str]:
    """Paragraphs; neighbouring lines of a list stand close together, a line that begins in bold opens a group."""
    blocks: list[str] = []
    previous = ""
    for item in items:
        if blocks and _is_list_line(previous) and _is_list_line(item) and not _OPENS_GROUP.match(item):
            blocks[-1] += f"\n{item}"
        else:
            blocks.append(item)
        previous = item
    return blocks


def _is_list_line(html: str) -> bool:
    text = plain(html)
    return units(text) <= _LIST_LINE and "\n" not in text and not text.endswith(_ENDS_SENTENCE)


def _heading(view: View, speak: Speaker) -> str:
    words = " · ".join(speak.html(say) for say in (view.title, view.subject) if say)
    return f"{view.mark} <b>{words}</b>".strip() if words else ""


def _step(view: View, speak: Speaker) -> str:
    match view.step:
        case None:
            return ""
        case (at, None):
            return f"<i>{speak.html(m('card.step', at=at))}</i>"
        case (at, of):
            return f"<i>{speak.html(m('card.step_of', at=at, of=of))}</i>"


def _cut(html: str, limit: int) -> str:
    """The longest beginning of whole lines within `limit` units, every tag closed; within a line if it is one long line."""
    used = 0
    open_tags: list[str] = []
    last_line = ""
    taken: list[str] = []
    for token in _TOKEN.finditer(html):
        closing, tag = token[1], token[2]
        if tag:
            open_tags.pop() if closing else open_tags.append(tag)
        else:
            if token[0] == "\n":
                last_line = "".join(taken) + _closed(open_tags)
            used += units(unescape(token[0]))
            if used > limit:
                break
        taken.append(token[0])
    # a first line as long as the whole message has no whole line to keep
    return last_line if units(plain(last_line)) > limit // 2 else "".join(taken) + _closed(open_tags)


def _closed(open_tags: list[str]) -> str:
    return "".join(f"</{tag}>" for tag in reversed(open_tags))


# -- keyboard -------------------------------------------------------------------------------------


def keyboard(view: View, speak: Speaker, *, chat_id: int, rev: int, codes: Codes) -> Keyboard:
    """The rows of buttons as Bot API objects."""
    return [
        [{"text": _text(button, row, speak), **_action(button, chat_id, rev, codes)} for button in row]
        for row in view.rows
    ]


def label_faults(view: View, lang: str) -> tuple[str, ...]:
    """Labels of the catalogue that do not fit their row, for the tests: one sentence each.

    Texts of the register or of a person are shortened when shown; the catalogue's own words must fit as they are.
    """
    speak = speaker(lang)
    faults = []
    for row in view.rows:
        for button in row:
            label = speak.plain(_without_names(button.label))
            if isinstance(button.label, Msg) and units(label) > _width(row):
                faults.append(
                    f"{lang}: {label!r} has {units(label)} units, {_width(row)} fit in a row of {len(row)}"
                )
    return tuple(faults)


def _text(button: Button, row: Row, speak: Speaker) -> str:
    label = " ".join(speak.plain(button.label).split())
    if _has_names(button.label):
        label = shorten(label, _width(row) - (units(button.mark) + 1 if button.mark else 0))
    return " ".join(part for part in (button.mark, label) if part) or _BLANK


def _action(button: Button, chat_id: int, rev: int, codes: Codes) -> dict[str, Any]:
    match button.action:
        case Press() | Door() as coded:
            return {"callback_data": codes.encode(chat_id, rev, coded)}
        case Link(url):
            return {"url": url}
        case App(url):
            return {"web_app": {"url": url}}
        case CopyText(text):
            return {"copy_text": {"text": text}}


def _width(row: Row) -> int:
    return _WIDTHS.get(len(row), _NARROW)


def shorten(text: str, limit: int) -> str:
    """`text` within `limit` UTF-16 units, its end replaced by an ellipsis; no letter loses its accents."""
    if units(text) <= limit:
        return text
    kept = ""
    for cluster in _clusters(text):
        if units(kept + cluster) > limit - 1:
            break
        kept += cluster
    return kept.rstrip(" ·,-") + _ELLIPSIS


def _clusters(text: str) -> list[str]:
    clusters: list[str] = []
    for char in text:
        joined = (
            unicodedata.combining(char)
            or char in "\u200d\ufe0f"
            or (clusters and clusters[-1].endswith("\u200d"))
        )
        if joined and clusters:
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _has_names(say: Any) -> bool:
    """Whether a text of the register or of a person is in it."""
    match say:
        case Msg(_, params):
            return any(_has_names(value) for _, value in params)
        case tuple():
            return any(_has_names(item) for item in say)
    return isinstance(say, (str, Texts))


def _without_names(say: Any) -> Any:
    match say:
        case Msg(key, params):
            return Msg(key, tuple((name, _quoted(value)) for name, value in params))
        case str() | Texts():
            return _ELLIPSIS
    return say


def _quoted(value: Any) -> Any:
    """What a label quotes: words of ours whole, anything with a name in it as short as it may become."""
    return _ELLIPSIS if _has_names(value) else value
