"""Choosing a person: by a list, a name, a user name, or a national number. Pure.

The answer is `{"account": id, "version": n}` for a known user account (with `"reactivate": true` for a blocked one), `{"niss": digits}` or `{"new": true}` for somebody
whom this quality does not know yet. A person known only to another entity is new here: nothing crosses over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from bot.access.identifiers import Niss, looks_like_niss, parse_niss
from bot.conversations.flow import Accepted, Asking, Pick, Rejected, Said, Screen, Shown, Step, Verdict, press
from bot.conversations.matching import match
from bot.conversations.model import Answers, App, Button, Json, Row, Text
from bot.conversations.ports import COUNTED, Context, Listing, PersonRef
from bot.conversations.steps import GONE, PAGE_SIZE, page_row, turned
from bot.errors import Invalid
from bot.msg import Msg, Say, m


def found(total: int) -> Msg:
    """How many users were found: exact up to 1,000."""
    return m("users.found", n=total) if total <= COUNTED else m("users.found_many", limit=COUNTED)


def told_apart(people: Sequence[PersonRef]) -> tuple[str, ...]:
    """A label for each person: the name, and the subdivision or else the user name that tells homonyms apart."""
    return tuple(
        _label(person, [other for other in people if other.name == person.name]) for person in people
    )


def _label(person: PersonRef, homonyms: Sequence[PersonRef]) -> str:
    alone = sum(1 for other in homonyms if other.subdivision == person.subdivision) == 1
    more = (
        person.subdivision
        if alone and person.subdivision
        else person.username
        if len(homonyms) > 1
        else person.subdivision
    )
    return f"{person.name} · {more}" if more else person.name


def people_rows(people: Sequence[PersonRef]) -> list[Row]:
    """A button for each account, once."""
    once = list({person.id: person for person in people}.values())
    return [(press(label, "who", person.id),) for person, label in zip(once, told_apart(once), strict=True)]


def private_number(ctx: Context) -> Button:
    """The door to the private page that takes a national number for the open dialogue."""
    return Button(m("person.private"), App(f"{ctx.settings.pages}/app/niss"), "🔒")


def is_new(answers: Answers) -> bool:
    """Whether the person chosen has no account in this quality yet."""
    return "account" not in answers.get("person", {"account": ""})


def rebased(answers: Answers, version: int) -> Answers:
    """The same person, as he is now."""
    return {**answers, "person": {**answers["person"], "version": version}}


@dataclass(frozen=True)
class PersonStep(Step):
    """A user account of the quality answered before, or somebody new; `as_is` takes somebody blocked as he is."""

    _: KW_ONLY
    quality: str = "quality"
    newcomers: bool = True
    as_is: bool = False
    takes_niss: bool = True

    def _listing(self, asking: Asking) -> Listing[PersonRef]:
        directory, quality = asking.ctx.directory, asking.answers[self.quality]
        if near := asking.ui.get("near"):
            hits = directory.alike(quality, near, limit=PAGE_SIZE)
            return Listing(hits, len(hits), size=PAGE_SIZE)
        page = asking.ui.get("page", 0)
        return self._people(asking, asking.ui.get("find", ""), page if isinstance(page, int) else 0)

    def _people(self, asking: Asking, find: str, page: int) -> Listing[PersonRef]:
        """Those who come into question, by name."""
        quality = asking.answers[self.quality]
        return asking.ctx.directory.people(quality, find=find, page=page, size=PAGE_SIZE)

    def screen(self, asking: Asking) -> Screen:
        listing = self._listing(asking)
        rows: list[Row] = [
            (press(label, "who", person.id, mark=self._mark(asking, person)),)
            for person, label in zip(listing.items, told_apart(listing.items), strict=True)
        ]
        if asking.ui.get("blocked"):
            rows.insert(0, (press(m("person.reactivate"), "unblock", asking.ui["blocked"]),))
        rows += page_row(listing.page, listing.pages)
        if asking.ui.get("find") or asking.ui.get("near"):
            rows.append((press(m("person.all"), "all"),))
        if asking.ctx.settings.pages:
            rows.append((private_number(asking.ctx),))
        if self.newcomers:
            rows.append((press(m("person.new"), "new", mark="➕"),))
        find = asking.ui.get("find")
        count = m("person.found_for", what=find, count=found(listing.total)) if find else found(listing.total)
        return Screen((m("person.how"), count), tuple(rows))

    @staticmethod
    def _mark(asking: Asking, person: PersonRef) -> str:
        if isinstance(asking.proposal, dict) and asking.proposal.get("account") == person.id:
            return "✔"
        return "⛔" if person.status == "blocked" else ""

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match self._meant(asking, said):
            case Shown(ui):
                return Shown({"blocked": "", **ui})
            case Rejected(error, ui):
                return Rejected(error, {"blocked": "", **ui})
            case verdict:
                return verdict

    def _meant(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("who", value):
                return self._taken(asking, value)
            case Pick("unblock", value) if value == asking.ui.get("blocked"):
                return self._taken(asking, value, reactivate=True)
            case Pick("new") if self.newcomers:
                return Accepted({"new": True})
            case Pick("all"):
                return Shown({"find": "", "near": "", "page": 0})
            case Pick():
                return turned(said) or Rejected(GONE)
            case Text(text):
                return self._number(asking, text) if looks_like_niss(text) else self._name(asking, text)

    def _taken(self, asking: Asking, account: str, *, reactivate: bool = False) -> Verdict:
        card = asking.ctx.directory.person(account)
        if card is None or card.ref.quality != asking.answers[self.quality] or card.ref.status == "deleted":
            return Rejected(GONE)
        answer = {"account": account, "version": card.ref.version}
        if self.as_is or card.ref.status != "blocked":
            return Accepted(answer)
        if reactivate:
            return Accepted({**answer, "reactivate": True})
        return Rejected(m("person.blocked", name=card.ref.name), {"blocked": account})

    def _number(self, asking: Asking, text: str) -> Verdict:
        try:
            niss = parse_niss(text, today=asking.ctx.today)
        except Invalid as invalid:
            return Rejected(invalid.msg)
        known = asking.ctx.directory.by_niss(asking.answers[self.quality], niss.digits)
        if known:
            return self._taken(asking, known.id)
        return Accepted({"niss": niss.digits}) if self.newcomers else Rejected(m("person.niss_unknown"))

    def _name(self, asking: Asking, text: str) -> Verdict:
        shown = self._listing(asking).items
        said = (
            match(text, [(label,) for label in told_apart(shown)])
            if text.strip().rstrip(".").isdecimal()
            else None
        )
        if said and said.sure:
            return self._taken(asking, shown[said.places[0]].id)
        text = " ".join(text.replace("·", " ").split())[:60]
        directory, quality = asking.ctx.directory, asking.answers[self.quality]
        hits = self._people(asking, text, 0)
        if hits.total == 1:
            return self._taken(asking, hits.items[0].id)
        if hits.total:
            return Shown({"find": text, "near": "", "page": 0})
        if directory.alike(quality, text, limit=1):
            return Rejected(m("person.nearly", said=text), {"near": text, "find": "", "page": 0})
        none = m("person.none", said=text) if self.newcomers else m("status.none", said=text)
        return Rejected(none, {"find": "", "near": "", "page": 0})

    def reads(self, asking: Asking, value: Json) -> Say | None:
        if account := value.get("account"):
            card = asking.ctx.directory.person(account)
            if card is None:
                return None
            masked = m("person.niss", niss=card.ref.masked) if card.ref.masked else card.ref.username
            who = m("person.reads", name=card.ref.name, more=masked) if masked else card.ref.name
            return m("person.reads_blocked", who=who) if value.get("reactivate") else who
        if digits := value.get("niss"):
            return m("person.reads_new", niss=Niss(digits).masked)
        return m("person.reads_new_without")

    def holds(self, asking: Asking, value: Json) -> bool:
        if not isinstance(value, dict):
            return False
        if account := value.get("account"):
            again = bool(value.get("reactivate"))
            return isinstance(self._taken(asking, account, reactivate=again), Accepted)
        # a number belongs to the person, and who is new for one entity may be known to the other
        return self.newcomers and not (
            value.get("niss") and asking.ctx.directory.by_niss(asking.answers[self.quality], value["niss"])
        )
