// The API's page: Swagger UI on this service's own description.

const requests = document.getElementById("requests");

window.SwaggerUIBundle({
  url: requests.dataset.url,
  domNode: requests,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  validatorUrl: null, // it would ask another site
});
