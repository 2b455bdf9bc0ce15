"""What a dialogue asks the register to do, and what the register answers: plain values.

A dialogue ends in one of these requests; `acts` performs it inside the turn's transaction and answers with an
outcome, which goes back into the dialogue as an event. Pure: both sides of the arrow import it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias

from bot.access.views import UserFilter
from bot.msg import Msg


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person as typed by a manager, to become a user account of a quality.

    `niss` is the 11 digits or None; `language` is fr, nl or de (the portal's choice, `domain.md` 1.5).
    """

    last_name: str
    first_name: str
    email: str
    username: str
    language: str
    niss: str | None = None
    title: str | None = None
    local_email: str | None = None
    type: str = "user"
    """"user" for a human, "technical" for a program: that one has neither first name nor national number."""

    def __repr__(self) -> str:
        return "NewUser(…)"


@dataclass(frozen=True, slots=True)
class GrantAccess:
    """Give applications, and a function where one is needed, to a user account of `quality`.

    Exactly one of `account` (with `version`, the account's version as the manager saw it) and `user` is set.
    `starts_on` and `ends_on` are Brussels days, the end inclusive; a function needs a start, without one a grant starts
    today. What is held already becomes longer. `reactivate` lifts the block of an account along with it.
    """

    quality: str
    applications: tuple[str, ...]
    account: str | None = None
    version: int | None = None
    user: NewUser | None = None
    profession: str | None = None
    function: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    reactivate: bool = False


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Make a user account in `quality`, without any access yet."""

    quality: str
    user: NewUser
    profession: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """Correct one `field` of a user account (`userfields.FIELDS`); `value` is its new text, empty for none.

    `version` is the account's as the manager saw it. With another profession something may not be able to stay
    (`ground.unfit`): it `ends` in the same change, or `function`, given from today, keeps it. `was_own`: the national number
    before was the person's too (BIS, then NISS), and no mistake.
    """

    account: str
    version: int
    field: str
    value: str
    ends: bool = False
    function: str | None = None
    was_own: bool = False

    def __repr__(self) -> str:
        return "ChangeUser(…)"


@dataclass(frozen=True, slots=True)
class AssignFunction:
    """Let the account exercise `function` from a Brussels day on; the end inclusive."""

    account: str
    version: int
    function: str
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class EndAccess:
    """End applications and functions of a user account: at once, or after `ends_on` (a Brussels day, inclusive).

    `version` is the account's as the manager saw it; `becomes` blocks ("blocked") or reactivates ("active") the account
    along with it, or alone. What ends sooner by itself stays as it is.
    """

    account: str
    version: int | None = None
    applications: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    ends_on: date | None = None
    becomes: str = ""


@dataclass(frozen=True, slots=True)
class ChangeEnd:
    """Let applications and functions that a user account holds end on another day: sooner, later, or never (None)."""

    account: str
    version: int | None = None
    applications: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class MarkDone:
    """The manager has carried change `number` out on the portal, and in the same visit `more`; `item` None means all items."""

    number: str
    item: str | None = None
    more: tuple[str, ...] = ()


NOT_THERE = "not_there"
PROBLEMS = (NOT_THERE, "no_application", "no_function", "refused", "wrong_data", "other")
"""Why a change that was done on the portal does not work: a word from a list, so that no text about a person is kept."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Somebody has tried whether change `number`, done on the portal, works; where not, `problem` says why, and it is to do anew."""

    number: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Bind the Telegram account of this chat to the person that the invitation `code` is for."""

    code: str

    def __repr__(self) -> str:
        return "Join(…)"


@dataclass(frozen=True, slots=True)
class Lock:
    """End the session of this chat: nothing of the register is shown until the person proves himself again."""


@dataclass(frozen=True, slots=True)
class EndSessions:
    """End the open sessions of the person of this user account, as far as they reach into the account's entity."""

    account: str


@dataclass(frozen=True, slots=True)
class InviteUser:
    """Let the person of this user account in: by `mail`, else by a code that the manager hands over."""

    account: str
    mail: bool = True


ADDRESSES = frozenset({"email", "local_email"})


@dataclass(frozen=True, slots=True)
class ChangeOwn:
    """A user changes his own data, of his account's entity: `field` is one of `ADDRESSES`, or language."""

    account: str
    field: str
    value: str

    def __repr__(self) -> str:
        return f"ChangeOwn({self.account}, {self.field})"


@dataclass(frozen=True, slots=True)
class ActOnUsers:
    """Do one thing to several user accounts of an entity, to all or to none.

    `act` is end, block, reactivate, move or delete; `accounts` are ids, each with the version that the manager saw.
    `end` ends their applications, now or after the day `ends_on`; what ends sooner by itself stays as it is; `move` puts them into `subdivision` (None:
    into none); `delete` takes a `reason`, and ends all that they hold.
    """

    act: str
    accounts: tuple[tuple[str, int], ...]
    reason: str = ""
    subdivision: str | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class ExportUsers:
    """A document of the users of an entity that `wanted` matches: `form` is csv or xlsx, `columns` portal or all, `lang` what
    it is written in. `numbers`: with the national numbers in full, where the actor may have them.
    """

    entity: str
    wanted: UserFilter
    form: str
    lang: str
    columns: str = "portal"
    numbers: bool = False


@dataclass(frozen=True, slots=True)
class TapNumber:
    """The number tapped in the chat, by the opaque id of `choice`: the one that stands on the private page, or not."""

    choice: str


