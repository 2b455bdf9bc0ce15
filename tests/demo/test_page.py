"""The chat page in a real Chromium, against a bot that says just what each test wants."""

from __future__ import annotations

import re
import struct
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from bot.demo import Visitor
from bot.demo.testing import running_server
from bot.demotexts import page_texts
from playwright.sync_api import expect
from tests.browser import violations

pytestmark = pytest.mark.browser

ANNE, BART, INES, SAM = 1001, 1002, 1003, 1004
VISITORS = (
    Visitor(ANNE, "Anne", "Delcourt", "fr", {"fr": "Responsable", "nl": "Verantwoordelijke"}, "CODE-A"),
    Visitor(BART, "Bart", "Claes", "nl", {"fr": "Co-responsable", "nl": "Medeverantwoordelijke"}, "CODE-B"),
    Visitor(INES, "Ines", "Meyer", "de", {"fr": "Médecin", "de": "Ärztin"}),
    Visitor(SAM, "Sam", "Stone", "en", {"en": "Stranger"}),
)


class Scripted:
    """A bot without a will of its own: the test calls the Bot API for it."""

    def __init__(self, server):
        self._server = server
        self._answered = 0

    def __call__(self, method, *, files=None, **params):
        path = f"/bot{self._server.token}/{method}"
        more = {"data": params, "files": files} if files else {"json": params}
        answer = self._server.http.post(path, **more).json()
        assert answer["ok"], answer
        return answer["result"]

    def says(self, person, text, rows=(), **more):
        """Sends a text, as HTML; `rows` of buttons, each a label or a whole button."""
        markup = {"reply_markup": keyboard(rows)} if rows else {}
        return self("sendMessage", chat_id=person, text=text, parse_mode="HTML", **markup, **more)[
            "message_id"
        ]

    def edits(self, person, number, text, rows=()):
        markup = {"reply_markup": keyboard(rows)} if rows else {}
        self("editMessageText", chat_id=person, message_id=number, text=text, parse_mode="HTML", **markup)

    def updates(self, kind):
        """What came since the beginning, of one kind."""
        found = self("getUpdates", allowed_updates=[])
        return [update[kind] for update in found if kind in update]

    def answers(self, text="", *, alert=False):
        """Answers the next tap; waits for it."""
        until = time.monotonic() + 30
        while len(taps := self.updates("callback_query")) <= self._answered:
            assert time.monotonic() < until, "nobody tapped"
            time.sleep(0.01)
        self("answerCallbackQuery", callback_query_id=taps[self._answered]["id"], text=text, show_alert=alert)
        self._answered += 1


def keyboard(rows):
    def button(given):
        return {"text": given, "callback_data": given.lower()} if isinstance(given, str) else given

    return {"inline_keyboard": [[button(each) for each in row] for row in rows]}


@pytest.fixture(scope="module")
def standing_server():
    with running_server(visitors=VISITORS, texts=page_texts()) as running:
        yield running


@pytest.fixture
def server(standing_server):
    """A server where nothing has happened yet."""

    def anew(state):
        state.reset()
        for visitor in VISITORS:
            state.put_person(visitor)

    standing_server.do(anew)
    return standing_server


@pytest.fixture
def bot(server):
    return Scripted(server)


@pytest.fixture
def chatting(server, open_page):
    """Opens the chat of somebody who has started."""

    def opens(person=SAM, **more):
        server.person("", number=person).starts()
        page = open_page(f"{server.url}/#/{person}", **more)
        expect(page.get_by_role("log")).to_be_visible()
        return page

    return opens


def box(page):
    return page.get_by_role("textbox")


def sent(server, person=SAM):
    """What that person wrote, without the start."""
    return [seen.text for seen in server.person("", number=person).chat if not seen.from_bot][1:]


def picture(width=40, height=20):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + b"\x20\x80\x90" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


# The texts


def test_a_page_without_texts_shows_their_keys_and_works(open_page):
    with running_server(visitors=VISITORS) as server:
        page = open_page(f"{server.url}/#/{SAM}")
        page.get_by_role("button", name="demo.start").click()
        expect(page.get_by_role("article")).to_have_count(1)
        assert server.person("", number=SAM).chat[0].text == "/start"
        page.close()


