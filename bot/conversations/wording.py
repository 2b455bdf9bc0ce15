"""Accesses and changes in words: what somebody holds, and what was done, with states and days. Pure."""

from __future__ import annotations

from bot.access.periods import begins_later
from bot.access.rights import Role
from bot.conversations import checklist, moves, onportal
from bot.conversations.days import until_day
from bot.conversations.ports import ChangeCard, ChangeItem, Context, Holding, Line, PersonCard, Stamp
from bot.msg import Msg, Say, m


def held_lines(ctx: Context, card: PersonCard) -> tuple[Say, ...]:
    """All that the account holds, and what has ended here and not yet on the portal."""
    shut, held = onportal.shut(card), [h for h in card.holdings if h.state != "ended"]
    lines = (
        *(holding_line(ctx, h, shut=shut) for h in held),
        *onportal.lines(card, lambda item: change_item(ctx, item)),
    )
    return lines or (m("status.nothing_held"),)


def holding_line(ctx: Context, holding: Holding, *, shut: bool = False) -> Msg:
    """One application or function with its state in words, from when and until when. `shut`: the account is blocked."""
    name = called(ctx, holding.kind, holding.key)
    until = until_day(holding.ends_on)
    if shut and holding.state in {"active", "pending"}:
        return m("holding.blocked", name=name, since=holding.starts_on, until=until)
    if holding.renewal:
        line = m(f"holding.{holding.state}", name=name, since=holding.starts_on, until=until)
        return m(
            "holding.renewal",
            line=line,
            until=until_day(holding.renewal.ends_on),
            number=holding.renewal.number,
        )
    if holding.state == "pending" and holding.active_at and holding.starts_on <= ctx.today:
        return m("holding.pending_today", name=name, due=holding.active_at, until=until)
    return m(f"holding.{holding.state}", name=name, since=holding.starts_on, until=until)


def about(ctx: Context, change: ChangeCard) -> Say:
    """Whom a change is about, or what, where it is about nobody."""
    return change.person or next((called(ctx, item.kind, item.key) for item in change.items if item.key), "")


def stamped(stamp: Stamp) -> Msg:
    """When a state was reached, and by whom."""
    if stamp.by:
        return m("stamp.when", day=stamp.on, time=stamp.at, who=stamp.by)
    return m("stamp.at", day=stamp.on, time=stamp.at)


def state_of_change(ctx: Context, change: ChangeCard) -> Msg:
    """How far a change is."""
    if moved := moves.state(change):
        return moved
    if change.state == "pending" and change.due and change.due_on:
        return (
            m("change.pending", day=change.due_on)
            if begins_later(change.due, ctx.now)
            else m("change.pending_today", due=change.due)
        )
    return m(f"change.{change.state}")


def change_item(ctx: Context, item: ChangeItem) -> Say:
    """One line of a change in words."""
    what = checklist.kind_of(item) if item.kind in moves.HELD else item.kind
    kind = m(f"change.kind.{what}" if what in checklist.RECORDED else "change.kind.other")
    if item.kind == "change-user" and item.key:
        return m("change.item", what=kind, name=m(f"field.{item.key}"))
    if item.kind in {"appoint-manager", "replace-manager", "end-manager"}:  # there is always an office
        return m("change.item", what=kind, name=m(f"role.{item.key}"))
    if item.kind in checklist.PLACES:
        other = item.other and item.kind != "close-subdivision"
        words = "change.renamed" if item.kind == "rename-subdivision" else "change.place"
        name: Say = m(words, name=item.key, other=item.other) if other else item.key
        return m("change.item", what=kind, name=name)
    if item.other:
        return m("change.item", what=kind, name=item.other)
    return m("change.item", what=kind, name=called(ctx, item.kind, item.key)) if item.key else kind


def called(ctx: Context, kind: str, key: str) -> Say:
    """What an application, a function, an office or a quality is called; its key where nothing knows it any more."""
    if kind in {"application", "grant", "end-grant"}:
        return next((a.name for a in ctx.catalogue.applications if a.key == key), key)
    if kind.endswith("-manager"):
        return m(f"role.{key}") if key in set(Role) else key
    if kind == "activate-quality":
        return next((q.label for q in ctx.catalogue.qualities if q.key == key), key)
    return next((f.label for f in ctx.catalogue.functions if f.key == key), key)


def line_of(ctx: Context, line: Line[Holding]) -> Msg:
    """A holding in a list. Whoever is blocked is looked at: on the portal a block may be still to do."""
    card = ctx.directory.person(line.person.id) if line.person.status == "blocked" else None
    return holding_line(ctx, line.holding, shut=card is not None and onportal.shut(card))
