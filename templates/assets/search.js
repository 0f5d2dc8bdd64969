// The search page: Pagefind finds, this shows. Nothing is sent anywhere: the index lies beside the pages.
(() => {
  const PAGE_SIZE = 24;
  const page = document.querySelector(".finder");
  const form = page.querySelector("form");
  if (!form) return;
  const without = page.querySelector(".without-search");
  const status = page.querySelector("[role=status]");
  const list = document.getElementById("results");
  const more = page.querySelector(".search-more");
  const facets = [...form.querySelectorAll("select")].filter((select) => select.name !== "order");
  const instead = (reason) => {
    for (const note of without.querySelectorAll("[class]:not(a)")) note.hidden = !note.matches(reason);
    without.hidden = false;
    form.hidden = list.hidden = more.hidden = true;
    status.textContent = "";
  };
  if (location.protocol === "file:") {
    instead(".needs-http"); // a browser reads no index from a disk
    return;
  }

  const makeCard = cardMaker(page);
  const labels = new Map(facets.flatMap((select) => [...select.options].map((option) => [option, option.textContent])));
  let pagefind;
  let found = [];
  let asked = 0;

  const fromAddress = () => {
    const wanted = new URLSearchParams(location.search);
    form.elements.q.value = wanted.get("q") ?? "";
    for (const select of form.querySelectorAll("select")) {
      const value = wanted.get(select.name);
      select.value = [...select.options].some((option) => option.value === value) ? value : select.options[0].value;
    }
  };
  const toAddress = () => {
    const wanted = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value && !(name === "order" && value === form.elements.order.options[0].value)) wanted.set(name, value);
    }
    const query = wanted.toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
  };

  const cardOf = async (result) => {
    const data = await result.data();
    const address = data.raw_url ?? data.url;
    const [, id, shown] = address.match(/v\/([^/#]+)\/#(.*)$/);
    return makeCard(id, data.filters.kind[0], data.filters.place[0], decodeURIComponent(shown));
  };
  const showMore = async () => {
    const turn = asked;
    const first = list.children.length;
    const cards = await Promise.all(found.slice(first, first + PAGE_SIZE).map(cardOf));
    if (turn !== asked) return;
    list.append(...cards);
    list.hidden = !list.children.length;
    more.hidden = list.children.length >= found.length;
    document.dispatchEvent(new Event("cards"));
    if (first) list.children[first].querySelector("a").focus();
  };
  // How many there would be, at the values of the facets that are still open.
  const count = (counts) => {
    for (const select of facets) {
      for (const option of select.options) {
        const number = counts[select.name]?.[option.value] ?? 0;
        const counted = option.value && !select.value;
        option.textContent = counted ? `${labels.get(option)} (${number})` : labels.get(option);
        option.disabled = Boolean(counted) && !number;
      }
    }
  };
  const search = async () => {
    const turn = ++asked;
    toAddress();
    const filters = Object.fromEntries(facets.filter((select) => select.value).map((select) => [select.name, select.value]));
    const words = form.elements.q.value.trim();
    const answer = await pagefind.search(words || null, { filters, sort: { [form.elements.order.value]: "desc" } });
    if (turn !== asked) return;
    found = answer.results;
    list.replaceChildren();
    count(answer.filters);
    const kind = found.length === 0 ? "foundNone" : found.length === 1 ? "foundOne" : "foundMany";
    status.textContent = page.dataset[kind].replace("{n}", found.length.toLocaleString());
    await showMore();
  };
  const attempt = (act) => () => act().catch(() => instead(".has-failed"));

  let waiting;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    attempt(search)();
  });
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(attempt(search), event.target.name === "q" ? 250 : 0);
  });
  more.addEventListener("click", attempt(showMore));

  attempt(async () => {
    pagefind = await import(new URL(page.dataset.index, location.href).href);
    await pagefind.filters();
    fromAddress();
    without.hidden = true;
    form.hidden = false;
    await search();
  })();
})();
