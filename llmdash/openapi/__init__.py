"""The OpenAPI document, made from the routes, what stands at their handlers, and the shapes of the bodies."""