# Who one can be


def test_the_list_says_who_each_is_what_came_last_and_what_is_unread(server, bot, open_page):
    server.person("", number=BART).starts()
    bot.says(BART, "<b>Welkom</b>, Bart")
    bot.says(BART, "Tot zo")
    page = open_page(server.url, language="fr-BE")
    items = page.get_by_role("navigation").get_by_role("listitem")
    expect(items).to_have_count(4)
    expect(items.nth(0)).to_contain_text("Anne Delcourt")
    expect(items.nth(0)).to_contain_text("Responsable")
    expect(items.nth(0)).to_contain_text("Vous avez reçu une invitation.")
    expect(items.nth(1)).to_contain_text("Tot zo")
    expect(items.nth(1)).to_contain_text("2 messages non lus")
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    items.nth(1).get_by_role("link").click()
    expect(items.nth(1).locator(".badge")).to_have_count(0)
    expect(items.nth(1)).to_contain_text("Medeverantwoordelijke")


def test_an_invitation_is_opened_with_its_code_and_then_no_longer_offered(server, bot, open_page):
    bot("setMyDescription", description="Je donne des accès.", language_code="fr")
    page = open_page(f"{server.url}/#/{ANNE}")
    expect(page.get_by_role("region", name="Que fait cet assistant ?")).to_contain_text("Je donne des accès.")
    expect(page.get_by_role("button", name="Démarrer")).to_be_visible()
    page.get_by_role("button", name="Ouvrir l'invitation").click()
    expect(page.get_by_role("article")).to_have_text(re.compile("/start CODE-A"))
    expect(page.get_by_role("button", name="Ouvrir l'invitation")).to_have_count(0)
    assert [message["text"] for message in bot.updates("message")] == ["/start CODE-A"]


def test_somebody_who_only_pressed_start_can_still_open_the_invitation(server, bot, open_page):
    page = open_page(f"{server.url}/#/{BART}")
    page.get_by_role("button", name="Beginnen").click()
    page.get_by_role("button", name="De uitnodiging openen").click()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("button", name="De uitnodiging openen")).to_have_count(0)
    assert [message["text"] for message in bot.updates("message")] == ["/start", "/start CODE-B"]


def test_the_language_of_the_phone_changes_the_page_and_what_the_bot_is_told(server, bot, chatting):
    page = chatting(SAM)
    page.get_by_role("combobox", name="Language of the phone").focus()
    page.get_by_role("combobox", name="Language of the phone").select_option("de")
    expect(page.get_by_role("combobox", name="Sprache des Telefons")).to_have_value("de")
    expect(page.get_by_role("combobox", name="Sprache des Telefons")).to_be_focused()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wer möchten Sie sein?")
    box(page).fill("hallo")
    box(page).press("Enter")
    expect(page.get_by_role("article")).to_have_count(2)
    assert bot.updates("message")[-1]["from"]["language_code"] == "de"


def test_a_phone_without_a_chosen_language_speaks_as_the_page_that_opens_it(server, bot, open_page):
    server.do(lambda state: state.put_person(replace(VISITORS[0], any_language=True)))
    page = open_page(server.url, language="de-BE")
    page.get_by_role("link", name=re.compile("Anne")).click()
    expect(page.get_by_role("combobox", name="Sprache des Telefons")).to_have_value("de")
    page.get_by_role("button", name="Die Einladung öffnen").click()
    expect(page.get_by_role("log")).to_be_visible()
    assert bot.updates("message")[-1]["from"]["language_code"] == "de"
    page.get_by_role("combobox", name="Sprache des Telefons").select_option("nl")
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    another = open_page(f"{server.url}/#/{ANNE}")  # in English
    expect(another.get_by_role("combobox")).to_have_value("nl")


# Messages


