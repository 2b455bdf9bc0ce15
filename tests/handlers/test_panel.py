import asyncio
from dataclasses import replace

import pytest
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ScreenLocks, Threads
from bot.handlers.gateway import Trouble
from bot.handlers.panel import Panel
from bot.msg import m
from tests.handlers.fakes import FakeTurns
from tests.handlers.telegram import FakeTelegram

ANNE, BERT = 5_000_000_001, 5_000_000_002


class World:
    def __init__(self):
        self.telegram = FakeTelegram()
        self.turns = FakeTurns()
        self.threads = Threads(2)
        self.panel = self.new_panel()

    def new_panel(self):
        return Panel(self.telegram, self.turns, self.threads, Codes([b"k" * 32]))

    async def show(self, title, *, anew=False):
        await self.panel.show(self.turns.want(ANNE, title, anew=anew))
        return self.telegram.says(ANNE)


@pytest.fixture
async def world():
    world = World()
    yield world
    world.threads.close()
    await world.telegram.close()


async def test_a_card_is_sent_then_edited_in_place(world):
    assert await world.show("un") == ["<b>un</b>"]
    assert await world.show("deux") == ["<b>deux</b>"]
    assert (world.telegram.count("sendMessage"), world.telegram.count("editMessageText")) == (1, 1)


async def test_anew_means_at_the_bottom_and_the_old_card_goes_after_the_new_one_stands(world):
    await world.show("un")
    assert await world.show("deux", anew=True) == ["<b>deux</b>"]
    assert [method for method, _ in world.telegram.calls] == ["sendMessage", "sendMessage", "deleteMessage"]


async def test_previews_of_links_are_off_and_the_keyboard_is_sent(world):
    await world.show("un")
    ((_, sent),) = world.telegram.calls
    assert (sent["link_preview_options"], sent["parse_mode"]) == ({"is_disabled": True}, "HTML")
    assert sent["reply_markup"]["inline_keyboard"][0][0]["text"] == "Oui"


async def test_that_the_card_says_it_already_is_success(world):
    await world.show("un")
    job = world.turns.rows[ANNE]
    await world.show("un")
    assert (job.shown, job.failures) == (2, [])


async def test_a_card_that_was_deleted_is_sent_anew(world):
    await world.show("un")
    world.telegram.chats[ANNE].clear()
    assert await world.show("deux") == ["<b>deux</b>"]
    assert world.turns.rows[ANNE].message_id in world.telegram.chats[ANNE]


async def test_where_no_card_is_wanted_nothing_is_called(world):
    await world.show("un")
    before = len(world.telegram.calls)
    job = world.turns.want(ANNE, "x")
    await world.panel.show(replace(job, view=None))
    assert (len(world.telegram.calls), world.turns.rows[ANNE].shown, world.turns.rows[ANNE].message_id) == (
        before,
        2,
        None,
    )


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
@pytest.mark.parametrize(("trouble", "seconds"), [(Trouble.FLOOD, 7.0), (Trouble.TEMPORARY, None)])
async def test_a_card_that_could_not_be_shown_is_shown_later(world, method, trouble, seconds):
    if method == "editMessageText":
        await world.show("zéro")
    world.telegram.fail(method, trouble, retry_after=seconds)
    await world.show("un")
    assert world.turns.rows[ANNE].failures == [seconds]
    assert world.turns.unshown(limit=9) == [ANNE]
    await world.panel.refresh(ANNE)
    assert (world.telegram.says(ANNE), world.turns.unshown(limit=9)) == (["<b>un</b>"], [])


async def test_an_answer_that_is_lost_costs_one_repeated_card_at_the_most(world):
    world.telegram.fail("sendMessage", Trouble.TEMPORARY, applied=True)
    await world.show("un")
    await world.panel.refresh(ANNE)
    await world.panel.refresh(ANNE)
    assert world.telegram.says(ANNE) == ["<b>un</b>", "<b>un</b>"]


async def test_a_crash_between_sending_and_noting_leaves_one_card_too_many_at_the_most(world):
    await world.show("un")
    await world.telegram.send(ANNE, _rendered("deux"))  # the process died here
    world.turns.want(ANNE, "deux", anew=True)
    world.panel = world.new_panel()
    await world.panel.refresh(ANNE)
    assert world.telegram.says(ANNE) == ["<b>deux</b>", "<b>deux</b>"]


async def test_an_old_card_that_could_not_be_deleted_goes_the_next_time(world):
    await world.show("un")
    world.telegram.fail("deleteMessage", Trouble.TEMPORARY)
    assert await world.show("deux", anew=True) == ["<b>un</b>", "<b>deux</b>"]
    assert await world.show("trois") == ["<b>trois</b>"]


async def test_an_old_card_too_old_to_be_deleted_loses_its_buttons(world):
    await world.show("un")
    (old,) = world.telegram.chats[ANNE]
    world.telegram.undeletable.add(old)
    await world.show("deux", anew=True)
    assert "reply_markup" not in world.telegram.chats[ANNE][old]


async def test_somebody_who_blocked_the_bot_is_noted_and_not_tried_again(world):
    world.telegram.blocked.add(ANNE)
    await world.show("un")
    assert (world.turns.blocked_chats, world.turns.rows[ANNE].failures) == ([ANNE], [])


