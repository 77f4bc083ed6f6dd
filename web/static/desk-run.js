// Follows a run: fetches its part of the page every two seconds, and the whole page when it begins, stops or is over.
const part = document.querySelector("[data-follow]");

async function follow() {
  try {
    const answer = await fetch(part.dataset.follow, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) {
      return; // signed out, or gone: the page stays as it is
    }
    const before = part.querySelector("[data-state]")?.dataset.state;
    part.innerHTML = await answer.text();
    if (part.querySelector("[data-state]")?.dataset.state !== before) {
      window.location.reload(); // begun, stopped or over: what can be done now is elsewhere on the page
      return;
    }
  } catch {
    // The network comes and goes; the next look tells.
  }
  window.setTimeout(follow, 2000);
}

if (part !== null) {
  window.setTimeout(follow, 1000);
}
