// The page: the list of people, one or two of their chats, the address that says whose, the stream of what happens.

import * as api from "./api.js";
import { Chat } from "./chat.js";
import { modal } from "./dialogs.js";
import { h } from "./dom.js";
import { People } from "./people.js";
import { listen } from "./stream.js";
import { languageOf, useTexts, words } from "./texts.js";

const COMMAND = "python -m bot demo --reset";
const MOST = 2;
const RETRY = 1500;
const CALM_DOWN = 80; // many changes, one look at the list

class Page {
  constructor() {
    this.chats = new Map();
    this.everybody = [];
    this.bot = { first_name: "" };
    this.side = document.getElementById("side");
    this.main = document.getElementById("chats");
    this.connection = document.getElementById("connection");
    this.up = true;
  }

  async begin() {
    try {
      useTexts(await api.texts());
      await this.loadPeople();
    } catch {
      setTimeout(() => this.begin(), RETRY); // a server that is just starting
      return;
    }
    this.route();
    window.addEventListener("hashchange", () => this.route());
    document.addEventListener("visibilitychange", () => this.looked());
    window.addEventListener("focus", () => this.looked());
    window.addEventListener("storage", ({ key, newValue }) => {
      if (key !== "theme") return;
      document.documentElement.dataset.theme = newValue || "auto";
      this.people.drawTheme();
    });
    // the one who was written to last is the one that the list replaces
    this.main.addEventListener("focusin", ({ target }) => { this.active = Number(target.closest(".chat")?.dataset.person) || this.active; });
    listen({ heard: (event) => this.heard(event), connected: (up) => this.connected(up) });
  }

  // Whose chats are open: the address has it

  get ids() {
    const known = new Set(this.everybody.map((person) => person.id));
    const asked = location.hash.replace(/^#\/?/, "").split("+").map(Number);
    return [...new Set(asked.filter((id) => known.has(id)))].slice(0, MOST);
  }

  go(ids) {
    location.hash = `#/${ids.join("+")}`;
  }

  isOpen(id) {
    return this.chats.has(id);
  }

  anyOpen() {
    return this.chats.size > 0;
  }

  several() {
    return this.chats.size > 1;
  }

  open(id) {
    this.wanted = id;
    const hidden = this.several() && !this.chats.get(this.ids[0]).element.offsetParent; // no room for two
    if (this.isOpen(id) && !(hidden && id === this.ids[0])) this.arrive();
    else if (this.several() && !hidden) this.go(this.ids.map((each) => (each === this.active ? id : each)));
    else this.go([id]);
  }

  beside(id) {
    this.wanted = id;
    this.go([this.active || this.ids[0], id].filter(Boolean));
  }

  close(id) {
    this.wanted = this.ids.find((each) => each !== id);
    this.go(this.ids.filter((each) => each !== id));
  }

  back(id) {
    this.go([]);
    this.left = id;
  }

  route() {
    const { ids } = this;
    for (const [id, chat] of this.chats) {
      if (ids.includes(id)) continue;
      chat.element.remove();
      this.chats.delete(id);
    }
    for (const id of ids) {
      if (this.chats.has(id)) continue;
      const chat = new Chat(id, this);
      chat.element.dataset.person = id;
      this.chats.set(id, chat);
      chat.ready.then(() => this.draw());
    }
    if (!ids.includes(this.active)) this.active = ids.at(-1);
    this.main.replaceChildren(...(ids.length ? ids.map((id) => this.chats.get(id).element) : [this.nobody()]));
    this.main.dataset.open = ids.length;
    document.body.classList.toggle("chatting", ids.length > 0);
    for (const chat of this.chats.values()) if (chat.facts) chat.redrawHead();
    this.draw();
    this.arrive();
  }

  /** The focus follows what was asked for with the keyboard or the mouse, and nothing else. */
  async arrive() {
    const chat = this.chats.get(this.wanted);
    this.wanted = null;
    if (chat) {
      await chat.ready;
      if (chat.element.isConnected) chat.focus();
    } else if (this.left && !this.chats.size) {
      this.people.focus(this.left);
      this.left = null;
    }
  }

  nobody() {
    const t = this.words();
    return h("div", { class: "nobody-open", lang: t.language }, h("p", {}, t("demo.choose.help")));
  }

  // The list

  async loadPeople() {
    const { people, bot } = await api.people();
    this.everybody = people;
    this.bot = bot;
    this.draw();
  }

  /** The page itself speaks as the one whose chat is open, where a language was chosen for him, else as the browser. */
  words() {
    const who = this.everybody.find((person) => person.id === this.active && !person.any_language);
    if (who) localStorage.setItem("language", languageOf(who.language_code));
    return words(who?.language_code || localStorage.getItem("language") || navigator.language);
  }

  draw() {
    const t = this.words();
    if (this.people?.t.language !== t.language) {
      this.people = new People(t, this);
      this.side.replaceChildren(this.people.element);
      document.documentElement.lang = t.language;
    }
    this.people.show(this.everybody);
    const unread = this.everybody.reduce((sum, person) => sum + person.unread, 0);
    document.title = `${unread ? `(${unread}) ` : ""}${this.bot.first_name} · ${t("demo.title")}`;
    if (!this.up) this.connection.textContent = t("demo.lost");
  }

  drawSoon() {
    this.soon ||= setTimeout(() => {
      this.soon = null;
      this.loadPeople().catch(() => this.lost());
    }, CALM_DOWN);
  }

  // What happens

  heard(event) {
    if (event.kind === "reset") {
      for (const chat of this.chats.values()) chat.reload();
    } else if (event.kind === "profile") {
      for (const chat of this.chats.values()) chat.load();
    } else {
      this.chats.get(event.chat)?.heard(event);
    }
    if (event.kind !== "typing" && event.kind !== "closing") this.drawSoon();
  }

  async connected(up) {
    if (!up) {
      this.lost();
      return;
    }
    if (!this.up) {
      this.up = true;
      this.say("demo.regained", true);
    }
    for (const chat of this.chats.values()) chat.reload();
    this.drawSoon();
  }

  lost() {
    if (!this.up) return;
    this.up = false;
    this.say("demo.lost", false);
  }

  say(key, good) {
    this.connection.textContent = this.words()(key);
    this.connection.dataset.good = good;
    clearTimeout(this.quiet);
    if (good) this.quiet = setTimeout(() => { this.connection.textContent = ""; }, 3000);
  }

  looked() {
    for (const chat of this.chats.values()) chat.looked();
  }

  about(t) {
    const body = [
      h("p", {}, t("demo.about.what")), h("p", {}, t("demo.about.data")),
      h("p", {}, t("demo.about.anew")), h("pre", {}, COMMAND),
    ];
    modal(t.language, t("demo.about"), body, [[t("demo.close"), true, "primary"]]);
  }
}

new Page().begin();