async def test_of_cards_shown_at_once_only_the_newest_stays(world):
    await world.show("zéro")
    jobs = [world.turns.want(ANNE, title, anew=True) for title in ("un", "deux", "trois")]
    await asyncio.gather(*(world.panel.show(job) for job in jobs))
    assert world.telegram.says(ANNE) == ["<b>trois</b>"]


async def test_a_card_made_before_another_was_shown_goes_into_the_right_message(world):
    await world.show("zéro")
    early = world.turns.want(ANNE, "un", anew=True)
    late = replace(world.turns.want(ANNE, "deux"), message_id=early.message_id)
    await world.panel.show(early)
    world.turns.rows[ANNE].shown = early.seq
    await world.panel.show(late)
    assert world.telegram.says(ANNE) == ["<b>deux</b>"]


async def test_an_older_card_never_replaces_a_newer_one(world):
    older, newer = world.turns.want(ANNE, "un"), world.turns.want(ANNE, "deux")
    await world.panel.show(newer)
    await world.panel.show(older)
    assert world.telegram.says(ANNE) == ["<b>deux</b>"]


async def test_markup_that_telegram_refuses_is_sent_as_plain_words(world):
    world.telegram.fail("sendMessage", Trouble.REFUSED)
    assert await world.show("un") == ["un"]
    assert world.turns.rows[ANNE].failures == []


async def test_a_card_that_cannot_be_drawn_waits_like_any_other(world):
    job = world.turns.want(ANNE, "x")
    await world.panel.show(replace(job, view=replace(job.view, title=m("no.such.text"))))
    assert world.turns.rows[ANNE].failures == [None]


def _rendered(title):
    from bot.handlers.render import Rendered

    return Rendered(f"<b>{title}</b>")


async def test_a_card_sent_after_the_chat_went_on_goes_again_and_one_that_was_edited_stays(world):
    await world.show("un")
    late, row = world.turns.want(ANNE, "trop tard", anew=True), world.turns.rows[ANNE]
    row.shown, row.message_id = row.want, None  # as a turn leaves it in which the card became the receipt
    world.panel._shown[ANNE] = (late.seq - 1, late.message_id)
    await world.panel.show(late)
    assert world.telegram.says(ANNE) == ["<b>un</b>"]
    assert row.message_id is None


class Shared:
    """Two copies' screens in one: `theirs` are the chats in which the other one draws."""

    shared = True

    def __init__(self):
        self.theirs, self.mine = set(), set()

    def take(self, chat_id):
        if chat_id in self.theirs:
            return False
        self.mine.add(chat_id)
        return True

    def give(self, chat_id):
        self.mine.remove(chat_id)

    def close(self):
        pass


@pytest.fixture
def shared(world):
    screens = Shared()
    locks = ScreenLocks(screens, world.threads)
    world.panel = Panel(world.telegram, world.turns, world.threads, Codes([b"k" * 32]), locks)
    world.locks = locks
    return screens


async def test_while_another_copy_draws_in_the_chat_nothing_is_drawn_there(world, shared):
    shared.theirs.add(ANNE)
    showing = asyncio.create_task(world.panel.show(world.turns.want(ANNE, "un")))
    await asyncio.sleep(0.05)
    assert world.telegram.says(ANNE) == []
    shared.theirs.clear()
    await showing
    assert (world.telegram.says(ANNE), shared.mine) == (["<b>un</b>"], set())


async def test_what_another_copy_has_shown_meanwhile_is_not_drawn_over(world, shared):
    await world.show("un")
    older = world.turns.want(ANNE, "deux")
    other = world.new_panel()
    await other.show(world.turns.want(ANNE, "trois"))
    await world.panel.show(older)
    assert world.telegram.says(ANNE) == ["<b>trois</b>"]
    assert world.telegram.count("editMessageText") == 1


async def test_a_copy_that_never_ends_with_a_chat_holds_it_up_for_a_while_only(world, shared):
    shared.theirs.add(ANNE)
    world.locks.patience = 0.03
    assert await world.show("un") == ["<b>un</b>"]
    assert shared.mine == set()


async def test_a_chat_that_was_waited_for_in_vain_is_not_waited_for_again_until_it_was_free(
    world, shared, monkeypatch
):
    asked = []
    take = shared.take
    monkeypatch.setattr(shared, "take", lambda chat_id: asked.append(chat_id) or take(chat_id))
    shared.theirs |= {ANNE, BERT}
    world.locks.patience = 0.05
    await world.show("un")
    asked.clear()
    await world.show("deux")
    assert asked == [ANNE], "asked once, and drawn"
    asked.clear()
    await world.panel.show(world.turns.want(BERT, "un"))
    assert len(asked) > 1, "another chat is waited for"
    shared.theirs.clear()
    await world.show("trois")
    shared.theirs.add(ANNE)
    asked.clear()
    assert await world.show("quatre") == ["<b>quatre</b>"]
    assert len(asked) > 1, "since it was free it is waited for again"


async def test_after_some_minutes_a_chat_is_waited_for_again(world, shared, monkeypatch):
    asked = []
    take = shared.take
    monkeypatch.setattr(shared, "take", lambda chat_id: asked.append(chat_id) or take(chat_id))
    shared.theirs.add(ANNE)
    world.locks.patience, world.locks.impatient = 0.05, 0.0
    await world.show("un")
    asked.clear()
    await world.show("deux")
    assert len(asked) > 1
