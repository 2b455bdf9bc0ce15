// The few things a page cannot do without script: hand over what Telegram signed, and go back to the chat.
"use strict";

// Telegram puts the data behind the #, which never reaches a server or a log by itself.
function handedOver() {
  const hash = new URLSearchParams(location.hash.slice(1));
  return hash.get("tgWebAppData") || "";
}

// Telegram's clients listen in three ways: phones, desktop, and the web client that frames the page.
function tell(event, data = {}) {
  const proxy = window.TelegramWebviewProxy;
  if (proxy && proxy.postEvent) {
    proxy.postEvent(event, JSON.stringify(data));
  } else if (window.external && "notify" in window.external) {
    window.external.notify(JSON.stringify({ eventType: event, eventData: data }));
  } else if (window.parent !== window) {
    // no secret in it, and the framing page is not known beforehand
    window.parent.postMessage(JSON.stringify({ eventType: event, eventData: data }), "*");
  } else {
    window.close();
  }
}

function enter() {
  const form = document.getElementById("enter");
  if (!form) return;
  const data = handedOver();
  if (!data) {
    document.getElementById("wait").hidden = true;
    document.getElementById("outside").hidden = false;
    return;
  }
  form.elements.init_data.value = data;
  history.replaceState(null, "", location.pathname);
  form.submit();
}

// An identity provider opens outside of Telegram: on phones and desktop only Telegram can do that.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-outside]");
  const inside = window.TelegramWebviewProxy || (window.external && "notify" in window.external);
  if (!link || !inside) return;
  event.preventDefault();
  tell("web_app_open_link", { url: link.href });
});

// The link of a mail: its secret stands behind the # too, and is handed over once.
function arrive() {
  const form = document.getElementById("arrive");
  if (!form) return;
  const token = location.hash.slice(1);
  if (!token) {
    document.getElementById("wait").hidden = true;
    document.getElementById("outside").hidden = false;
    return;
  }
  form.elements.token.value = token;
  history.replaceState(null, "", location.pathname);
  form.submit();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("close" in button.dataset) tell("web_app_close");
  if ("copy" in button.dataset) {
    await navigator.clipboard.writeText(button.dataset.copy.split(" ").join("\n"));
    button.textContent = button.dataset.copied;
  }
});

// A national number stands there for a minute, then it is masked again.
const uncovered = document.querySelector("[data-mask]");
if (uncovered) {
  setTimeout(() => {
    uncovered.textContent = uncovered.dataset.mask;
    document.querySelector("[data-copy]")?.remove();
  }, 60000);
}

// A second tap on a form's button must not send it twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) delete form.dataset.sent;
});

if (window.parent !== window || window.TelegramWebviewProxy) {
  tell("web_app_ready");
  tell("web_app_expand");
}
// not `autofocus`: browsers refuse it in a frame of another site
(document.getElementById("error") || document.querySelector("[data-first]"))?.focus();
enter();
arrive();
