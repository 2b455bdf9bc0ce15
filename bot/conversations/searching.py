"""One of many: paged like every choice, and narrowed by a part of the name or of the number that is typed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.conversations.flow import Accepted, Asking, Pick, Rejected, Said, Screen, Shown, Verdict, press
from bot.conversations.matching import fold, match
from bot.conversations.model import Text
from bot.conversations.steps import PAGE_SIZE, Choice, Option, readings
from bot.msg import Say, m


@dataclass(frozen=True)
class SearchChoice(Choice):
    """A choice that may have more options than a page: what is typed narrows the list, until it means one."""

    def listed(self, asking: Asking) -> Sequence[Option]:
        """The options that what was typed leaves; all of them where that is none any more."""
        every = self.options(asking.ctx, asking.answers)
        return having(asking, every, str(asking.ui.get("find") or "")) or every

    def screen(self, asking: Asking) -> Screen:
        screen, listed = super().screen(asking), self.listed(asking)
        if not self._is_long(asking):
            return screen
        find = str(asking.ui.get("find") or "")
        said: Say = (
            m("search.found", n=len(listed), what=find) if find else m("search.how", total=len(listed))
        )
        every = ((press(m("search.all"), "all"),),) if find else ()
        return replace(screen, body=(said, *screen.body), rows=(*screen.rows, *every))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("all"):
                return Shown({"find": "", "page": 0})
            case Text(text) if self._is_long(asking):
                return self._searched(asking, text)
            case _:
                return super().accept(asking, said)

    def _is_long(self, asking: Asking) -> bool:
        return len(self.options(asking.ctx, asking.answers)) > PAGE_SIZE

    def _searched(self, asking: Asking, text: str) -> Verdict:
        """A place in the list shown, else a part of the name or number, else a name with a typing error."""
        listed, every = self.listed(asking), self.options(asking.ctx, asking.answers)
        place = text.strip().rstrip(".")
        if place.isdecimal() and len(place) < 4 and 1 <= int(place) <= len(listed):
            return Accepted(listed[int(place) - 1].id)
        found = having(asking, every, text)
        whole = [option for option in found if words(text) in map(words, read(asking, option))]
        near = [] if found else [every[at] for at in match(text, readings(asking, every)).places]
        for hits in (whole, found, near):
            if len(hits) == 1:
                return Accepted(hits[0].id)
        text = " ".join(text.split())[:40]
        return Shown({"find": text, "page": 0}) if found else Rejected(m("search.none", said=text))


def having(asking: Asking, options: Sequence[Option], text: str) -> list[Option]:
    """The options with each word of the text somewhere in one of their readings; a number also without its signs."""
    wanted = words(text)
    return [
        option
        for option in options
        if wanted
        and any(all(word in whole for word in wanted) for whole in map(_whole, read(asking, option)))
    ]


def read(asking: Asking, option: Option) -> tuple[str, ...]:
    """All that may be typed for the option."""
    return readings(asking, [option])[0]


def words(text: str) -> list[str]:
    """The words to compare: no case, accents, signs."""
    return fold(text).replace("-", " ").replace(".", " ").split()


def _whole(reading: str) -> str:
    return f"{' '.join(words(reading))} {''.join(char for char in reading if char.isdecimal())}"
