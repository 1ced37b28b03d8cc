#pragma once

namespace infoscissors::report {

/// Sorts a table by the column whose button is pressed: by number where a cell begins with one, else by text; what is
/// empty or a dash comes last either way.
inline constexpr const char* kSortScript = R"js(
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const body = table.tBodies[0];
      const key = row => {
        const text = row.cells[column].textContent.trim();
        const number = parseFloat(text);
        return text === "" || text === "-" ? null : Number.isNaN(number) ? text : number;
      };
      const order = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
      const rows = [...body.rows].map(row => [key(row), row]);
      rows.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : down ? order(b, a) : order(a, b));
      body.append(...rows.map(([, row]) => row));
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });
}
document.documentElement.dataset.sortable = "yes";
)js";

/// SHA-256 of the script in base64, for the page's Content-Security-Policy; a test compares it.
inline constexpr const char* kSortScriptHash = "1+8SzaBG1Lac5sFw2GZwRyYGhlCOZhJXNkRCY+cyiTQ=";

/// What a sweep's page needs beyond a report's.
inline constexpr const char* kSweepStyle = R"css(
nav{margin:.5rem 0}nav a{margin-right:.9rem;color:var(--accent)}
.drawn{background:#fff;border:1px solid var(--edge);border-radius:.5rem;overflow-x:auto;padding:.25rem;max-width:100%}
.drawn svg{overflow:hidden;min-width:var(--least);max-width:none}
.sweep-figure{max-width:none;margin:1rem 0 1.75rem}
.sweep-figure figcaption{font-weight:400;color:var(--soft);max-width:46rem;margin:.4rem 0}
.command{font-size:.85rem;margin:.25rem 0;max-width:none}
main,header{overflow-wrap:anywhere}.scroll{overflow-wrap:normal}
.sortable button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;text-align:inherit;cursor:pointer}
.sortable button::after{content:" \2195";color:var(--soft);font-weight:400}
.sortable [aria-sort=ascending] button::after{content:" \2191"}
.sortable [aria-sort=descending] button::after{content:" \2193"}
.sortable button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.sortable tr>th:first-child{position:static}
.hash{font-size:.8rem}
)css";

}  // namespace infoscissors::report
