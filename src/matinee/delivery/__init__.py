"""Event-driven delivery: rules, what they have to deliver, and what carries it to webhooks, streams and queues."""
