// The shell's behaviour: the light/dark choice and the chip that counts running jobs.
(() => {
  if (window.synthaugShell) return;
  window.synthaugShell = true;
  // The plot's points take longest, so they are asked for while Gradio still builds the page.
  if (location.pathname === "/explore") window.synthaugPoints = fetch("/data/points", { cache: "no-store" });
  const KEY = "synthaug.theme";
  const asked = new URL(location.href).searchParams.get("__theme");

  const applyTheme = () => {
    const chosen = asked || localStorage.getItem(KEY);
    if (chosen) document.body.classList.toggle("dark", chosen === "dark");
  };
  applyTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => queueMicrotask(applyTheme));

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-sa-theme]")) return;
    const dark = document.body.classList.toggle("dark");
    localStorage.setItem(KEY, dark ? "dark" : "light");
    document.dispatchEvent(new CustomEvent("synthaug:theme", { detail: { dark } }));
  });

  const showJobs = (jobs) => {
    const chip = document.querySelector("[data-sa-jobs]");
    if (!chip) return;
    const active = jobs.filter((job) => job.state === "running" || job.state === "queued");
    chip.hidden = active.length === 0;
    const [first] = active;
    if (!first) return;
    const share = first.total ? ` ${Math.floor((100 * first.done) / first.total)}%` : "";
    const more = active.length > 1 ? ` · ${active.length - 1} more` : "";
    chip.querySelector("span").textContent = `${first.kind}${share}${more}`;
  };

  let timer = 0;
  const poll = async () => {
    clearTimeout(timer);
    let busy = false;
    try {
      const answer = await fetch("/data/jobs");
      if (answer.ok) {
        const { jobs } = await answer.json();
        busy = jobs.some((job) => job.state === "running" || job.state === "queued");
        showJobs(jobs);
        document.dispatchEvent(new CustomEvent("synthaug:jobs", { detail: jobs }));
      }
    } catch {
      // The server is away for the moment; the next round asks again.
    }
    timer = setTimeout(poll, document.hidden ? 5000 : busy ? 700 : 2000);
  };
  document.addEventListener("synthaug:poll", poll);
  poll();
})();
