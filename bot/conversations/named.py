"""Which person and place a button, a command or the words after it name, for the dialogues about one person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.access.identifiers import looks_like_niss
from bot.conversations.flow import Heard
from bot.conversations.model import Answers, Json
from bot.conversations.ports import Context, PersonCard, QualityRef
from bot.conversations.search import person_named
from bot.errors import Invalid


def known_person(ctx: Context, answers: Answers) -> PersonCard | None:
    """The card of the person chosen, if there is an account already."""
    account = answers.get("person", {}).get("account")
    return ctx.directory.person(account) if account else None


def prefill(memory: Mapping[str, str], args: str) -> Answers:
    """The entity that the manager chose to work in, or the one that a receipt's button names."""
    entity = args or memory.get("entity")
    quality = memory.get("quality") if entity == memory.get("entity") else None
    wanted = {"entity": entity, "quality": quality}
    return {key: value for key, value in wanted.items() if value}


def of_person(ctx: Context, account: str) -> Answers:
    """The account that a button names, with its place; nothing where it is not the actor's."""
    card = ctx.directory.person(account) if account else None
    return _there(card) if card else {}


def known(ctx: Context, memory: Mapping[str, str], args: str, act: str) -> Answers:
    """The account that a button names, with its place, or that the words after the command mean; else the entity.

    Where several people match, or nobody exactly, the words are heard by the step *person*, in the place where those people
    are; where that is more than one place, it is asked. Raises Invalid for words that mean nothing.
    """
    return _wanted(memory, args.strip(), _meant(ctx, args.strip(), act))


def welcome(ctx: Context, memory: Mapping[str, str], args: str, act: str) -> Answers:
    """The same for a dialogue that takes somebody new too: words that nobody is known by are heard by the step *person*, which
    goes on from them. The name of an application is nobody's.
    """
    args = args.strip()
    try:
        meant = _meant(ctx, args, act)
    except Invalid:
        if args.rstrip(".").isdecimal() and not looks_like_niss(args):
            raise  # it would be a place in a list that nobody has seen
        return {**prefill(memory, ""), "person": Heard(args)}
    nobody = meant is not None and not meant
    return prefill(memory, "") if nobody else _wanted(memory, args, meant)


def _meant(ctx: Context, args: str, act: str) -> PersonCard | Sequence[QualityRef] | None:
    """The person, or where those are who match; None for an entity."""
    if not args or ctx.directory.entity(args) is not None:
        return None
    return ctx.directory.person(args) or person_named(ctx, args, act)


def _wanted(memory: Mapping[str, str], args: str, meant: PersonCard | Sequence[QualityRef] | None) -> Answers:
    if meant is None:
        return prefill(memory, args)
    if isinstance(meant, PersonCard):
        return _there(meant)
    place = _place(meant) if meant else prefill(memory, "")
    return {**place, "person": Heard(args)}


def _there(card: PersonCard) -> Answers:
    person = {"account": card.ref.id, "version": card.ref.version}
    return {"entity": card.entity.id, "quality": card.ref.quality, "person": person}


def _place(rooms: Sequence[QualityRef]) -> Answers:
    """The entity and the quality, where there is only one."""
    entities, qualities = {room.entity for room in rooms}, {room.id for room in rooms}
    place: dict[str, Json] = {"entity": entities.pop()} if len(entities) == 1 else {}
    return {**place, "quality": qualities.pop()} if len(qualities) == 1 else place
