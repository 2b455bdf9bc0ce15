"""Choosing a user name: free ones to tap, or another that is typed; unique over everything (`domain.md`, trap 15). Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from itertools import islice

from bot.access.credentials import check_username, propose_usernames, username_warning
from bot.conversations.flow import Accepted, Asking, Pick, Rejected, Said, Screen, Step, Verdict, press
from bot.conversations.model import Answers, Json, Text
from bot.conversations.ports import Context
from bot.conversations.steps import GONE
from bot.errors import Invalid
from bot.msg import Say, m

OFFERED = 3
"""User names to choose from, when one is asked for or taken."""
TRIED = 200
"""Proposals that are looked up for that, at most."""


def free_names(ctx: Context, first_name: str, last_name: str, *, wanted: int = OFFERED) -> tuple[str, ...]:
    """The first proposals that nobody bears, as the policy has them."""
    proposals = propose_usernames(first_name, last_name, ctx.settings.usernames)
    free = (name for name in islice(proposals, TRIED) if ctx.directory.username_free(name))
    return tuple(islice(free, wanted))


@dataclass(frozen=True)
class UsernameStep(Step):
    """A user name; `names` gives first and last name of whom it is for."""

    _: KW_ONLY
    names: Callable[[Context, Answers], tuple[str, str]]

    def screen(self, asking: Asking) -> Screen:
        free = free_names(asking.ctx, *self.names(asking.ctx, asking.answers))
        rows = tuple(
            (press(name, "name", name, mark="✔" if name == asking.proposal else ""),) for name in free
        )
        return Screen((m("username.how"),), rows)

    def accept(self, asking: Asking, said: Said) -> Verdict:
        ctx = asking.ctx
        if isinstance(said, Pick) and said.verb != "name":
            return Rejected(GONE)
        try:
            name = check_username(said.text if isinstance(said, Text) else said.value, ctx.settings.usernames)
        except Invalid as invalid:
            return Rejected(invalid.msg)
        if not ctx.directory.username_free(name):
            free = free_names(ctx, *self.names(ctx, asking.answers), wanted=1)
            return Rejected(m("username.taken", example=free[0] if free else name))
        unusual = username_warning(name, ctx.settings.usernames)
        return Accepted(name, notes=(unusual,) if unusual else ())

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return str(value)

    def holds(self, asking: Asking, value: Json) -> bool:
        return isinstance(value, str) and isinstance(self.accept(asking, Text(value)), Accepted)