def test_a_text_is_shown_with_its_marks_and_never_as_markup(bot, chatting):
    page = chatting()
    bot.says(
        SAM,
        "🎉 <b>bold <i>both</i></b> <u>under</u> <s>gone</s> <code>x=1</code> <a href='https://example.org/a'>there</a>\n"
        "<pre>line</pre>\n<blockquote>said</blockquote>after &lt;b&gt;not&lt;/b&gt; @someone",
    )
    text = page.get_by_role("article").nth(1).locator(".text")
    expect(text.locator("strong")).to_have_text("bold both")
    expect(text.locator("strong em")).to_have_text("both")
    expect(text.locator("u")).to_have_text("under")
    expect(text.locator("s")).to_have_text("gone")
    expect(text.locator("code").first).to_have_text("x=1")
    expect(text.locator("a")).to_have_attribute("href", "https://example.org/a")
    expect(text.locator("pre")).to_have_text("line")
    expect(text.locator("blockquote")).to_have_text("said")
    expect(text.locator(".mention")).to_have_text("@someone")
    expect(text).to_contain_text("after <b>not</b>")


def test_entities_that_cross_each_other_are_cut_and_none_is_lost(bot, chatting):
    page = chatting()
    entities = [{"type": "bold", "offset": 0, "length": 6}, {"type": "italic", "offset": 3, "length": 6}]
    bot("sendMessage", chat_id=SAM, text="abcdefghi", entities=entities)
    text = page.get_by_role("article").nth(1).locator(".text")
    expect(text).to_have_text("abcdefghi")
    expect(text.locator("strong")).to_have_text("abcdef")
    assert text.locator("em").all_text_contents() == ["def", "ghi"]


def test_hidden_text_and_long_quotes_open_on_demand(bot, chatting):
    page = chatting()
    bot.says(SAM, "<tg-spoiler>secret</tg-spoiler>\n<blockquote expandable>1\n2\n3\n4\n5</blockquote>")
    bot.says(SAM, "<blockquote expandable>short</blockquote>")
    spoiler = page.get_by_role("button", name="Hidden text: show it")
    spoiler.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".revealed")).to_have_text("secret")
    quote = page.locator(".clamped").first
    small = quote.bounding_box()["height"]
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("button", name="Show less")).to_have_attribute("aria-expanded", "true")
    assert quote.bounding_box()["height"] > small


def test_a_command_in_a_text_can_be_tapped(server, bot, chatting):
    page = chatting()
    bot.says(SAM, "Try /help for more.")
    page.get_by_role("button", name="/help").click()
    expect(page.get_by_role("article")).to_have_count(3)
    assert sent(server) == ["/help"]


def test_an_edited_card_stays_in_place_is_marked_and_only_its_new_text_is_read_out(bot, chatting):
    page = chatting()
    card = bot.says(SAM, "For which entity?", [["One"], ["Two"]])
    spoken = page.locator("[aria-live=polite]")
    expect(spoken.locator("p")).to_have_text(["For which entity?"])
    bot.edits(SAM, card, "Who is it for?", [["Cancel"]])
    article = page.get_by_role("article").nth(1)
    expect(article.locator(".text")).to_have_text("Who is it for?")
    expect(article.locator(".edited")).to_have_text("edited")
    expect(article.get_by_role("button")).to_have_text(["Cancel"])
    expect(page.get_by_role("article")).to_have_count(2)
    expect(spoken.locator("p")).to_have_text(["For which entity?", "Who is it for?"])
    bot.edits(SAM, card, "Who is it for?", [["Back"], ["Cancel"]])
    expect(article.get_by_role("button")).to_have_count(2)
    expect(spoken.locator("p")).to_have_text(["For which entity?", "Who is it for?"])


