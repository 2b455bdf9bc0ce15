"""A local Telegram: a Bot API over HTTP that is as strict as the real one, and a chat page to try the bot in.

It serves the demo and carries the end-to-end tests, both with the unmodified bot. It imports nothing else of `bot`.
"""

from bot.demo.errors import DemoError, DemoStartError
from bot.demo.model import Visitor
from bot.demo.server import DemoConfig, build_state, create_app, refuse_real_token, serve
from bot.demo.telegram import DEMO_TOKEN, LocalTelegram

__all__ = [
    "DEMO_TOKEN",
    "DemoConfig",
    "DemoError",
    "DemoStartError",
    "LocalTelegram",
    "Visitor",
    "build_state",
    "create_app",
    "refuse_real_token",
    "serve",
]
