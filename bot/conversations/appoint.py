"""Appointing a manager, in somebody's place or beside him. Pure.

The steps ask for the office, then only for what it needs of a place; whoever is appointed is a user of the entity. A
responsible is appointed by the legal representative, who does not see the users: he chooses among those who manage there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.access.offices import AT_CSAM, OFFICES, ON_PORTAL
from bot.access.requests import AppointManager, Done
from bot.conversations.flow import Asking, Flow, Rejected, Verdict
from bot.conversations.managers import APPOINT, REPLACE, appointing, days_of, mandate_of
from bot.conversations.mandates import KEY, named, office_at
from bot.conversations.model import Answers, Button, CopyText, Door, Json, Row, View
from bot.conversations.people import PersonStep
from bot.conversations.place import (
    QualityChoice,
    entity_choice,
    entity_name,
    entity_option,
    has_groups,
    quality_options,
    the_only,
    worked_in,
)
from bot.conversations.ports import Context, ManagerRef
from bot.conversations.receipts import WAY_HOME
from bot.conversations.steps import Choice, Day, Option
from bot.conversations.wayin import MAIL, ways
from bot.msg import Msg, Say, m

NOBODY = "-"
RESPONSIBLE = "responsible"
OF_A_QUALITY = frozenset({"local", "co-local"})
OF_GROUPS = frozenset({"group"})
"""Only the new portal has group managers (`domain.md` 1.2)."""


# -- where, which office, at which place ----------------------------------------------------------


def entities(ctx: Context, _: Answers) -> Sequence[Option]:
    """The entities where the actor may appoint somebody."""
    return [entity_option(e) for e in appointing(ctx)]


def offices(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The offices that he may fill there, with what each is for."""
    may = {post.office for post in ctx.directory.posts(answers["entity"])}
    place = ctx.directory.entity(answers["entity"])
    if place and place.delivery == "portal" and place.portal == "old":
        may -= OF_GROUPS  # there would be nowhere to do it
    return [
        Option(
            key,
            short_name(key),
            m("appoint.office_line", role=m(f"role.{key}"), about=about(ctx, answers, key)),
        )
        for key in OFFICES
        if key in may
    ]


def about(ctx: Context, answers: Answers, office: str) -> Msg:
    """What the office is for, in the words of the entity's portal."""
    if office in OF_A_QUALITY and has_groups(ctx, answers["entity"]):
        return m(f"office.in_group.{office}")
    return m(f"office.{office}")


def short_name(office: str) -> Msg:
    """What fits on a button: the long names of two offices do not."""
    return m(f"office.name.{office}" if office in {RESPONSIBLE, "co-responsible"} else f"role.{office}")


