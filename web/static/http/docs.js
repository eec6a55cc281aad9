// The API's page: Swagger UI on this service's own description.

import { byId, datum } from "./elements.js";

const requests = byId("requests");

window.SwaggerUIBundle({
  url: datum(requests, "url"),
  domNode: requests,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  validatorUrl: null, // it would ask another site
});
