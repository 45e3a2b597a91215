// A chart under the pointer shows the row of its own table that is nearest. Without this script
// the page says the same: the table is under each chart.
const tip = document.createElement("div");
tip.id = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);

const words = (row, names) =>
    [...row.cells].map((cell, i) => (i > 0 ? names[i] + "  " : "") + cell.textContent).join("\n");

document.querySelectorAll("figure.chart").forEach((figure) => {
    const svg = figure.querySelector("svg[role=img]");
    const cursor = svg.querySelector(".cursor");
    const rows = [...figure.querySelectorAll("tbody tr")];
    const names = [...figure.querySelectorAll("thead th")].map((cell) => cell.textContent);
    // The browser's own tooltip would lie over ours; readers of the page aloud keep the name.
    svg.setAttribute("aria-label", svg.querySelector("title").textContent);
    svg.removeAttribute("aria-labelledby");
    svg.setAttribute("aria-describedby", svg.querySelector("desc").id);
    svg.querySelector("title").remove();

    const away = (row, x) => Math.abs(Number(row.dataset.x) - x);
    svg.addEventListener("pointermove", (event) => {
        if (rows.length === 0) return;
        const box = svg.getBoundingClientRect();
        const x = ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
        const row = rows.reduce((best, next) => (away(best, x) > away(next, x) ? next : best));
        cursor.setAttribute("transform", `translate(${row.dataset.x})`);
        cursor.style.visibility = "visible";
        tip.textContent = words(row, names);
        tip.hidden = false;
        const room = document.documentElement.clientWidth - tip.offsetWidth - 16;
        tip.style.left = `${Math.max(0, Math.min(event.pageX + 16, room))}px`;
        tip.style.top = `${event.pageY + 16}px`;
    });
    svg.addEventListener("pointerleave", () => {
        cursor.style.visibility = "hidden";
        tip.hidden = true;
    });
});