def qualities(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The qualities for which he may fill the office."""
    posts = ctx.directory.posts(answers["entity"])
    may = {post.quality for post in posts if post.office == answers["office"]}
    return [option for option in quality_options(ctx, answers["entity"]) if option.id in may]


def parts(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The subdivisions of the quality for which he may."""
    return [
        Option(post.subdivision, post.name)
        for post in ctx.directory.posts(answers["entity"])
        if (post.office, post.quality) == (answers["office"], answers["quality"]) and post.subdivision
    ]


def lists(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The lists of users in which the person is looked for."""
    return quality_options(ctx, answers["entity"], "list_users")


def which_list(ctx: Context, answers: Answers) -> Json:
    """That of the quality to be managed; else the only one."""
    return answers.get("quality") or the_only(lists(ctx, answers))


def heirs(ctx: Context, answers: Answers) -> Sequence[Option]:
    """Who manages in the entity and could be its responsible."""
    there = ctx.directory.managers(answers["entity"])
    return [
        Option(each.account, named(each), m("appoint.heir_line", name=named(each), role=office_at(ctx, each)))
        for each in {
            each.account: each for each in there if each.office not in {"auditor", RESPONSIBLE}
        }.values()
        if each.account and not each.oneself
    ]


def replaceable(ctx: Context, answers: Answers) -> Sequence[ManagerRef]:
    """The mandates of the same office and place that the actor may end."""
    place = (answers["office"], answers.get("quality", ""), answers.get("part", ""))
    return [
        each
        for each in ctx.directory.managers(answers["entity"])
        if each.changeable and (each.office, each.quality, each.subdivision) == place
    ]


def replaced(ctx: Context, answers: Answers) -> Sequence[Option]:
    """Nobody, or one of them."""
    return [
        Option(NOBODY, m("appoint.nobody")),
        *(
            Option(each.id, named(each), m("appoint.heir_line", name=named(each), role=days_of(each)))
            for each in replaceable(ctx, answers)
        ),
    ]


def whom(ctx: Context, answers: Answers) -> Json:
    """An entity has one responsible as a rule: the new one replaces him. Of all others there may be several."""
    there = replaceable(ctx, answers)
    return there[0].id if answers["office"] == RESPONSIBLE and len(there) == 1 else NOBODY


def is_narrow(_: Context, answers: Answers) -> bool:
    """Whether the office is over one quality."""
    return OFFICES[answers["office"]].quality if "office" in answers else False


def has_part(_: Context, answers: Answers) -> bool:
    """Whether it is over one subdivision."""
    return OFFICES[answers["office"]].subdivision if "office" in answers else False


def is_of_users(_: Context, answers: Answers) -> bool:
    """Whether the person is looked for among the users."""
    return answers.get("office") not in {None, RESPONSIBLE}


def is_of_managers(_: Context, answers: Answers) -> bool:
    return answers.get("office") == RESPONSIBLE


def has_somebody(ctx: Context, answers: Answers) -> bool:
    """Whether there is somebody to be replaced."""
    placed = "office" in answers and all(
        key in answers or not applies(ctx, answers)
        for key, applies in (("quality", is_narrow), ("part", has_part))
    )
    return placed and bool(replaceable(ctx, answers))


@dataclass(frozen=True)
class ListStep(Choice):
    """In which list of users to look; the recap has no need of it."""

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


@dataclass(frozen=True)
class AppointeeStep(PersonStep):
    """A user of the entity, but not oneself, and nobody who is blocked."""

    def _taken(self, asking: Asking, account: str, *, reactivate: bool = False) -> Verdict:
        if any(card.ref.id == account for card in asking.ctx.directory.mine()):
            return Rejected(m("rights.own_mandate"))
        card = asking.ctx.directory.person(account)
        if card and card.ref.status == "blocked":
            return Rejected(m("act.blocked"))
        return super()._taken(asking, account)


# -- what comes of it -----------------------------------------------------------------------------


def known(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The entity that a button names, or the office and place of the mandate to replace."""
    if args.startswith(REPLACE) and (old := mandate_of(ctx, args.removeprefix(REPLACE))):
        place = {"entity": old.entity, "office": old.office, "quality": old.quality, "part": old.subdivision}
        return {**{key: value for key, value in place.items() if value}, "replaces": old.id}
    return worked_in(memory, args)


def request(ctx: Context, answers: Answers) -> AppointManager:
    """The answers as one request."""
    replaces = answers.get("replaces", NOBODY)
    return AppointManager(
        office=answers["office"],
        entity=answers["entity"],
        account=answers["person"]["account"] if is_of_users(ctx, answers) else answers["heir"],
        since=date.fromisoformat(answers["since"]),
        until=date.fromisoformat(answers["until"]) if answers["until"] else None,
        quality=answers.get("quality"),
        subdivision=answers.get("part"),
        replaces=None if replaces == NOBODY else replaces,
        mail=answers.get("how") == MAIL,
    )


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """What was recorded, what is still to do elsewhere, and how the person is let in."""
    body: list[Say] = [m("appoint.done", number=done.number, role=m(f"role.{answers['office']}"))]
    if todo := elsewhere(ctx, answers["entity"], answers["office"]):
        body.append(todo)
    rows: list[Row] = []
    if done.code:
        body += [m("way.code"), done.code, m("way.code_use")]
        rows.append((Button(m("way.copy"), CopyText(done.code), "📋"),))
    else:
        body.append(m("way.mailed") if done.mailed else m("appoint.not_invited"))
    return staying(m("appoint.title"), ctx, answers, body, rows, fades=bool(done.code))


def elsewhere(ctx: Context, entity: str, office: str) -> Msg | None:
    """Where it is still to be done: only of an entity of the portal are managers appointed outside of here."""
    place = ctx.directory.entity(entity)
    if place is None or place.delivery != "portal":
        return None
    return m("appoint.csam") if office in AT_CSAM else m("appoint.portal") if office in ON_PORTAL else None


def staying(
    title: Msg, ctx: Context, answers: Answers, body: Sequence[Say], rows: Sequence[Row], *, fades: bool
) -> View:
    """A receipt, with the way back to the list."""
    managers: Row = (Button(m("managers.title"), Door(KEY, answers["entity"]), "🔑"),)
    return View(
        mark="✔",
        title=title,
        subject=entity_name(ctx, answers),
        body=tuple(body),
        rows=(*rows, managers, WAY_HOME),
        fades=fades,
    )


APPOINTING = Flow(
    key=APPOINT,
    icon="🔑",
    title=m("appoint.title"),
    steps=(
        entity_choice(entities, none=m("appoint.no_entity")),
        Choice(
            "office",
            ask=m("appoint.ask.office"),
            label=m("field.office"),
            options=offices,
            after=frozenset({"entity"}),
        ),
        QualityChoice(
            "quality",
            ask=m("appoint.ask.quality"),
            group=m("appoint.ask.group"),
            label=m("field.quality"),
            options=qualities,
            after=frozenset({"entity", "office"}),
            when=is_narrow,
            proposes=lambda ctx, answers: the_only(qualities(ctx, answers)),
            stands=True,
            none=m("grant.no_quality"),
        ),
        Choice(
            "part",
            ask=m("appoint.ask.part"),
            label=m("field.subdivision"),
            options=parts,
            after=frozenset({"entity", "office", "quality"}),
            when=has_part,
            none=m("appoint.no_part"),
        ),
        Choice(
            "replaces",
            ask=m("appoint.ask.replaces"),
            label=m("appoint.replaces"),
            options=replaced,
            after=frozenset({"entity", "office", "quality", "part"}),
            when=has_somebody,
            proposes=whom,
            stands=True,
        ),
        ListStep(
            "list",
            ask=m("appoint.ask.list"),
            label=m("field.quality"),
            options=lists,
            after=frozenset({"entity", "office", "quality"}),
            when=is_of_users,
            proposes=which_list,
            stands=True,
            editable=False,
        ),
        AppointeeStep(
            "person",
            ask=m("appoint.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "office", "quality", "list"}),
            when=is_of_users,
            quality="list",
            newcomers=False,
        ),
        Choice(
            "heir",
            ask=m("appoint.ask.heir"),
            label=m("field.person"),
            options=heirs,
            after=frozenset({"entity", "office"}),
            when=is_of_managers,
            none=m("appoint.no_heir"),
        ),
        Day(
            "since",
            ask=m("appoint.ask.since"),
            label=m("field.start"),
            earliest=lambda ctx, _: ctx.today,
            proposes=lambda ctx, _: ctx.today.isoformat(),
            stands=True,
        ),
        Day(
            "until",
            ask=m("appoint.ask.until"),
            label=m("field.end"),
            after=frozenset({"since"}),
            earliest=lambda _, answers: date.fromisoformat(answers["since"]),
            optional=m("day.no_end"),
            proposes=lambda _, __: "",
            stands=True,
        ),
        Choice(
            "how",
            ask=m("way.ask.how"),
            label=m("way.how"),
            options=ways,
            after=frozenset({"office", "person"}),
            when=is_of_users,
            proposes=lambda ctx, answers: ways(ctx, answers)[0].id if "person" in answers else None,
            stands=True,
        ),
    ),
    submit=request,
    prefill=known,
    subject=entity_name,
    receipt=receipt,
)
