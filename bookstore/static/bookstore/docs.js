// Starts Swagger on the page of the API.
const page = document.getElementById("swagger-ui");

SwaggerUIBundle({
  domNode: page,
  url: page.dataset.schemaUrl,
  deepLinking: true,
  // By default the document is shown to a validator on the internet.
  validatorUrl: null,
  requestInterceptor(request) {
    // For whoever is signed in: without it the site would take the request for one of another site.
    request.headers["X-CSRFToken"] = page.dataset.csrfToken;
    return request;
  },
});
