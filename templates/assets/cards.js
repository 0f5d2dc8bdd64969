// Cards that scripts make: from the page's own template, with texts set as text and never as markup.
const cardMaker = (page) => {
  const names = JSON.parse(document.getElementById("names").textContent);
  const template = document.getElementById("card-template").content;
  const { root, case: address } = page.dataset;
  const nameOf = (table, key) => (Object.hasOwn(table, key) ? table[key] : key);

  // `shown` is "2026-04-26,18" and, where there is a picture, ",640x320,360,media/ab/abcd".
  return (id, kind, place, shown) => {
    const [day, hour, widths, height, stem] = shown.split(",");
    const card = template.cloneNode(true).firstElementChild;
    card.querySelector("a").href = address.replace("ID", id);
    if (stem) {
      const sizes = widths.split("x");
      const picture = document.createElement("picture");
      const source = document.createElement("source");
      const image = new Image(sizes[0], height);
      picture.className = "thumb";
      source.type = "image/webp";
      source.sizes = "(min-width: 62em) 270px, 46vw";
      source.srcset = sizes.map((width) => `${root}${stem}-${width}.webp ${width}w`).join(", ");
      image.alt = nameOf(names.alt, kind);
      image.loading = "lazy";
      image.decoding = "async";
      picture.append(source, image);
      image.src = `${root}${stem}-${sizes.at(-1)}.jpg`;
      card.querySelector(".no-picture").replaceWith(picture);
    }
    card.querySelector(".card-kind").textContent = nameOf(names.kind, kind);
    card.querySelector(".card-place").textContent = nameOf(names.place, place);
    card.querySelector(".card-when").textContent = `${nameOf(names.day, day)} ${names.hour[hour]}`;
    return card;
  };
};
