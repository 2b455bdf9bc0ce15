// Loaded before the page is drawn, so that nobody sees a flash of the other theme. "auto" follows the system.
"use strict";
document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";
