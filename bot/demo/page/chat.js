// One person's phone: the chat with the bot, from the invitation to the blocked state, kept as the server has it.

import { phone } from "./api.js";
import { Composer } from "./composer.js";
import { menu, modal, Toasts, webPage } from "./dialogs.js";
import { h } from "./dom.js";
import { banner, foot, header, welcome } from "./frame.js";
import { Log } from "./log.js";
import { words } from "./texts.js";

const PATIENCE = 20_000; // a tap that nobody answers stops turning

export class Chat {
  /** `page` is the application: back, close, more than one open? */
  constructor(id, page) {
    Object.assign(this, { id, page });
    this.phone = phone(id);
    this.version = -1;
    this.era = 0;
    this.tapping = 0;
    this.waiting = new Map();
    this.early = new Map();
    this.element = h("section", { class: "chat", tabindex: "-1" });
    this.element.addEventListener("dragover", (event) => event.preventDefault());
    this.element.addEventListener("drop", (event) => this.dropped(event));
    this.ready = this.load();
  }

  // Keeping up with the server

  /** Fetches the chat; calls that come meanwhile are answered by one more fetch. */
  async load() {
    if (this.loading) {
      this.again = true;
      return;
    }
    this.loading = true;
    const { era } = this;
    try {
      const facts = await this.phone.chat(this.page.words().language);
      if (era !== this.era || facts.version < this.version) this.again = true;
      else this.show(facts);
    } catch (error) {
      if (error instanceof TypeError) this.page.lost(); // how fetch says that nobody is there
    } finally {
      this.loading = false;
    }
    if (this.again) {
      this.again = false;
      await this.load();
    }
  }

  /** The server began anew, or the stream was broken: what was counted before means nothing. */
  reload() {
    this.era += 1;
    this.version = -1;
    this.read = 0;
    return this.load();
  }

  heard(event) {
    const missed = event.version !== this.version + 1;
    if (event.version <= this.version) return;
    this.version = event.version;
    if (event.kind === "message") this.came(event.message);
    else if (event.kind === "deleted") this.log?.remove(event.message_id);
    else if (event.kind === "typing") this.typing(event.seconds);
    else if (event.kind === "answered") this.answered(event);
    else this.load();
    if (missed) this.load();
  }

  came(message) {
    if (!this.log) {
      this.load();
      return;
    }
    if (message.from_bot) this.typing(0);
    this.log.put(message);
    if (!message.from_bot && message.text?.startsWith("/start")) this.load();
  }

  // Showing

  show(facts) {
    const old = this.facts;
    this.facts = facts;
    this.version = facts.version;
    const build = !old || old.language_code !== facts.language_code || old.started !== facts.started;
    const held = build && this.element.contains(document.activeElement) && (document.activeElement.dataset.control || "foot");
    if (build) this.build();
    if (this.log) {
      this.log.show(facts.messages, { first: build });
      this.composer.show(facts);
    }
    if (build || old.bot.first_name !== facts.bot.first_name || old.last_name !== facts.last_name) this.redrawHead();
    this.typing(facts.typing);
    this.blockedOr();
    this.banner.replaceChildren(...banner(facts, this.t, () => this.start(facts.invitation)));
    if (held) (this.head.querySelector(`[data-control="${held}"]`) || this).focus();
  }

  build() {
    const t = words(this.facts.language_code);
    this.t = t;
    this.element.lang = t.language;
    this.element.setAttribute("aria-label", t("demo.chat", { name: this.facts.first_name, bot: this.facts.bot.first_name }));
    this.toasts = new Toasts();
    this.head = h("header", { class: "chat-head" });
    this.banner = h("div", { class: "banner" });
    this.foot = h("div", { class: "foot" });
    this.log = this.composer = null;
    let body;
    if (this.facts.started) {
      this.log = new Log(t, this.acts(), (id) => this.saw(id));
      this.composer = new Composer(this.id, t, this.acts());
      body = this.log.element;
    } else {
      body = welcome(this.facts, t, () => this.start(this.facts.invitation));
    }
    const below = h("div", { class: "below" }, this.toasts.element, this.foot);
    const column = h("div", { class: "column" }, this.head, this.banner, body, below);
    this.element.replaceChildren(column);
  }

  redrawHead() {
    const held = this.head.contains(document.activeElement) && document.activeElement.dataset.control;
    this.head.replaceChildren(...header(this));
    this.status = this.head.querySelector(".chat-status");
    this.idle = this.status.textContent;
    if (held) this.head.querySelector(`[data-control="${held}"]`)?.focus();
  }

  /** Below the chat: the box to write in, or what there is to do first. */
  blockedOr() {
    const state = this.facts.blocked ? "blocked" : this.facts.started ? "open" : "new";
    if (this.foot.dataset.state === state) return;
    this.foot.dataset.state = state;
    const held = this.foot.contains(document.activeElement);
    this.foot.replaceChildren(state === "open" ? this.composer.element : foot(state, this));
    if (held) this.focus();
  }

