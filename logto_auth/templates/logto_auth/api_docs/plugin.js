{% comment %}
A plugin of Swagger UI. Logto issues a JWT for an API only if both requests name the API by the parameter `resource`
(RFC 8707), which Swagger UI cannot be configured to send with the second one. Logto denies a sign-in without `openid`.
{% endcomment %}
() => {
  const resourceOf = (system, auth) =>
    system.specSelectors.specJson().getIn(["components", "securitySchemes", auth.name, "{{ resource_key }}"]);
  return {
    statePlugins: {
      auth: {
        wrapActions: {
          authPopup: (original, system) => (address, context) => {
            const resource = resourceOf(system, context.auth);
            if (!resource) return original(address, context);
            const url = new URL(address);
            const scopes = (url.searchParams.get("scope") || "").split(" ").filter(Boolean);
            url.searchParams.set("scope", [...new Set(["openid", ...scopes])].join(" "));
            url.searchParams.set("resource", resource);
            return original(url.href, context);
          },
          authorizeRequest: (original, system) => (data) => {
            const resource = resourceOf(system, data.auth);
            const body = resource ? `${data.body}&resource=${encodeURIComponent(resource)}` : data.body;
            return original({...data, body});
          },
        },
      },
    },
  };
}