def test_a_tick_keeps_the_focus_and_a_new_question_takes_it_to_its_card(bot, chatting):
    page = chatting()
    tick = {"text": "☐ Colindos", "callback_data": "tick:1"}
    card = bot.says(SAM, "Which ones?", [["First"], [tick], ["Next"]])
    page.get_by_role("button", name="☐ Colindos").focus()
    bot.edits(
        SAM,
        card,
        "Which ones?",
        [["First"], [{**tick, "text": "☑ Colindos", "callback_data": "tick:0"}], ["Next"]],
    )
    expect(page.get_by_role("button", name="☑ Colindos")).to_be_focused()
    bot.edits(SAM, card, "Which ones?", [["Fourth"], ["Fifth"], ["Next"]])
    expect(page.get_by_role("button", name="Fifth")).to_be_focused()
    bot.edits(SAM, card, "From when?", [["Today"], ["Tomorrow"]])
    expect(page.get_by_role("article").nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Today")).to_be_focused()


def test_a_deleted_message_vanishes_and_takes_no_focus_along(bot, chatting):
    page = chatting()
    first, second = bot.says(SAM, "one", [["Yes"]]), bot.says(SAM, "two", [["No"]])
    page.get_by_role("button", name="No").focus()
    bot("deleteMessage", chat_id=SAM, message_id=second)
    expect(page.get_by_text("two", exact=True).and_(page.locator(".text"))).to_have_count(0)
    expect(page.locator(f'article[data-id="{first}"]')).to_be_focused()


def test_documents_are_named_measured_and_downloaded(server, bot, chatting, tmp_path):
    page = chatting(INES)
    bot(
        "sendDocument",
        chat_id=INES,
        caption="Hier",
        files={"document": ("Bericht é.csv", b"a;b\n" * 600, "text/csv")},
    )
    link = page.get_by_role("link", name="Bericht é.csv herunterladen")
    expect(link).to_contain_text("2,4 kB")
    with page.expect_download() as waiting:
        link.click()
    waiting.value.save_as(tmp_path / "got")
    assert (waiting.value.suggested_filename, Path(tmp_path / "got").read_bytes()) == (
        "Bericht é.csv",
        b"a;b\n" * 600,
    )


def test_a_picture_is_shown_with_its_caption_as_its_words(bot, chatting):
    page = chatting()
    bot(
        "sendPhoto",
        chat_id=SAM,
        caption="Access by month",
        files={"photo": ("chart.png", picture(), "image/png")},
    )
    image = page.get_by_role("img", name="Access by month")
    expect(image).to_be_visible()
    page.wait_for_function("document.querySelector('.picture img').naturalWidth === 40")


def test_days_are_told_apart_in_the_language_of_the_phone(server, chatting):
    server.person("", number=INES).starts()
    old = next(iter(server.state.messages[INES].values()))
    server.do(
        lambda state: state.messages[INES].update(
            {old.id: type(old)(INES, old.id, 1_709_632_800, old.sender, old.content)}
        )
    )
    page = chatting(INES)
    expect(page.locator(".day")).to_have_text(["Dienstag, 5. März 2024", "Heute"])
    expect(page.get_by_role("article").first.locator("time")).to_have_text("11:00")


def test_the_end_stays_in_view_and_who_reads_above_is_told_what_is_new(bot, chatting):
    page = chatting()
    for number in range(30):
        bot.says(SAM, f"message {number}")
    log = page.get_by_role("log")
    expect(page.get_by_role("article").last).to_be_in_viewport()
    log.hover()
    page.mouse.wheel(0, -900)
    expect(page.get_by_role("button", name="Go to the last message")).to_be_visible()
    bot.says(SAM, "one more")
    bot.says(SAM, "and another")
    jump = page.get_by_role("button", name="2 new messages")
    expect(page.get_by_role("article").last).not_to_be_in_viewport()
    expect(page.locator(".badge")).to_have_text(re.compile("^2"))
    jump.click()
    expect(page.get_by_role("article").last).to_be_in_viewport()
    expect(jump).to_have_count(0)
    expect(page.locator(".badge")).to_have_count(0)


def test_typing_is_seen_until_the_message_comes(bot, chatting):
    page = chatting()
    bot("sendChatAction", chat_id=SAM, action="typing")
    expect(page.locator(".chat-status")).to_have_text("is typing…")
    bot.says(SAM, "here")
    expect(page.locator(".chat-status")).to_have_text("You are Sam Stone · Stranger")


# Buttons


def test_a_tapped_button_turns_until_the_tap_is_answered_with_a_toast(bot, chatting):
    page = chatting()
    bot.says(SAM, "?", [["One"], ["Two"]])
    page.get_by_role("button", name="Two").click()
    expect(page.get_by_role("button", name="Two")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Two").click()
    bot.answers("Noted.")
    expect(page.get_by_role("status").filter(has_text="Noted.")).to_be_visible()
    expect(page.get_by_role("button", name="Two")).not_to_have_attribute("aria-busy", "true")
    assert [tap["data"] for tap in bot.updates("callback_query")] == ["two"]


def test_an_alert_holds_the_focus_until_it_is_closed(bot, chatting):
    page = chatting()
    bot.says(SAM, "?", [["One"]])
    page.get_by_role("button", name="One").click()
    bot.answers("This card has expired.", alert=True)
    alert = page.get_by_role("dialog")
    expect(alert).to_contain_text("This card has expired.")
    expect(alert.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('.chat')")
    page.keyboard.press("Escape")
    expect(alert).to_have_count(0)
    expect(page.get_by_role("button", name="One")).to_be_focused()


def test_a_link_is_asked_about_before_it_opens(server, bot, chatting):
    page = chatting()
    bot.says(SAM, "?", [[{"text": "Portal", "url": f"{server.url}/health"}]])
    page.get_by_role("button", name="Portal").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{server.url}/health")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Portal").click()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Open", exact=True).click()
    assert opened.value.url == f"{server.url}/health"


def test_a_deep_link_of_the_bot_itself_acts_in_the_chat(server, bot, chatting):
    page = chatting()
    bot.says(SAM, "?", [[{"text": "Join", "url": "https://t.me/accessbot_demo_bot?start=XYZ"}]])
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("article").last).to_contain_text("/start XYZ")
    assert sent(server) == ["/start XYZ"]


def test_a_number_is_copied_and_the_page_says_so(bot, chatting):
    page = chatting(permissions=["clipboard-read", "clipboard-write"])
    bot.says(SAM, "?", [[{"text": "Copy", "copy_text": {"text": "2026-000123"}}]])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied: 2026-000123")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "2026-000123"


def test_a_private_page_opens_beside_the_chat_and_closes(server, bot, chatting):
    page = chatting()
    other = server.url.replace("127.0.0.1", "localhost")
    bot.says(SAM, "?", [[{"text": "Private", "web_app": {"url": f"{other}/client/nothing"}}]])
    page.route(
        f"{other}/client/nothing",
        lambda route: route.fulfill(content_type="text/html", body="<p>private page</p>"),
    )
    page.get_by_role("button", name="Private").click()
    panel = page.get_by_role("complementary", name="Private")
    expect(panel.frame_locator("iframe").get_by_text("private page")).to_be_visible()
    panel.get_by_role("button", name="Close the page").click()
    expect(panel).to_have_count(0)


def test_proposed_answers_stand_below_the_box_and_go_with_their_removal(server, bot, chatting):
    page = chatting()
    markup = {"keyboard": [["Today", {"text": "Tomorrow"}]], "input_field_placeholder": "A day"}
    bot("sendMessage", chat_id=SAM, text="When?", reply_markup=markup)
    answers = page.get_by_role("group", name="Suggested answers")
    expect(box(page)).to_have_attribute("placeholder", "A day")
    answers.get_by_role("button", name="Tomorrow").click()
    expect(page.get_by_role("article").last).to_contain_text("Tomorrow")
    bot("sendMessage", chat_id=SAM, text="Good.", reply_markup={"remove_keyboard": True})
    expect(answers).to_be_hidden()
    assert sent(server) == ["Tomorrow"]


# Writing


def test_enter_sends_and_shift_enter_makes_a_line(server, chatting):
    page = chatting()
    box(page).press_sequentially("first")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("second")
    box(page).press("Enter")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(box(page)).to_have_value("")
    assert sent(server) == ["first\nsecond"]


def test_what_was_typed_stays_with_its_person_and_is_not_lost_when_it_cannot_be_sent(server, bot, chatting):
    page = chatting(allowed=("400",))
    server.person("", number=BART).starts()
    box(page).fill("half a sen")
    page.get_by_role("link", name=re.compile("Bart")).click()
    expect(page.get_by_role("textbox", name="Schrijf een bericht")).to_have_value("")
    page.get_by_role("link", name=re.compile("Sam")).click()
    expect(page.get_by_role("textbox", name="Write a message")).to_have_value("half a sen")
    page.route("**/messages", lambda route: route.fulfill(status=400, json={"ok": False}))
    box(page).press("Enter")
    expect(page.get_by_role("status").filter(has_text="That did not work. Try again.")).to_be_visible()
    expect(box(page)).to_have_value("half a sen")


def test_a_file_is_chosen_can_be_taken_back_and_goes_with_its_words(server, bot, chatting):
    page = chatting()
    page.locator("input[type=file]").set_input_files(
        {"name": "wrong.csv", "mimeType": "text/csv", "buffer": b"x"}
    )
    page.get_by_role("button", name="Remove wrong.csv").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": b"a;b"}
    )
    box(page).fill("the list")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("link", name=re.compile("Download people.csv"))).to_be_visible()
    message = bot.updates("message")[-1]
    assert (message["document"]["file_name"], message["caption"]) == ("people.csv", "the list")


