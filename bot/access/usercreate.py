"""CreateUser: a user account without any access yet, human or technical; everything checked again, then written, once."""

from __future__ import annotations

from bot.access import newcomers, wayin
from bot.access.catalogue import Declared
from bot.access.insider import judged
from bot.access.newcomers import TECHNICAL
from bot.access.places import Place, own_subdivision, place_of
from bot.access.requests import CreateUser, Done
from bot.access.rights import Act, MandateScope, Target, require
from bot.access.rows import branch
from bot.access.work import CREATE_USER, Declined, Item, Work, add_items, audited, open_change
from bot.msg import m


def create_user(work: Work, request: CreateUser) -> Done:
    """Makes the account; raises Refusal, with the step to ask again where another answer helps."""
    mandates = work.mandates()
    place = place_of(work, mandates, request.quality)
    subdivision = own_subdivision(work.connection, mandates, place, work.today)
    _require(work, mandates, place, subdivision, None)  # before anything is said about the person
    newcomer = newcomers.checked(work, request.user, place.entity, place.quality)
    _require(work, mandates, place, subdivision, newcomer.identity)
    technical = newcomer.user.type == TECHNICAL
    profession = None if technical else request.profession
    if profession is not None and profession not in set(Declared):
        raise Declined(m("act.profession_gone"), "profession")
    number = open_change(work, "create-user", place.entity, place.quality)
    made = newcomers.make(
        work, newcomer, place.entity, place.quality, subdivision=subdivision, profession=profession
    )
    after = {"quality": place.quality, "subdivision": subdivision, "profession": profession}
    item = Item(
        CREATE_USER,
        made.account,
        made.account,
        made.identity,
        after={**after, "type": newcomer.user.type},
        settled=place.delivery != "portal",
        personal=newcomer.described(),
    )
    add_items(work, number, [item], version=1)
    audited(work, place.entity, number, [item])
    mailed = not technical and wayin.welcome(work, made.account)
    return Done(number, work.now if item.settled else None, made.account, mailed=mailed)


def _require(
    work: Work,
    mandates: tuple[MandateScope, ...],
    place: Place,
    subdivision: str | None,
    identity: str | None,
) -> None:
    path = branch(work.connection, subdivision)
    target = judged(
        work, [Act.CREATE_USER], Target(place.entity, place.quality, path, place.enterprise, identity)
    )
    require(mandates, Act.CREATE_USER, target, actor=work.actor.identity, today=work.today)
