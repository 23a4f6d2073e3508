// Creates a passkey in the browser for the form on the page "Add a passkey".
//
// The form has the options in `data-options`, as JSON of Logto, and the texts of errors in its other data attributes. The
// new credential goes into the field `credential`, and the form is sent as any other form. Nothing else is sent.
// Source: Web Authentication, Level 3, section 5.1.3.
(() => {
  "use strict";

  const bytes = text => {
    const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  };

  const base64url = buffer => {
    const text = Array.from(new Uint8Array(buffer), byte => String.fromCharCode(byte)).join("");
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  const creationOptions = options => ({
    ...options,
    challenge: bytes(options.challenge),
    user: {...options.user, id: bytes(options.user.id)},
    excludeCredentials: (options.excludeCredentials || []).map(each => ({...each, id: bytes(each.id)})),
  });

  const credentialJSON = credential => JSON.stringify({
    id: credential.id,
    rawId: base64url(credential.rawId),
    response: {
      clientDataJSON: base64url(credential.response.clientDataJSON),
      attestationObject: base64url(credential.response.attestationObject),
      transports: credential.response.getTransports ? credential.response.getTransports() : [],
    },
    ...(credential.authenticatorAttachment && {authenticatorAttachment: credential.authenticatorAttachment}),
  });

  // The name of an attribute `data-error-…`, by the name of the DOMException.
  const ERRORS = {
    NotAllowedError: "errorCancelled",
    AbortError: "errorCancelled",
    InvalidStateError: "errorExists",
    SecurityError: "errorOrigin",
    NotSupportedError: "errorUnsupported",
    ConstraintError: "errorUnsupported",
  };

  const prepare = form => {
    const alert = form.querySelector("[data-passkey-error]");
    const button = form.querySelector("button[type=submit]");
    const show = name => {
      alert.textContent = form.dataset[name] || form.dataset.errorOther;
      alert.hidden = false;
    };
    document.querySelectorAll("[data-passkey-no-script]").forEach(text => { text.hidden = true; });
    form.hidden = false;
    if (!window.PublicKeyCredential || !navigator.credentials) {
      button.disabled = true;
      show("errorUnsupported");
      return;
    }
    form.addEventListener("submit", async event => {
      if (form.elements.credential.value) {
        return;
      }
      event.preventDefault();
      alert.hidden = true;
      button.disabled = true;
      try {
        const options = creationOptions(JSON.parse(form.dataset.options));
        const credential = await navigator.credentials.create({publicKey: options});
        form.elements.credential.value = credentialJSON(credential);
        button.disabled = false;
        form.requestSubmit(button);
      } catch (error) {
        button.disabled = false;
        show(ERRORS[error.name] || "errorOther");
      }
    });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    // A navigation library may run this script again on the same page.
    if (!form.dataset.prepared) {
      form.dataset.prepared = "true";
      prepare(form);
    }
  }
})();
