// Saving cards in this browser: nobody else learns of it. A page without this script has no buttons for it.
const saved = {
  key: "quitboard-saved",
  // Identifiers, the last saved first.
  read() {
    try {
      const found = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      return Array.isArray(found) ? found.filter((id) => typeof id === "string" && /^[a-z0-9_-]+$/.test(id)) : [];
    } catch {
      return [];
    }
  },
  set(id, keep) {
    const others = this.read().filter((other) => other !== id);
    localStorage.setItem(this.key, JSON.stringify(keep ? [id, ...others] : others));
  },
  works() {
    try {
      localStorage.setItem(`${this.key}-probe`, "1");
      localStorage.removeItem(`${this.key}-probe`);
      return true;
    } catch {
      return false;
    }
  },
};

(() => {
  const link = document.querySelector("a.to-saved");
  if (!saved.works()) {
    link.hidden = true;
    return;
  }
  const icon = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M5 2.500h10v15l-5-4-5 4z"/></svg>';

  const addButton = (id, where, what) => {
    if (where.querySelector("button.save")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "save";
    button.innerHTML = icon;
    const word = document.createElement("span");
    word.textContent = link.dataset.save;
    button.append(word);
    if (what) button.setAttribute("aria-label", `${link.dataset.save}: ${what}`);
    const show = () => button.setAttribute("aria-pressed", String(saved.read().includes(id)));
    button.addEventListener("click", () => {
      saved.set(id, !saved.read().includes(id));
      show();
    });
    show();
    where.append(button);
  };
  const addButtons = () => {
    for (const card of document.querySelectorAll("li.card")) {
      const id = card.dataset.id ?? card.querySelector("a")?.getAttribute("href").match(/\/v\/([^/]+)\/index\.html$/)?.[1];
      const texts = [...card.querySelectorAll(".card-kind, .card-place, .card-when")].map((text) => text.textContent.replace("▶", "").trim());
      if (id) addButton(id, card, texts.filter(Boolean).join(", "));
    }
    for (const one of document.querySelectorAll("article[data-id]")) addButton(one.dataset.id, one.querySelector(".page-head"), "");
  };
  addButtons();
  document.addEventListener("cards", addButtons); // more of them were made
})();
