// The page of what was saved: identifiers from this browser, cards from small files beside the pages.
const knownCards = {};
// Called by each of those files.
const quitboardCards = (cards) => Object.assign(knownCards, cards);

(() => {
  const page = document.querySelector(".keeper");
  const list = document.getElementById("kept");
  const note = page.querySelector(".note-box");
  const instead = (reason) => {
    for (const text of note.querySelectorAll("[class]:not(a)")) text.hidden = !text.matches(reason);
    note.hidden = false;
  };
  const count = Number(page.dataset.shards);
  const shardOf = (id) => {
    let found = 0;
    for (const letter of id) found = (found * 31 + letter.codePointAt(0)) & 0xffff;
    return found % count;
  };
  const load = (shard) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${page.dataset.root}data/cards/${shard}.js`;
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
  const goneCard = (id, withdrawn) => {
    const card = document.getElementById("gone-template").content.cloneNode(true).firstElementChild;
    card.dataset.id = id;
    card.querySelector(withdrawn ? ".over" : ".withdrawn").remove();
    return card;
  };

  const show = async () => {
    const ids = saved.read();
    if (!ids.length) {
      instead(".is-empty");
      return;
    }
    await Promise.all([...new Set(ids.map(shardOf))].map(load));
    const makeCard = cardMaker(page);
    for (const id of ids) {
      const card = Object.hasOwn(knownCards, id) ? knownCards[id] : undefined;
      list.append(card ? makeCard(id, ...card) : goneCard(id, card === null));
    }
    note.hidden = true;
    list.hidden = false;
    document.dispatchEvent(new Event("cards"));
  };
  if (!saved.works()) instead(".has-failed");
  else show().catch(() => instead(".has-failed"));
})();
