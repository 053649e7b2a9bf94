"use strict";
SwaggerUIBundle({ url: "/api/schema/?format=json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: true });
