/** What every page does: lines that copy themselves, times that stay true, and menus that close when one looks away. */

import { copyOnClick } from "./clipboard.js";
import { keepTimesTrue } from "./times.js";

copyOnClick(document);
keepTimesTrue();

// On a narrow screen the navigation scrolls; where one is should be in sight.
const here = document.querySelector(".site-nav [aria-current]");
here?.scrollIntoView({ block: "nearest", inline: "nearest" });

function closeMenus(except) {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeMenus(event.target.closest("[data-menu]")));
document.addEventListener("focusin", (event) => closeMenus(event.target.closest("[data-menu]")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.("[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
