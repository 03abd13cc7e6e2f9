"""The ASGI application: the AWS protocols and, later, REST."""
