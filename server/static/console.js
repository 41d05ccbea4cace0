// All that the pages do beyond what they do without it: go to the errors, print, and show how things stand as they change.
(function () {
  "use strict";

  var errors = document.getElementById("errors");
  if (errors) {
    errors.focus();
  }

  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });

  // A file is read here and goes into the form's box: nothing is sent before the button is pressed.
  document.querySelectorAll("[data-fill]").forEach(function (part) {
    var input = part.querySelector("input");
    part.hidden = false;
    input.addEventListener("change", function () {
      if (input.files.length) {
        input.files[0].text().then(function (text) {
          document.getElementById(part.getAttribute("data-fill")).value = text;
        });
      }
    });
  });

  // A second click on a button sends nothing: the server would do nothing either, but the page would seem to hang.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    window.setTimeout(function () { delete form.dataset.sent; }, 3000);
  });

  // Passkeys: the server's question is fetched, the browser asks the person, and the answer goes with the form.
  function bytes(text) {
    var plain = window.atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }

  function base64(buffer) {
    var plain = Array.from(new Uint8Array(buffer), function (byte) { return String.fromCharCode(byte); }).join("");
    return window.btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function read(options) {
    var asked = options.publicKey;
    asked.challenge = bytes(asked.challenge);
    if (asked.user) {
      asked.user.id = bytes(asked.user.id);
    }
    (asked.allowCredentials || []).concat(asked.excludeCredentials || []).forEach(function (known) {
      known.id = bytes(known.id);
    });
    return { publicKey: asked };
  }

  function written(passkey) {
    var given = passkey.response;
    var response = { clientDataJSON: base64(given.clientDataJSON) };
    ["attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (given[name]) {
        response[name] = base64(given[name]);
      }
    });
    return JSON.stringify({ id: passkey.id, rawId: base64(passkey.rawId), type: passkey.type, response: response });
  }

  function ask(form) {
    var token = new URLSearchParams({ form_token: form.getAttribute("data-begin-token") });
    return window.fetch(form.getAttribute("data-begin"), { method: "POST", body: token }).then(function (answer) {
      if (!answer.ok) {
        throw new Error(answer.status);
      }
      return answer.json();
    }).then(function (options) {
      return form.getAttribute("data-passkey") === "create"
        ? navigator.credentials.create(read(options)) : navigator.credentials.get(read(options));
    });
  }

  document.querySelectorAll("[data-passkey-part]").forEach(function (part) {
    if (!window.PublicKeyCredential || !navigator.credentials) {
      return;
    }
    var form = part.querySelector("form");
    var note = part.querySelector("[data-passkey-note]");
    part.hidden = false;
    document.querySelectorAll("[data-without-passkeys]").forEach(function (words) { words.hidden = true; });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (form.dataset.sent) {
        return;
      }
      note.textContent = "";
      ask(form).then(function (passkey) {
        form.elements.answer.value = written(passkey);
        form.submit();
      }).catch(function () {
        delete form.dataset.sent;
        note.textContent = "That did not work, or was cancelled. Try once more, or choose another way.";
      });
    });
  });

  var live = document.querySelector("[data-live-from]");
  if (!live || !window.EventSource) {
    return;
  }
  var typed = false;
  document.addEventListener("input", function () { typed = true; });
  var source = new EventSource(live.getAttribute("data-live-from"));

  function say(words) {
    var note = document.getElementById("live-note");
    if (!note) {
      note = document.createElement("p");
      note.id = "live-note";
      note.className = "live-note";
      note.setAttribute("role", "status");
      live.parentNode.insertBefore(note, live.nextSibling);
    }
    note.textContent = words;
  }

  function replace(old, fresh) {
    if (old.innerHTML === fresh.innerHTML && old.className === fresh.className) {
      return;
    }
    var focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.className = fresh.className;
    old.innerHTML = fresh.innerHTML;
    var again = focused && document.getElementById(focused);
    if (again) {
      again.focus();
    }
  }

  source.addEventListener("state", function (event) {
    var fresh = new DOMParser().parseFromString(event.data, "text/html");
    var moved = false;
    fresh.querySelectorAll("[data-live]").forEach(function (part) {
      var old = document.getElementById(part.id);
      if (!old) {
        return;
      }
      moved = moved || old.getAttribute("data-version") !== part.getAttribute("data-version");
      replace(old, part);
    });
    document.documentElement.setAttribute("data-is-live", "yes");
    if (moved && typed) {
      say("What you can do on this page has changed. Finish, or show how it stands now.");
    } else if (moved) {
      source.close();
      window.location.reload();
    }
  });

  source.addEventListener("over", function () {
    source.close();
    document.documentElement.removeAttribute("data-is-live");
    say("You have been signed out, so this page no longer changes by itself. Sign in to see how it stands.");
  });
}());
