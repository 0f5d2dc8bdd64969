// Only adds: every page is whole without it.
const root = document.documentElement;

const theme = document.querySelector("button.theme");
if (theme) {
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // The choice lasts as long as the page.
    }
  });
}

// A clip is loaded and moves only after a press, and a second press stops it.
for (const link of document.querySelectorAll("a.play")) {
  const stage = link.parentElement.querySelector(".stage");
  const word = link.querySelector(".play-word");
  const icon = link.querySelector(".play-icon");
  const play = word.textContent;
  link.setAttribute("role", "button");
  link.setAttribute("aria-pressed", "false");
  const press = (event) => {
    event.preventDefault();
    const running = stage.querySelector(".clip");
    if (running) {
      running.remove();
    } else {
      const clip = new Image();
      clip.className = "clip";
      clip.alt = "";
      clip.src = link.dataset.clip;
      stage.append(clip);
    }
    link.setAttribute("aria-pressed", String(!running));
    word.textContent = running ? play : link.dataset.stop;
    icon.textContent = running ? "▶" : "■";
  };
  link.addEventListener("click", press);
  link.addEventListener("keydown", (event) => {
    if (event.key === " ") press(event);
  });
}
