"""The qualities of an entity, groups on the new portal: which there are, how far each is, and how one becomes active. Pure.

The old portal's are activated by hand, by whoever may; the new one's by themselves (`domain.md` 1.6), which is said instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.access.requests import ActivateQuality, Done
from bot.conversations.basics import every_entity
from bot.conversations.certificates import certificates_row
from bot.conversations.flow import HOME_ROW, Flow, Page, press
from bot.conversations.model import Answers, Button, Door, Row, View
from bot.conversations.named import prefill
from bot.conversations.place import (
    entity_choice,
    entity_name,
    entity_options,
    has_groups,
    qualities_title,
    the_only,
)
from bot.conversations.ports import Context, QualityRef
from bot.conversations.receipts import HOME_DOOR, to_portal
from bot.conversations.steps import Choice, Option
from bot.conversations.wording import about
from bot.msg import Msg, Say, m

KEY, ACTIVATE = "qualities", "activate"
ACT = "activate_quality"
OF_ALL_GROUPS = frozenset({"responsible", "co-responsible"})
"""Who manages every group of the new portal by himself (`domain.md` 1.6)."""


def label_of(ctx: Context, quality: QualityRef) -> Say:
    """The quality in the portal's words."""
    return ctx.catalogue.quality(quality.key).label


# -- the list -------------------------------------------------------------------------------------


def state_of(ctx: Context, quality: QualityRef, waiting: Mapping[str, str]) -> Msg:
    """How far it is: active, noted to be activated on the portal, or neither."""
    if quality.id in waiting and not quality.active:
        return m("quality.waiting", number=waiting[quality.id])
    groups = has_groups(ctx, quality.entity)
    if quality.active and quality.since:
        since = quality.since
        return m("group.active_since", day=since) if groups else m("quality.active_since", day=since)
    state = "active" if quality.active else "inactive"
    return m(f"group.{state}") if groups else m(f"quality.{state}")


def page(ctx: Context, answers: Answers) -> Page:
    """Each quality with its number and state, and what can be done about one that is not active."""
    entity = answers["entity"]
    groups, there = has_groups(ctx, entity), ctx.directory.qualities(entity)
    waiting = dict(ctx.directory.activations(entity))
    lines = [
        m("qualities.line", name=label_of(ctx, each), number=each.number, state=state_of(ctx, each, waiting))
        for each in there
    ]
    after: list[Say] = []
    rows: list[Row] = []
    if groups:
        after.append(m("qualities.automatic"))
        place = ctx.directory.entity(entity)
        if place and place.role in OF_ALL_GROUPS:
            after.append(m("qualities.all_yours"))
    elif inactive(ctx, answers):
        rows.append((press(m("activate.title"), "open", f"{ACTIVATE}:{entity}", mark="➕"),))
    elif not all(each.active for each in there) and entity not in may(ctx):
        after.append(m("qualities.who"))
    rows += [
        (press(m("portal.open"), "open", f"portal:{number}", mark="☑"),)
        for number in dict.fromkeys(waiting.values())
        if entity in {each.id for each in ctx.directory.entities("hand_over")}
    ][:1]
    return Page(
        tuple(lines) or (m("qualities.none"),),
        after=tuple(after),
        rows=(*rows, *certificates_row(ctx, entity), HOME_ROW),
        title=m("qualities.groups") if groups else m("qualities.title"),
    )


def chosen(_: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The entity worked in, or the one that a button names."""
    return prefill(memory, args.strip())


QUALITIES = Flow(
    key=KEY,
    icon="🗂",
    title=m("qualities.title"),
    steps=(entity_choice(every_entity, none=m("place.no_entity")),),
    page=page,
    prefill=chosen,
    subject=entity_name,
    retype="entity",
)


# -- activating one of the old portal -------------------------------------------------------------


def may(ctx: Context) -> frozenset[str]:
    """The entities where the actor activates by hand."""
    return frozenset(each.id for each in ctx.directory.entities(ACT) if each.portal == "old")


def entities(ctx: Context, _: Answers) -> Sequence[Option]:
    """The same, to choose from."""
    allowed = may(ctx)
    return [option for option in entity_options(ctx, ACT) if option.id in allowed]


def inactive(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What is neither active nor noted to become so, where the actor may activate it."""
    entity = answers["entity"]
    if entity not in may(ctx):
        return []
    waiting = dict(ctx.directory.activations(entity))
    return [
        Option(each.id, label_of(ctx, each), m("quality.line", name=label_of(ctx, each), number=each.number))
        for each in ctx.directory.qualities(entity)
        if not each.active and each.id not in waiting
    ]


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """That it is active, or that it is noted and still to be done on the portal: active only then."""
    change = ctx.directory.change(done.number)  # the quality itself is no longer among those to choose from
    portal = change is not None and change.state == "to_do"
    name: Say = about(ctx, change) if change else ""
    first = (
        to_portal(done.number) if portal else Button(m("grant.title"), Door("grant", answers["entity"]), "➕")
    )
    return View(
        mark="✔",
        title=m("activate.title"),
        subject=entity_name(ctx, answers),
        body=(m("activate.noted" if portal else "activate.done", number=done.number, name=name),),
        rows=(
            (first,),
            (
                Button(qualities_title(ctx), Door(KEY, answers["entity"]), "🗂"),
                HOME_DOOR,
            ),
        ),
    )


ACTIVATING = Flow(
    key=ACTIVATE,
    icon="🗂",
    title=m("activate.title"),
    steps=(
        entity_choice(entities, none=m("activate.no_entity")),
        Choice(
            "quality",
            ask=m("activate.ask"),
            label=m("field.quality"),
            options=inactive,
            after=frozenset({"entity"}),
            proposes=lambda ctx, answers: the_only(inactive(ctx, answers)) if "entity" in answers else None,
            stands=True,
            none=m("activate.none"),
        ),
    ),
    submit=lambda _, answers: ActivateQuality(answers["quality"]),
    prefill=chosen,
    subject=entity_name,
    receipt=receipt,
    restarts=True,
    needs=ACT,
)