def test_commands_are_listed_filtered_and_chosen_with_the_keyboard(server, bot, chatting):
    words = ["grant", "give", "help"]
    bot("setMyCommands", commands=[{"command": word, "description": f"About {word}"} for word in words])
    page = chatting()
    page.get_by_role("button", name="The assistant's commands").click()
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(3)
    expect(box(page)).to_be_focused()
    box(page).press_sequentially("/g")
    expect(options).to_have_text([re.compile("^/grant About grant"), re.compile("^/give")])
    expect(page.get_by_role("status").filter(has_text="2 commands")).to_have_count(1)
    box(page).press("ArrowDown")
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_contain_text("/give")
    pointed = box(page).get_attribute("aria-activedescendant")
    assert pointed == page.get_by_role("listbox").get_by_role("option", selected=True).get_attribute("id")
    box(page).press("Enter")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(box(page)).to_have_value("")
    box(page).press_sequentially("/h")
    box(page).press("Escape")
    expect(options).to_have_count(0)
    assert sent(server) == ["/give"]


def test_a_message_of_ones_own_can_be_edited_and_deleted(server, bot, chatting):
    page = chatting()
    number = server.person("", number=SAM).says("first wording")
    mine = page.locator(f'article[data-id="{number}"]')
    box(page).fill("half a sen")
    mine.hover()
    mine.get_by_role("button", name="Actions on this message").click()
    page.get_by_role("menuitem", name="Edit").click()
    expect(box(page)).to_have_value("first wording")
    box(page).fill("second wording")
    box(page).press("Enter")
    expect(mine).to_contain_text("second wording")
    expect(mine.locator(".edited")).to_be_visible()
    expect(box(page)).to_have_value("half a sen")
    mine.get_by_role("button", name="Actions on this message").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(mine).to_have_count(0)
    assert [message["text"] for message in bot.updates("edited_message")] == ["second wording"]


