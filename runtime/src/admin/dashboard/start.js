// Begins, goes on once a second, and hears the buttons.

// Said only when it changes: who listens to the page is not told the time each second.
function say(state, failing) {
  if ($("state").textContent !== state) $("state").textContent = state;
  $("state").className = failing ? "failing" : "";
}

async function refresh(...parts) {
  try {
    const gauges = await ask("gauges");
    await Promise.all(parts.map((part) => part(gauges)));
    say(paused ? "paused" : "live", false);
    $("clock").textContent = new Date().toLocaleTimeString();
  } catch (error) {
    say(`no answer: ${error.message}`, true);
  }
}

// One round ends before the next begins, however slow the server or the browser is.
async function live() {
  const began = performance.now();
  if (!paused && !document.hidden) await refresh(overTime, byFunction);
  setTimeout(live, Math.max(0, EVERY_MS - (performance.now() - began)));
}

function dress(theme) {
  document.documentElement.dataset.theme = theme;
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
dress(prefersDark.matches ? "dark" : "light");
prefersDark.addEventListener("change", (event) => dress(event.matches ? "dark" : "light"));
$("theme").addEventListener("click", () => dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", paused);
  if (paused) say("paused", false);
});
for (const id of ["function", "window"]) $(id).addEventListener("change", () => refresh(byFunction));
tableHead();
live();
