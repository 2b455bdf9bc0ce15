"""Who this bot is: Telegram alone knows the user name that belongs to a token."""

from __future__ import annotations

from bot.errors import ConfigurationError, OperatorError
from bot.handlers.gateway import CallFailed, Gateway, Trouble

WRONG_TOKEN = "Telegram does not know this token: check ACCESSBOT_TELEGRAM_TOKEN with @BotFather."  # noqa: S105 - a sentence
NO_ANSWER = "Telegram does not answer as it should: check the network and ACCESSBOT_TELEGRAM_API_URL."


async def user_name(gateway: Gateway) -> str:
    """The bot's user name, without @. Raises, one line each, ConfigurationError where Telegram does not know the token, else
    OperatorError where it does not answer as it should.
    """
    try:
        me = await gateway.call("getMe")
    except CallFailed as failed:
        if failed.trouble is Trouble.UNAUTHORIZED:
            raise ConfigurationError(WRONG_TOKEN) from None
        raise OperatorError(NO_ANSWER) from None
    if not isinstance(me, dict) or not isinstance(me.get("username"), str):
        raise OperatorError(NO_ANSWER)
    return str(me["username"])


async def asked(token: str, api_url: str, seconds: float) -> str:
    """The same where no bot runs here: asked for by itself, for so many seconds at most."""
    gateway = Gateway(token, api_url, timeout=seconds)
    try:
        return await user_name(gateway)
    finally:
        await gateway.close()
