// Runs before the first paint: a chosen theme never flashes in the other one, and what scripts bring has its place.
document.documentElement.dataset.scripts = "";
(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // No storage: the system's theme it is.
  }
})();
