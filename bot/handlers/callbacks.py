"""What a button carries: at most 64 bytes, good only in the chat that it was made for. Imports no telegram client.

    p <rev, base 36> . <verb> . <value> <mac>     a button of the card      → Tap
    d <flow> . <args> <mac>                       a door on what stays      → Command

`mac` is HMAC-SHA256 over the chat id and all that stands before it, cut to 8 bytes. A code that does not verify
is not an error: it reads as a tap that no card ever had, and the person sees the current card.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from telegram.constants import InlineKeyboardButtonLimit

from bot.conversations.model import Command, Door, Press, Tap

LIMIT = int(InlineKeyboardButtonLimit.MAX_CALLBACK_DATA)
VALUE_LIMIT = 26
"""Bytes of a press's value."""
REFUSED = Tap(rev=-1, verb="")
"""What a forged, foreign or garbled code reads as; no card ever has this `rev`."""

_MAC = 11  # 8 bytes in base64url without padding
_PRESS = re.compile(r"p([0-9a-z]{1,13})\.([a-z0-9_]{1,8})\.(.*)", re.DOTALL)
_DOOR = re.compile(r"d([a-z0-9_]{1,32})\.(.*)", re.DOTALL)
_VERB = re.compile(r"[a-z0-9_]{1,8}")
_FLOW = re.compile(r"[a-z0-9_]{1,32}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Codes:
    """Makes and reads button codes. `keys` are the keyring's `callback` keys, the current one first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def __repr__(self) -> str:
        return "Codes(…)"

    def encode(self, chat_id: int, rev: int, action: Press | Door) -> str:
        """The code of a button in this chat; `rev` is the card's and does not matter to a door.

        Raises ValueError for what cannot fit: a fault of the flow that offers it.
        """
        match action:
            case Press(verb, value):
                if rev < 0 or not _VERB.fullmatch(verb) or len(value.encode()) > VALUE_LIMIT:
                    raise ValueError(f"not a press that a button can carry: {verb!r}")
                body = f"p{_base36(rev)}.{verb}.{value}"
            case Door(flow, args):
                if not _FLOW.fullmatch(flow):
                    raise ValueError(f"not a door that a button can carry: {flow!r}")
                body = f"d{flow}.{args}"
        code = body + _mac(self._keys[0], chat_id, body)
        if len(code.encode()) > LIMIT:
            raise ValueError(f"a button code over {LIMIT} bytes: {body[:12]!r}…")
        return code

    def decode(self, chat_id: int, code: str) -> Tap | Command:
        """What a tap in this chat means; `REFUSED` for every code that was not made for this chat."""
        body, mac = code[:-_MAC], code[-_MAC:]
        try:
            given, size = mac.encode("ascii"), len(code.encode())
        except UnicodeEncodeError:
            return REFUSED
        if size > LIMIT or not any(
            hmac.compare_digest(_mac(key, chat_id, body).encode(), given) for key in self._keys
        ):
            return REFUSED
        if press := _PRESS.fullmatch(body):
            rev, verb, value = press.groups()
            return Tap(int(rev, 36), verb, value)
        if door := _DOOR.fullmatch(body):
            return Command(*door.groups())
        return REFUSED


def _mac(key: bytes, chat_id: int, body: str) -> str:
    digest = hmac.digest(key, f"{chat_id}:{body}".encode(), "sha256")
    return urlsafe_b64encode(digest[:8]).rstrip(b"=").decode()


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text
