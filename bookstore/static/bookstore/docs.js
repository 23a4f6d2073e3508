// Starts Swagger on the page of the API.
const page = document.getElementById("swagger-ui");

// Swagger has dark colours for a class of the document.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// A padlock for the operations that require a sign-in. Swagger would close it for those that everybody may use.
const Padlocks = () => ({
  wrapComponents: {
    OperationSummary: (Summary, { React }) => (props) => {
      const { operationProps } = props;
      const security = operationProps.get("security");
      const isPublic = !security || security.some((way) => way.size === 0);
      const shown = operationProps.set("security", isPublic ? undefined : security).set("isAuthorized", true);
      return React.createElement(Summary, { ...props, operationProps: shown });
    },
  },
});

SwaggerUIBundle({
  domNode: page,
  url: page.dataset.schemaUrl,
  deepLinking: true,
  plugins: [Padlocks],
  // The operations first: a reader opens a schema that an operation names.
  defaultModelsExpandDepth: 0,
  // By default the document is shown to a validator on the internet.
  validatorUrl: null,
  requestInterceptor(request) {
    // For whoever is signed in: without it the site would take the request for one of another site.
    request.headers["X-CSRFToken"] = page.dataset.csrfToken;
    return request;
  },
});
