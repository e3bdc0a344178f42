(() => {
  "use strict";
  const byID = (id) => document.getElementById(id);
  document.documentElement.className = "live";

  // Times, which come in UTC, as the user writes them.
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    time.title = time.textContent;
    time.dir = "auto";
    time.textContent = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }

  // The apps of this device. An iPad says that it is a Mac, but has a touch screen.
  const agent = navigator.userAgent;
  const apple = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1);
  const device = byID(apple ? "apple" : /Android/.test(agent) ? "android" : "computer");
  if (device) device.checked = true;

  // On a large screen the code is what a phone is held against; on a phone it would only be in the way.
  const code = byID("code");
  if (code && matchMedia("(min-width: 52rem)").matches) code.open = true;

  // A page that did not come over https has no clipboard; there, a selection is copied the old way.
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("not copied");
  };
  const said = byID("said");
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.firstChild;
    let timer;
    button.addEventListener("click", async () => {
      let answer = "Copied";
      try {
        await copy(byID(button.dataset.copy).textContent);
      } catch {
        answer = "Failed";
      }
      label.data = said.textContent = answer;
      button.classList.toggle("done", answer === "Copied");
      button.focus();
      clearTimeout(timer);
      timer = setTimeout(() => {
        label.data = "Copy";
        said.textContent = "";
        button.classList.remove("done");
      }, 2000);
    });
  }
})();
