"""What goes over the wire, as marshmallow schemas: each says exactly what it accepts, and OpenAPI repeats it."""
