/* Sphinx asks `score` for the rank of each result of its search.

   Guides come before the reference, and that before explanations. Decisions and changes come last: they say why, and not
   how. A page or section whose title has every word of the query comes before one that has them in its text. */
const KINDS = [
  [/^(tutorial$|how-to\/|guides\/)/, 20],
  [/^reference\//, 10],
  [/^(decisions\/|changelog$)/, -200],
];
// What readers call the subject of a page, where its title has other words.
const OTHER_NAMES = {
  "2fa": "how-to/second-factor",
  hijack: "how-to/support-access",
  impersonate: "how-to/support-access",
  impersonation: "how-to/support-access",
  login: "how-to/add-to-a-site",
  logout: "how-to/sign-out",
  mfa: "how-to/second-factor",
  multitenancy: "how-to/tenants",
  swagger: "how-to/api-docs",
};
const WORDS = (new URLSearchParams(window.location.search).get("q") ?? "").toLowerCase().match(/[^\s"]+/g) ?? [];

function score([docname, title, anchor, , score]) {
  const kind = KINDS.find(([pattern]) => pattern.test(docname))?.[1] ?? 0;
  const name = title.toLowerCase().split(" > ").pop();
  const has = (text) => WORDS.length > 0 && WORDS.every((word) => text.includes(word));
  if (!anchor && OTHER_NAMES[WORDS.join(" ")] === docname) return score + kind + 80;
  if (!anchor) return score + kind + (has(name) || has(docname.split("/").pop()) ? 40 : 0);
  return score + kind + (name === WORDS.join(" ") ? 30 : has(name) ? 15 : 0);
}

var Scorer = {
  score,
  // These are the values of Sphinx.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