  typing(seconds) {
    clearTimeout(this.typingEnds);
    const on = seconds > 0;
    this.status.classList.toggle("typing", on);
    this.status.textContent = on ? this.t("demo.typing") : this.idle;
    if (on) this.typingEnds = setTimeout(() => this.typing(0), seconds * 1000);
  }

  saw(message) {
    if (!message || message <= (this.read || 0)) return;
    this.read = message;
    this.phone.read(message).catch(() => {});
  }

  looked() {
    this.log?.look();
  }

  /** Where one goes on: the box on a computer; on a phone the chat, so that no keyboard jumps up. */
  focus() {
    const box = matchMedia("(hover: hover) and (pointer: fine)").matches && this.foot.dataset.state === "open";
    const target = box ? this.composer.box : this.foot.querySelector("button.primary") || this.element;
    target.focus({ preventScroll: true });
  }

  // Acting

  acts() {
    return {
      tap: (key, message, row, column) => this.tap(key, message, row, column),
      say: (text) => this.tries(() => this.phone.say(text)),
      send: (file, caption) => this.tries(() => this.phone.send(file, caption)),
      command: (text) => this.tries(() => this.phone.say(text)),
      edit: (message, text) => this.tries(() => this.phone.edit(message, text)),
      more: (message, button) => this.more(message, button),
      open: (url) => this.open(url),
      copy: (text) => this.copy(text),
      webApp: (url, title) => this.webApp(url, title),
    };
  }

  /** Whether it succeeded; says so where it did not. */
  async tries(act) {
    try {
      await act();
      return true;
    } catch {
      this.toasts.show(this.t("demo.failed"));
      return false;
    }
  }

  more(message, button) {
    const edit = [this.t("demo.message.edit"), () => this.composer.edit(message)];
    const remove = [this.t("demo.message.delete"), () => this.tries(() => this.phone.remove(message.message_id))];
    menu(button, message.text ? [edit, remove] : [remove]);
  }

  start(code) {
    return this.tries(() => this.phone.start(code || ""));
  }

  block(blocked) {
    return this.tries(() => this.phone.block(blocked));
  }

  speak(language) {
    return this.tries(() => this.phone.speak(language));
  }

  async tap(key, message, row, column) {
    if (key.getAttribute("aria-busy")) return;
    key.setAttribute("aria-busy", "true");
    this.tapping += 1;
    try {
      const { tap } = await this.phone.tap(message, row, column);
      this.waiting.set(tap, key);
      setTimeout(() => this.release(tap), PATIENCE);
      // the answer may be faster than the answer to our own question
      if (this.early.has(tap)) this.answered(this.early.get(tap));
    } catch {
      key.removeAttribute("aria-busy");
      this.toasts.show(this.t("demo.failed"));
    }
    this.tapping -= 1;
    if (!this.tapping) this.early.clear();
  }

  release(tap) {
    this.waiting.get(tap)?.removeAttribute("aria-busy");
    return this.waiting.delete(tap);
  }

  /** Only the tab that tapped shows the answer. */
  answered(note) {
    if (!this.release(note.tap)) {
      if (this.tapping) this.early.set(note.tap, note);
      return;
    }
    if (note.url) this.open(note.url);
    if (!note.text) return;
    if (note.alert) modal(this.t.language, this.facts.bot.first_name, note.text, [[this.t("demo.close"), true, "primary"]]);
    else this.toasts.show(note.text);
  }

  /** A deep link into this bot acts here; any other address is asked about first. */
  async open(url) {
    const code = this.deepLink(url);
    if (code !== null) {
      this.start(code);
      return;
    }
    if (!/^https?:/i.test(url)) {
      this.toasts.show(this.t("demo.link.other"));
      return;
    }
    const buttons = [[this.t("demo.cancel"), false], [this.t("demo.link.open"), true, "primary"]];
    const address = h("span", { class: "address" }, url);
    if (await modal(this.t.language, this.t("demo.link.ask"), address, buttons)) window.open(url, "_blank", "noopener,noreferrer");
  }

  deepLink(url) {
    const parts = URL.canParse(url) ? new URL(url) : null;
    if (!parts) return null;
    const direct = parts.protocol === "tg:" && parts.searchParams.get("domain");
    const web = ["t.me", "telegram.me"].includes(parts.hostname) && parts.pathname.slice(1);
    const mine = (direct || web || "").toLowerCase() === this.facts.bot.username.toLowerCase();
    return mine ? parts.searchParams.get("start") || "" : null;
  }

  async copy(text) {
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    this.toasts.show(copied ? this.t("demo.copied", { text }) : this.t("demo.copied.not"));
  }

  async webApp(url, title) {
    // Telegram says behind the # who opens the page
    const opened = await this.phone.app(url).catch(() => null);
    if (!opened) {
      this.toasts.show(this.t("demo.failed"));
      return;
    }
    this.element.querySelector(".web-page")?.remove();
    const panel = webPage(opened.url, title, this.t, () => this.focus());
    this.element.append(panel);
    panel.querySelector("button").focus();
  }

  dropped(event) {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file && this.foot.dataset.state === "open") this.composer.take(file);
  }
}
