// The search page: Pagefind finds, this shows. Nothing is sent anywhere: the indexes lie beside the pages, the newest
// first; most boards have one.
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
  const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
  const labels = new Map(facets.flatMap((select) => [...select.options].map((option) => [option, option.textContent])));
  const indexes = [];
  let found = async () => undefined;
  let total = 0;
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

  // What a result's address says: "v/ID/#sureness,seen,what the card shows".
  const read = async (result) => {
    const { raw_url: address, filters } = await result.data();
    const [, id, sureness, seen, shown] = address.match(/^v\/([^/#]+)\/#([^,]*),([^,]*),(.*)$/);
    return { sureness: Number(sureness), seen: Number(seen), card: () => makeCard(id, filters.kind[0], filters.place[0], shown) };
  };
  // Give one result after the other out of several answers, each of them in order.
  const merged = (answers, order) => {
    const queues = answers.map((answer) => answer.results.slice());
    return async () => {
      let first = queues.findIndex((queue) => queue.length);
      if (order !== "newest" && queues.length > 1) {
        const values = await Promise.all(queues.map(([head]) => head && read(head)));
        const best = Math.max(...values.map((value) => (value ? value[order] : -Infinity)));
        first = values.findIndex((value) => value && value[order] === best);
      }
      return first < 0 ? undefined : queues[first].shift();
    };
  };
  const show = async (first) => {
    const turn = asked;
    const results = [];
    more.disabled = true; // a second press would ask for the same
    while (results.length < Math.min(PAGE_SIZE, total - first)) results.push(await found());
    const cards = (await Promise.all(results.map(read))).map((result) => result.card());
    if (turn !== asked) return;
    if (!first) list.replaceChildren(); // only now, so that nothing flickers while somebody types
    list.append(...cards);
    list.hidden = !list.children.length;
    more.disabled = false;
    more.hidden = list.children.length >= total;
    document.dispatchEvent(new Event("cards"));
    if (first) list.children[first].querySelector("a").focus();
  };
  // How many there would be, at the values of the facets that are still open.
  const count = (answers) => {
    for (const select of facets) {
      for (const option of select.options) {
        const number = sum(answers.map((answer) => answer.filters[select.name]?.[option.value] ?? 0));
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
    const order = form.elements.order.value;
    const answers = await Promise.all(
      indexes.map((index) => index.search(words || null, { filters, sort: { [order]: "desc" } })),
    );
    if (turn !== asked) return;
    found = merged(answers, order);
    total = sum(answers.map((answer) => answer.results.length));
    count(answers);
    const kind = total === 0 ? "foundNone" : total === 1 ? "foundOne" : "foundMany";
    status.textContent = page.dataset[kind].replace("{n}", total.toLocaleString());
    await show(0);
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
  more.addEventListener("click", attempt(() => show(list.children.length)));

  without.hidden = true;
  status.textContent = page.dataset.loading;
  attempt(async () => {
    const folder = new URL(`${page.dataset.root}pagefind/`, location.href).href;
    const { createInstance } = await import(`${folder}0/pagefind.js`);
    for (let number = 0; number < Number(page.dataset.indexes); number++) {
      const index = createInstance({ basePath: `${folder}${number}/` });
      // One after the other: they share one WebAssembly, and two that begin together would each put up its own.
      await index.filters(); // loaded, so that answers count what is left of each
      indexes.push(index);
    }
    fromAddress();
    form.hidden = false;
    await search();
  })();
})();
