"""A mandate in words; and those that somebody keeps when his user account is blocked or deleted, said before and after. Pure.

An office does not hang on the account, here as on the portal (`domain.md`, trap 18).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.conversations.model import Button, Door, Row
from bot.conversations.ports import Context, ManagerRef
from bot.msg import Msg, Say, m

KEY, UNSEAT = "managers", "unseat"
NAMED = 10
"""So many people are named."""


def named(manager: ManagerRef) -> Say:
    """The name, or that this entity does not know it."""
    return manager.name or m("managers.unknown")


def office_at(ctx: Context, manager: ManagerRef) -> Msg:
    """The office with its place: "gestionnaire local (Prestataire de soins : hôpital)"."""
    office = m(f"role.short.{manager.office}")
    if not manager.quality:
        return office
    quality = ctx.catalogue.quality(manager.quality_key).label
    if manager.subdivision:
        return m("managers.at_part", role=office, part=manager.subdivision_name, quality=quality)
    return m("managers.at", role=office, quality=quality)


# -- what outlives the account ------------------------------------------------------------------------


def kept_by(ctx: Context, entity: str, accounts: Collection[str]) -> Sequence[ManagerRef]:
    """The mandates that the people of these accounts hold in the entity, now or later."""
    wanted = set(accounts)
    return [each for each in ctx.directory.managers(entity) if wanted & {each.account, *each.accounts}]


def kept(ctx: Context, entity: str, accounts: Collection[str]) -> tuple[Msg, ...]:
    """Sentences: who keeps which offices; of several people how many, then each. None where nobody manages."""
    held: dict[Say, list[Msg]] = {}
    for mandate in kept_by(ctx, entity, accounts):
        held.setdefault(named(mandate), []).append(office_at(ctx, mandate))
    each = [(name, tuple(dict.fromkeys(offices))) for name, offices in held.items()]
    if not each:
        return ()
    if len(each) == 1:
        name, offices = each[0]
        return (m("keeping.one", name=name, n=len(offices), what=offices),)
    lines = [m("keeping.of", name=name, what=offices) for name, offices in each[:NAMED]]
    more = (m("keeping.more", n=len(each) - NAMED),) if len(each) > NAMED else ()
    return (m("keeping.many", count=len(each)), *lines, *more)


def kept_rows(ctx: Context, entity: str, accounts: Collection[str]) -> tuple[Row, ...]:
    """The door to the end of the one mandate, or to the list where there are several; only where the actor may end one."""
    ours = [each for each in kept_by(ctx, entity, accounts) if each.changeable]
    if not ours:
        return ()
    if len(ours) == 1:
        return ((Button(m("unseat.title"), Door(UNSEAT, ours[0].id), "🔑"),),)
    return ((Button(m("managers.title"), Door(KEY, entity), "🔑"),),)
