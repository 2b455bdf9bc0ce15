// The rules of a new password, shown while one types; the server says the same, and more, when it is saved.
"use strict";

// as the server folds names: without accents, small letters
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Which rules what is typed keeps. Characters are counted as people do: an emoji is one. */
function kept(text, again, shortest, words) {
  const typed = text.normalize("NFKC");
  return {
    length: [...typed].length >= shortest,
    own: typed !== "" && !words.some((word) => typed.toLowerCase().includes(word) || folded(typed).includes(word)),
    same: typed !== "" && text === again,
  };
}

for (const live of document.querySelectorAll("[data-rules]")) {
  const form = live.closest("form");
  const { password, again } = form.elements;
  const words = live.dataset.words.split(" ").filter(Boolean);
  const all = live.querySelector("[data-all]");
  const shows = live.querySelector("[data-show]");

  const judge = () => {
    const rules = kept(password.value, again.value, Number(live.dataset.shortest), words);
    for (const item of live.querySelectorAll("[data-rule]")) {
      const met = rules[item.dataset.rule];
      const said = item.querySelector("[data-met]");
      item.classList.toggle("met", met);
      said.textContent = met ? ` (${said.dataset.met})` : "";
    }
    all.textContent = Object.values(rules).every(Boolean) ? all.dataset.all : "";
  };
  const show = (shown) => {
    for (const field of [password, again]) field.type = shown ? "text" : "password";
    shows.textContent = shown ? shows.dataset.hide : shows.dataset.show;
  };
  shows.addEventListener("click", () => show(password.type === "password"));
  // a browser must see passwords where it looks for them, and none stays readable on the way back
  form.addEventListener("submit", () => show(false));
  form.addEventListener("input", judge);
  live.hidden = false;
  judge();
}