# Several people, several tabs


def test_two_people_side_by_side_and_the_address_says_whose(server, bot, open_page):
    for person in (SAM, INES):
        server.person("", number=person).starts()
    page = open_page(f"{server.url}/#/{SAM}")
    page.get_by_role("button", name="Open Ines Meyer beside").click()
    expect(page.get_by_role("log")).to_have_count(2)
    assert page.url.endswith(f"#/{SAM}+{INES}")
    bot.says(SAM, "for Sam")
    bot.says(INES, "für Ines")
    expect(page.get_by_role("region", name=re.compile("Sam")).get_by_role("article").last).to_contain_text(
        "for Sam"
    )
    expect(page.get_by_role("region", name=re.compile("Ines")).get_by_role("article").last).to_contain_text(
        "für Ines"
    )
    page.get_by_role("button", name="Close this conversation (Sam)").click()
    expect(page.get_by_role("log")).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("log")).to_have_count(2)
    page.go_back()
    expect(page.get_by_role("region", name=re.compile("Ines"))).to_have_count(0)


def test_a_second_tab_sees_the_same_and_takes_over_when_the_first_closes(server, bot, chatting, open_page):
    first = chatting()
    second = open_page(f"{server.url}/#/{SAM}", beside=first)
    bot.says(SAM, "to both")
    for page in (first, second):
        expect(page.get_by_role("article").last).to_contain_text("to both")
    first.close()
    bot.says(SAM, "to who is left")
    expect(second.get_by_role("article").last).to_contain_text("to who is left")


