"""A password that was typed though none is ever asked for in the chat (`security.md`): seen, and looked at no further. Pure.

The engine refuses such an event before any dialogue gets it, and has the message deleted.
"""

from __future__ import annotations

from bot.access.credentials import looks_like_password
from bot.conversations.model import Command, Event, Text, Unreadable

COMMANDS = frozenset({
    "password", "passwd", "pwd", "motdepasse", "mot_de_passe", "mdp", "wachtwoord", "kennwort", "passwort",
})  # fmt: skip
"""No commands of ours: whoever types one, and anything after it, takes this for the place of a password."""


def bears_password(event: Event) -> bool:
    """Whether a password was most likely typed, and so must go from the chat."""
    match event:
        case Command(name, args) if args and name in COMMANDS:
            return True
        case Text(text, private=False) | Command(args=text):
            return looks_like_password(text)
        case Unreadable("password"):
            return True
    return False
