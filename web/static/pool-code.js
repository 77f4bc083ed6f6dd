// Fetches a new code before the one that is shown ends. Without it the page reloads itself.
(function () {
  "use strict";
  var place = document.getElementById("code");
  var failed = document.getElementById("failed");
  if (!place || !failed) { return; }
  var every = Number(place.dataset.every) * 1000;
  var last = Date.now();
  var asking = false;

  function show(svg) {
    var picture = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    if (picture.nodeName !== "svg") { throw new Error("no picture"); }
    place.replaceChildren(document.importNode(picture, true));
    last = Date.now();
    failed.hidden = true;
  }

  function renew() {
    if (asking) { return; }
    asking = true;
    fetch(place.dataset.fresh, { credentials: "same-origin", redirect: "error", cache: "no-store" })
      .then(function (answer) {
        if (!answer.ok) { throw new Error("no code"); }
        return answer.text();
      })
      .then(show)
      .catch(function () { failed.hidden = false; })
      .then(function () { asking = false; });
  }

  function look() {
    if (document.visibilityState === "visible" && Date.now() - last >= every) { renew(); }
  }

  setInterval(look, 1000);
  document.addEventListener("visibilitychange", look);
}());