def test_only_the_tab_that_tapped_shows_the_alert(server, bot, chatting, open_page):
    first = chatting()
    second = open_page(f"{server.url}/#/{SAM}", beside=first)
    bot.says(SAM, "?", [["One"]])
    second.get_by_role("button", name="One").click()
    bot.answers("Look here.", alert=True)
    expect(second.get_by_role("dialog")).to_be_visible()
    expect(first.get_by_role("dialog")).to_have_count(0)


def test_a_phone_shows_the_list_or_one_chat_with_a_way_back(server, bot, open_page):
    server.person("", number=SAM).starts()
    page = open_page(server.url, width="phone")
    page.get_by_role("link", name=re.compile("Sam")).tap()
    expect(page.get_by_role("log")).to_be_visible()
    expect(page.get_by_role("navigation")).to_be_hidden()
    page.get_by_role("button", name="Back to the list").tap()
    expect(page.get_by_role("navigation")).to_be_visible()
    expect(page.get_by_role("log")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("log")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_blocked_bot_can_be_unblocked(server, bot, chatting):
    page = chatting()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Block the assistant").click()
    expect(page.get_by_text("it can no longer write to you")).to_be_visible()
    expect(box(page)).to_have_count(0)
    page.get_by_role("button", name="Unblock the assistant").click()
    expect(box(page)).to_be_visible()
    assert [change["new_chat_member"]["status"] for change in bot.updates("my_chat_member")] == [
        "kicked",
        "member",
    ]


def test_the_page_says_when_the_connection_is_lost_and_catches_up_when_it_is_back(tmp_path, open_page):
    with running_server(visitors=VISITORS, texts=page_texts(), folder=tmp_path) as server:
        server.person("", number=SAM).starts()
        port = int(server.url.rpartition(":")[2])
        page = open_page(f"{server.url}/#/{SAM}", allowed=("net::ERR_",))
        expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_text("Connection lost. The page is trying again…")).to_be_visible()
    with running_server(visitors=VISITORS, texts=page_texts(), folder=tmp_path, port=port) as server:
        expect(page.get_by_text("Connection restored.")).to_be_visible()
        Scripted(server).says(SAM, "back again")
        expect(page.get_by_role("article").last).to_contain_text("back again")
        page.close()


def test_starting_all_over_is_seen_at_once_and_explained(server, bot, chatting):
    page = chatting()
    server.http.post("/client/reset")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    page.get_by_role("button", name="About this demonstration").click()
    expect(page.get_by_role("dialog")).to_contain_text("python -m bot demo --reset")


def test_what_was_asked_before_a_reset_and_answered_after_it_is_thrown_away(server, bot, chatting):
    page = chatting()
    held = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route(f"**/people/{SAM}/chat", hold_the_first)
    bot("setMyName", name="Another name")
    while not held:
        page.wait_for_timeout(10)
    server.http.post("/client/reset")
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()


