"""The list of the users of an entity: searched, filtered, looked at, and ticked for one act on several of them. Pure.

A tap on a person opens his card above the list. Choosing several keeps the ticks across pages and searches; what is then
tapped (*Block*, *Delete*, …) is the answer to the next question at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.access.claims import ON_USERS
from bot.access.identifiers import looks_like_niss
from bot.conversations import hierarchy, mandates, onportal, userexport, userfilters
from bot.conversations.flow import Accepted, Asking, Pick, Rejected, Said, Screen, Shown, Step, Verdict, press
from bot.conversations.model import Button, Json, Row, Text
from bot.conversations.people import found, told_apart
from bot.conversations.ports import COUNTED, Context, PersonCard, PersonRef, UserPage
from bot.conversations.steps import GONE, PAGE_SIZE, one_after_another
from bot.msg import Say, m

LIST = "list_users"
ACTS = ("block", "reactivate", "end", "move", "delete")
CARD = "user"
"""The dialogue that shows one person."""
MOST = 200
"""So many people are acted on at once, at the most."""
NAMED = 10
"""So many names are said; of more, how many more."""


def allowed(ctx: Context, entity: str) -> tuple[str, ...]:
    """What the actor may do to users there."""
    return tuple(
        act for act in ACTS if any(each.id == entity for each in ctx.directory.entities(ON_USERS[act].value))
    )


def fits(card: PersonCard, act: str) -> bool:
    """Whether the act would change anything for this account."""
    match act:
        case "block":
            return card.ref.status == "active"
        case "reactivate":
            return card.ref.status == "blocked"
        case "end":
            return any(h.kind == "application" and h.state != "ended" for h in card.holdings)
        case _:
            return card.ref.status != "deleted"


@dataclass(frozen=True)
class UsersStep(Step):
    """The list. The answer is who was chosen, `{"ids": {account: version}, "f": the filter}`; looking answers nothing."""

    takes_niss: bool = True

    @staticmethod
    def _kept(asking: Asking) -> Json:
        own = asking.proposal if isinstance(asking.proposal, dict) else {}
        return asking.ui.get("f", own.get("f", {}))

    @staticmethod
    def _ticked(asking: Asking) -> list[str]:
        own = asking.proposal if isinstance(asking.proposal, dict) else {}
        ticks = asking.ui.get("ticks")
        return list(own.get("ids", {})) if ticks is None else list(ticks)

    def _choosing(self, asking: Asking) -> bool:
        return bool(asking.ui.get("pick", bool(self._ticked(asking))))

    @staticmethod
    def _size(asking: Asking) -> int:
        size = asking.ui.get("size", PAGE_SIZE)
        return size if size in userfilters.SIZES else PAGE_SIZE

    def _page(self, asking: Asking) -> UserPage:
        if near := asking.ui.get("near"):
            cards = [asking.ctx.directory.person(account) for account in near]
            refs = tuple(card.ref for card in cards if card)
            return UserPage(refs, len(refs))
        return asking.ctx.directory.users(
            asking.answers["entity"],
            userfilters.filter_of(self._kept(asking)),
            after=str(asking.ui.get("after", "")),
            before=str(asking.ui.get("before", "")),
            size=self._size(asking),
        )

    # -- what is shown --

    def screen(self, asking: Asking) -> Screen:
        entity, kept = asking.answers["entity"], self._kept(asking)
        if panel := asking.ui.get("panel"):
            return userfilters.screen(asking, entity, panel, kept, self._size(asking))
        listing, ticked = self._page(asking), self._ticked(asking)
        choosing = self._choosing(asking)
        rows: list[Row] = [
            (self._person(person, label, ticked, choosing=choosing),)
            for person, label in zip(listing.items, told_apart(listing.items), strict=True)
        ]
        rows += turning(listing, self._size(asking))
        if kept.get("text") or asking.ui.get("near"):
            rows.append((press(m("person.all"), "all"),))
        body = [*userfilters.summary(asking.ctx, entity, kept), found(listing.total)]
        body += [
            m("users.not_active", name=label, status=_status(asking.ctx, person))
            for person, label in zip(listing.items, told_apart(listing.items), strict=True)
            if person.status != "active"
        ]
        if choosing:
            body.append(m("users.picked", n=len(ticked)))
            acts = [press(m(f"users.act.{act}"), "act", act) for act in allowed(asking.ctx, entity)]
            rows += [tuple(acts[at : at + 2]) for at in range(0, len(acts), 2)]
            rows.append((press(m("users.filters"), "panel"), press(m("users.unpick"), "unpick")))
        elif allowed(asking.ctx, entity):
            rows.append((press(m("users.filters"), "panel"), press(m("users.pick"), "pick")))
        else:
            rows.append((press(m("users.filters"), "panel"),))
        if not choosing:
            rows += self._doors(asking, listing)
        return Screen(tuple(body), tuple(rows))

    def _doors(self, asking: Asking, listing: UserPage) -> list[Row]:
        """What else there is to a list: a new user, a document of it, and the portal's second tab."""
        entity = asking.answers["entity"]
        rows: list[Row] = []
        if any(each.id == entity for each in asking.ctx.directory.entities("create_user")):
            rows.append((press(m("newuser.title"), "open", f"newuser:{entity}", mark="➕"),))
        if listing.total and self._exports(asking):
            rows.append((press(m("users.export"), "export", mark="📄"),))
        if asking.ctx.directory.roots(entity) or asking.ctx.directory.subdivisions(entity):
            rows.append((press(m("subdivisions.title"), "open", f"subdivisions:{entity}", mark="🗂"),))
        return rows

    @staticmethod
    def _exports(asking: Asking) -> bool:
        return not asking.ui.get("near") and userexport.may(asking.ctx, asking.answers["entity"])

    @staticmethod
    def _person(person: PersonRef, label: str, ticked: list[str], *, choosing: bool) -> Button:
        if not choosing:
            mark = "" if person.status == "active" else "⛔"
            return press(label, "open", f"{CARD}:{person.id}", mark=mark)
        if person.id in ticked:
            return press(label, "off", person.id, mark="☑")
        return press(label, "on", person.id, mark="☐")

    # -- what is meant --

    def accept(self, asking: Asking, said: Said) -> Verdict:
        entity, kept, panel = asking.answers["entity"], self._kept(asking), asking.ui.get("panel")
        match said:
            case Pick("show"):
                return Shown({"panel": ""})
            case Pick("panel"):
                return Shown({"panel": "all"})
            case Pick() if panel:
                return userfilters.picked(asking, entity, panel, kept, said)
            case Pick():
                return self._tapped(asking, said)
            case Text(text) if panel in userfilters.FIELDS:
                return userfilters.typed(asking, entity, panel, kept, text)
            case Text(text) if looks_like_niss(text):
                return userfilters.by_number(asking, entity, kept, text)
            case Text(text):
                return self._search(asking, text)

    def _tapped(self, asking: Asking, said: Pick) -> Verdict:
        ticked = self._ticked(asking)
        match said:
            case Pick("on", value) if asking.ctx.directory.person(value):
                if len(ticked) >= MOST:
                    return Rejected(m("users.too_many", most=MOST))
                return Shown({"ticks": [*(t for t in ticked if t != value), value], "pick": True})
            case Pick("off", value):
                return Shown({"ticks": [t for t in ticked if t != value], "pick": True})
            case Pick("pick"):
                return Shown({"pick": True})
            case Pick("unpick"):
                return Shown({"pick": False, "ticks": []})
            case Pick("after", value):
                return Shown({"after": value, "before": ""})
            case Pick("before", value):
                return Shown({"after": "", "before": value})
            case Pick("page"):
                return Shown({})
            case Pick("all"):
                kept = {key: value for key, value in self._kept(asking).items() if key != "text"}
                return userfilters.narrowed(kept)
            case Pick("export") if self._exports(asking):
                everybody = {"ids": {}, "all": True, "f": self._kept(asking)}
                return Accepted(everybody, also={"act": userexport.ACT})
            case Pick("act", value) if value in allowed(asking.ctx, asking.answers["entity"]):
                return self._chosen(asking, value, ticked)
            case _:
                return Rejected(GONE)

    def _chosen(self, asking: Asking, act: str, ticked: list[str]) -> Verdict:
        if not ticked:
            return Rejected(m("users.pick_first"))
        cards = [card for account in ticked if (card := asking.ctx.directory.person(account))]
        able = [card for card in cards if fits(card, act)]
        if not able:
            return Rejected(m(f"users.none_fits.{act}"))
        left = [card.ref for card in cards if not fits(card, act)]
        notes = (m("users.left_out", who=names(left)),) if left else ()
        ids = {card.ref.id: card.ref.version for card in able}
        return Accepted({"ids": ids, "f": self._kept(asking)}, also={"act": act}, notes=notes)

    def _search(self, asking: Asking, text: str) -> Verdict:
        text = " ".join(text.replace("·", " ").split())[: userfilters.LONGEST]
        entity, directory = asking.answers["entity"], asking.ctx.directory
        kept = {**self._kept(asking), "text": text}
        if directory.users(entity, userfilters.filter_of(kept), size=1).total:
            return userfilters.narrowed(kept)
        rooms = [room for room in directory.qualities(entity, LIST) if room.active]
        near = [person.id for room in rooms for person in directory.alike(room.id, text, limit=PAGE_SIZE)]
        if near:
            return Rejected(
                m("person.nearly", said=text), {"near": near[:PAGE_SIZE], "after": "", "before": ""}
            )
        return Rejected(m("users.none", said=text))

    # -- as an answer --

    def reads(self, asking: Asking, value: Json) -> Say | None:
        if value.get("all"):
            return userexport.reads(asking.ctx, asking.answers["entity"], value)
        cards = [asking.ctx.directory.person(account) for account in value["ids"]]
        people = [card.ref for card in cards if card]
        said = m("users.people", n=len(people), who=names(people))
        leaves = asking.answers.get("act") in {"block", "delete"}
        if not leaves:
            return said
        lost = hierarchy.losses(asking.ctx, list(value["ids"]))
        return one_after_another(
            said, *lost, *mandates.kept(asking.ctx, asking.answers["entity"], value["ids"])
        )

    def holds(self, asking: Asking, value: Json) -> bool:
        if value.get("all"):
            return userexport.may(asking.ctx, asking.answers["entity"])
        cards = [asking.ctx.directory.person(account) for account in value.get("ids", {})]
        return bool(cards) and all(card and card.entity.id == asking.answers["entity"] for card in cards)


def _status(ctx: Context, person: PersonRef) -> Say:
    card = ctx.directory.person(person.id)
    return onportal.status(card) if card else m(f"account.{person.status}")


def names(people: Sequence[PersonRef]) -> Say:
    """Who they are; of more than `NAMED`, the first and how many more."""
    labels = told_apart(people)
    if len(labels) <= NAMED:
        return m("step.list", what=labels)
    return m("users.and_more", what=labels[:NAMED], n=len(labels) - NAMED)


def turning(listing: UserPage, size: int) -> tuple[Row, ...]:
    """The arrows under a list; the page's number only where all can be counted."""
    before, after = listing.more
    if not listing.items or not (before or after):
        return ()
    back = press("‹", "before", listing.items[0].id) if before else press("‹", "page")
    on = press("›", "after", listing.items[-1].id) if after else press("›", "page")
    if listing.place is None or listing.total > COUNTED:
        return ((back, on),)
    at, pages = listing.place // size + 1, -(-listing.total // size)
    return ((back, press(m("step.page", page=at, pages=pages), "page"), on),)
