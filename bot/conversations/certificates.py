"""The certificates of an entity: the list with their states, one of them, taking one in from a file, ending one. Pure.

The file's content is the answer, in base64; what it says is read from it each time (`access.certificates`). The act reads it again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from bot.access.certificates import MAX_BYTES, Certificate, grouped, read_certificate
from bot.access.periods import brussels_day
from bot.access.requests import Done, EndCertificate, KeepCertificate
from bot.access.rights import Act
from bot.conversations.flow import (
    HOME_ROW,
    Accepted,
    Asking,
    Flow,
    Page,
    Pick,
    Rejected,
    Said,
    Screen,
    Step,
    Verdict,
    press,
)
from bot.conversations.matching import match
from bot.conversations.model import Answers, Button, Document, Door, Json, Row, Text, View
from bot.conversations.place import entity_choice, entity_name, entity_option, entity_step
from bot.conversations.ports import CertificateRef, Context
from bot.conversations.receipts import WAY_HOME
from bot.conversations.steps import GONE, Choice, Option, page_row, paged
from bot.errors import Invalid
from bot.msg import Msg, Say, m

ACT = Act.KEEP_CERTIFICATES.value
LIST, KEEP, END = "certificates", "certificate", "endcert"
MARKS = {"active": "🟢", "soon": "🟠", "to_come": "🔵", "expired": "🔴"}
NOTHING = "no"
"""The answer that it replaces no other."""
REPLACE = "r:"
"""Before the certificate to replace, in the argument of `certificate`."""
SHORT = 40
"""Characters of a subject in a list."""


def may_keep(ctx: Context, entity: str) -> bool:
    """Whether the actor may change the certificates of the entity."""
    return any(place.id == entity for place in ctx.directory.entities(ACT))


def certificates_row(ctx: Context, entity: str = "") -> tuple[Row, ...]:
    """The door from the actor's own page, where the portal has it too, and from the page of an entity."""
    if not ctx.present or not (may_keep(ctx, entity) if entity else ctx.directory.entities(ACT)):
        return ()
    return ((press(m("certificates.title"), "open", f"{LIST}:{entity}" if entity else LIST, mark="📜"),),)


def anywhere(ctx: Context, certificate: str) -> CertificateRef | None:
    """A certificate by its id, where the actor may see it."""
    there = (each for place in ctx.directory.entities() for each in ctx.directory.certificates(place.id))
    return next((each for each in there if each.id == certificate), None)


def short(subject: str) -> str:
    """The first name of a distinguished name, or as much of it as a line holds."""
    first = next((part[3:] for part in subject.split(",") if part.startswith("CN=")), subject)
    return first if len(first) <= SHORT else f"{first[: SHORT - 1]}…"


def until(ref: CertificateRef) -> Msg:
    """Its state, with the day that counts."""
    day = ref.begins if ref.state == "to_come" else ref.ends
    return m(f"certificate.state.{ref.state}", day=brussels_day(day))


# -- the list, and one of it ------------------------------------------------------------------------


@dataclass(frozen=True)
class SeeStep(Step):
    """What to look at: `{"page": n}` of the list, or `{"certificate": id}`."""

    def screen(self, asking: Asking) -> Screen:
        return Screen()

    def accept(self, asking: Asking, said: Said) -> Verdict:
        there = asking.ctx.directory.certificates(asking.answers["entity"])
        match said:
            case Pick("page", value) if value.isdecimal() and len(value) < 6:
                return Accepted({"page": int(value)})
            case Pick("all"):
                return Accepted({"page": 0})
            case Pick("cert", value) if any(each.id == value for each in there):
                return Accepted({"certificate": value})
            case Text(text):
                found = match(text, [(short(each.subject), each.subject) for each in there])
                if found.sure:
                    return Accepted({"certificate": there[found.places[0]].id})
                return Rejected(m("certificates.not_found"))
            case Pick():
                return Rejected(GONE)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


def page(ctx: Context, answers: Answers) -> Page:
    """The list, or one certificate of it."""
    entity, see = answers["entity"], answers["see"]
    there = ctx.directory.certificates(entity)
    chosen = next((each for each in there if each.id == see.get("certificate")), None)
    return one_page(ctx, chosen) if chosen else list_page(ctx, entity, there, see.get("page", 0))


