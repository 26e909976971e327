// Press a heading of a table to sort by it: numbers from the greatest, names from the first; press again to turn the order.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const compare = column
        ? (a, b) => value(b) - value(a)
        : (a, b) => value(a).localeCompare(value(b));
      const turned = head.getAttribute("aria-sort") === (column ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].sort((a, b) => (turned ? -1 : 1) * compare(a, b));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", Boolean(column) === turned ? "ascending" : "descending");
      table.tBodies[0].append(...rows);
    });
  });
}
