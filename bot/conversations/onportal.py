"""What is noted about an account and still to do on the portal: its words and doors on the account's cards. Pure.

Until somebody says *Fait* the portal knows nothing of it: an account noted as blocked is open there, one noted as active
again is shut, and what was taken from it is still held.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.conversations.flow import press
from bot.conversations.model import Row
from bot.conversations.ports import ChangeItem, Context, PersonCard
from bot.msg import Msg, Say, m

ACT = "hand_over"
STATES = frozenset({"block-user", "reactivate-user", "delete-user"})
ENDS = frozenset({"end-grant", "end-assignment", "unlink-responsible"})
DOORS = 3
"""So many changes have a door of their own; the others are found on the list of all that is to do."""


def waits(card: PersonCard, kinds: frozenset[str]) -> bool:
    """Whether something of these kinds is noted and still to do."""
    return any(item.kind in kinds for each in card.waiting for item in each.items)


def status(card: PersonCard) -> Msg:
    """The account's state, and that it is only noted where the portal has another."""
    noted = m(f"account.{card.ref.status}")
    return m("account.noted", status=noted) if waits(card, STATES) else noted


def shut(card: PersonCard) -> bool:
    """Whether the account is blocked where its accesses live, so that none of them counts."""
    if card.ref.status == "blocked":
        return not waits(card, frozenset({"block-user"}))
    return card.ref.status == "active" and waits(card, frozenset({"reactivate-user"}))


def lines(card: PersonCard, said: Callable[[ChangeItem], Say]) -> tuple[Msg, ...]:
    """What has ended here and not yet there."""
    return tuple(
        m("holding.ends_there", what=said(item), number=each.number)
        for each in card.waiting
        for item in each.items
        if item.kind in ENDS
    )


def doors(ctx: Context, card: PersonCard) -> tuple[Row, ...]:
    """To the steps of each change that waits, for whoever may take them."""
    if card.entity.id not in {entity.id for entity in ctx.directory.entities(ACT)}:
        return ()
    numbers = [each.number for each in card.waiting]
    if len(numbers) == 1:
        return ((press(m("portal.open"), "open", f"portal:{numbers[0]}", mark="☑"),),)
    return tuple(
        (press(m("portal.open_number", number=number), "open", f"portal:{number}", mark="☑"),)
        for number in numbers[:DOORS]
    )