def list_page(ctx: Context, entity: str, there: Sequence[CertificateRef], at: int) -> Page:
    """All of them, what ends first at the top, each with a button."""
    shown, at, pages = paged(list(enumerate(there, 1)), at)
    lines = [
        m(
            "certificates.line",
            number=str(number),
            mark=MARKS[each.state],
            name=short(each.subject),
            state=until(each),
        )
        for number, each in shown
    ]
    rows: list[Row] = [
        (press(f"{number} · {short(each.subject)[:28]}", "cert", each.id),) for number, each in shown
    ]
    rows += page_row(at, pages)
    if may_keep(ctx, entity):
        rows.append((press(m("certificate.title"), "open", f"{KEEP}:{entity}", mark="➕"),))
    return Page((m("certificates.count", n=len(there)), *lines), rows=(*rows, HOME_ROW))


def one_page(ctx: Context, ref: CertificateRef) -> Page:
    """What one says, and what the actor may do about it."""
    rows: list[Row] = []
    if may_keep(ctx, ref.entity):
        rows = [
            (press(m("certificate.replace"), "open", f"{KEEP}:{REPLACE}{ref.id}"),),
            (press(m("endcert.title"), "open", f"{END}:{ref.id}"),),
        ]
    facts: tuple[tuple[Say, Say], ...] = (
        (m("field.status"), m("certificates.state", mark=MARKS[ref.state], state=until(ref))),
        (m("certificate.subject"), ref.subject),
        (m("certificate.issuer"), ref.issuer),
        (
            m("certificate.validity"),
            m("certificate.between", since=brussels_day(ref.begins), until=brussels_day(ref.ends)),
        ),
        (m("certificate.fingerprint"), grouped(ref.fingerprint)),
    )
    return Page((), facts, rows=(*rows, (press(m("certificates.all"), "all"),), HOME_ROW))


def places(ctx: Context, _: Answers) -> Sequence[Option]:
    """The entities whose certificates the actor may see."""
    return [entity_option(entity) for entity in ctx.directory.entities()]


