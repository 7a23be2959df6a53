"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.addEventListener("click", () => { // the button is for the keyboard; a click may fall beside its text
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.order;
      const text = head.dataset.kind === "text";
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = up ? [key(a), key(b)] : [key(b), key(a)];
        if (key(a) === "" || key(b) === "") return (key(a) === "") - (key(b) === "");
        return text ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      });
      body.append(...rows);
    });
  });
}
const search = document.querySelector("#search");
if (search) {
  search.parentElement.hidden = false;
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const row of document.querySelector("table.sortable").tBodies[0].rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    }
  });
}
