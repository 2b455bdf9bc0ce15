// The messages of one chat, oldest first: days between them, the end kept in view, what is new told to a screen reader.

import { calm, h, icon } from "./dom.js";
import { draw, textOf } from "./message.js";
import { dayOf } from "./texts.js";

const NEAR = 60; // this many pixels from the end still count as "at the end"
const FADE = 160;
const SPOKEN_SECONDS = 15;

export class Log {
  /** `seen(id)` is called when somebody has the newest message before his eyes. */
  constructor(t, acts, seen) {
    Object.assign(this, { t, acts, seen });
    this.messages = new Map();
    this.articles = new Map();
    this.fresh = 0;
    this.top = 0;
    // the log itself stays silent: an edited card would be read with every button and time in it
    this.inside = h("div", { class: "log-inside" });
    this.list = h("div", { class: "log", role: "log", "aria-live": "off", tabindex: "0", onscroll: () => this.scrolled() }, this.inside);
    this.spoken = h("div", { class: "unseen", "aria-live": "polite", "aria-atomic": "false" });
    this.jump = h("button", { type: "button", class: "jump", hidden: true, onclick: () => this.toEnd(true) });
    this.element = h("div", { class: "log-frame" }, this.list, this.spoken, this.jump);
    this.stuck = true;
    // a picture that arrives, a box that grows: the end stays the end
    const keeper = new ResizeObserver(() => this.stuck && this.toEnd());
    keeper.observe(this.list);
    keeper.observe(this.inside);
  }

  /** Makes the log show exactly these messages. */
  show(messages, { first = false } = {}) {
    const there = new Set(messages.map((message) => message.message_id));
    for (const id of [...this.messages.keys()]) if (!there.has(id)) this.remove(id, { at_once: true });
    for (const message of messages) this.put(message, { silent: first });
    if (first) this.toEnd();
  }

  /** A message that is new or was changed. */
  put(message, { silent = false } = {}) {
    const id = message.message_id;
    const old = this.messages.get(id);
    if (old && JSON.stringify(old) === JSON.stringify(message)) return;
    this.messages.set(id, message);
    const article = this.articles.get(id) || this.place(message);
    draw(article, message, this.t, this.acts);
    if (!silent && message.from_bot && (!old || textOf(old) !== textOf(message))) this.announce(textOf(message));
    if (!old && !silent) this.arrived(article, message);
    if (this.stuck) this.toEnd();
  }

  place(message) {
    const article = h("article");
    this.articles.set(message.message_id, article);
    const day = dayOf(new Date(message.date * 1000));
    const days = this.inside.querySelectorAll(".day");
    if (days[days.length - 1]?.dataset.day !== day) {
      this.inside.append(h("p", { class: "day", "data-day": day }, h("span", {}, this.t.day(message.date))));
    }
    this.inside.append(article);
    return article;
  }

  arrived(article, message) {
    article.classList.add("arriving");
    if (!message.from_bot) {
      this.stuck = true;
    } else if (!this.stuck) {
      this.fresh += 1;
      this.drawJump();
    }
  }

  remove(id, { at_once = false } = {}) {
    const article = this.articles.get(id);
    this.messages.delete(id);
    this.articles.delete(id);
    if (!article) return;
    const held = article.contains(document.activeElement);
    article.inert = true;
    article.classList.add("leaving");
    const end = () => {
      article.remove();
      this.dropEmptyDays();
      if (this.stuck) this.toEnd();
    };
    if (at_once || calm()) end();
    else setTimeout(end, FADE);
    if (held) (this.lastCard() || this.list).focus({ preventScroll: true });
  }

  lastCard() {
    return [...this.articles.values()].findLast((article) => article.classList.contains("theirs"));
  }

  dropEmptyDays() {
    for (const day of this.inside.querySelectorAll(".day")) {
      if (!day.nextElementSibling || day.nextElementSibling.classList.contains("day")) day.remove();
    }
  }

  /** Read out once, politely; older sentences go, so that nobody who wanders through the page meets them again. */
  announce(text) {
    if (!text) return;
    const sentence = h("p", {}, text);
    this.spoken.append(sentence);
    setTimeout(() => sentence.nextElementSibling && sentence.remove(), SPOKEN_SECONDS * 1000);
  }

  get newest() {
    return Math.max(0, ...this.messages.keys());
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    // only a person scrolls up; a log that shrinks under a growing box is not left by that
    if (near) this.stuck = true;
    else if (scrollTop < this.top) this.stuck = false;
    this.top = scrollTop;
    if (this.stuck) this.arrivedAtEnd();
    else this.drawJump();
  }

  toEnd(smooth = false) {
    this.list.scrollTo({ top: this.list.scrollHeight, behavior: smooth && !calm() ? "smooth" : "instant" });
    this.stuck = true;
    this.top = this.list.scrollTop;
    this.arrivedAtEnd();
  }

  arrivedAtEnd() {
    this.fresh = 0;
    this.drawJump();
    this.look();
  }

  /** Tells that the newest message was seen, if it is to be seen. */
  look() {
    if (this.stuck && document.visibilityState === "visible" && this.list.isConnected && this.list.offsetParent) {
      this.seen(this.newest);
    }
  }

  drawJump() {
    if (this.stuck && document.activeElement === this.jump) this.list.focus({ preventScroll: true });
    this.jump.hidden = this.stuck;
    const words = this.fresh ? this.t.count("demo.new", this.fresh) : this.t("demo.bottom");
    this.jump.setAttribute("aria-label", words);
    this.jump.title = words;
    this.jump.replaceChildren(icon("down"), ...(this.fresh ? [h("span", {}, words)] : []));
  }
}