def test_the_theme_follows_the_system_or_the_choice_which_is_remembered(server, open_page):
    page = open_page(server.url, scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Colours: as the system").click()
    light = page.evaluate(ground)
    page.reload()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    assert (page.evaluate(ground), light == dark) == (light, False)
    page.get_by_role("button", name="Colours: light").click()
    assert page.evaluate(ground) == dark


# For everybody


def test_from_the_list_to_a_receipt_with_the_keyboard_alone(server, bot, open_page):
    page = open_page(server.url)
    expect(
        page.get_by_role("link", name=re.compile("Sam"))
    ).to_be_visible()  # before it, Tab goes round in circles
    for _ in range(12):
        if page.evaluate(
            "document.activeElement.matches('a') && document.activeElement.textContent.includes('Sam')"
        ):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    bot.says(SAM, "Confirm?", [["Confirm"], ["Cancel"]])
    expect(page.get_by_role("button", name="Confirm")).to_be_visible()
    for _ in range(5):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.textContent") == "Confirm":
            break
    page.keyboard.press("Enter")
    bot.answers("Done.")
    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    assert [tap["data"] for tap in bot.updates("callback_query")] == ["confirm"]


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_axe_finds_nothing_in_any_state_light_or_dark(server, bot, open_page, width):
    bot("setMyCommands", commands=[{"command": "grant", "description": "Give access"}])
    page = open_page(server.url, width=width, reduced_motion="reduce")
    touch = page.get_by_role("link", name=re.compile("Anne"))
    expect(touch).to_be_visible()
    found = {"list": violations(page)}
    touch.click()
    expect(page.get_by_role("button", name="Démarrer")).to_be_visible()
    found["invited"] = violations(page)
    page.get_by_role("button", name="Démarrer").click()
    expect(page.get_by_role("article")).to_have_count(1)
    card = bot.says(
        ANNE,
        "<b>Donner un accès</b> <tg-spoiler>x</tg-spoiler> <code>1</code> <a href='https://example.org'>là</a>",
    )
    bot.edits(
        ANNE, card,
        "<b>À qui ?</b>\n<blockquote expandable>1\n2\n3\n4</blockquote><pre>code</pre> /help",
        [["Jan", {"text": "Portail", "url": "https://example.org"}], [{"text": "Mettre fin", "callback_data": "e", "style": "danger"}]],
    )  # fmt: skip
    bot("sendPhoto", chat_id=ANNE, files={"photo": ("chart.png", picture(), "image/png")})
    bot("sendDocument", chat_id=ANNE, files={"document": ("a.csv", b"1;2", "text/csv")})
    expect(page.get_by_role("article")).to_have_count(4)
    found["chat"] = violations(page)
    page.get_by_role("textbox").press_sequentially("/g")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    found["commands"] = violations(page)
    page.get_by_role("textbox").press("Escape")
    page.get_by_role("textbox").fill("")
    page.get_by_role("button", name="Mettre fin").click()
    bot.answers("Cette carte n'est plus valable.", alert=True)
    expect(page.get_by_role("dialog")).to_be_visible()
    found["alert"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Mettre fin").click()
    bot.answers("Noté.")
    expect(page.get_by_text("Noté.")).to_be_visible()
    page.get_by_role("button", name="Autres actions").click()
    found["toast and menu"] = violations(page)
    page.get_by_role("menuitem", name="Bloquer l'assistant").click()
    expect(page.get_by_role("button", name="Débloquer l'assistant")).to_be_visible()
    found["blocked"] = violations(page)
    assert {key: [] for key in found} == found


@pytest.mark.parametrize(("width", "least"), [("desktop", 24), ("phone", 44)])
def test_every_control_is_large_enough_and_has_a_name(server, bot, open_page, width, least):
    server.person("", number=ANNE).starts()
    bot("setMyCommands", commands=[{"command": "grant", "description": "Give access"}])
    bot.says(ANNE, "<blockquote expandable>1\n2\n3\n4</blockquote>", [["a", "b", "c"], ["d"]])
    page = open_page(server.url, width=width)
    measure = """() => [...document.querySelectorAll('button, select, textarea, a')]
        .filter((each) => each.checkVisibility({ opacityProperty: false }) && !each.matches('.text a, .text > .link'))
        .map((each) => ({ name: each.getAttribute('aria-label') || each.textContent || each.className,
                          size: Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) }))"""
    expect(page.get_by_role("link", name=re.compile("Anne"))).to_be_visible()
    controls = page.evaluate(measure)
    page.get_by_role("link", name=re.compile("Anne")).click()
    expect(page.get_by_role("button", name="d", exact=True)).to_be_visible()
    controls += page.evaluate(measure)
    assert len(controls) > 15
    assert [each for each in controls if not each["name"].strip() or each["size"] < least - 0.5] == []
