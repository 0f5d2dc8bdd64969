// The peer that build-site is timed beside: the same cards from one JSON, templates of the same size.
export default function (config) {
  config.setQuietMode(true);
  return { dir: { input: "pages", includes: "../_includes", data: "../_data" }, htmlTemplateEngine: "njk" };
}
