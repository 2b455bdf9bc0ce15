"""What no dialogue ever asks for in the chat (`security.md`): a typed password, a private key. Pure.

The engine refuses such an event before any dialogue gets it, looks at it no further, and has the message deleted.
"""

from __future__ import annotations

from bot.access.credentials import looks_like_password
from bot.conversations.model import Command, Event, Text, Unreadable
from bot.msg import Msg, m

COMMANDS = frozenset({
    "password", "passwd", "pwd", "motdepasse", "mot_de_passe", "mdp", "wachtwoord", "kennwort", "passwort",
})  # fmt: skip
"""No commands of ours: whoever types one, and anything after it, takes this for the place of a password."""
PASSWORD, KEY = m("engine.password"), m("engine.key")


def withheld(event: Event) -> Msg | None:
    """What is said of an event that bears a secret, and so must go from the chat."""
    match event:
        case Command(name, args) if args and name in COMMANDS:
            return PASSWORD
        case Text(text, private=False) | Command(args=text):
            return PASSWORD if looks_like_password(text) else None
        case Unreadable("password"):
            return PASSWORD
        case Unreadable("key"):
            return KEY
    return None
