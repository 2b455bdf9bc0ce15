"""Where a dialogue works: the entity and its quality, asked alike in all dialogues. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.conversations.flow import Asking, Screen
from bot.conversations.model import Answers
from bot.conversations.ports import Context, EntityRef, PersonCard
from bot.conversations.searching import SearchChoice
from bot.conversations.steps import Choice, Option, OptionsOf
from bot.msg import Msg, Say, m


@lru_cache(maxsize=512)
def entity_option(entity: EntityRef) -> Option:
    """An entity, with the actor's role there."""
    name, number = entity.name, entity.number
    line = m("entity.line", name=name, number=number, role=m(f"role.short.{entity.role}"))
    return Option(entity.id, m("entity.label", name=name, number=number), line)


def entity_options(ctx: Context, act: str) -> Sequence[Option]:
    """The entities where the actor may do it."""
    return [entity_option(entity) for entity in ctx.directory.entities(act)]


def has_groups(ctx: Context, entity: str | None) -> bool:
    """Whether the entity is on the new portal, which has groups where the old one has qualities (`domain.md` 1.6)."""
    place = ctx.directory.entity(entity) if entity else None
    return place is not None and place.portal == "new"


def quality_word(ctx: Context, entity: str | None) -> Msg:
    """What a quality of the entity is called."""
    return m("field.group") if has_groups(ctx, entity) else m("field.quality")


def qualities_title(ctx: Context) -> Msg:
    """Qualities, or groups for somebody whose entities are all on the new portal."""
    groups = all(entity.portal == "new" for entity in ctx.directory.entities())
    return m("qualities.groups") if groups else m("qualities.title")


def quality_options(
    ctx: Context, entity: str, act: str | None = None, *, inactive: bool = False
) -> Sequence[Option]:
    """The qualities of the entity in scope (for `act`): active ones; or those with users, `inactive` ones too, to end what is left."""
    found = [
        (q, ctx.catalogue.quality(q.key).label)
        for q in ctx.directory.qualities(entity, act)
        if (q.used if inactive else q.active)
    ]
    return [Option(q.id, label, m("quality.line", name=label, number=q.number)) for q, label in found]


def may(ctx: Context, card: PersonCard, act: str) -> bool:
    """Whether the actor may do this to accounts of the card's quality."""
    return any(room.id == card.ref.quality for room in ctx.directory.qualities(card.entity.id, act))


def the_only(options: Sequence[Option]) -> str | None:
    """The one option there is: it need not be asked."""
    return options[0].id if len(options) == 1 else None


def entity_name(ctx: Context, answers: Answers) -> Say | None:
    """The entity's name, for every card."""
    entity = ctx.directory.entity(answers["entity"]) if answers.get("entity") else None
    return entity.name if entity else None


def worked_in(memory: Mapping[str, str], named: str = "") -> Answers:
    """The entity that a button names, else the one that the manager chose to work in."""
    entity = named.strip() or memory.get("entity")
    return {"entity": entity} if entity else {}


IN_GROUP = m("place.ask.group")


@dataclass(frozen=True)
class QualityChoice(Choice):
    """A quality of the answer `entity`, in the words of its portal; `group` is the question on the new one."""

    group: Msg = IN_GROUP

    def question(self, asking: Asking) -> Msg:
        return self.group if has_groups(asking.ctx, asking.answers.get("entity")) else self.ask

    def called(self, asking: Asking) -> Msg:
        return quality_word(asking.ctx, asking.answers.get("entity"))

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        there = self.options(asking.ctx, asking.answers)
        if there or not has_groups(asking.ctx, asking.answers.get("entity")):
            return screen
        return replace(screen, body=(m("place.no_group"),))


def entity_choice(options: OptionsOf, *, none: Msg, editable: bool = True) -> Choice:
    """Asks for one of these entities, where there are several; `none` is said where there is none."""
    return SearchChoice(
        "entity",
        ask=m("grant.ask.entity"),
        label=m("field.entity"),
        options=options,
        proposes=lambda ctx, answers: the_only(options(ctx, answers)),
        stands=True,
        editable=editable,
        none=none,
    )


def entity_step(act: str, *, none: Msg | None = None, editable: bool = True) -> Choice:
    """Asks for the entity, where the actor may do `act` in several; `none` is said where he may in no entity."""

    def options(ctx: Context, _: Answers) -> Sequence[Option]:
        return entity_options(ctx, act)

    return entity_choice(options, none=none or m("place.no_entity"), editable=editable)


def quality_step(act: str, *, inactive: bool = False) -> Choice:
    """Asks for the quality of the entity, where there are several."""

    def options(ctx: Context, answers: Answers) -> Sequence[Option]:
        return quality_options(ctx, answers["entity"], act, inactive=inactive)

    return QualityChoice(
        "quality",
        ask=m("grant.ask.quality"),
        label=m("field.quality"),
        options=options,
        after=frozenset({"entity"}),
        proposes=lambda ctx, answers: the_only(options(ctx, answers)) if "entity" in answers else None,
        stands=True,
        none=m("grant.no_quality"),
    )


def place_steps(act: str, *, none: Msg | None = None, inactive: bool = False) -> tuple[Choice, Choice]:
    """The entity and its quality, in this order."""
    return entity_step(act, none=none), quality_step(act, inactive=inactive)
