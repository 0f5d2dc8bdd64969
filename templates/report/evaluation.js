// Draws the boxes of the instant that a recording shows over it. Without this script the recording still plays.
for (const figure of document.querySelectorAll("[data-paths]")) {
  const video = figure.querySelector("video");
  const over = figure.querySelector("svg.over");
  const paths = JSON.parse(figure.dataset.paths);
  const draw = () => {
    over.replaceChildren();
    for (const path of paths) {
      let nearest = null;
      for (const box of path.boxes) {
        if (nearest === null || Math.abs(box[0] - video.currentTime) < Math.abs(nearest[0] - video.currentTime)) {
          nearest = box;
        }
      }
      if (nearest === null || Math.abs(nearest[0] - video.currentTime) > 0.4) continue;
      const shape = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const [, x, y, width, height] = nearest;
      for (const [name, value] of Object.entries({ x, y, width, height, class: path.css })) {
        shape.setAttribute(name, value);
      }
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = path.label;
      shape.append(title);
      over.append(shape);
    }
  };
  video.addEventListener("error", () => figure.classList.add("unplayable"));
  if (video.error) figure.classList.add("unplayable");
  for (const event of ["loadeddata", "seeked", "timeupdate", "play"]) video.addEventListener(event, draw);
}