@dataclass(frozen=True, slots=True)
class AppointManager:
    """Give the person of this user account an office (a key of `offices`) at a place of the entity, between two days.

    `replaces` is the mandate of the same office and place that ends when this one begins. `mail`: how he is let in.
    """

    office: str
    entity: str
    account: str
    since: date
    until: date | None = None
    quality: str | None = None
    subdivision: str | None = None
    replaces: str | None = None
    mail: bool = False


@dataclass(frozen=True, slots=True)
class EndMandate:
    """End a mandate at the end of the day `on`, or now. `office` is the mandate's, `entity` where the actor sees it."""

    mandate: str
    office: str
    entity: str
    on: date | None = None


SUBJECTS = ("log-in", "access", "data", "portal", "other")
"""What a message to the help desk is about."""
MESSAGE_MAX = 1500
"""Characters of one."""


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A message to the help desk, about one entity; `lang` is the language that its writer speaks here. `reply` is where it is
    to be answered, typed for this message, where the entity knows no address of the writer; empty for nowhere.
    """

    subject: str
    entity: str
    text: str
    lang: str
    reply: str = ""

    def __repr__(self) -> str:
        return "SendMessage(…)"


@dataclass(frozen=True, slots=True)
class LinkResponsible:
    """Let the account exercise `function` under the responsibility of the account `responsible`, from a Brussels day on.

    `version` is the collaborator's account as the manager saw it; the end is inclusive.
    """

    account: str
    version: int
    responsible: str
    function: str
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class ChangeLink:
    """Let a link of the collaborator's account end at once (`now`), or on another day; None for no end."""

    account: str
    version: int
    link: str
    ends_on: date | None = None
    now: bool = False


@dataclass(frozen=True, slots=True)
class ActivateQuality:
    """Make a quality of the old portal active, by its id; the new portal's groups are so by themselves."""

    quality: str


@dataclass(frozen=True, slots=True)
class AppointDeputy:
    """Let the person of this user account stand in for the actor in the entity, between two days, the last inclusive."""

    entity: str
    account: str
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class EndDeputy:
    """End a substitution at once."""

    substitution: str


@dataclass(frozen=True, slots=True)
class KeepCertificate:
    """Keep an eye on a certificate of an entity: `file` is the upload in base64, `replaces` the one that it follows."""

    entity: str
    file: str
    replaces: str | None = None

    def __repr__(self) -> str:
        return f"KeepCertificate({self.entity})"


@dataclass(frozen=True, slots=True)
class EndCertificate:
    """The certificate is no longer used."""

    entity: str
    certificate: str


DEEPEST = 5
"""So many levels of subdivisions, the topmost included."""
MOST_MOVED = 500
"""So many users leave a subdivision that is closed, at the most."""


@dataclass(frozen=True, slots=True)
class CreateSubdivision:
    """Make a subdivision of a quality, below the subdivision `within`, or topmost for None."""

    quality: str
    name: str
    within: str | None = None


@dataclass(frozen=True, slots=True)
class RenameSubdivision:
    """Give a subdivision another name; `version` is the subdivision's as the manager saw it."""

    subdivision: str
    version: int
    name: str


@dataclass(frozen=True, slots=True)
class MoveSubdivision:
    """Hang a subdivision, with all that hangs on it, below another one, or make it topmost (None).

    `people` is how many users come along, as the manager saw it: others manage them then.
    """

    subdivision: str
    version: int
    within: str | None
    people: int = 0


@dataclass(frozen=True, slots=True)
class CloseSubdivision:
    """Close a subdivision and what hangs on it (`parts`), end the `mandates` over these, and move the users to `heir`, or
    into none (None). Parts, mandates and the number of `people` are as the manager saw them.
    """

    subdivision: str
    version: int
    people: int = 0
    parts: tuple[str, ...] = ()
    mandates: tuple[str, ...] = ()
    heir: str | None = None


Request: TypeAlias = (
    GrantAccess
    | MarkDone
    | Verify
    | Join
    | Lock
    | EndSessions
    | InviteUser
    | TapNumber
    | EndAccess
    | ChangeEnd
    | CreateUser
    | ChangeUser
    | AssignFunction
    | AppointManager
    | EndMandate
    | ActOnUsers
    | ChangeOwn
    | SendMessage
    | LinkResponsible
    | ChangeLink
    | ActivateQuality
    | AppointDeputy
    | EndDeputy
    | KeepCertificate
    | EndCertificate
    | ExportUsers
    | CreateSubdivision
    | RenameSubdivision
    | MoveSubdivision
    | CloseSubdivision
)


@dataclass(frozen=True, slots=True)
class Done:
    """The request was carried out: recorded as change `number` (empty where none is needed).

    `due` is the instant by which everything is expected to be active, None while that is not known (a portal
    entity before *Fait*); for an end, the instant of an end to come. `account` is the account concerned; `mailed`: its person gets a link by mail; `code`: what
    the manager hands over instead, shown this once.
    """

    number: str = ""
    due: datetime | None = None
    account: str = ""
    mailed: bool = False
    code: str = field(default="", repr=False)
    more: tuple[str, ...] = ()
    """The numbers of the further changes, where there is one for each person."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was refused whole; `step` names the dialogue's step to ask again, if one can help."""

    msg: Msg
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody changed the account since the manager saw it: what changed, and its version now."""

    differences: tuple[Msg, ...]
    version: int


Outcome: TypeAlias = Done | Refused | Conflict