def see_prefill(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The certificate that a notice's button names, the list of an entity, or that of the entity worked in."""
    if ref := anywhere(ctx, args.strip()):
        return {"entity": ref.entity, "see": {"certificate": ref.id}}
    entity = args.strip() or memory.get("entity", "")
    return {**({"entity": entity} if ctx.directory.entity(entity) else {}), "see": {"page": 0}}


CERTIFICATES = Flow(
    key=LIST,
    icon="📜",
    title=m("certificates.title"),
    steps=(
        entity_choice(places, none=m("place.no_entity")),
        SeeStep(
            "see", ask=m("certificates.title"), label=m("certificates.title"), after=frozenset({"entity"})
        ),
    ),
    page=page,
    prefill=see_prefill,
    subject=entity_name,
    retype="see",
)


# -- taking one in ---------------------------------------------------------------------------------


def uploaded(ctx: Context, answers: Answers) -> Certificate | None:
    """What the file says that was sent; None as long as there is none, and once it has expired."""
    try:
        return read_certificate(base64.b64decode(answers["file"]), ctx.now) if "file" in answers else None
    except Invalid:
        return None


@dataclass(frozen=True)
class FileStep(Step):
    """A certificate, sent as a document."""

    takes_document: bool = True

    def screen(self, asking: Asking) -> Screen:
        return Screen((m("certificate.how", max=MAX_BYTES // 1024),))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        return Rejected(m("certificate.needs_file") if isinstance(said, Text) else GONE)

    def takes(self, asking: Asking, document: Document) -> Verdict:
        if document.size > MAX_BYTES:
            return Rejected(m("certificate.too_large", max=MAX_BYTES // 1024))
        if document.body is None:
            return Rejected(m("certificate.not_fetched"))
        try:
            found = read_certificate(document.body, asking.ctx.now)
        except Invalid as invalid:
            return Rejected(invalid.msg)
        there = asking.ctx.directory.certificates(asking.answers["entity"])
        if any(each.fingerprint == found.fingerprint for each in there):
            return Rejected(m("certificate.known"))
        return Accepted(base64.b64encode(document.body).decode())

    def reads(self, asking: Asking, value: Json) -> Say | None:
        found = uploaded(asking.ctx, {self.key: value})
        return found.subject if found else None

    def holds(self, asking: Asking, value: Json) -> bool:
        return uploaded(asking.ctx, {self.key: value}) is not None


@dataclass(frozen=True)
class Fact(Step):
    """Something that the file says: nobody is asked for it, and the recap shows it."""

    _: KW_ONLY
    says: Callable[[Certificate], Say]

    def propose(self, ctx: Context, answers: Answers) -> Json:
        return True if uploaded(ctx, answers) else None

    def screen(self, asking: Asking) -> Screen:
        return Screen()

    def accept(self, asking: Asking, said: Said) -> Verdict:
        return Rejected(GONE)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        found = uploaded(asking.ctx, asking.answers)
        return self.says(found) if found else None


def was_sent(ctx: Context, answers: Answers) -> bool:
    """The condition of what is read from the file."""
    return uploaded(ctx, answers) is not None


def fact(key: str, says: Callable[[Certificate], Say]) -> Fact:
    """One line of the recap."""
    label = m(f"certificate.{key}")
    return Fact(
        key,
        ask=label,
        label=label,
        after=frozenset({"file"}),
        when=was_sent,
        stands=True,
        editable=False,
        says=says,
    )


def others(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The certificates that a new one may replace, or none of them."""
    there = ctx.directory.certificates(answers["entity"])
    rest = [
        Option(
            each.id,
            short(each.subject),
            m("certificates.choice", name=short(each.subject), state=until(each)),
        )
        for each in there
    ]
    return [*rest, Option(NOTHING, m("certificate.replaces_none"), m("certificate.replaces_none"))]


def has_others(ctx: Context, answers: Answers) -> bool:
    """Whether the entity has one already."""
    return "entity" in answers and bool(ctx.directory.certificates(answers["entity"]))


def keep_prefill(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The entity, or the certificate to replace, that a button names."""
    if args.startswith(REPLACE) and (ref := anywhere(ctx, args.removeprefix(REPLACE).strip())):
        return {"entity": ref.entity, "replaces": ref.id}
    entity = args.strip() or memory.get("entity", "")
    return {"entity": entity} if may_keep(ctx, entity) else {}


def kept(ctx: Context, answers: Answers, _: Done) -> View:
    """That it is kept, until when it is good, and that this changes nothing on the portal."""
    found = uploaded(ctx, answers)
    day = (m("certificate.done", day=brussels_day(found.ends)),) if found else ()
    return _staying(m("certificate.title"), ctx, answers, (*day, m("certificate.portal")))


def _staying(title: Msg, ctx: Context, answers: Answers, body: tuple[Say, ...]) -> View:
    rows: tuple[Row, ...] = ((Button(m("certificates.title"), Door(LIST, answers["entity"])),), WAY_HOME)
    return View(mark="✔", title=title, subject=entity_name(ctx, answers), body=body, rows=rows)


def keep_request(_: Context, answers: Answers) -> KeepCertificate:
    """What is asked of the register."""
    replaces = answers.get("replaces", NOTHING)
    return KeepCertificate(answers["entity"], answers["file"], None if replaces == NOTHING else replaces)


CERTIFICATE = Flow(
    key=KEEP,
    icon="📜",
    title=m("certificate.title"),
    steps=(
        entity_step(ACT),
        FileStep(
            "file", ask=m("certificate.ask"), label=m("certificate.subject"), after=frozenset({"entity"})
        ),
        fact("issuer", lambda found: found.issuer),
        fact(
            "validity",
            lambda found: m(
                "certificate.between", since=brussels_day(found.begins), until=brussels_day(found.ends)
            ),
        ),
        fact("fingerprint", lambda found: grouped(found.fingerprint)),
        Choice(
            "replaces",
            ask=m("certificate.ask_replaces"),
            label=m("certificate.replaces"),
            after=frozenset({"entity"}),
            when=has_others,
            options=others,
        ),
    ),
    submit=keep_request,
    prefill=keep_prefill,
    subject=entity_name,
    receipt=kept,
    needs=ACT,
)


# -- ending one --------------------------------------------------------------------------------------


def endable(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The certificates of the entity."""
    return others(ctx, answers)[:-1]


def end_prefill(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The certificate that a button names."""
    if ref := anywhere(ctx, args.strip()):
        return {"entity": ref.entity, "certificate": ref.id}
    return keep_prefill(ctx, memory, "")


ENDCERT = Flow(
    key=END,
    icon="📜",
    title=m("endcert.title"),
    steps=(
        entity_step(ACT),
        Choice(
            "certificate",
            ask=m("endcert.ask"),
            label=m("endcert.which"),
            after=frozenset({"entity"}),
            options=endable,
            none=m("endcert.none"),
        ),
    ),
    submit=lambda _, answers: EndCertificate(answers["entity"], answers["certificate"]),
    prefill=end_prefill,
    subject=entity_name,
    receipt=lambda ctx, answers, _: _staying(m("endcert.title"), ctx, answers, (m("endcert.done"),)),
    needs=ACT,
    restarts=True,
)
