// Rows with data-job show how far long work is; when it ends the page is loaded anew.
"use strict";

for (const row of document.querySelectorAll("[data-job]")) {
  const bar = row.querySelector("progress");
  const count = row.querySelector("[data-count]");
  const ask = async () => {
    const answer = await fetch(row.dataset.job, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const job = await answer.json();
    if (job.state !== "running") {
      location.reload();
      return;
    }
    bar.max = job.total || 1;
    bar.value = job.done;
    count.textContent = `${job.done} / ${job.total || "?"}`;
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 1000);
}
